"""The cost of loading the library: time of dlopen, size, memory. Run by `scripts/bench load` in a folder of its own."""

import ctypes
import os
import statistics
import sys

import odbc
from common import budget, in_a_child, spread, table, timed

LIBRARY, TARGET = os.environ["LOOPBACK_ODBC_LIBRARY"], os.environ["MSODBCSQL"]
PROCESSES = 5 if "--quick" in sys.argv else 41
os.environ |= {"ODBCSYSINI": os.getcwd(), "ODBCINI": f"{os.getcwd()}/odbc.ini", "LOOPBACK_ODBC_TARGET_DRIVER": TARGET}


def resident():
    """VmRSS in KiB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def with_handles(path):
    library = odbc.Odbc(path)
    library.allocate(odbc.DBC, library.environment())


def measured(action):
    """Microseconds, and the added memory."""
    before = resident()
    elapsed, _ = timed(action)
    return [elapsed, resident() - before]


ACTIONS = {
    "dlopen of the library": lambda: ctypes.CDLL(LIBRARY),
    "target alone, environment and connection": lambda: with_handles(TARGET),
    "library and target, environment and connection": lambda: with_handles(LIBRARY),
}
results = {name: [] for name in ACTIONS}
for _ in range(PROCESSES):
    for name, action in ACTIONS.items():
        results[name].append(in_a_child(lambda: measured(action)))
columns = {name: list(zip(*values)) for name, values in results.items()}
opening, alone, both = columns.values()

milliseconds = statistics.median(opening[0]) / 1000
size = os.path.getsize(LIBRARY)
budget("dlopen of the library takes less than 1 ms, without the target", f"{milliseconds:.2f} ms", milliseconds < 1)
budget("the library's file is at most 1 MiB", f"{size / 1024:.0f} KiB", size <= 1024 * 1024)
added = statistics.median(both[1]) - statistics.median(alone[1])
print(f"In front of Microsoft's driver the library adds {added:.0f} KiB of resident memory. Medians of {PROCESSES} processes, in brackets the")
print("quartiles.\n")
table(
    ["", "microseconds", "resident memory, KiB"],
    [[name, spread(times), spread(memory)] for name, (times, memory) in columns.items()],
)
