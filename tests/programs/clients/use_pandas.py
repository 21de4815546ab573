"""pandas, over a connection of pyodbc and over an engine of SQLAlchemy: use_pandas.py DSN"""

import datetime
import os
import platform
import sys
import warnings
from decimal import Decimal
from urllib.parse import quote_plus

import pandas
import pyodbc
import sqlalchemy

print(f"client: pandas {pandas.__version__}")
print(f"language: Python {platform.python_version()}")
pandas.set_option("display.width", 200, "display.max_columns", None)

frame = pandas.DataFrame({
    "id": [1, 2, 3],
    "big": [2**63 - 1, -(2**63), 0],
    "amount": [Decimal("1234567.8901"), Decimal("-0.0001"), None],
    "ratio": [0.1, -1.5e300, None],
    "name": ["Bjørn & Sønner", "日本 Ω 😀", None],
    "born": [datetime.date(1815, 12, 10), datetime.date(9999, 12, 31), None],
    "noted": pandas.to_datetime(["2026-11-22 20:15:01.123456", "1815-12-10", None], format="ISO8601"),
    "flag": pandas.array([True, False, None], dtype="boolean"),
    "data": [b"\x00\xff\x10", b"", None],
})
login = {name: os.environ[f"CLIENT_{name}".upper()] for name in ("user", "password") if "CLIENT_USER" in os.environ}
url = f"mssql+pyodbc://{':'.join(map(quote_plus, login.values()))}@{sys.argv[1]}"
engine = sqlalchemy.create_engine(url, fast_executemany=True)
types = {
    "amount": sqlalchemy.Numeric(19, 4), "name": sqlalchemy.Unicode(40), "born": sqlalchemy.Date,
    "noted": sqlalchemy.dialects.mssql.DATETIME2(6), "data": sqlalchemy.LargeBinary(20),
}
frame.to_sql("Typed", engine, index=False, dtype=types)
print(pandas.read_sql("SELECT * FROM Typed ORDER BY id", engine))

# pandas warns that it prefers SQLAlchemy.
warnings.simplefilter("ignore", UserWarning)
if login:
    # pyodbc does not quote values.
    login["password"] = "{" + login["password"].replace("}", "}}") + "}"
connection = pyodbc.connect(dsn=sys.argv[1], **login)
print(pandas.read_sql("SELECT id, CAST(ratio AS decimal(10, 4)) AS amount FROM Typed WHERE name = ?", connection,
                      params=["Bjørn & Sønner"]))

try:
    pandas.read_sql("SELECT * FROM dbo.Missing", connection)
except pandas.errors.DatabaseError as error:
    print(type(error).__name__, error)
