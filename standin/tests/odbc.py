"""What the topics share: the way to the server, and ODBC by its own functions, for what pyodbc does not show.

The calls go through the driver manager to Microsoft's driver. A function that fails raises `Refused` with the first
diagnostic record, so that a test asserts what it is after and nothing else.
"""

import ctypes
import pathlib
import sys

FOLDER = pathlib.Path(sys.argv[2])
PORT = (FOLDER / "ready").read_text().splitlines()[0].rsplit(":", 1)[1]
BASE = f"Driver=real;Server=127.0.0.1,{PORT};"

LIBRARY = ctypes.CDLL("libodbc.so.2")
ENVIRONMENT, CONNECTION, STATEMENT = 1, 2, 3
SUCCESS, WITH_INFO, NO_DATA = 0, 1, 100
NULL_DATA = -1
# C types, SQL types and directions of parameters.
C_CHAR, C_SLONG = 1, -16
INTEGER, VARCHAR = 4, 12
INPUT, INPUT_OUTPUT, OUTPUT = 1, 2, 4


def certificate(name):
    # The key's file has to be called .pem: the driver takes others for PVK files first.
    return BASE + f"ClientCertificate=file:{FOLDER}/{name}.pem;ClientKey=file:{FOLDER}/{name}key.pem;TrustServerCertificate=yes;"


class Refused(Exception):
    """SQLSTATE, native error and text."""


def refused(function, *arguments):
    """SQLSTATE, native error and text of the error that a call raises."""
    try:
        function(*arguments)
    except Refused as error:
        return error.args
    raise AssertionError(f"{arguments} was not refused")


def run_topic(topics):
    """Runs the topic that driver.rs asks for and says that it did."""
    topics[sys.argv[1]]()
    print("ok", sys.argv[1])


class Handle:
    def __init__(self, kind, parent=None):
        self.kind, self.value = kind, ctypes.c_void_p()
        if LIBRARY.SQLAllocHandle(kind, parent and parent.value, ctypes.byref(self.value)) & 0xFFFF not in (SUCCESS, WITH_INFO):
            raise Refused(*parent.record(1))

    def call(self, function, *arguments):
        """Calls a function with this handle; its return code, which is no error."""
        code = ctypes.c_int16(getattr(LIBRARY, function)(self.value, *arguments)).value
        if code < 0:
            raise Refused(*(self.record(1) or ("", 0, f"{function} returned {code}")))
        return code

    def record(self, number):
        """A diagnostic record; None when there is none."""
        state, native, text, length = ctypes.create_string_buffer(6), ctypes.c_int32(), ctypes.create_string_buffer(2048), ctypes.c_int16()
        code = LIBRARY.SQLGetDiagRec(self.kind, self.value, number, state, ctypes.byref(native), text, 2048, ctypes.byref(length))
        return None if ctypes.c_int16(code).value not in (SUCCESS, WITH_INFO) else (state.value.decode(), native.value, text.value.decode())

    def field(self, identifier):
        """A number in the first diagnostic record."""
        value = ctypes.c_int32()
        LIBRARY.SQLGetDiagFieldW(self.kind, self.value, 1, identifier, ctypes.byref(value), 4, None)
        return value.value

    def free(self):
        LIBRARY.SQLFreeHandle(self.kind, self.value)


class Connection(Handle):
    def __init__(self, options="Database=Sales;"):
        self.environment = Handle(ENVIRONMENT)
        self.environment.call("SQLSetEnvAttr", 200, ctypes.c_void_p(3), 0)
        super().__init__(CONNECTION, self.environment)
        text = (certificate("session") + options).encode()
        self.call("SQLDriverConnect", None, text, len(text), None, 0, None, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(rollback=True)
        self.call("SQLDisconnect")
        self.free()
        self.environment.free()

    def statement(self, **attributes):
        return Statement(self, attributes)

    def run(self, sql):
        """Executes a statement; the number of rows it changed."""
        statement = self.statement()
        statement.execute(sql)
        count = statement.row_count()
        statement.free()
        return count

    def end(self, rollback):
        code = LIBRARY.SQLEndTran(self.kind, self.value, int(rollback))
        assert ctypes.c_int16(code).value == SUCCESS, self.record(1)


# Statement attributes by their numbers.
ATTRIBUTES = {"cursor_type": 6, "concurrency": 7, "rowset": 27, "scrollable": -1, "sensitivity": -2, "bookmarks": 12, "row_number": 14, "fetch_bookmark": 16, "fast_forward": 1230}
FORWARD_ONLY, KEYSET, DYNAMIC, STATIC = range(4)
READ_ONLY, LOCK, ROWVER, VALUES = range(1, 5)


class Statement(Handle):
    def __init__(self, connection, attributes):
        super().__init__(STATEMENT, connection)
        for name, value in attributes.items():
            self.set(name, value)

    def set(self, name, value):
        self.call("SQLSetStmtAttr", ATTRIBUTES.get(name, name), ctypes.c_void_p(value), 0)

    def get(self, name):
        value = ctypes.c_uint64()
        self.call("SQLGetStmtAttr", ATTRIBUTES.get(name, name), ctypes.byref(value), 8, None)
        return value.value

    def execute(self, sql):
        return self.call("SQLExecDirect", sql.encode(), len(sql.encode()))

    def prepare(self, sql):
        self.call("SQLPrepare", sql.encode(), len(sql.encode()))

    def bind(self, at, direction, value, kind=INTEGER, size=0, length=None):
        """Binds a parameter to a ctypes integer, or to a buffer of characters."""
        c_type = C_SLONG if isinstance(value, ctypes.c_int32) else C_CHAR
        self.call("SQLBindParameter", at, direction, c_type, kind, ctypes.c_uint64(size), 0, ctypes.byref(value),
                  ctypes.c_int64(ctypes.sizeof(value)), None if length is None else ctypes.byref(length))

    def more(self):
        return self.call("SQLMoreResults") != NO_DATA

    def row_count(self):
        count = ctypes.c_int64()
        self.call("SQLRowCount", ctypes.byref(count))
        return count.value

    def column_count(self):
        count = ctypes.c_int16()
        self.call("SQLNumResultCols", ctypes.byref(count))
        return count.value

    def fetch(self, orientation, offset=0):
        """SQLFetchScroll; whether there were rows."""
        return self.call("SQLFetchScroll", orientation, ctypes.c_int64(offset)) != NO_DATA

    def set_position(self, row, operation=0, lock=0):
        return self.call("SQLSetPos", ctypes.c_uint64(row), operation, lock)


# Orientations of SQLFetchScroll, operations of SQLSetPos and SQLBulkOperations.
NEXT, FIRST, LAST, PRIOR, ABSOLUTE, RELATIVE, BOOKMARK = 1, 2, 3, 4, 5, 6, 8
POSITION, REFRESH, UPDATE, DELETE = range(4)
ADD, UPDATE_BY_BOOKMARK, DELETE_BY_BOOKMARK, FETCH_BY_BOOKMARK = 4, 5, 6, 7
# What the status of a row says.
ROW_SUCCESS, ROW_DELETED, ROW_UPDATED, ROW_NOROW, ROW_ADDED, ROW_ERROR = range(6)


class Rowset:
    """Columns that are bound to arrays, one for each of `columns`: an integer, or the size of a text."""

    def __init__(self, statement, size, columns, bookmarks=False):
        self.statement, self.size = statement, size
        self.status, self.fetched = (ctypes.c_uint16 * size)(), ctypes.c_uint64()
        self.columns = [ctypes.c_int32 * size if length is int else (ctypes.c_char * length) * size for length in columns]
        self.columns = [column() for column in self.columns]
        self.lengths = [(ctypes.c_int64 * size)() for _ in columns]
        statement.set("rowset", size)
        statement.set(25, ctypes.addressof(self.status))
        statement.set(26, ctypes.addressof(self.fetched))
        for at, (column, length) in enumerate(zip(self.columns, columns), 0 if bookmarks else 1):
            kind = -2 if at == 0 else C_SLONG if length is int else C_CHAR
            statement.call("SQLBindCol", at, kind, column, ctypes.sizeof(column[0]) if length is not int else 4, self.lengths[at - (not bookmarks)])

    def rows(self):
        """What was fetched, as tuples; None for a row that has gone."""
        def value(column, lengths, at):
            if lengths[at] == NULL_DATA:
                return None
            return column[at] if isinstance(column[at], int) else column[at].value.decode()

        rows = range(self.fetched.value)
        there = lambda at: self.status[at] not in (ROW_DELETED, ROW_NOROW, ROW_ERROR)
        return [tuple(value(*pair, at) for pair in zip(self.columns, self.lengths)) if there(at) else None for at in rows]

    def put(self, at, *values):
        for column, lengths, value in zip(self.columns, self.lengths, values, strict=True):
            if value is None:
                lengths[at] = NULL_DATA
            elif isinstance(value, int):
                column[at], lengths[at] = value, 4
            else:
                column[at].value, lengths[at] = value.encode(), len(value.encode())
