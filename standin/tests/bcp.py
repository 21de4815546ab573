"""Bulk copy with Microsoft's bcp_ functions, for driver.py: they are not ODBC, and pyodbc does not have them."""

import ctypes
import os

ODBC = ctypes.CDLL("libodbc.so.2")
# Functions that take the driver manager's handle, from the real driver's own library.
DRIVER = ctypes.CDLL(os.environ["MSODBCSQL"])

SQL_HANDLE_ENV, SQL_HANDLE_DBC = 1, 2
SQL_COPT_SS_BCP = 1219
DB_IN, SUCCEED, SQL_NULL_DATA, SQL_VARLEN_DATA = 1, 1, -1, -10
SQLNVARCHAR = 0xE7
BCPKEEPNULLS, BCPABORT, BCPKEEPIDENTITY, BCPHINTSA = 5, 6, 8, 10
# Of a column's value.
ROOM = 1_100_000


class Error(Exception):
    """The number and the text of each record."""


class Connection:
    def __init__(self, string):
        self.environment = self.allocated(SQL_HANDLE_ENV, None)
        self.odbc("SQLSetEnvAttr", self.environment, 200, ctypes.c_void_p(3), 0)
        self.handle = self.allocated(SQL_HANDLE_DBC, self.environment)
        self.odbc("SQLSetConnectAttr", self.handle, SQL_COPT_SS_BCP, ctypes.c_void_p(1), -6)
        text = string.encode()
        self.odbc("SQLDriverConnect", self.handle, None, text, len(text), None, 0, None, 0)

    def close(self):
        self.odbc("SQLDisconnect", self.handle)
        ODBC.SQLFreeHandle(SQL_HANDLE_DBC, self.handle)
        ODBC.SQLFreeHandle(SQL_HANDLE_ENV, self.environment)

    def allocated(self, kind, parent):
        handle = ctypes.c_void_p()
        assert ctypes.c_int16(ODBC.SQLAllocHandle(kind, parent, ctypes.byref(handle))).value >= 0, kind
        return handle

    def odbc(self, function, *arguments):
        if ctypes.c_int16(getattr(ODBC, function)(*arguments)).value < 0:
            self.fail()

    def bcp(self, function, *arguments):
        if getattr(DRIVER, function)(self.handle, *arguments) != SUCCEED:
            self.fail()

    def fail(self):
        records = []
        state, native, text = ctypes.create_string_buffer(6), ctypes.c_int(), ctypes.create_string_buffer(2000)
        while ctypes.c_int16(ODBC.SQLGetDiagRec(SQL_HANDLE_DBC, self.handle, len(records) + 1, state, ctypes.byref(native), text, 2000, None)).value in (0, 1):
            records.append((native.value, text.value.decode()))
        raise Error(*records)

    def load(self, table, rows, columns=None, keep_nulls=False, keep_identity=False, hints=None, batch=None, give_up=False):
        """Loads rows of texts into the columns of these numbers: how many have been kept, batch by batch."""
        self.bcp("bcp_initW", (table + "\0").encode("utf-16-le"), None, None, DB_IN)
        for option, wanted in [(BCPKEEPNULLS, keep_nulls), (BCPKEEPIDENTITY, keep_identity)]:
            if wanted:
                self.bcp("bcp_control", option, ctypes.c_void_p(1))
        if hints:
            self.bcp("bcp_control", BCPHINTSA, hints.encode())
        columns = columns or range(1, len(rows[0]) + 1)
        buffers = [ctypes.create_string_buffer(8 + ROOM) for _ in columns]
        for buffer, column in zip(buffers, columns):
            self.bcp("bcp_bind", buffer, 8, SQL_VARLEN_DATA, None, 0, SQLNVARCHAR, column)
        kept = []

        def keep(function):
            kept.append(getattr(DRIVER, function)(self.handle))
            if kept[-1] < 0:
                self.fail()

        for at, row in enumerate(rows, 1):
            for buffer, value in zip(buffers, row, strict=True):
                data = (value or "").encode("utf-16-le")
                length = SQL_NULL_DATA if value is None else len(data)
                ctypes.memmove(buffer, length.to_bytes(8, "little", signed=True) + data, 8 + len(data))
            self.bcp("bcp_sendrow")
            if batch and at % batch == 0:
                keep("bcp_batch")
        if give_up:
            self.bcp("bcp_control", BCPABORT, None)
        else:
            keep("bcp_done")
        return kept
