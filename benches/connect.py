"""What the library adds to a connect: its own work, with a target that does nothing, and complete pyodbc connections, through it and
directly in turns. Run by `scripts/bench connect` in the satellite setting, where benches/target.c is msodbcsql18.so:
by that name the library takes it for one of Microsoft's drivers.

The cost of each part of its own work is measured by setting, in the connection string, what that part would have discovered.
"""

import os
import statistics
import sys

import pyodbc

import odbc
from common import THROUGH, budget, direct, in_a_child, spread, table, timed

ROUNDS, PROCESSES = (20, 6) if "--quick" in sys.argv else (200, 40)
STRINGS = [
    THROUGH,
    "DRIVER={SQL Server Loopback};Database=Sales",
    "DRIVER={SQL Server Loopback};Database=Sales;Server=fe80::1%eth0",
    "DRIVER={SQL Server Loopback};Database=Sales;Server=fe80::1%eth0;UID=user;PWD=password",
]
PARTS = ["reading section [Loopback]", "finding the server", "finding certificate and key", "the rest: reading and writing strings"]


def own_work(rounds, strings):
    """A connect of this process with each string, repeated: microseconds."""
    os.environ["LOOPBACK_ODBC_TARGET_DRIVER"] = os.path.abspath("msodbcsql18.so")
    library = odbc.Odbc("/opt/mssql-extensibility/lib/libloopbackodbc.so")
    environment = library.allocate(odbc.ENV)
    connection = library.allocate(odbc.DBC, environment)
    times = []
    for _ in range(rounds):
        for string in strings:
            arguments = (connection, None, odbc.wide(string), odbc.NTS, None, 0, None, odbc.NOPROMPT)
            elapsed, code = timed(lambda: library.SQLDriverConnectW(*arguments))
            assert code >= 0, code
            times.append(elapsed)
    return times


def parts(rounds):
    """The total and the share of each part, from the differences within each round; medians."""
    rounds = [[*round, 0] for round in rounds]
    differences = [[one - other for one, other in zip(round, round[1:])] for round in rounds]
    found = [statistics.median(part) for part in zip(*differences)]
    assert min(found) > 1, f"a part that takes no time was not done: {found}"
    return [statistics.median(round[0] for round in rounds)] + found


def whole(strings):
    """Connects with each string: microseconds."""
    times = []
    for string in strings:
        elapsed, connection = timed(lambda: pyodbc.connect(string))
        connection.close()
        times.append(elapsed)
    return times


def in_turns(action, count):
    """The times of each way; the order is reversed each time."""
    strings = list(WAYS.values())
    return list(zip(*(action(strings) if turn % 2 else action(strings[::-1])[::-1] for turn in range(count))))


def whole_rows(first, later):
    """Table rows for the ways, and what each adds to the last one, within each turn."""
    for name, *times in zip(WAYS, first, later):
        yield f"whole connect, {name}", *map(spread, times)
    for name, *times in list(zip(WAYS, first, later))[:-1]:
        added = [[one - other for one, other in zip(each, directly)] for each, directly in zip(times, (first[-1], later[-1]))]
        yield f"- what {name} adds", *map(spread, added)


WAYS = {"`DSN=Loopback`": THROUGH, "`DRIVER={SQL Server Loopback}`": STRINGS[1], "directly": direct()}
pyodbc.pooling = False
times = in_a_child(lambda: own_work(ROUNDS + 1, STRINGS))[len(STRINGS) :]  # The first round is the process's first.
later = [times[start : start + len(STRINGS)] for start in range(0, len(times), len(STRINGS))]
first = [[in_a_child(lambda: own_work(1, [string]))[0] for string in STRINGS] for _ in range(PROCESSES)]
first_whole = in_turns(lambda strings: [in_a_child(lambda: whole([string]))[0] for string in strings], PROCESSES)
whole(WAYS.values())  # the first loads libraries
later_whole = in_turns(whole, ROUNDS)

median = parts(later)[0]
share = 100 * median / statistics.median(later_whole[-1])
budget("the library's own work in a connect is under 200 µs at the median", f"{median:.0f} µs", median < 200)
budget("the library's own work in a connect is under 1 % of the connect", f"{share:.1f} %", share < 1)
print(f"Medians in microseconds, in brackets the quartiles, of {ROUNDS} connects in one process and of the first connects of {PROCESSES}")
print("processes each, all ways in turns. The budgets are for later connects.\n")
table(
    ["", "first connect of a process", "later connects"],
    [
        ["the library's own work", *(spread([round[0] for round in it]) for it in (first, later))],
        *([f"- {name}", f"{one:.0f}", f"{other:.0f}"] for name, one, other in zip(PARTS, parts(first)[1:], parts(later)[1:])),
        *whole_rows(first_whole, later_whole),
    ],
)
