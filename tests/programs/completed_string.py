"""The completed connection string that SQLDriverConnect and SQLBrowseConnect return: content, lengths, truncation, nulls.

Run in the satellite setting. Each line printed is one observation.
"""

from ctypes import byref, c_short

import odbc
from odbc import DBC, ENV, NTS, NOPROMPT, text, wide

manager = odbc.Odbc("libodbc.so.2")
environment = manager.environment()


def connect(string, buffer, capacity, length, browse=False):
    """One connection: return code, the string that came back, its length, the records."""
    connection = manager.allocate(DBC, environment)
    if browse:
        code = manager.SQLBrowseConnectW(connection, wide(string), NTS, buffer, capacity, length)
    else:
        code = manager.SQLDriverConnectW(
            connection, None, wide(string), NTS, buffer, capacity, length, NOPROMPT
        )
    records = manager.records(connection)
    name = wide("", 100)
    if code >= 0:
        assert manager.SQLGetInfoW(connection, 2, name, 200, None) == 0  # SQL_DATA_SOURCE_NAME
        assert manager.SQLDisconnect(connection) == 0
    manager.free(DBC, connection)
    return code, text(buffer) if buffer else None, records, text(name)


def show(title, string, capacity=1000, browse=False, null_buffer=False, null_length=False):
    length = c_short(-7)
    buffer = None if null_buffer else wide("", 1000)
    code, completed, records, name = connect(
        string, buffer, capacity, None if null_length else byref(length), browse
    )
    states = ",".join(state for state, _ in records)
    print(f"{title}: code={code} states=[{states}] length={length.value} name=[{name}] string=[{completed}]")
    return completed


plain = "DSN=Loopback;Database=Sales;APP=back again"
for browse in (False, True):
    kind = "browse" if browse else "connect"
    completed = show(f"{kind} whole", plain, browse=browse)
    show(f"{kind} again", completed, browse=browse)
    show(f"{kind} cut", plain, capacity=13, browse=browse)
    show(f"{kind} exact", plain, capacity=len(plain) + 2, browse=browse)
    show(f"{kind} without buffer", plain, capacity=0, browse=browse, null_buffer=True)
    show(f"{kind} without length", plain, browse=browse, null_length=True)
show("driver", "DRIVER={SQL Server Loopback};Database=Sales")
show("section", "DSN=Reports")
show("stopped", "DSN=Loopback;Database={Sales}x;APP=y")
show("unknown", "DSN=Loopback;Nonsense=1")
manager.free(ENV, environment)
print("done")
