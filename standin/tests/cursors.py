"""Server cursors through Microsoft's driver: scrolling, positioned changes, bookmarks, cursors with a name.

Started by driver.rs as `cursors.py TOPIC FOLDER`, as driver.py is.
"""

from odbc import *

ROWS = [(n, f"n{n}") for n in range(1, 8)]
QUERY = "SELECT id, name FROM scrolled ORDER BY id"


def table(connection, name="scrolled", key="PRIMARY KEY"):
    connection.run(f"CREATE TABLE {name} (id int {key}, name varchar(20))")
    connection.run(f"INSERT INTO {name} VALUES " + ", ".join(map(str, ROWS)))


def kept(connection, name="scrolled"):
    """The rows of a table, read without a cursor."""
    statement = connection.statement()
    statement.execute(f"SELECT id, name FROM {name} ORDER BY id")
    rows = Rowset(statement, 20, (int, 20))
    found = rows.rows() if statement.fetch(NEXT) else []
    statement.free()
    return found


def opened(connection, sql=QUERY, size=2, **attributes):
    statement = connection.statement(**attributes)
    statement.execute(sql)
    return statement, Rowset(statement, size, (int, 20))


# Orientation, offset, and the ids of the two rows that follow from where the one before has left the cursor.
SCROLLS = [
    (NEXT, 0, [1, 2]), (NEXT, 0, [3, 4]), (RELATIVE, 1, [4, 5]), (PRIOR, 0, [2, 3]), (PRIOR, 0, [1, 2]), (PRIOR, 0, []),
    (NEXT, 0, [1, 2]), (LAST, 0, [6, 7]), (NEXT, 0, []), (PRIOR, 0, [6, 7]), (ABSOLUTE, 7, [7]), (NEXT, 0, []),
    (ABSOLUTE, -3, [5, 6]), (RELATIVE, -2, [3, 4]), (RELATIVE, 0, [3, 4]), (ABSOLUTE, 0, []), (NEXT, 0, [1, 2]), (ABSOLUTE, 8, []),
    (ABSOLUTE, -8, []), (FIRST, 0, [1, 2]), (RELATIVE, -1, []), (ABSOLUTE, 2, [2, 3]), (PRIOR, 0, [1, 2]), (RELATIVE, 10, []),
]


def scrolling():
    with Connection() as connection:
        table(connection)
        for kind, concurrency, counted in [(STATIC, READ_ONLY, 7), (KEYSET, READ_ONLY, 7), (KEYSET, VALUES, 7), (KEYSET, LOCK, 7),
                (DYNAMIC, READ_ONLY, -1), (DYNAMIC, VALUES, -1)]:
            statement, rows = opened(connection, cursor_type=kind, concurrency=concurrency)
            assert (statement.get("cursor_type"), statement.get("concurrency")) == (kind, concurrency)
            # ROWSTAT is not among the columns.
            assert (statement.row_count(), statement.column_count()) == (counted, 2)
            for orientation, offset, ids in SCROLLS:
                got = rows.rows() if statement.fetch(orientation, offset) else []
                assert got == [(n, f"n{n}") for n in ids], (kind, concurrency, orientation, offset, got)
            statement.free()
        # Forward only and with changes.
        statement, rows = opened(connection, size=3, concurrency=VALUES)
        assert statement.get("cursor_type") == FORWARD_ONLY and statement.get("concurrency") == VALUES
        got = []
        while statement.fetch(NEXT):
            got += rows.rows()
        assert got == ROWS, got
        # Microsoft's own: fast forward-only, and that with the first rows at once, which the server may leave to a fetch.
        for option in (1, 2):
            statement = connection.statement(fast_forward=option)
            statement.execute(QUERY)
            rows, got = Rowset(statement, 3, (int, 20)), []
            while statement.fetch(NEXT):
                got += rows.rows()
            assert got == ROWS, got
        # What ODBC's newer attributes ask for.
        statement, rows = opened(connection, scrollable=1)
        assert statement.get("cursor_type") == KEYSET and statement.fetch(LAST) and rows.rows() == ROWS[-2:]
        # Several at once, and one that is empty.
        second, others = opened(connection, "SELECT id, name FROM scrolled WHERE id < 0", cursor_type=STATIC)
        assert not second.fetch(FIRST) and not second.fetch(LAST) and second.row_count() == 0
        assert statement.fetch(FIRST) and rows.rows() == ROWS[:2]


def what_is_seen():
    """Static shows nothing of later changes, keyset changed and deleted rows, dynamic all."""
    with Connection() as connection, Connection() as other:
        table(connection)
        cursors = [opened(connection, size=9, cursor_type=kind) for kind in (STATIC, KEYSET, DYNAMIC)]
        assert all(statement.fetch(FIRST) for statement, _ in cursors)
        for sql in ["UPDATE scrolled SET name = 'new' WHERE id = 2", "DELETE scrolled WHERE id = 3", "INSERT scrolled VALUES (0, 'n0')"]:
            other.run(sql)
        seen = []
        for statement, rows in cursors:
            assert statement.fetch(FIRST)
            seen.append(rows.rows())
        assert seen[0] == ROWS
        assert seen[1] == [ROWS[0], (2, "new"), None, *ROWS[3:]]
        assert seen[2] == [(0, "n0"), ROWS[0], (2, "new"), *ROWS[3:]]
        # A dynamic cursor whose first row has gone stays where it is.
        statement, rows = opened(connection, cursor_type=DYNAMIC)
        assert statement.fetch(NEXT) and statement.fetch(NEXT) and rows.rows() == [(2, "new"), ROWS[3]]
        other.run("DELETE scrolled WHERE id IN (0, 2, 4)")
        assert statement.fetch(NEXT) and rows.rows() == ROWS[4:6]
        assert statement.fetch(PRIOR) and rows.rows()[0] == ROWS[0]


def no_cursor():
    """What cannot be the cursor that was asked for, and what is no query."""
    with Connection() as connection:
        table(connection)
        table(connection, "heap", "NULL")
        join = "SELECT a.id, b.name FROM scrolled a JOIN heap b ON b.id = a.id ORDER BY a.id"
        for sql, kind, becomes in [("SELECT id, name FROM heap", KEYSET, (STATIC, READ_ONLY)), ("SELECT id, name FROM heap", DYNAMIC, (DYNAMIC, VALUES)),
                (join, KEYSET, (STATIC, READ_ONLY)), (join, DYNAMIC, (STATIC, READ_ONLY)), (join, FORWARD_ONLY, (FORWARD_ONLY, READ_ONLY)),
                ("SELECT COUNT(*), MAX(name) FROM scrolled", DYNAMIC, (STATIC, READ_ONLY)),
                ("SELECT 1, 'x' UNION SELECT 2, 'y'", KEYSET, (STATIC, READ_ONLY)), ("SELECT DISTINCT id, name FROM scrolled", KEYSET, (STATIC, READ_ONLY))]:
            statement = connection.statement(cursor_type=kind, concurrency=VALUES)
            told = statement.execute(sql) == WITH_INFO and statement.record(1)[0] == "01S02"
            assert told == (becomes[1] == READ_ONLY), (sql, kind)
            assert (statement.get("cursor_type"), statement.get("concurrency")) == becomes, (sql, kind)
            assert statement.fetch(NEXT)
            statement.free()
        # Executed all the same, with all its results.
        statement = connection.statement(cursor_type=KEYSET, concurrency=VALUES)
        assert statement.execute("SELECT 1; UPDATE heap SET name = 'x' WHERE id < 3; SELECT 2, 3") == WITH_INFO
        assert statement.record(1)[0] == "01S02" and statement.get("cursor_type") == FORWARD_ONLY
        assert statement.column_count() == 1 and statement.fetch(NEXT)
        assert statement.more() and statement.row_count() == 2
        assert statement.more() and statement.column_count() == 2 and not statement.more()
        assert statement.execute("EXEC sp_tables") == WITH_INFO and statement.column_count() == 5 and not statement.more()
        assert statement.execute("INSERT INTO heap VALUES (8, 'n8'), (9, 'n9')") == SUCCESS and statement.row_count() == 2
        assert refused(statement.execute, "SELECT nothing FROM nowhere")[:2] == ("42S02", 208)
        assert refused(statement.execute, "SELECT 1 / 0")[1] == 8134


def positioned():
    for kind in (KEYSET, DYNAMIC):
        name = f"positioned{kind}"
        with Connection() as connection:
            table(connection, name)
            # The driver changes the table's columns, whatever the query calls them.
            statement, rows = opened(connection, f"SELECT id AS [key], name FROM {name} AS p ORDER BY id", cursor_type=kind, concurrency=VALUES)
            assert statement.fetch(NEXT) and statement.set_position(2) == SUCCESS
            if kind == KEYSET:
                assert statement.get("row_number") == 2
            rows.put(1, 2, "changed")
            assert statement.set_position(2, UPDATE) == SUCCESS and statement.row_count() == 1
            assert list(rows.status) == [ROW_SUCCESS, ROW_UPDATED]
            assert kept(connection, name)[:3] == [ROWS[0], (2, "changed"), ROWS[2]]
            assert statement.set_position(1, DELETE) == SUCCESS and rows.status[0] == ROW_DELETED
            assert kept(connection, name)[0] == (2, "changed")
            rows.put(0, 100, "added")
            rows.put(1, 101, None)
            assert statement.call("SQLBulkOperations", ADD) == SUCCESS and list(rows.status) == [ROW_ADDED, ROW_ADDED]
            assert kept(connection, name)[-2:] == [(100, "added"), (101, None)]
            assert statement.set_position(0, REFRESH) == SUCCESS and rows.rows() == [None, (2, "changed")]
            assert statement.fetch(NEXT) and rows.rows() == ROWS[2:4]
            rows.put(0, 3, "one")
            rows.put(1, 4, "two")
            assert statement.set_position(0, UPDATE) == SUCCESS and kept(connection, name)[1:3] == [(3, "one"), (4, "two")]
            # One of two fails.
            rows.put(0, 3, "three")
            rows.put(1, 5, "five")
            assert statement.set_position(0, UPDATE) == WITH_INFO and list(rows.status) == [ROW_UPDATED, ROW_ERROR]
            assert statement.record(1)[:2] == ("23000", 2627), statement.record(1)
            assert kept(connection, name)[1:3] == [(3, "three"), (4, "two")]
            # The driver leaves out the row that has failed.
            assert statement.set_position(0, DELETE) == WITH_INFO and list(rows.status) == [ROW_DELETED, ROW_ERROR]
            assert statement.fetch(RELATIVE, 0) and statement.set_position(2, DELETE) == SUCCESS and len(kept(connection, name)) == 6
            assert refused(statement.set_position, 2, DELETE) and len(kept(connection, name)) == 6
            # A read-only one changes nothing.
            statement, rows = opened(connection, f"SELECT id, name FROM {name}", cursor_type=kind)
            assert statement.fetch(NEXT)
            assert refused(statement.set_position, 1, DELETE)[0] == "HY092" and len(kept(connection, name)) == 6


def conflicts():
    with Connection() as connection, Connection() as other:
        table(connection)
        for concurrency, wins in [(VALUES, False), (LOCK, True)]:
            statement, rows = opened(connection, cursor_type=KEYSET, concurrency=concurrency)
            assert statement.fetch(NEXT)
            other.run(f"UPDATE scrolled SET name = 'other {concurrency}' WHERE id = 1")
            rows.put(0, 1, f"mine {concurrency}")
            if wins:
                assert statement.set_position(1, UPDATE) == SUCCESS
            else:
                assert refused(statement.set_position, 1, UPDATE)[:2] == ("01001", 16934)
                assert statement.set_position(1, REFRESH) == SUCCESS and rows.rows()[0] == (1, f"other {concurrency}")
            assert kept(connection)[0] == (1, f"{'mine' if wins else 'other'} {concurrency}")
            statement.free()
        # In a transaction, and back.
        connection.call("SQLSetConnectAttr", 102, ctypes.c_void_p(0), 0)
        statement, rows = opened(connection, cursor_type=KEYSET, concurrency=VALUES)
        assert statement.fetch(NEXT) and statement.set_position(2, DELETE) == SUCCESS and len(kept(connection)) == 6
        connection.end(rollback=True)
        assert len(kept(connection)) == 7


def bookmarks():
    with Connection() as connection:
        table(connection)
        for kind in (STATIC, KEYSET):
            concurrency = READ_ONLY if kind == STATIC else VALUES
            statement = connection.statement(cursor_type=kind, concurrency=concurrency, bookmarks=2)
            statement.execute(QUERY)
            rows = Rowset(statement, 2, (8, int, 20), bookmarks=True)
            ids = lambda: list(rows.columns[1])
            assert statement.fetch(NEXT) and statement.fetch(NEXT) and ids() == [3, 4]
            mark = ctypes.create_string_buffer(rows.columns[0][1].raw, 8)
            statement.set("fetch_bookmark", ctypes.addressof(mark))
            for offset in (0, 1, -2):
                assert statement.fetch(LAST) and ids() == [6, 7]
                assert statement.fetch(BOOKMARK, offset) and ids() == [4 + offset, 5 + offset]
            rows.columns[0][0].raw = mark.raw
            assert statement.call("SQLBulkOperations", FETCH_BY_BOOKMARK) == SUCCESS and ids() == [4, 3]
            if kind == KEYSET:
                rows.columns[2][0].value, rows.lengths[2][0] = b"marked", 6
                assert statement.call("SQLBulkOperations", UPDATE_BY_BOOKMARK) == SUCCESS and kept(connection)[2:4] == [ROWS[2], (4, "marked")]
                assert statement.call("SQLBulkOperations", DELETE_BY_BOOKMARK) == SUCCESS and [row[0] for row in kept(connection)] == [1, 2, 5, 6, 7]
            statement.free()


def named():
    with Connection() as connection:
        table(connection)
        statement = connection.statement(cursor_type=KEYSET, concurrency=LOCK)
        statement.call("SQLSetCursorName", b"scroller", 8)
        statement.execute(QUERY)
        rows = Rowset(statement, 3, (int, 20))
        assert statement.fetch(NEXT) and statement.fetch(NEXT) and statement.set_position(2) == SUCCESS
        assert connection.run("UPDATE scrolled SET name = 'current' WHERE CURRENT OF scroller") == 1
        assert statement.set_position(2, REFRESH) == SUCCESS and rows.rows() == [ROWS[3], (5, "current"), ROWS[5]]
        assert connection.run("DELETE scrolled WHERE CURRENT OF scroller") == 1
        assert [row[0] for row in kept(connection)] == [1, 2, 3, 4, 6, 7]
        assert refused(connection.run, "DELETE FROM scrolled WHERE CURRENT OF nobody")[:2] == ("34000", 16916)


def prepared():
    with Connection() as connection:
        table(connection)
        limit = ctypes.c_int32()
        for kind in (STATIC, KEYSET, DYNAMIC):
            for described in (True, False):
                statement = connection.statement(cursor_type=kind)
                statement.bind(1, INPUT, limit)
                statement.prepare("SELECT id, name FROM scrolled WHERE id <= ? ORDER BY id")
                assert not described or statement.column_count() == 2
                rows = Rowset(statement, 2, (int, 20))
                for last in (5, 7, 3):
                    limit.value = last
                    assert statement.call("SQLExecute") in (SUCCESS, WITH_INFO) and statement.fetch(LAST)
                    # The rows are found again with the parameter's value when it was opened.
                    limit.value = 0
                    assert rows.rows() == ROWS[last - 2:last], (kind, described, rows.rows())
                    assert statement.fetch(FIRST) and rows.rows() == ROWS[:2]
                    statement.call("SQLCloseCursor")
                statement.free()
            # And without being prepared.
            statement = connection.statement(cursor_type=kind)
            limit.value = 4
            statement.bind(1, INPUT, limit)
            statement.execute("SELECT id, name FROM scrolled WHERE id <= ? ORDER BY id")
            rows = Rowset(statement, 2, (int, 20))
            assert statement.fetch(LAST) and rows.rows() == ROWS[2:4]
            statement.free()


run_topic(globals())
