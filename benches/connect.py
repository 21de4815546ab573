"""What the library adds to a connect, by two measures in one run: its own work alone, in front of a target that does nothing;
and whole connections by pyodbc, through it and without it in turns.

Run by `make bench` in the satellite setting, where tests/programs/fake_target.c has been compiled to fake.so.
"""

import glob
import os
import statistics
import time

import odbc

ROUNDS = 200


def report(title, times):
    low, median, high = statistics.quantiles(times, n=4)
    print(f"{title:>34}: median {median:6.0f}, quartiles {low:6.0f} to {high:6.0f} microseconds, {len(times)} times", flush=True)


def timed(action):
    start = time.perf_counter()
    result = action()
    return (time.perf_counter() - start) * 1e6, result


def own_work():
    os.environ["LOOPBACK_ODBC_TARGET_DRIVER"] = os.path.abspath("fake.so")
    library = odbc.Odbc("/var/opt/lib/libloopbackodbc.so")
    environment = library.allocate(odbc.ENV)
    string = odbc.wide("DSN=Loopback;Database=Sales")
    arguments = (None, string, odbc.NTS, None, 0, None, odbc.NOPROMPT)
    times = []
    for _ in range(ROUNDS):
        connection = library.allocate(odbc.DBC, environment)
        elapsed, code = timed(lambda: library.SQLDriverConnectW(connection, *arguments))
        assert code >= 0, library.records(connection)
        library.free(odbc.DBC, connection)
        times.append(elapsed)
    report("the library's own work", times)


def whole_connections():
    import pyodbc

    pyodbc.pooling = False
    folder = glob.glob("/var/opt/mssql-extensibility/data/*/")[0]
    through = "DRIVER={SQL Server Loopback};Database=Sales"
    direct = (
        "Driver=ODBC Driver 18 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database=Sales;"
        f"ClientCertificate=file:{folder}sqlsatellitecert.pem;ClientKey=file:{folder}sqlsatellitekey.pem;"
        "TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes"
    )
    times = {through: [], direct: []}
    for turn in range(ROUNDS + 1):
        for string, measured in times.items():
            elapsed, connection = timed(lambda: pyodbc.connect(string))
            connection.close()
            if turn > 0:  # the first loads libraries
                measured.append(elapsed)
    report("connections through the library", times[through])
    report("connections directly", times[direct])
    report("difference of each pair", [one - other for one, other in zip(times[through], times[direct])])


# In a process of its own: one loaded library has one target.
if os.fork() == 0:
    own_work()
    os._exit(0)
assert os.wait()[1] == 0
whole_connections()
