"""Calls the library without a driver manager, at first without a target. Argument: the library's path.

LOOPBACK_ODBC_TARGET_DRIVER determines the target; MSODBCSQL names the real driver.
"""

import os
import sys
import threading
import time
from ctypes import byref, c_int, c_short, c_void_p

import odbc
from odbc import DBC, ENV, ERROR, INVALID_HANDLE, NO_DATA, SUCCESS, text, wide

library = odbc.Odbc(sys.argv[1])
missing = "/nonexistent/libtarget.so"
# Nobody listens on port 9 of the loopback address.
string = "Server=127.0.0.1,9;UID=u;PWD=p;Encrypt=no"


def target(path):
    os.environ["LOOPBACK_ODBC_TARGET_DRIVER"] = path


def is_absent(records):
    assert records, "a failed connect without a record"
    absent = records[0][0] == "IM003"
    assert absent == (missing in records[0][1]), records
    assert absent or "[Microsoft]" in records[0][1], records
    return absent


width = c_int()
target(missing)
# Every attempt reports the reason, and leaves nothing that would keep the next one from trying again.
for _ in range(200):
    assert is_absent(library.failure(string))

# Nor does an attempt without an output handle.
assert library.SQLAllocHandle(ENV, None, None) == ERROR

# Handles of the absent target behave like handles.
environment = library.environment()
assert library.SQLGetEnvAttr(environment, 1065, byref(width), 4, None) == SUCCESS and width.value == 1
assert library.SQLGetEnvAttr(environment, 201, byref(width), 4, None) == ERROR
connection = library.allocate(DBC, environment)
assert library.SQLSetConnectAttrW(connection, 103, c_void_p(5), 0) == SUCCESS
assert library.SQLGetDiagRecW(DBC, connection, 1, None, None, None, 0, None) == NO_DATA
assert library.SQLAllocHandle(3, connection, byref(c_void_p())) == ERROR
assert library.SQLExecDirectW(connection, wide("select 1"), -3) == ERROR
assert library.SQLFreeHandle(DBC, environment) == INVALID_HANDLE
assert library.SQLFreeHandle(ENV, c_void_p(0x1234567)) == INVALID_HANDLE
print("absent handles: ok")

# While a handle is alive the target is not loaded, even if it could be loaded by now.
target(os.environ["MSODBCSQL"])
assert is_absent(library.failure(string))
library.free(DBC, connection)
assert is_absent(library.failure(string))
library.free(ENV, environment)
print("a living absent handle keeps the absent target: ok")

# Threads connect and fail while the target appears.
target(missing)
seen = {True: 0, False: 0}
lock = threading.Lock()
enough = threading.Event()


def connect_and_fail():
    while not enough.is_set():
        absent = is_absent(library.failure(string))
        with lock:
            seen[absent] += 1
        # The target is loaded only when no thread has a handle, so pause now and then.
        enough.wait(0.001)


threads = [threading.Thread(target=connect_and_fail) for _ in range(4)]
for thread in threads:
    thread.start()
while seen[True] < 50:
    time.sleep(0.001)
target(os.environ["MSODBCSQL"])
for _ in range(600):
    if seen[False] >= 8:
        break
    enough.wait(0.1)
enough.set()
for thread in threads:
    thread.join()
assert seen[True] >= 50 and seen[False] >= 8, seen
assert not is_absent(library.failure(string))
target(missing)
assert not is_absent(library.failure(string)), "the target was exchanged"
print("threads: ok")

# The records of the library's own errors, in edge cases.
environment = library.environment()
connection = library.allocate(DBC, environment)
assert library.driver_connect(connection, "TargetDriver=other") == ERROR
whole = library.records(connection)[0][1]
assert whole.startswith("[loopback-odbc] TargetDriver=other"), whole
length = c_short()
short = wide("", 10)
assert library.SQLGetDiagRecW(DBC, connection, 1, None, None, short, 10, byref(length)) == 1
assert (text(short), length.value) == (whole[:9], len(whole))
assert library.SQLGetDiagRecW(DBC, connection, 0, None, None, short, 10, None) == ERROR
assert library.SQLGetDiagRecW(DBC, connection, 1, None, None, short, -1, None) == ERROR
assert library.SQLGetDiagRecW(DBC, connection, 9, None, None, short, 10, None) == NO_DATA
count, code, field = c_int(), c_short(), wide("", 100)
assert library.SQLGetDiagFieldW(DBC, connection, 0, 2, byref(count), 0, None) == SUCCESS
assert library.SQLGetDiagFieldW(DBC, connection, 0, 1, byref(code), 0, None) == SUCCESS
assert (count.value, code.value) == (len(library.records(connection)), ERROR), (count, code)
for identifier, expected in ((4, "HY024"), (6, whole), (8, "ISO 9075"), (9, "ISO 9075"), (10, ""), (11, "")):
    field = wide("", 1000)
    assert library.SQLGetDiagFieldW(DBC, connection, 1, identifier, field, 2000, byref(length)) == SUCCESS
    assert (text(field), length.value) == (expected, 2 * len(expected)), (identifier, text(field), length)
# The next call on the connection clears them.
library.SQLGetConnectAttrW(connection, 103, byref(count), 0, None)
assert not any("loopback-odbc" in message for _, message in library.records(connection))
# Invalid lengths.
assert library.SQLDriverConnectW(connection, None, wide("DSN=x"), -5, None, 0, None, 0) == ERROR
assert library.records(connection)[0][0] == "HY090"
assert library.SQLDriverConnectW(connection, None, wide("DSN=x"), -3, field, -1, None, 0) == ERROR
assert library.records(connection)[0][0] == "HY090"
assert library.SQLDriverConnectW(None, None, wide("DSN=x"), -3, None, 0, None, 0) == INVALID_HANDLE
library.free(DBC, connection)
library.free(ENV, environment)
print("records: ok")
