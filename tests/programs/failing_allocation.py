"""Connects through the driver manager when the target cannot allocate a handle, and then when it can.

RECORDING_TARGET names the target; this program sets what it returns.
"""

import ctypes
import os

import odbc
from odbc import DBC, ENV, ERROR, SUCCESS

LOGIN = "DSN=Loopback;Server=s;UID=u"
manager = odbc.Odbc("libodbc.so.2")
target = ctypes.CDLL(os.environ["RECORDING_TARGET"])
environment = manager.environment()


def refused():
    target.recording_tell(b"SQLAllocHandle", ERROR)
    connection = manager.allocate(DBC, environment)
    code = manager.driver_connect(connection, LOGIN)
    states = [state for state, _ in manager.records(connection)]
    manager.free(DBC, connection)
    return code, states


def connected():
    connection = manager.allocate(DBC, environment)
    assert manager.driver_connect(connection, LOGIN) == SUCCESS, manager.records(connection)
    return connection


print("environment:", *refused())
first = connected()
# The driver's environment exists by now, so the next handle is a connection.
print("connection:", *refused())
for connection in (connected(), first):
    assert manager.SQLDisconnect(connection) == SUCCESS
    manager.free(DBC, connection)
manager.free(ENV, environment)
print("connected")
