"""Prints the loopback connection string of this session, for programs that do not connect by ODBC.

    python3 examples/connection_string.py LIBRARY [DATABASE [DRIVER]]

LIBRARY is the path in odbcinst.ini, such as /usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so.
Without SQL Server, as root after `make demo`:

    scripts/satellite --script examples/connection_string.py -- /usr/bin/python3 connection_string.py /opt/mssql-extensibility/lib/libloopbackodbc.so Sales
"""

import ctypes
import sys


def connection_string(library, database="", driver=""):
    """Returns the string for a database and a driver; without a driver, for the one that the library would load."""
    text, length = ctypes.create_string_buffer(4096), ctypes.c_int(4096)
    function = ctypes.CDLL(library).loopback_odbc_connection_string
    needed = function(database.encode(), driver.encode(), text, ctypes.byref(length))
    if abs(needed) >= len(text):
        raise OverflowError(f"{needed} bytes are needed")
    if needed < 0:
        raise RuntimeError(text.value.decode())
    return text.value.decode()


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(f"Usage: {sys.argv[0]} LIBRARY [DATABASE [DRIVER]]")
    print(connection_string(*sys.argv[1:]))
