"""Children by fork that connect for themselves, after the parent has connected and queried, as multiprocessing makes them.

    forks.py [alone]

With `alone`, DSN=Direct is Microsoft's driver without the library, for comparison; the environment variables CLIENT_USER and
CLIENT_PASSWORD are the login.
"""

import multiprocessing
import os
import pyodbc
import sys

# Otherwise, with unixODBC 2.3.12 or later, a child may get the connection that its parent has closed last.
pyodbc.pooling = False
ALONE = sys.argv[1:] == ["alone"]
STRING = "DSN=Loopback"
if ALONE:
    STRING = "DSN=Direct;" + ";".join(
        f"{keyword}={{{os.environ[name].replace('}', '}}')}}}" for keyword, name in (("UID", "CLIENT_USER"), ("PWD", "CLIENT_PASSWORD"))
    )


def ask(number):
    connection = pyodbc.connect(STRING)
    session, back = connection.execute("SELECT @@SPID, ?", number).fetchone()
    orders = connection.execute("SELECT COUNT(*) FROM dbo.Orders").fetchval()
    connection.close()
    if not ALONE:
        refused(number)
    return os.getpid(), session, orders, back


def refused(number):
    """The library refuses with the text of this child, not of another one."""
    try:
        pyodbc.connect("DSN=Loopback;TargetDriver=other %d" % number)
    except pyodbc.Error as error:
        refusal = error.args[1]
    assert "[HY024]" in refusal and "TargetDriver=other %d is not the driver" % number in refusal, refusal


def main():
    connection = pyodbc.connect(STRING)
    own = connection.execute("SELECT @@SPID").fetchval()
    ask(0)
    with multiprocessing.get_context("fork").Pool(4, maxtasksperchild=2) as pool:
        answers = pool.map(ask, range(1, 17), chunksize=1)
    processes, sessions, orders, numbers = zip(*answers)
    assert len(set(processes)) >= 8 and os.getpid() not in processes, processes
    assert own not in sessions, (own, sessions)
    assert set(orders) == {12}, orders
    assert numbers == tuple(range(1, 17)), numbers
    # The parent's connection still belongs to the parent.
    assert connection.execute("SELECT @@SPID").fetchval() == own
    ask(17)
    print(len(set(processes)), "children,", len(answers), "answers")


main()
