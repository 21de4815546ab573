"""pyodbc: use_pyodbc.py DSN"""

import datetime
import os
import platform
import sys
from decimal import Decimal

import pyodbc

print(f"client: pyodbc {pyodbc.version}")
print(f"language: Python {platform.python_version()}")

login = {name: os.environ[f"CLIENT_{name}".upper()] for name in ("user", "password") if "CLIENT_USER" in os.environ}
if login:
    # pyodbc does not quote values.
    login["password"] = "{" + login["password"].replace("}", "}}") + "}"
connection = pyodbc.connect(dsn=sys.argv[1], **login)
cursor = connection.cursor()

cursor.execute("""
    CREATE TABLE dbo.Typed (
        id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
        born date, noted datetime2(6), flag bit, data varbinary(20))""")
rows = [
    (1, 2**63 - 1, Decimal("1234567.8901"), 0.1, "Bjørn & Sønner",
     datetime.date(1815, 12, 10), datetime.datetime(2026, 11, 22, 20, 15, 1, 123456), True, b"\x00\xff\x10"),
    (2, -(2**63), Decimal("-0.0001"), -1.5e300, "日本 Ω 😀",
     datetime.date(9999, 12, 31), datetime.datetime(1, 1, 1), False, b""),
    (3,) + (None,) * 8,
]
cursor.executemany("INSERT INTO dbo.Typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
connection.commit()

for row in cursor.execute("SELECT * FROM dbo.Typed ORDER BY id"):
    print(row)
print(cursor.execute("SELECT name FROM dbo.Typed WHERE name = ?", "日本 Ω 😀").fetchall())
print([column.column_name for column in cursor.columns("Typed")])

try:
    cursor.execute("SELECT * FROM dbo.Missing")
except pyodbc.Error as error:
    print(type(error).__name__, error.args)
