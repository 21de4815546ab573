"""Shared by the benchmarks: they print Markdown, which `scripts/bench` puts into docs/performance.md."""

import glob
import os
import statistics
import time

THROUGH = "DSN=Loopback;Database=Sales"


def direct():
    """The string that the library makes from THROUGH in the satellite setting."""
    folder = glob.glob("/var/opt/mssql-extensibility/data/*/")[0]
    return (
        "Driver=ODBC Driver 18 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database=Sales;"
        f"ClientCertificate=file:{folder}sqlsatellitecert.pem;ClientKey=file:{folder}sqlsatellitekey.pem;"
        "TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes"
    )


def budget(text, measured, met):
    """`met` is None if the measurement is not conclusive."""
    verdict = "Undecided" if met is None else "Met" if met else "Missed"
    print(f"**{verdict}**: {text}; measured {measured}.\n")


def table(head, rows):
    for cells in (head, ["-"] + ["-:"] * (len(head) - 1), *rows):
        print("| " + " | ".join(map(str, cells)) + " |")
    print()


def spread(values, digits=0):
    """The median, and the quartiles in brackets."""
    low, median, high = statistics.quantiles(values, n=4)
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def timed(action):
    """Microseconds, and the result of the action."""
    start = time.perf_counter()
    result = action()
    return (time.perf_counter() - start) * 1e6, result


def in_a_child(action):
    """Runs an action in a forked process, and returns its result, a list of numbers."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, " ".join(map(repr, action())).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        numbers = [float(number) for number in pipe.read().split()]
    os.waitpid(child, 0)
    assert numbers, "the child has failed"
    return numbers
