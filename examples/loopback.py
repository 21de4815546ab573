# Forecasts the sales of the next month per region from the orders so far, and stores the forecast.
# Run it where DSN=Loopback leads to a server with a database Sales, filled by sales.sql:
#     python3 examples/loopback.py
# Without SQL Server, `make demo` runs it against a stand-in.
from decimal import Decimal

import pyodbc

connection = pyodbc.connect("DSN=Loopback;Database=Sales")
cursor = connection.cursor()

print("Orders:")
sales = {}
for order_id, date, region, customer, amount in cursor.execute(
    "SELECT OrderID, OrderDate, Region, Customer, Amount FROM dbo.Orders ORDER BY OrderID"
):
    print(f"  {order_id:3}  {date}  {region}  {customer}  {amount}")
    if amount is not None:
        sales.setdefault(region, {}).setdefault(date.month, []).append(amount)

# The mean of the months, with five percent of growth.
forecast = []
for region, months in sales.items():
    monthly = [sum(amounts) for amounts in months.values()]
    expected = sum(monthly) / len(monthly) * Decimal("1.05")
    basis = sum(len(amounts) for amounts in months.values())
    forecast.append((region, basis, round(expected, 2)))

cursor.execute("DELETE FROM dbo.Forecast")
cursor.executemany("INSERT INTO dbo.Forecast (Region, Basis, Expected) VALUES (?, ?, ?)", forecast)
connection.commit()

print("Forecast, as it was written and read back:")
for row in cursor.execute("SELECT Region, Basis, Expected FROM dbo.Forecast WHERE Expected > ? ORDER BY Expected DESC", 0):
    print(f"  {row.Region}: {row.Expected} expected, from {row.Basis} orders")

connection.close()
