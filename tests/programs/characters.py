"""Calls the library without a driver manager, as a manager that uses 32-bit characters, and as one that asks first.

Arguments: the library's path, a connection string that works. Without the string, there is no target.
"""

import sys
from ctypes import byref, c_int

import odbc
from odbc import DBC, ENV, ERROR, NTS, SUCCESS, SUCCESS_WITH_INFO, wide

SQL_ATTR_DRIVER_UNICODE_TYPE, SQL_DM_CP_UTF16 = 1065, 1

library = odbc.Odbc(sys.argv[1])
environment = library.environment()


def asked():
    kind, length = c_int(-1), c_int(-1)
    assert library.SQLGetEnvAttr(environment, SQL_ATTR_DRIVER_UNICODE_TYPE, byref(kind), 0, byref(length)) == SUCCESS
    assert (kind.value, length.value) == (SQL_DM_CP_UTF16, 4), (kind, length)
    # iODBC passes no length pointer.
    assert library.SQLGetEnvAttr(environment, SQL_ATTR_DRIVER_UNICODE_TYPE, byref(kind), 0, None) == SUCCESS


def four_bytes(text):
    return wide("".join(character + "\0" for character in text))


def refused(state, code):
    assert code == ERROR, code
    records = library.records(connection)
    assert len(records) == 1 and records[0][0] == state and "iODBC 3.52.14" in records[0][1], records


asked()
connection = library.allocate(DBC, environment)
asked()
for string in ("DSN=Loopback", "DSN=Loopback;Database=Sales", "DRIVER={SQL Server Loopback}"):
    for length in (NTS, len(string), 2 * len(string)):
        buffer = four_bytes(string)
        refused("HY000", library.SQLDriverConnectW(connection, None, buffer, length, None, 0, None, 0))
        refused("HY000", library.SQLBrowseConnectW(connection, buffer, length, None, 0, None))
name, empty = four_bytes("Loopback"), wide("")
if sys.argv[2:]:
    # The data source is only looked up if there is a target. One character of its name is read.
    refused("IM002", library.SQLConnectW(connection, name, NTS, empty, NTS, empty, NTS))
for length in (8, 16):
    refused("HY000", library.SQLConnectW(connection, name, length, empty, 0, empty, 0))
password = four_bytes("secret")
refused("HY000", library.SQLConnectW(connection, wide("Loopback"), NTS, empty, 0, password, 6))
for string in sys.argv[2:]:
    assert library.driver_connect(connection, string) in (SUCCESS, SUCCESS_WITH_INFO), library.records(connection)
    asked()
    assert library.SQLDisconnect(connection) == SUCCESS
    asked()
    # A program that includes the NUL in the length means the same string.
    buffer = wide(string)
    code = library.SQLDriverConnectW(connection, None, buffer, len(buffer), None, 0, None, 0)
    assert code in (SUCCESS, SUCCESS_WITH_INFO), library.records(connection)
    assert library.SQLDisconnect(connection) == SUCCESS
library.free(DBC, connection)
library.free(ENV, environment)
print("characters: ok")
