# The example of the page of Microsoft on loopback connections, without revoscalepy: only the import lines are others, and pandas reads and
# writes. Run it as a script of SQL Server that sees the packages loopback-odbc, pyodbc and pandas (README.md shows how to paste one). It
# needs a database Sales that sales.sql has filled.
import pandas
import pyodbc
from loopback_odbc import rx_get_sql_loopback_connection_string

loopback_connection_string = rx_get_sql_loopback_connection_string(
    odbc_driver="ODBC Driver 18 for SQL Server", name_of_database="Sales"
)
connection = pyodbc.connect(loopback_connection_string)
OutputDataSet = pandas.read_sql("SELECT OrderID, Region, Amount FROM dbo.Orders ORDER BY OrderID", connection)
print(OutputDataSet.to_string(index=False))

totals = OutputDataSet.groupby("Region", as_index=False)["Amount"].sum()
connection.execute("DROP TABLE IF EXISTS dbo.Totals")
connection.execute("CREATE TABLE dbo.Totals (Region nvarchar(40), Amount decimal(18, 2))")
connection.cursor().executemany("INSERT INTO dbo.Totals VALUES (?, ?)", totals.values.tolist())
connection.commit()
print(connection.execute("SELECT COUNT(*) FROM dbo.Totals").fetchval(), "regions")
