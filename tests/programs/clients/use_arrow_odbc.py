"""arrow-odbc: use_arrow_odbc.py DSN"""

import datetime
import os
import platform
import sys
from decimal import Decimal
from importlib.metadata import version

import arrow_odbc
import pyarrow

print(f"client: arrow-odbc {version('arrow-odbc')} with pyarrow {pyarrow.__version__}")
print(f"language: Python {platform.python_version()}")

login = {name: os.environ[f"CLIENT_{name}".upper()] for name in ("user", "password") if "CLIENT_USER" in os.environ}
connection = arrow_odbc.connect(f"DSN={sys.argv[1]};", **login)
connection.execute("""
    CREATE TABLE dbo.Typed (
        id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
        born date, noted datetime2(6), flag bit, data varbinary(20))""")
rows = pyarrow.table({
    "id": pyarrow.array([1, 2, 3], pyarrow.int32()),
    "big": [2**63 - 1, -(2**63), None],
    "amount": pyarrow.array([Decimal("1234567.8901"), Decimal("-0.0001"), None], pyarrow.decimal128(19, 4)),
    "ratio": [0.1, -1.5e300, None],
    "name": ["Bjørn & Sønner", "日本 Ω 𠀀", None],
    "born": [datetime.date(1815, 12, 10), datetime.date(9999, 12, 31), None],
    "noted": [datetime.datetime(2026, 11, 22, 20, 15, 1, 123456), datetime.datetime(1, 1, 1), None],
    "flag": [True, False, None],
    "data": [b"\x00\xff\x10", b"", None],
})
connection.from_table_to_db(source=rows, target="Typed")

for batch in connection.read_arrow_batches("SELECT * FROM dbo.Typed ORDER BY id"):
    print(batch.schema)
    for row in batch.to_pylist():
        print(tuple(row.values()))
for batch in connection.read_arrow_batches("SELECT id FROM dbo.Typed WHERE name = ?", parameters=["日本 Ω 𠀀"]):
    print(batch.to_pylist())
for batch in connection.read_arrow_batches("SELECT N'日本 Ω' AS name"):
    print(batch.to_pylist())

try:
    connection.execute("SELECT * FROM dbo.Missing")
except arrow_odbc.Error as error:
    print(type(error).__name__, error)
