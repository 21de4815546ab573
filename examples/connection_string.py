"""Prints the loopback connection string of this session, for programs that do not connect by ODBC themselves.

Arguments: the library's path, as in odbcinst.ini; a database; a driver.
"""

import ctypes
import sys


def connection_string(library, database="", driver=""):
    text, length = ctypes.create_string_buffer(4096), ctypes.c_int(4096)
    function = ctypes.CDLL(library).loopback_odbc_connection_string
    needed = function(database.encode(), driver.encode(), text, ctypes.byref(length))
    if abs(needed) >= len(text):
        raise OverflowError(f"{needed} bytes are needed")
    if needed < 0:
        raise RuntimeError(text.value.decode())
    return text.value.decode()


print(connection_string(*sys.argv[1:]))
