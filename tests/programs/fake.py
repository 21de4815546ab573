"""Calls the library directly, with the fake target behind it. Argument: the library's path."""

import sys
from ctypes import byref, c_int, c_short, c_ushort

import odbc
from odbc import DBC, ENV, ERROR, NTS, SUCCESS, SUCCESS_WITH_INFO, text, wide

STILL_EXECUTING = 2
library = odbc.Odbc(sys.argv[1])
environment = library.allocate(ENV)
login = "DSN=none;Server=s;UID=u"


def connect(string):
    connection = library.allocate(DBC, environment)
    return connection, library.driver_connect(connection, string)


# The target's records come first, then ours; the header counts both.
connection, code = connect(login + ";APP={x}y")
assert code == SUCCESS_WITH_INFO, code
states = [(state, message.split("]")[0]) for state, message in library.records(connection)]
assert states == [("01000", "[fake"), ("01S00", "[loopback-odbc")], states
number, returned = c_int(), c_short()
assert library.SQLGetDiagFieldW(DBC, connection, 0, 2, byref(number), 0, None) == SUCCESS
assert library.SQLGetDiagFieldW(DBC, connection, 0, 1, byref(returned), 0, None) == SUCCESS
assert (number.value, returned.value) == (2, SUCCESS_WITH_INFO), (number, returned)
# The next call clears ours.
assert library.SQLDisconnect(connection) == SUCCESS
assert [state for state, _ in library.records(connection)] == ["01000"]
library.free(DBC, connection)

# A failure of the target is told in its words alone.
connection, code = connect(login + ";APP=fail")
assert code == ERROR and library.records(connection) == [("28000", "[fake] no")]
# A refusal of ours hides what the target had to say of the call before.
assert library.driver_connect(connection, login + ";TargetDriver=other") == ERROR
assert [state for state, _ in library.records(connection)] == ["HY024"]
library.free(DBC, connection)
print("records: ok")

# A handle that comes again has no records of its predecessor.
for _ in range(100):
    connection, code = connect(login + ";TargetDriver=other")
    assert code == ERROR
    library.free(DBC, connection)
    connection = library.allocate(DBC, environment)
    assert library.records(connection) == []
    library.free(DBC, connection)
print("handles again: ok")

# Asynchronous: the arguments of the first call count, those of the polls do not.
connection = library.allocate(DBC, environment)
completed, length = wide("", 100), c_short()
first = (wide(login + ";APP=async"), NTS, completed, 100, byref(length))
assert library.SQLDriverConnectW(connection, None, *first, 0) == STILL_EXECUTING
nothing = (None, 0, None, 0, None)
assert library.SQLDriverConnectW(connection, None, *nothing, 0) == STILL_EXECUTING
assert text(completed) == ""
assert library.SQLDriverConnectW(connection, None, *nothing, 0) == SUCCESS
assert (text(completed), length.value) == (login + ";APP=async", len(login + ";APP=async"))
print("asynchronous: ok")

# SQL_DATA_SOURCE_NAME, whole and cut; lengths are in bytes.
name = wide("", 10)
assert library.SQLGetInfoW(connection, 2, name, 20, byref(length)) == SUCCESS
assert (text(name), length.value) == ("none", 8)
assert library.SQLGetInfoW(connection, 2, name, 6, byref(length)) == SUCCESS_WITH_INFO
assert (text(name), length.value) == ("no", 8)
assert [state for state, _ in library.records(connection)] == ["01004"]
print("data source name: ok")

# What the target lacks is not reported, in each of the three forms; SQLConnect and SQLBrowseConnect are ours.
lacking, having = (12, 11, 1003, 1014), (41, 1001, 1011, 45, 7, 55)
bits = (c_ushort * 250)()
assert library.SQLGetFunctions(connection, 999, bits) == SUCCESS
assert not any(bits[id >> 4] & 1 << (id & 15) for id in lacking)
assert all(bits[id >> 4] & 1 << (id & 15) for id in having)
array = (c_ushort * 100)()
assert library.SQLGetFunctions(connection, 0, array) == SUCCESS
assert not any(array[id] for id in lacking if id < 100) and all(array[id] for id in having if id < 100)
single = c_ushort()
for id in lacking + having:
    assert library.SQLGetFunctions(connection, id, byref(single)) == SUCCESS
    assert single.value == (id in having), id
assert library.SQLExecute(connection) == ERROR
print("functions: ok")
library.free(DBC, connection)
library.free(ENV, environment)
