"""ODBC calls with ctypes, for what pyodbc does not show: buffers, lengths, return codes, every diagnostic record.

`Odbc("libodbc.so.2")` calls through the driver manager, `Odbc(path of a driver)` calls a driver directly.
"""

import ctypes
from ctypes import byref, c_int, c_short, c_uint16, c_void_p

SUCCESS, SUCCESS_WITH_INFO, NO_DATA, ERROR, INVALID_HANDLE = 0, 1, 100, -1, -2
ENV, DBC, STMT = 1, 2, 3
NTS = -3
ODBC_VERSION, ODBC3 = 200, 3
NOPROMPT = 0
LOGIN_TIMEOUT = 103


def wide(text, capacity=0):
    """A buffer of UTF-16 code units with a NUL, of at least `capacity` units."""
    units = text.encode("utf-16-le", "surrogatepass") + b"\0\0"
    count = max(len(units) // 2, capacity)
    return (c_uint16 * count).from_buffer_copy(units.ljust(2 * count, b"\0"))


def text(buffer):
    """The text of a buffer up to its NUL."""
    units = bytes(buffer)
    return units.decode("utf-16-le", "surrogatepass").split("\0")[0]


class Odbc:
    def __init__(self, library):
        self.library = ctypes.CDLL(library)

    def __getattr__(self, name):
        function = getattr(self.library, name)
        function.restype = c_short
        return function

    def allocate(self, kind, parent=None):
        handle = c_void_p()
        code = self.SQLAllocHandle(kind, parent, byref(handle))
        assert code == SUCCESS, f"SQLAllocHandle({kind}) returned {code}"
        return handle

    def free(self, kind, handle):
        code = self.SQLFreeHandle(kind, handle)
        assert code == SUCCESS, f"SQLFreeHandle({kind}) returned {code}"

    def environment(self):
        environment = self.allocate(ENV)
        assert self.SQLSetEnvAttr(environment, ODBC_VERSION, c_void_p(ODBC3), 0) == SUCCESS
        version = c_int()
        assert self.SQLGetEnvAttr(environment, ODBC_VERSION, byref(version), 0, None) == SUCCESS
        assert version.value == ODBC3, version
        return environment

    def driver_connect(self, connection, string):
        return self.SQLDriverConnectW(connection, None, wide(string), NTS, None, 0, None, NOPROMPT)

    def records(self, connection):
        """All diagnostic records of a connection, as (SQLSTATE, text)."""
        found = []
        while True:
            state, message, length = wide("", 6), wide("", 2000), c_short()
            code = self.SQLGetDiagRecW(
                DBC, connection, len(found) + 1, state, byref(c_int()), message, 2000, byref(length)
            )
            if code == NO_DATA:
                return found
            assert code == SUCCESS, code
            assert length.value == len(text(message).encode("utf-16-le")) // 2
            found.append((text(state), text(message)))

    def failure(self, string):
        """Connects, which must fail, cleans up, and returns the records."""
        environment = self.environment()
        connection = self.allocate(DBC, environment)
        # If a server refuses, Microsoft's driver keeps trying until the timeout.
        assert self.SQLSetConnectAttrW(connection, LOGIN_TIMEOUT, c_void_p(1), 0) == SUCCESS
        code = self.driver_connect(connection, string)
        assert code == ERROR, code
        records = self.records(connection)
        self.free(DBC, connection)
        self.free(ENV, environment)
        return records
