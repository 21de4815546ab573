"""What Microsoft's driver makes of the stand-in, topic by topic.

Started by driver.rs as `driver.py TOPIC FOLDER`. The folder holds odbcinst.ini, the certificates, the server's ready
file and its log. Every topic is a function of this name; an assertion that fails ends the program.
"""

import ctypes
import datetime
import decimal
import threading
import time
import uuid

import bcp
import pyodbc

from odbc import BASE, FOLDER, NEXT, NO_DATA, Connection, Refused, Rowset, certificate, run_topic

pyodbc.pooling = False
PASSWORD = BASE + "UID=dev;PWD=se{cret;TrustServerCertificate=yes;"
D = decimal.Decimal


def connect(**options):
    return pyodbc.connect(certificate("session") + "Database=Sales;", timeout=10, **options)


def refused(function, *arguments):
    """The SQLSTATE and the text of the error that a call raises."""
    try:
        function(*arguments)
    except pyodbc.Error as error:
        return error.args[0], error.args[1]
    raise AssertionError(f"{arguments} was not refused")


def last_login():
    return [line for line in (FOLDER / "log").read_text().splitlines() if line.startswith("login ")][-1]


def certificate_login():
    cursor = connect().cursor()
    assert tuple(cursor.execute("SELECT SUSER_SNAME(), ORIGINAL_LOGIN(), SYSTEM_USER, DB_NAME()").fetchone()) == (
        "CONTOSO\\analyst", "CONTOSO\\analyst", "CONTOSO\\analyst", "Sales")
    line = last_login()
    for part in ["result=ok", "prelogin_encryption=0x81", "client_certificate=session", 'user=""', 'database="Sales"']:
        assert part in line, line
    assert pyodbc.connect(certificate("session") + "Database=master;").execute("SELECT DB_NAME()").fetchone()[0] == "master"

    state, text = refused(pyodbc.connect, certificate("other"))
    assert state == "28000" and "Login failed for user 'Microsoft Corporation'." in text and "(18456)" in text, text
    assert "result=refused error=18456" in last_login() and "client_certificate=other" in last_login()

    # X.509 version 1
    state, text = refused(pyodbc.connect, certificate("oldform"))
    assert state == "28000" and "Microsoft Corporation" in text, text
    assert "client_certificate=other" in last_login()

    # Neither a certificate nor a user.
    state, text = refused(pyodbc.connect, BASE + "UID=;PWD=;TrustServerCertificate=yes;")
    assert state == "28000" and "Login failed for user ''." in text and "(18456)" in text, text
    for part in ["result=refused error=18456", "prelogin_encryption=0x01", "client_certificate=none", 'user=""']:
        assert part in last_login(), last_login()

    state, text = refused(pyodbc.connect, certificate("session") + "Database=Nowhere;")
    assert "4060" in text and 'Cannot open database "Nowhere"' in text, text
    assert "error=4060" in last_login()


def password_login():
    for option, byte in [("Encrypt=yes", "0x01"), ("Encrypt=no", "0x00"), ("Encrypt=optional", "0x00"), ("Encrypt=mandatory", "0x01")]:
        connection = pyodbc.connect(PASSWORD + option + ";Database=sales;APP=tests;")
        assert tuple(connection.execute("SELECT SUSER_SNAME(), DB_NAME(), APP_NAME()").fetchone()) == ("dev", "Sales", "tests")
        # Longer than a packet, both ways.
        long = "x" * 30000
        assert connection.execute("SELECT CAST(? AS nvarchar(max))", long).fetchone()[0] == long
        line = last_login()
        for part in ["result=ok", f"prelogin_encryption={byte}", "client_certificate=none", 'user="dev"', 'application="tests"']:
            assert part in line, line
    for user, password in [("dev", "wrong"), ("nobody", "secret")]:
        state, text = refused(pyodbc.connect, BASE + f"UID={user};PWD={password};Encrypt=no;")
        assert state == "28000" and f"Login failed for user '{user}'." in text, text
        assert "result=refused error=18456" in last_login()
    assert "secret" not in (FOLDER / "log").read_text() and "se{cret" not in (FOLDER / "log").read_text()


def basics():
    connection = connect(autocommit=True)
    version, spid = connection.execute("SELECT @@VERSION, @@SPID").fetchone()
    assert version.startswith("loopback-odbc stand-in for SQL Server (not SQL Server)"), version
    assert spid > 50
    assert connection.getinfo(pyodbc.SQL_DBMS_NAME) == "Microsoft SQL Server"
    assert connection.execute("SELECT SERVERPROPERTY('ProductVersion')").fetchone()[0] == connection.getinfo(pyodbc.SQL_DBMS_VER).replace("16.00.0000", "16.0.0.0")
    cursor = connection.cursor()
    cursor.execute("USE master")
    assert connection.getinfo(pyodbc.SQL_DATABASE_NAME) == "master"
    cursor.execute("USE [Sales]")
    assert cursor.execute("SELECT DB_NAME()").fetchval() == "Sales"
    # A seeded table, by all the ways to name it.
    for name in ["seeded", "dbo.seeded", "[dbo].[SEEDED]", "Sales.dbo.seeded", "Sales..seeded"]:
        assert cursor.execute(f"SELECT COUNT(*) FROM {name}").fetchval() == 3, name
    cursor.execute("PRINT 'hello'")
    assert any("hello" in text for _, text in cursor.messages), cursor.messages
    cursor.execute("USE master")
    assert cursor.execute("SELECT COUNT(*) FROM Sales.dbo.seeded").fetchval() == 3


# Type, values. NULL is tried with each.
TYPES = [
    ("bit", [True, False]),
    ("tinyint", [0, 255]),
    ("smallint", [-32768, 32767]),
    ("int", [-2**31, 2**31 - 1]),
    ("bigint", [-2**63, 2**63 - 1]),
    ("real", [0.5, -3.4e38]),
    ("float", [0.1, 1.7976931348623157e308, -2.2250738585072014e-308]),
    ("decimal(5,2)", [D("-999.99"), D("0.01")]),
    ("numeric(38,0)", [D("9" * 38), D("-" + "9" * 38)]),
    ("decimal(38,38)", [D("0." + "9" * 38)]),
    ("decimal(28,10)", [D("123456789012345678.0123456789")]),
    ("money", [D("922337203685477.5807"), D("-922337203685477.5808")]),
    ("smallmoney", [D("-214748.3648")]),
    ("char(5)", ["abcde"]),
    ("varchar(20)", ["", "Grüße €"]),
    ("varchar(max)", ["", "y" * 100_000]),
    ("nchar(4)", ["a😀b"]),
    ("nvarchar(20)", ["", "日本 😀 Ω"]),
    ("nvarchar(max)", ["", "😀" * 50_000]),
    ("binary(3)", [b"\x00\x01\xff"]),
    ("varbinary(20)", [b"", b"\x00\xff"]),
    ("varbinary(max)", [b"", bytes(range(256)) * 1000]),
    ("date", [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]),
    ("time(0)", [datetime.time(23, 59, 59)]),
    ("time(6)", [datetime.time(0, 0, 0), datetime.time(23, 59, 59, 999999)]),
    ("datetime", [datetime.datetime(1753, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 997000)]),
    ("smalldatetime", [datetime.datetime(1900, 1, 1), datetime.datetime(2079, 6, 6, 23, 59)]),
    ("datetime2(0)", [datetime.datetime(1, 1, 1)]),
    ("datetime2(7)", [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)]),
    ("uniqueidentifier", [uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF")]),
]


def plain(value):
    """pyodbc gives uniqueidentifier as text."""
    return str(value).upper() if isinstance(value, uuid.UUID) else value


def same(got, value):
    if isinstance(value, float) and isinstance(got, float) and abs(value) > 1e38 and abs(value) < 1e39:
        return abs(got - value) <= abs(value) * 1e-6
    return got == plain(value) and type(got) is type(plain(value))


def sent(value):
    """pyodbc sends no fraction with a time, but a text keeps it."""
    return str(value) if isinstance(value, datetime.time) else value


def types():
    cursor = connect().cursor()
    for name, values in TYPES:
        cursor.execute(f"CREATE TABLE #one (k int IDENTITY(1,1) PRIMARY KEY, v {name})")
        for value in values + [None]:
            cursor.execute("INSERT INTO #one (v) VALUES (?)", sent(value))
        cursor.execute("SELECT v FROM #one ORDER BY k")
        got = [row.v for row in cursor.fetchall()]
        for one, value in zip(got, values + [None], strict=True):
            assert one is None if value is None else same(one, value), (name, one, value)
        for value in values + [None]:
            # As a parameter and back, without a table; with the type's own name.
            one = cursor.execute(f"SELECT CAST(? AS {name})", sent(value)).fetchval()
            assert one is None if value is None else same(one, value), ("parameter", name, one, value)
        # A literal that the server turns into the type.
        if isinstance(values[0], str):
            assert cursor.execute("SELECT COUNT(*) FROM #one WHERE v = ?", values[0]).fetchval() == 1, name
        cursor.execute("DROP TABLE #one")
    # pyodbc does not know the type.
    offset = "2026-11-22 20:15:00.1234567 +01:00"
    assert cursor.execute(f"SELECT CONVERT(nvarchar(40), CAST('{offset}' AS datetimeoffset(7)))").fetchval() == offset


def description():
    cursor = connect().cursor()
    cursor.execute("""CREATE TABLE described (id int IDENTITY(1,1) NOT NULL PRIMARY KEY, name nvarchar(50) NOT NULL,
        price decimal(10,2) NULL, noted datetime2(3), flag bit, big nvarchar(max), whole tinyint)""")
    cursor.execute("SELECT *, 1 AS one, N'x' AS letter, 1.5 AS half, COUNT(*) OVER () AS counted, price * 2 AS twice, name + 'x' FROM described")
    described = [(name, kind, size, digits, null) for name, kind, _, size, _, digits, null in cursor.description]
    assert described == [
        ("id", int, 10, 0, False),
        ("name", str, 50, 0, False),
        ("price", D, 10, 2, True),
        ("noted", datetime.datetime, 23, 3, True),
        ("flag", bool, 1, 0, True),
        ("big", str, 0, 0, True),
        ("whole", int, 3, 0, True),
        ("one", int, 10, 0, False),
        ("letter", str, 1, 0, False),
        ("half", D, 2, 1, False),
        ("counted", int, 10, 0, False),
        ("twice", D, 21, 2, True),
        ("", str, 51, 0, False),
    ], described
    cursor.execute("SELECT SUM(id), AVG(price), MIN(name), MAX(noted), SUM(price), COUNT(*) FROM described WHERE id < 0")
    assert [one[1] for one in cursor.description] == [int, D, str, datetime.datetime, D, int]
    assert tuple(cursor.fetchone()) == (None, None, None, None, None, 0)


def statements():
    cursor = connect(autocommit=True).cursor()
    cursor.execute("IF OBJECT_ID('customers') IS NOT NULL DROP TABLE customers")
    cursor.execute("DROP TABLE IF EXISTS dbo.orders")
    cursor.execute("""
        CREATE TABLE dbo.[customers] (id int IDENTITY(1,1) PRIMARY KEY, name nvarchar(50) NOT NULL, city varchar(30) DEFAULT 'Berlin', since date DEFAULT getdate());
        CREATE TABLE orders (id int NOT NULL, customer int NOT NULL, amount decimal(10,2) NOT NULL, CONSTRAINT pk_orders PRIMARY KEY (id, customer))""")
    cursor.execute("INSERT INTO customers (name, city) VALUES (N'Ada', 'London'), (N'Grace', 'New York'), (N'Konrad', DEFAULT)")
    assert cursor.rowcount == 3
    assert tuple(cursor.execute("SELECT SCOPE_IDENTITY(), @@IDENTITY").fetchone()) == (3, 3)
    cursor.execute("INSERT orders VALUES (1, 1, 10.50), (2, 1, 9.25), (3, 2, 100)")
    rows = cursor.execute("""
        SELECT c.name, COUNT(o.id) AS orders, ISNULL(SUM(o.amount), 0) AS total
        FROM customers c LEFT JOIN orders AS o ON o.customer = c.id
        GROUP BY c.name HAVING COUNT(*) > 0 ORDER BY total DESC, c.name""").fetchall()
    assert [tuple(row) for row in rows] == [("Grace", 1, D("100.00")), ("Ada", 2, D("19.75")), ("Konrad", 0, D("0.00"))], rows
    value = lambda sql, *arguments: cursor.execute(sql, *arguments).fetchval()
    values = lambda sql, *arguments: [row[0] for row in cursor.execute(sql, *arguments).fetchall()]
    assert values("SELECT TOP 2 name FROM customers ORDER BY name DESC") == ["Konrad", "Grace"]
    assert values("SELECT TOP (?) name FROM customers ORDER BY name", 1) == ["Ada"]
    assert values("SELECT name FROM customers ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY") == ["Grace"]
    assert values("SELECT amount FROM orders ORDER BY amount") == [D("9.25"), D("10.50"), D("100.00")]
    assert values("SELECT id FROM orders WHERE amount > 9.5 AND amount < 100.00 OR amount = 9.250") == [1, 2]
    assert values("WITH big AS (SELECT * FROM orders WHERE amount > 10) SELECT id FROM big ORDER BY id") == [1, 3]
    assert values("WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n") == [1, 2, 3, 4, 5]
    assert values("SELECT 1 UNION SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1") == [D("1.0"), D("2.5")]
    assert values("SELECT name FROM customers WHERE id IN (SELECT customer FROM orders) ORDER BY 1") == ["Ada", "Grace"]
    assert values("SELECT name FROM customers c WHERE NOT EXISTS (SELECT * FROM orders o WHERE o.customer = c.id)") == ["Konrad"]
    assert value("SELECT CASE WHEN city = 'LONDON' THEN N'yes' ELSE N'no' END FROM customers WHERE name = 'ada'") == "yes"
    assert value("SELECT since FROM customers WHERE id = 3") == datetime.datetime.now(datetime.timezone.utc).date()
    assert value("SELECT 'a' + N'b' + 'c'") == "abc"
    assert value("SELECT 7 / 2") == 3 and value("SELECT 7 / 2.0") == D("3.500000") and value("SELECT 7 % 4") == 3
    assert value("SELECT LEN(N'a😀 ')") == 3 and value("SELECT SUBSTRING('hello', 2, 3)") == "ell"
    assert value("SELECT UPPER('grün') + LOWER('ABC')") == "GRÜNabc"
    assert value("SELECT COALESCE(NULL, NULL, 3)") == 3 and value("SELECT ISNULL(NULL, N'x')") == "x"
    assert value("SELECT CONVERT(varchar(10), CAST('2026-11-22' AS date), 104)") == "22.11.2026"
    assert value("SELECT CONVERT(int, '42')") == 42 and value("SELECT CAST(2.5 AS int)") == 2
    assert value("SELECT ROUND(2.345, 2)") == D("2.350") and value("SELECT ABS(-5)") == 5
    assert value("SELECT DATEDIFF(day, '2026-01-01', '2026-11-22')") == 325
    assert value("SELECT DATEADD(month, 1, CAST('2026-01-31' AS date))") == datetime.date(2026, 2, 28)
    assert value("SELECT YEAR('2026-11-22')") == 2026
    assert value("SELECT COUNT(*) FROM customers WHERE name LIKE '[ag]%a%'") == 2
    assert abs(value("SELECT SYSDATETIME()") - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)) < datetime.timedelta(minutes=1)
    assert value("DECLARE @a int = 5, @b nvarchar(10); SET @b = N'x'; SELECT @a = @a + 1; SELECT @b + CAST(@a AS nvarchar(10))") == "x6"
    cursor.execute("UPDATE customers SET city = city + '!' WHERE id <= ?", 2)
    assert cursor.rowcount == 2
    cursor.execute("UPDATE c SET c.city = 'big' FROM customers c JOIN orders o ON o.customer = c.id WHERE o.amount >= 100")
    assert cursor.rowcount == 1 and value("SELECT city FROM customers WHERE id = 2") == "big"
    cursor.execute("DELETE o FROM orders o JOIN customers c ON c.id = o.customer WHERE c.name = 'Ada'")
    assert cursor.rowcount == 2
    cursor.execute("DELETE orders WHERE id = 3")
    assert cursor.rowcount == 1
    cursor.execute("INSERT INTO orders (id, customer, amount) SELECT id, id, 1 FROM customers")
    assert cursor.rowcount == 3
    cursor.execute("TRUNCATE TABLE orders")
    assert value("SELECT COUNT(*) FROM orders") == 0
    cursor.execute("SELECT id, name INTO #copy FROM customers")
    assert value("SELECT COUNT(*) FROM #copy") == 3
    cursor.execute("SET IDENTITY_INSERT customers ON; INSERT INTO customers (id, name) VALUES (10, 'Edsger'); SET IDENTITY_INSERT customers OFF; INSERT INTO customers (name) VALUES ('Barbara')")
    assert values("SELECT id FROM customers WHERE id > 3 ORDER BY id") == [10, 11]
    assert value("SELECT name FROM sys.tables WHERE name = 'customers'") == "customers"
    level = "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID"
    assert value("SELECT name FROM sys.system_views WHERE name LIKE 'dm[_]exec[_]sess%'") == "dm_exec_sessions" and value(level) == 2
    for number, name in enumerate(("READ UNCOMMITTED", "read committed", "Repeatable Read", "SERIALIZABLE", "SNAPSHOT"), 1):
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {name}")
        assert value(level) == number, name
    refused = None
    try:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL READ NOTHING")
    except pyodbc.ProgrammingError as error:
        refused = error
    assert refused and value(level) == 5
    cursor.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    assert values("SELECT SEQUENCE_NAME FROM INFORMATION_SCHEMA.SEQUENCES") == []
    known = value("SELECT OBJECT_ID('customers')")
    for asked, found in (("customers", known), ("[dbo].[Customers]", known), ("nothing", None), (None, None), ("orders", value("SELECT OBJECT_ID('orders')"))):
        assert cursor.execute("SELECT OBJECT_ID(?, 'U')", asked).fetchval() == found, asked
    assert value("DECLARE @name varchar(20) = 'customers'; SELECT OBJECT_ID(@name)") == known is not None
    assert value("SELECT DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'customers' AND COLUMN_NAME = 'city'") == "varchar"


def rowversion():
    cursor = connect(autocommit=True).cursor()
    cursor.execute("CREATE TABLE versioned (id int IDENTITY PRIMARY KEY, a int, v rowversion, b varchar(5)) CREATE TABLE older (v timestamp)")
    versions = lambda: [row.v for row in cursor.execute("SELECT v FROM versioned ORDER BY id").fetchall()]
    cursor.execute("INSERT INTO versioned (a) VALUES (1), (2)")
    cursor.execute("INSERT INTO versioned VALUES (3, DEFAULT, 'x'), (4, NULL, 'y')")
    cursor.execute("INSERT INTO versioned (a) SELECT a FROM versioned WHERE a = 4")
    cursor.execute("INSERT INTO older DEFAULT VALUES")
    before = versions()
    assert len(before) == 5 and before == sorted(set(before)) and all(len(one) == 8 for one in before), before
    cursor.execute("UPDATE versioned SET a = a WHERE a = 2")
    cursor.execute("UPDATE x SET a = 0 FROM versioned x JOIN seeded ON x.a = seeded.n WHERE seeded.n = 3")
    after = versions()
    assert [one == other for one, other in zip(before, after)] == [True, False, False, True, True] and max(before) < after[1] < after[2]
    assert cursor.execute("SELECT COUNT(*) FROM versioned WHERE v = ?", after[2]).fetchval() == 1
    assert cursor.execute("SELECT v FROM older").fetchval() > max(before)
    for sql, number in [("INSERT INTO versioned (v) VALUES (0x01)", 273), ("UPDATE versioned SET v = 0x01", 272), ("INSERT INTO older SELECT 0x01", 273)]:
        assert f"({number})" in refused(cursor.execute, sql)[1], sql
    # Not by pyodbc, which hands on a name that it has already given up.
    with Connection() as connection:
        for kind, special in [(1, ("id", "int identity")), (2, ("v", "timestamp"))]:
            statement = connection.statement()
            statement.call("SQLSpecialColumns", kind, None, 0, None, 0, b"versioned", 9, 0, 1)
            rows = Rowset(statement, 5, (20,) * 4)
            assert statement.fetch(NEXT) and [(name, ty) for _, name, _, ty in rows.rows()] == [special]
            statement.free()


def results():
    cursor = connect().cursor()
    cursor.execute("CREATE TABLE #r (a int) INSERT INTO #r VALUES (1), (2) SELECT a FROM #r ORDER BY a SELECT N'two' AS b UPDATE #r SET a = 3")
    seen = []
    while True:
        seen.append([tuple(row) for row in cursor.fetchall()] if cursor.description else cursor.rowcount)
        if not cursor.nextset():
            break
    assert seen == [2, [(1,), (2,)], [("two",)], 2], seen
    cursor.execute("SET NOCOUNT ON; INSERT INTO #r VALUES (4); SELECT COUNT(*) FROM #r; SELECT @@ROWCOUNT")
    assert tuple(cursor.fetchone()) == (3,)
    assert cursor.nextset() and tuple(cursor.fetchone()) == (1,)
    assert not cursor.nextset()
    cursor.execute("SET NOCOUNT OFF; DECLARE @i int = 0; WHILE @i < 3 BEGIN SET @i = @i + 1; IF @i = 2 CONTINUE; INSERT INTO #r VALUES (@i) END")
    assert cursor.execute("SELECT COUNT(*) FROM #r").fetchval() == 5


def parameters():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE #p (a int, b nvarchar(30), c decimal(10,3), d datetime2(7), e varbinary(10), f float, g bit)")
    now = datetime.datetime(2026, 11, 22, 20, 15, 1, 123456)
    rows = [(i, f"n{i}😀", D(i) / 8, now, bytes([i]), i / 3, i % 2 == 0) for i in range(50)]
    rows += [(None,) * 7]
    insert = "INSERT INTO #p VALUES (?, ?, ?, ?, ?, ?, ?)"
    for fast in [False, True]:
        cursor.fast_executemany = fast
        cursor.executemany(insert, rows)
        got = [tuple(row) for row in cursor.execute("SELECT * FROM #p ORDER BY CASE WHEN a IS NULL THEN 1 ELSE 0 END, a").fetchall()]
        assert got == rows, (fast, got[:2], got[-1])
        cursor.execute("DELETE FROM #p")
        assert cursor.rowcount == 51
    # The same prepared statement again and again, with other types.
    for value in [1, None, 2]:
        cursor.execute("INSERT INTO #p (a) VALUES (?)", value)
    assert cursor.execute("SELECT COUNT(*) FROM #p WHERE a = ? OR a IS NULL", 1).fetchval() == 2
    assert tuple(cursor.execute("SELECT ?, ?", None, "x").fetchone()) == (None, "x")
    assert cursor.execute("SELECT b FROM #p WHERE a = ?", "2").fetchall()[0].b is None
    assert cursor.execute("{CALL sp_executesql (?, ?, ?)}", "SELECT @x + 1", "@x int", 41).fetchval() == 42
    assert cursor.execute("SELECT LEN(?)", "z" * 5000).fetchval() == 5000
    # What the driver asks before it binds.
    cursor.setinputsizes([(pyodbc.SQL_WVARCHAR, 50, 0)])
    cursor.execute("INSERT INTO #p (b) VALUES (?)", "sized")
    assert cursor.execute("SELECT COUNT(*) FROM #p WHERE b = 'SIZED'").fetchval() == 1


def bulk_copy():
    cursor = connect(autocommit=True).cursor()
    values = lambda sql: [tuple(row) for row in cursor.execute(sql).fetchall()]
    loader = bcp.Connection(certificate("session") + "Database=Sales;")

    def refused_load(*arguments, **options):
        try:
            loader.load(*arguments, **options)
        except bcp.Error as error:
            return error.args[0]
        raise AssertionError(f"{arguments} was not refused")

    # Every type. The driver turns the texts into the values of the columns.
    for name, wanted in TYPES:
        if "max" in name:
            # Of a max type, the driver (18.6) sends at most 65,535 bytes from a variable, and so many for an empty value.
            wanted = [value[:15_000] for value in wanted if value]
        wanted = wanted + [None]
        text = lambda value: None if value is None else value.hex() if isinstance(value, bytes) else repr(value) if isinstance(value, float) else str(int(value) if isinstance(value, bool) else value)
        cursor.execute(f"CREATE TABLE loaded (k int NOT NULL PRIMARY KEY, v {name})")
        assert loader.load("dbo.loaded", [(str(k), text(value)) for k, value in enumerate(wanted)]) == [len(wanted)], name
        for (_, got), value in zip(values("SELECT k, v FROM loaded ORDER BY k"), wanted, strict=True):
            assert got is None if value is None else same(got, value), (name, got, value)
        cursor.execute("DROP TABLE loaded")

    # Identity values and defaults, made here or brought along.
    cursor.execute("CREATE TABLE [lädt auf] (k int IDENTITY(10,5) PRIMARY KEY, d int DEFAULT 7, n nvarchar(5) NOT NULL)")
    load = lambda *arguments, **options: loader.load("Sales.dbo.[lädt auf]", *arguments, **options)
    assert load([("a",), ("b",)], columns=[3]) == [2]
    assert load([(None, "c"), ("8", "d")], columns=[2, 3], hints="TABLOCK, ROWS_PER_BATCH = 2, CHECK_CONSTRAINTS, ORDER (k ASC)") == [2]
    assert load([(None, "e")], columns=[2, 3], keep_nulls=True) == [1]
    assert load([("100", "9", "f")], keep_identity=True) == [1]
    assert load([("1", "9", "g")]) == [1]
    assert values("SELECT k, d, n FROM [lädt auf] ORDER BY k") == [
        (10, 7, "a"), (15, 7, "b"), (20, 7, "c"), (25, 8, "d"), (30, None, "e"), (100, 9, "f"), (105, 9, "g")]

    # What fails keeps no row of its batch, and leaves the connection as it was.
    cursor.execute("CREATE TABLE checked (k int NOT NULL PRIMARY KEY, n nvarchar(5) NOT NULL)")
    rows = lambda *keys: [(str(k), "n") for k in keys]
    for number, wrong, text in [(2627, rows(3, 1), "duplicate key"), (515, rows(3) + [("4", None)], "the value NULL into column 'n'")]:
        cursor.execute("DELETE FROM checked")
        assert loader.load("checked", rows(1, 2), batch=2) == [2, 0]
        got = refused_load("checked", wrong)
        assert got[0] == number and text in got[1], got
        assert values("SELECT k FROM checked") == [(1,), (2,)]
    assert refused_load("checked", rows(3, 4, 5, 1), batch=2)[0] == 2627
    assert values("SELECT COUNT(*), MAX(k) FROM checked") == [(4, 4)]
    got = refused_load("nowhere", rows(1))
    assert got[0] == 208, got
    assert "(50000)" in refused(cursor.execute, "INSERT BULK checked (k int) WITH (SORTED)")[1]
    assert "(207)" in refused(cursor.execute, "INSERT BULK checked (z int)")[1]

    # In a transaction, and given up.
    SQL_ATTR_AUTOCOMMIT, SQL_ROLLBACK = 102, 1
    loader.odbc("SQLSetConnectAttr", loader.handle, SQL_ATTR_AUTOCOMMIT, ctypes.c_void_p(0), 0)
    assert loader.load("checked", rows(10, 11)) == [2]
    assert refused_load("checked", rows(12, 10))[0] == 2627
    assert values("SELECT COUNT(*), MAX(k) FROM checked") == [(4, 4)]
    loader.odbc("SQLEndTran", bcp.SQL_HANDLE_DBC, loader.handle, 0)
    assert values("SELECT COUNT(*), MAX(k) FROM checked") == [(6, 11)]
    assert loader.load("checked", rows(20)) == [1]
    loader.odbc("SQLEndTran", bcp.SQL_HANDLE_DBC, loader.handle, SQL_ROLLBACK)
    loader.odbc("SQLSetConnectAttr", loader.handle, SQL_ATTR_AUTOCOMMIT, ctypes.c_void_p(1), 0)
    assert loader.load("checked", [(str(k), "n") for k in range(30, 3000)], give_up=True) == []
    assert values("SELECT COUNT(*), MAX(k) FROM checked") == [(6, 11)]
    assert loader.load("checked", rows(30)) == [1]
    loader.close()


def transactions():
    first, second = connect(), connect()
    a, b = first.cursor(), second.cursor()
    a.execute("CREATE TABLE shared (n int)")
    first.commit()
    count = lambda cursor: cursor.execute("SELECT COUNT(*) FROM shared").fetchval()
    a.execute("INSERT INTO shared VALUES (1)")
    assert count(a) == 1 and a.execute("SELECT @@TRANCOUNT").fetchval() == 1
    # A reader is not kept waiting, and sees what is committed.
    assert count(b) == 0
    first.rollback()
    assert count(a) == 0 and count(b) == 0
    a.execute("INSERT INTO shared VALUES (2)")
    first.commit()
    assert count(b) == 1
    second.commit()
    # A writer waits for the other one.
    a.execute("UPDATE shared SET n = n + 1")
    started = time.monotonic()
    timer = threading.Timer(0.5, first.commit)
    timer.start()
    b.execute("UPDATE shared SET n = n * 10")
    assert time.monotonic() - started > 0.3
    # The lock is free before the answer to the commit has arrived.
    timer.join()
    second.commit()
    assert a.execute("SELECT n FROM shared").fetchval() == 30
    first.commit()
    first.autocommit = True
    a.execute("BEGIN TRAN; INSERT INTO shared VALUES (7); SAVE TRAN half; INSERT INTO shared VALUES (8); ROLLBACK TRAN half; COMMIT")
    assert [row.n for row in b.execute("SELECT n FROM shared ORDER BY n").fetchall()] == [7, 30]
    a.execute("BEGIN TRAN")
    a.execute("DELETE FROM shared")
    a.execute("ROLLBACK")
    assert count(b) == 2
    second.commit()
    # DDL too, and what a closed connection leaves undone.
    b.execute("CREATE TABLE gone (n int)")
    second.rollback()
    assert refused(a.execute, "SELECT * FROM gone")[0] == "42S02"
    b.execute("DELETE FROM shared")
    second.close()
    time.sleep(0.2)
    assert count(a) == 2
    # Many writers at once, none of them in vain.
    failures = []

    def work():
        try:
            connection = connect()
            for _ in range(20):
                connection.execute("UPDATE shared SET n = n + 1")
                connection.commit()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures and a.execute("SELECT MIN(n) FROM shared").fetchval() == 87, failures


def diagnosed(sql):
    """Number, severity, state and line of the last error of a batch: diagnostic fields of Microsoft's that pyodbc does not show."""
    found, going = None, True
    with Connection() as connection:
        statement = connection.statement()
        step = lambda: statement.execute(sql) != NO_DATA
        while going:
            try:
                going = step()
            except Refused:
                # SQL_DIAG_NATIVE, SQL_DIAG_SS_SEVERITY, SQL_DIAG_SS_MSGSTATE, SQL_DIAG_SS_LINE
                found = tuple(statement.field(identifier) for identifier in (5, -1151, -1150, -1154))
            step = statement.more
        statement.free()
    return found


def errors():
    cursor = connect(autocommit=True).cursor()
    cursor.execute("CREATE TABLE unique_table (a int PRIMARY KEY, b nvarchar(3) NOT NULL)")
    cursor.execute("INSERT INTO unique_table VALUES (1, 'x')")
    for sql, state, number, text in [
        ("SELECT * FROM nowhere", "42S02", 208, "Invalid object name 'nowhere'."),
        ("SELECT nothing FROM unique_table", "42S22", 207, "Invalid column name 'nothing'."),
        ("SELECT x.a FROM unique_table", "42000", 4104, 'The multi-part identifier "x.a" could not be bound.'),
        ("SELECT FROM", "42000", 102, "Incorrect syntax near 'FROM'."),
        ("SELEC 1", "42000", 102, "Incorrect syntax near 'SELEC'."),
        ("INSERT INTO unique_table VALUES (1, 'y')", "23000", 2627, "Violation of PRIMARY KEY constraint"),
        ("INSERT INTO unique_table VALUES (2, NULL)", "23000", 515, "Cannot insert the value NULL into column 'b'"),
        ("INSERT INTO unique_table VALUES (2, 'long')", "42000", 2628, "String or binary data would be truncated"),
        ("SELECT 1 / 0", "22012", 8134, "Divide by zero error encountered."),
        ("SELECT CAST('x' AS int)", "22018", 245, "Conversion failed when converting the varchar value 'x' to data type int."),
        ("SELECT CAST('x' AS decimal(5,2))", "42000", 8114, "Error converting data type varchar to decimal."),
        ("SELECT CAST(300 AS tinyint)", "22003", 220, "Arithmetic overflow error for data type tinyint, value = 300."),
        ("CREATE TABLE unique_table (a int)", "42S01", 2714, "There is already an object named 'unique_table' in the database."),
        ("DROP TABLE nowhere", "42S02", 3701, "Cannot drop the table 'nowhere'"),
        ("SELECT @x", "42000", 137, 'Must declare the scalar variable "@x".'),
        ("EXEC nothing_at_all", "42000", 2812, "Could not find stored procedure 'nothing_at_all'."),
        ("SELECT frobnicate(1)", "42000", 195, "'frobnicate' is not a recognized built-in function name."),
        ("RAISERROR('own %s %d', 16, 3, 'text', 7)", "42000", 50000, "own text 7"),
        ("THROW 51000, 'thrown', 5", "42000", 51000, "thrown"),
        ("USE nowhere", "08004", 911, "Database 'nowhere' does not exist."),
        ("BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH THROW END CATCH", "22012", 8134, "Divide by zero"),
    ]:
        def run():
            cursor.execute(sql)
            while True:
                if cursor.description:
                    cursor.fetchall()
                if not cursor.nextset():
                    return
        got_state, got = refused(run)
        assert (got_state, f"({number})" in got, text in got) == (state, True, True), (sql, got_state, got)
    # Severity, state and line, which the driver keeps to itself: as the server itself tells them.
    caught = cursor.execute("""BEGIN TRY
        RAISERROR('deep', 15, 4)
    END TRY
    BEGIN CATCH
        SELECT ERROR_NUMBER(), ERROR_SEVERITY(), ERROR_STATE(), ERROR_LINE(), ERROR_MESSAGE()
    END CATCH""").fetchone()
    assert tuple(caught) == (50000, 15, 4, 2, "deep"), caught
    for sql, number, severity, state, line in [("SELECT 1\nSELECT * FROM nowhere", 208, 16, 1, 2), ("SELECT 1 / 0", 8134, 16, 1, 1),
            ("THROW 51000, 'thrown', 5", 51000, 16, 5, 1), ("RAISERROR('deep', 15, 4)", 50000, 15, 4, 1)]:
        assert diagnosed(sql) == (number, severity, state, line), (sql, diagnosed(sql))
    # A batch goes on after an error of one statement, and XACT_ABORT ends it.
    changes = "INSERT INTO unique_table VALUES (5, 'a') INSERT INTO unique_table VALUES (1, 'dup') INSERT INTO unique_table VALUES (6, 'b')"
    kept = lambda: [row.a for row in cursor.execute("SELECT a FROM unique_table ORDER BY a").fetchall()]
    diagnosed(changes)
    assert kept() == [1, 5, 6]
    cursor.execute("DELETE FROM unique_table WHERE a > 1")
    diagnosed("SET XACT_ABORT ON " + changes)
    assert kept() == [1, 5]
    # What would be wrong if it were passed over.
    for sql in ["SET ROWCOUNT 1", "SET NOCONT ON", "SELECT 1 AS a FOR JSON AUTO", "SELECT 'a' COLLATE Latin1_General_BIN",
            "SELECT STRING_AGG(b, ',') WITHIN GROUP (ORDER BY b) FROM unique_table", "CREATE UNIQUE INDEX i ON unique_table (b)"]:
        assert "(50000)" in refused(cursor.execute, sql)[1], sql
    cursor.execute("RAISERROR('only a notice', 10, 1)")
    assert "only a notice" in cursor.messages[0][1]


def attention():
    connection = connect(autocommit=True)
    cursor = connection.cursor()
    endless = "WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    for sql in ["WAITFOR DELAY '00:00:20'", endless]:
        started = time.monotonic()
        timer = threading.Timer(0.5, cursor.cancel)
        timer.start()
        state, text = refused(cursor.execute, sql)
        assert state == "HY008", (state, text)
        assert time.monotonic() - started < 2
        # Until SQLCancel has returned, the driver manager may still change the statement's state.
        timer.join()
        assert cursor.execute("SELECT 1").fetchval() == 1
    connection.timeout = 1
    state, text = refused(connection.cursor().execute, "WAITFOR DELAY '00:00:20'")
    assert state == "HYT00", (state, text)
    connection.timeout = 0
    # In the middle of many rows.
    cursor = connection.cursor()
    cursor.execute("WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT i, REPLICATE('x', 100) FROM n")
    assert cursor.fetchone()[0] == 1
    cursor.cancel()
    assert connection.cursor().execute("SELECT 2").fetchval() == 2
    # A change that is stopped is undone, and the lock is free again.
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE stopped (i int)")
    threading.Timer(0.5, cursor.cancel).start()
    refused(cursor.execute, "WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) INSERT INTO stopped SELECT i FROM n")
    assert connect().execute("SELECT COUNT(*) FROM stopped").fetchval() == 0
    connect(autocommit=True).execute("DROP TABLE stopped")


def catalog():
    connection = connect(autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE cat_one (id int IDENTITY(1,1) PRIMARY KEY, name nvarchar(20) NOT NULL, price decimal(9,3), at datetime, blob varbinary(max))")
    cursor.execute("CREATE TABLE cat_two (a int NOT NULL, b varchar(5) NOT NULL, CONSTRAINT k PRIMARY KEY (b, a))")
    assert [row.table_name for row in cursor.tables(table="cat%", tableType="TABLE")] == ["cat_one", "cat_two"]
    assert [tuple(row)[:4] for row in cursor.tables(table="cat_one", catalog="Sales", schema="dbo")] == [("Sales", "dbo", "cat_one", "TABLE")]
    assert "Sales" in [row.table_cat for row in cursor.tables(catalog="%", schema="", table="")]
    assert cursor.tables(table="nowhere").fetchall() == []
    columns = [(row.column_name, row.data_type, row.type_name, row.column_size, row.decimal_digits, row.nullable, row.ordinal_position) for row in cursor.columns(table="cat_one")]
    assert columns == [
        ("id", pyodbc.SQL_INTEGER, "int identity", 10, 0, 0, 1),
        ("name", pyodbc.SQL_WVARCHAR, "nvarchar", 20, None, 0, 2),
        ("price", pyodbc.SQL_DECIMAL, "decimal", 9, 3, 1, 3),
        ("at", pyodbc.SQL_TYPE_TIMESTAMP, "datetime", 23, 3, 1, 4),
        ("blob", pyodbc.SQL_VARBINARY, "varbinary", 0, None, 1, 5),
    ], columns
    assert [row.column_name for row in cursor.columns(table="cat_one", column="na%")] == ["name"]
    assert [(row.column_name, row.key_seq) for row in cursor.primaryKeys("cat_two")] == [("b", 1), ("a", 2)]
    assert [row.column_name for row in cursor.statistics("cat_two", unique=True) if row.column_name] == ["b", "a"]
    assert [row.COLUMN_NAME for row in cursor.execute("EXEC sp_special_columns_100 @table_name = N'cat_one', @col_type = 'R'").fetchall()] == ["id"]
    names = [row.type_name for row in cursor.getTypeInfo()]
    assert {"int", "nvarchar", "decimal", "datetime2", "uniqueidentifier"} <= set(names), names
    assert [row.type_name for row in cursor.getTypeInfo(pyodbc.SQL_INTEGER)] == ["int"]
    assert cursor.foreignKeys("cat_one").fetchall() == []
    assert cursor.execute("EXEC sp_tables @table_name = 'cat_one'").fetchall()[0].TABLE_NAME == "cat_one"
    version = cursor.execute("EXEC master..xp_msver 'ProductVersion'").fetchall()
    assert [(row.Name, row.Character_Value) for row in version] == [("ProductVersion", cursor.execute("SELECT SERVERPROPERTY('ProductVersion')").fetchval())]
    assert len(cursor.execute("EXEC xp_msver").fetchall()) == 2 and not cursor.execute("EXEC xp_msver 'nothing'").fetchall()
    described = cursor.execute("EXEC sp_describe_first_result_set N'SELECT id, name FROM cat_one'").fetchall()
    assert [(row.name, row.system_type_name) for row in described] == [("id", "int"), ("name", "nvarchar(20)")]
    described = cursor.execute("EXEC sp_describe_undeclared_parameters N'SELECT * FROM cat_one WHERE price > @p1 AND name = @p2'").fetchall()
    assert [row.suggested_system_type_name for row in described] == ["decimal(9,3)", "nvarchar(20)"]
    cursor.execute("SET FMTONLY ON SELECT id, name FROM cat_one SET FMTONLY OFF")
    assert [one[0] for one in cursor.description] == ["id", "name"]


run_topic(globals())
