"""Output parameters, procedures and views through Microsoft's driver, and results of several kinds in one batch.

Started by driver.rs as `procedures.py TOPIC FOLDER`, as driver.py is.
"""

import pyodbc

from odbc import *

# What `bound` gives a parameter before the call, so that a value that nobody has set is seen.
UNSET = -77


def bound(connection, sql, *directions, prepared=False, times=1):
    """Executes with integers; their values and the results. An input is given as its value, an output as None, one of
    both kinds as a list with its value."""
    statement = connection.statement()
    values, lengths = [], []
    for at, direction in enumerate(directions, 1):
        kind = OUTPUT if direction is None else INPUT_OUTPUT if isinstance(direction, list) else INPUT
        values.append(ctypes.c_int32({OUTPUT: UNSET}.get(kind, direction[0] if kind == INPUT_OUTPUT else direction)))
        lengths.append(ctypes.c_int64(4))
        statement.bind(at, kind, values[-1], length=lengths[-1])
    if prepared:
        statement.prepare(sql)
    for _ in range(times):
        results = []
        statement.call("SQLExecute") if prepared else statement.execute(sql)
        while True:
            if statement.column_count():
                rows = Rowset(statement, 10, (20,) * statement.column_count())
                results.append(rows.rows() if statement.fetch(NEXT) else [])
                statement.call("SQLFreeStmt", 2)
            else:
                results.append(statement.row_count())
            if not statement.more():
                break
    statement.free()
    return [None if length.value == NULL_DATA else value.value for value, length in zip(values, lengths)], results


def outputs():
    with Connection() as connection:
        connection.run("CREATE TABLE counted (a int)")
        connection.run("INSERT INTO counted VALUES (1), (2)")
        for prepared in (False, True):
            run = lambda sql, *directions: bound(connection, sql, *directions, prepared=prepared)[0]
            assert run("SET ? = 7", None) == [7]
            assert run("SET ? = ? + 1", None, 5) == [6, 5]
            assert run("SELECT ? = COUNT(*) FROM counted", None) == [2]
            assert run("SELECT ? = MAX(a) FROM counted WHERE a > 2", None) == [None]
            # Behind results, and none where the statement fails before.
            assert bound(connection, "SELECT a FROM counted ORDER BY a; UPDATE counted SET a = a; SET ? = @@ROWCOUNT", None, prepared=prepared) == (
                [2], [[("1",), ("2",)], 2])
            assert run("{CALL sp_executesql(N'SET @x = @y * 2', N'@x int OUTPUT, @y int', ?, ?)}", None, 21) == [42, 21]
            assert run("{? = CALL sp_tables}", None) == [0]
        # A text, cut to what the caller has room for by the driver.
        statement, text, length = connection.statement(), ctypes.create_string_buffer(20), ctypes.c_int64(0)
        statement.bind(1, OUTPUT, text, VARCHAR, 50, length)
        statement.execute("SET ? = 'some text'")
        assert not statement.more()
        assert (text.value, length.value) == (b"some text", 9)
        # In T-SQL itself.
        assert bound(connection, "DECLARE @o int EXEC sp_executesql N'SET @p = 1', N'@p int OUTPUT', @p = @o OUTPUT SELECT @o") == ([], [[("1",)]])
        assert bound(connection, "SET NOCOUNT ON; DECLARE @s int = 5; EXEC @s = sp_tables @table_name = 'nothing'; SELECT @s")[1][-1] == [("0",)]


def stored():
    with Connection() as connection:
        connection.run("CREATE TABLE log (a int)")
        connection.run("""CREATE PROCEDURE dbo.AddOne @in int, @out int = 3 OUTPUT, @more nvarchar(20) = N'more' AS
            BEGIN
                SET NOCOUNT ON
                INSERT INTO log VALUES (@in)
                SELECT @in AS given, @more AS more
                SET @out = @in + ISNULL(@out, 1)
                IF @in < 0 RETURN -@in
                RETURN
            END""")
        call = "{? = CALL dbo.AddOne(?, ?)}"
        assert bound(connection, call, None, 5, [10]) == ([0, 5, 15], [[("5", "more")]])
        assert bound(connection, call, None, -5, None) == ([5, -5, -4], [[("-5", "more")]])
        assert bound(connection, call, None, -6, [1], prepared=True) == ([6, -6, -5], [[("-6", "more")]])
        # The second time by the handle of the first; what came out goes in again.
        assert bound(connection, call, None, 7, [1], prepared=True, times=2)[0] == [0, 7, 15]
        assert bound(connection, "{CALL AddOne(?)}", 1) == ([1], [[("1", "more")]])
        assert bound(connection, "EXEC ? = dbo.AddOne ?, ?", None, -8, [1])[0] == [8, -8, -7]
        assert bound(connection, "EXEC AddOne @more = N'own', @in = ?", 2)[1] == [[("2", "own")]]
        assert bound(connection, "DECLARE @r int, @o int EXEC @r = dbo.AddOne -3, @o OUTPUT SELECT @r, @o")[1][-1] == [("3", "-2")]
        # NOCOUNT is the procedure's own affair.
        assert connection.run("INSERT INTO log VALUES (0)") == 1
        for sql, error in [("EXEC AddOne", 201), ("EXEC AddOne @nothing = 1", 8145), ("EXEC AddOne 1, 2, N'3', 4", 8144),
                ("CREATE PROCEDURE AddOne AS SELECT 1", 2714), ("EXEC Subtract", 2812), ("CREATE PROCEDURE broken AS SELEC 1", 102)]:
            assert refused(connection.run, sql)[1] == error, (sql, refused(connection.run, sql))
        # An error inside is an error outside, and seen in what it returns.
        connection.run("CREATE OR ALTER PROC Fails @n int AS SELECT 1 / @n; RETURN 9")
        statement = connection.statement()
        assert refused(statement.execute, "EXEC Fails 0")[1] == 8134
        assert bound(connection, "DECLARE @r int BEGIN TRY EXEC @r = Fails 1 END TRY BEGIN CATCH END CATCH SELECT @r")[1] == [[("1",)], [("9",)]]
        connection.run("CREATE OR ALTER PROC Fails @n int AS RETURN @n * 2")
        assert bound(connection, "{? = CALL Fails(?)}", None, 4)[0] == [8, 4]
        # As tables: not there after a rollback, and for others only after a commit.
        with Connection() as other:
            connection.call("SQLSetConnectAttr", 102, ctypes.c_void_p(0), 0)
            connection.run("CREATE PROCEDURE Brief AS RETURN 1")
            assert bound(connection, "{? = CALL Brief}", None)[0] == [1]
            assert refused(other.run, "EXEC Brief")[1] == 2812
            connection.end(rollback=True)
            assert refused(connection.run, "EXEC Brief")[1] == 2812
            connection.end(rollback=True)
            assert bound(other, "{? = CALL Fails(?)}", None, 1)[0] == [2, 1]
            other.run("DROP PROC Fails")
            other.run("DROP PROCEDURE IF EXISTS Fails")
            assert refused(other.run, "DROP PROCEDURE Fails")[1] == 3701
        connection.run("CREATE PROCEDURE Deep AS EXEC Deep")
        assert refused(connection.run, "EXEC Deep")[1] == 217


def listed():
    with Connection() as connection:
        connection.run("CREATE PROCEDURE Listed @id int, @name nvarchar(30), @price decimal(9,2) OUTPUT AS RETURN 0")
        connection.run("CREATE TABLE listed_table (id int NOT NULL, name nvarchar(30))")
        connection.run("CREATE VIEW listed_view AS SELECT name, id * 2 AS twice FROM listed_table")
    cursor = pyodbc.connect(certificate("session") + "Database=Sales;", autocommit=True).cursor()
    assert [tuple(row) for row in cursor.procedures().fetchall()] == [("Sales", "dbo", "Listed;1", -1, -1, -1, None, 2)]
    assert cursor.procedures(procedure="other").fetchall() == []
    columns = [(row.column_name, row.column_type, row.data_type, row.type_name, row.column_size, row.ordinal_position) for row in cursor.procedureColumns("Listed")]
    assert columns == [("@RETURN_VALUE", 5, pyodbc.SQL_INTEGER, "int", 10, 0), ("@id", 1, pyodbc.SQL_INTEGER, "int", 10, 1),
        ("@name", 1, pyodbc.SQL_WVARCHAR, "nvarchar", 30, 2), ("@price", 2, pyodbc.SQL_DECIMAL, "decimal", 9, 3)], columns
    kinds = lambda **asked: [(row.table_name, row.table_type) for row in cursor.tables(table="listed%", **asked)]
    assert kinds() == [("listed_table", "TABLE"), ("listed_view", "VIEW")]
    assert kinds(tableType="VIEW") == [("listed_view", "VIEW")] and kinds(tableType="TABLE") == [("listed_table", "TABLE")]
    assert [(row.column_name, row.type_name, row.column_size) for row in cursor.columns(table="listed_view")] == [("name", "nvarchar", 30), ("twice", "int", 10)]
    # What the driver asks before it sends NULL.
    described = cursor.execute("EXEC sp_describe_undeclared_parameters N'EXEC @P1 = Listed @P2, @price = @P3, @name = @P4'").fetchall()
    assert [(row.name, row.suggested_system_type_name) for row in described] == [
        ("@p1", "int"), ("@p2", "int"), ("@p3", "decimal(9,2)"), ("@p4", "nvarchar(30)")]
    cursor.execute("{CALL Listed(?, ?, ?)}", 1, None, None)
    # The table that procedures are kept in is no table.
    assert [row.table_name for row in cursor.tables()] == ["listed_table", "seeded", "listed_view"]


def views():
    with Connection() as connection:
        result = lambda sql: bound(connection, sql)[1][-1]
        connection.run("CREATE TABLE base (a int NOT NULL, b varchar(10))")
        connection.run("INSERT INTO base VALUES (1, 'one'), (2, 'two'), (3, NULL)")
        connection.run("CREATE VIEW dbo.named (x, y) AS SELECT a * 10, b FROM base WHERE b IS NOT NULL")
        assert result("SELECT y, x FROM named WHERE x > 10") == [("two", "20")]
        assert result("SELECT n.y FROM Sales.dbo.named AS n JOIN base ON base.a * 10 = n.x WHERE n.x < (SELECT MAX(x) FROM named)") == [("one",)]
        connection.run("CREATE VIEW outer_view AS WITH c AS (SELECT x FROM named) SELECT COUNT(*) AS n FROM c")
        assert result("SELECT n FROM outer_view") == [("2",)]
        connection.run("ALTER VIEW named AS SELECT a AS x FROM base")
        assert result("SELECT n FROM outer_view") == [("3",)]
        assert result("IF OBJECT_ID('dbo.named') IS NOT NULL SELECT 1 ELSE SELECT 2") == [("1",)]
        for sql, error in [("CREATE VIEW named AS SELECT 1 AS a", 2714), ("CREATE TABLE named (a int)", 2714), ("CREATE VIEW base AS SELECT 1 AS a", 2714),
                ("CREATE VIEW bad AS SELECT 1", 4511), ("CREATE VIEW bad AS SELECT * FROM nowhere", 208), ("INSERT INTO named VALUES (1)", 50000),
                ("SELECT 1 AS one; CREATE VIEW bad AS SELECT 1 AS a", 111), ("DROP TABLE named", 3701), ("DROP PROCEDURE named", 3701)]:
            assert refused(connection.run, sql)[1] == error, (sql, refused(connection.run, sql))
        connection.run("CREATE OR ALTER VIEW named AS SELECT * FROM outer_view")
        assert refused(connection.run, "SELECT * FROM named")[1] == 217
        connection.run("DROP VIEW named, outer_view")
        assert refused(connection.run, "SELECT * FROM named")[1] == 208


def mixed():
    """Results, counts, messages and errors of one batch arrive one by one and in their order."""
    with Connection() as connection:
        connection.run("CREATE TABLE mixed (a int PRIMARY KEY)")
        statement = connection.statement()
        seen = []

        def look(code):
            told = [statement.record(1)[2].split("]")[-1]] if code == WITH_INFO else []
            if statement.column_count():
                rows = Rowset(statement, 10, (20,))
                seen.append(rows.rows() if statement.fetch(NEXT) else [])
            else:
                seen.append(statement.row_count())
            seen.extend(told)

        step = lambda: statement.execute("""INSERT INTO mixed VALUES (1), (2); PRINT 'printed'; SELECT a FROM mixed WHERE a > 5; SELECT a FROM mixed ORDER BY a
            RAISERROR('raised', 5, 1); UPDATE mixed SET a = 2 WHERE a = 1; DELETE FROM mixed WHERE a > 1; SELECT COUNT(*) FROM mixed; THROW 50001, 'thrown', 1; SELECT 9""")
        code = SUCCESS
        while code != NO_DATA:
            try:
                code = step()
                if code != NO_DATA:
                    look(code)
            except Refused as error:
                seen.append(error.args[1])
            step = lambda: statement.call("SQLMoreResults")
        assert seen == [2, -1, "printed", [], [("1",), ("2",)], -1, "raised", 2627, 1, [("1",)], 50001], seen


run_topic(globals())
