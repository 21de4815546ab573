"""Calls the library with a target that lacks some functions, directly and through the driver manager.

Arguments: the library's path; the names of the functions that the target lacks; those that it has. Both are in the form
identifier:name, joined by commas. LOOPBACK_ODBC_TARGET_DRIVER names the target.
"""

import ctypes
import os
import sys
from ctypes import byref, c_short, c_size_t, c_ushort, c_void_p

import odbc
from odbc import DBC, ENV, ERROR, NTS, SUCCESS, wide

STMT = 3
LOGIN = "DSN=Loopback;Server=s;UID=u"


def functions(argument):
    return {int(number): name for number, name in (item.split(":") for item in argument.split(",") if item)}


lacking, having = functions(sys.argv[2]), functions(sys.argv[3])
# The library implements these with other functions of the target, or by itself.
OURS = ("SQLConnectW", "SQLBrowseConnectW", "SQLGetFunctions")
SUCCESSORS = {"SQLGetConnectOptionW": 1007, "SQLSetConnectOptionW": 1016}
# Two functions have the same identifier; one of them is enough.
masked = [number for number, name in lacking.items() if number not in having and name not in OURS]
seen = [number for number in [*lacking, *having] if number not in masked]

library = odbc.Odbc(sys.argv[1])
environment = library.allocate(ENV)
connection = library.allocate(DBC, environment)
assert library.driver_connect(connection, LOGIN) == SUCCESS, library.records(connection)

# The three forms: a bit in 250 words, one of 100 words, and a single word.
bits, array, single = (c_ushort * 250)(), (c_ushort * 100)(), c_ushort()
assert library.SQLGetFunctions(connection, 999, bits) == SUCCESS
assert library.SQLGetFunctions(connection, 0, array) == SUCCESS
for number in masked + seen:
    expected = number in seen
    assert bool(bits[number >> 4] & 1 << (number & 15)) == expected, number
    assert number >= 100 or bool(array[number]) == expected, number
    assert library.SQLGetFunctions(connection, number, byref(single)) == SUCCESS
    assert bool(single.value) == expected, number
# Nothing else was removed or added.
assert sum(word.bit_count() for word in bits) == len(set(seen)), "other bits"
assert sum(map(bool, array)) == sum(number < 100 for number in set(seen)), "other words"

for number in masked:
    if SUCCESSORS.get(lacking[number]) in having:
        continue
    # No function has more than eleven arguments.
    assert getattr(library, lacking[number])(*[c_void_p()] * 11) == ERROR, lacking[number]
library.free(DBC, connection)
library.free(ENV, environment)
print(len(masked), "masked")

if len(lacking) > 1:
    sys.exit()

# Through the driver manager: its results, and the target's functions that it calls.
manager = odbc.Odbc("libodbc.so.2")
target = ctypes.CDLL(os.environ["LOOPBACK_ODBC_TARGET_DRIVER"])


def calls():
    name, arguments, names = ctypes.create_string_buffer(32), (ctypes.c_uint64 * 16)(), []
    while target.recording_take(name, arguments) >= 0:
        names.append(name.value.decode())
    return names


def state_of(kind, handle):
    state = wide("", 6)
    manager.SQLGetDiagRecW(kind, handle, 1, state, None, None, 0, None)
    return odbc.text(state)


environment = manager.environment()
connection = manager.allocate(DBC, environment)
assert manager.driver_connect(connection, LOGIN) == SUCCESS, manager.records(connection)
statement = manager.allocate(STMT, connection)
calls()
for title, function, kind, handle, arguments in (
    ("cancel statement", manager.SQLCancelHandle, STMT, statement, (STMT, statement)),
    ("cancel connection", manager.SQLCancelHandle, DBC, connection, (DBC, connection)),
    ("bind column", manager.SQLBindCol, STMT, statement, (statement, 1, 4, None, c_size_t(0), None)),
    ("type information", manager.SQLGetTypeInfoW, STMT, statement, (statement, 4)),
):
    code = function(*arguments)
    called = [name for name in calls() if not name.startswith("SQLGetDiag")]
    print(f"{title}: {code}", *called, *([state_of(kind, handle)] if code == ERROR else []))
manager.free(STMT, statement)
manager.SQLDisconnect(connection)
code = manager.SQLBrowseConnectW(connection, wide(LOGIN), NTS, wide("", 200), 200, byref(c_short()))
print("browse:", code)
