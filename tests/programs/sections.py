"""Runs a list of connects, and prints everything that can be observed of each connection.

Arguments: the name under which a driver is registered in odbcinst.ini; `manager` or `direct`; the file of actions; the
server's log.

An action is a line of the file, its fields separated by tabs: a title, the seconds that the login may take, attributes
to set before it (`1203=1 109=Sales`), the section of odbc.ini and the connection string, both in hexadecimal digits.
{launchpad} is replaced by the folder above the working directory, where a session has its certificate.
"""

import configparser
import os
import sys
import tempfile
from ctypes import byref, c_int, c_short, c_void_p

import odbc
from odbc import DBC, LOGIN_TIMEOUT, NO_DATA, NOPROMPT, NTS, text, wide

name, way, actions, log = sys.argv[1:]

# The test's own data sources, in addition to the registered drivers.
registered = os.path.join(os.environ["ODBCSYSINI"], "odbcinst.ini")
folder = tempfile.TemporaryDirectory(prefix="loopback-odbc-test")
with open(registered, "rb") as source, open(os.path.join(folder.name, "odbcinst.ini"), "wb") as copy:
    copy.write(source.read())
os.environ["ODBCSYSINI"] = folder.name
# The user's file, which unixODBC reads as well, and creates if there is none.
os.environ["ODBCINI"] = os.path.join(folder.name, "user.ini")
drivers = configparser.ConfigParser(interpolation=None)
drivers.read(registered)

launchpad = os.path.dirname(os.getcwd())
# unixODBC keeps each value that was read from a section in a list: after some hundreds of sections a connect takes ten
# times as long. Each process begins with an empty list.
AT_A_TIME = 50
POINTER_IS_NUMBER = -6  # SQL_IS_INTEGER
INFORMATION = {"data source": 2, "server": 13, "database": 16, "user": 47}
# The packet size, and the attributes of Microsoft's driver that it answers without asking the server.
ATTRIBUTES = (112, 1203, 1217, 1218, 1220, 1221, 1222, 1223, 1224, 1228, 1229, 1247, 1248, 1249)


def bytes_of(field):
    return bytes.fromhex(field).replace(b"{launchpad}", launchpad.encode())


def records(library, connection):
    found = []
    while True:
        state, message, native = wide("", 6), wide("", 3000), c_int()
        code = library.SQLGetDiagRecW(
            DBC, connection, len(found) + 1, state, byref(native), message, 3000, byref(c_short())
        )
        if code == NO_DATA:
            return found
        assert code in (0, 1), code
        found.append((text(state), native.value, text(message)))


def set_before(library, connection, attribute, value):
    if value.isdigit():
        code = library.SQLSetConnectAttrW(connection, attribute, c_void_p(int(value)), POINTER_IS_NUMBER)
    else:
        code = library.SQLSetConnectAttrW(connection, attribute, wide(value), NTS)
    print(f"set {attribute}: {code}")


def act(library, environment, title, seconds, attributes, section, string):
    with open(os.path.join(folder.name, "odbc.ini"), "wb") as file:
        file.write(bytes_of(section))
    print(f"action {title}")
    size = os.path.getsize(log) if os.path.exists(log) else 0
    connection = library.allocate(DBC, environment)
    library.SQLSetConnectAttrW(connection, LOGIN_TIMEOUT, c_void_p(int(seconds)), 0)
    for pair in attributes.split():
        attribute, _, value = pair.partition("=")
        set_before(library, connection, int(attribute), value)
    completed, length = wide("", 4000), c_short()
    given = wide(bytes_of(string).decode())
    code = library.SQLDriverConnectW(connection, None, given, NTS, completed, 4000, byref(length), NOPROMPT)
    print(f"return: {code}")
    for state, native, message in records(library, connection):
        print(f"record: {state} {native} {message!a}")
    if code >= 0:
        print(f"completed: {text(completed)!a}")
        for what, number in INFORMATION.items():
            value = wide("", 200)
            library.SQLGetInfoW(connection, number, value, 400, None)
            print(f"{what}: {text(value)!a}")
        for attribute in ATTRIBUTES:
            value = wide("", 500)
            answer = library.SQLGetConnectAttrW(connection, attribute, value, 1000, None)
            print(f"attribute {attribute}: {answer} {bytes(value).rstrip(bytes(1)).hex()}")
        library.SQLDisconnect(connection)
    library.free(DBC, connection)
    # The server logs a login before it answers.
    if os.path.exists(log):
        with open(log, encoding="utf-8") as file:
            file.seek(size)
            for line in file:
                if line.startswith("login "):
                    print(line.partition(" peer=")[0])


def carry_out(lines):
    library = odbc.Odbc("libodbc.so.2" if way == "manager" else drivers[name]["Driver"])
    environment = library.environment()
    for line in lines:
        act(library, environment, *line.rstrip("\n").split("\t"))


with open(actions, encoding="utf-8") as file:
    lines = file.readlines()
for start in range(0, len(lines), AT_A_TIME):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        carry_out(lines[start : start + AT_A_TIME])
        sys.stdout.flush()
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    assert ended == 0, f"the process of the actions from {start} on ended with {ended}"
print("done")
