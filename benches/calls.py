"""The cost of a forwarded call: in instructions, counted by tests/speed.rs, and in nanoseconds, measured by benches/calls.c, which
`scripts/bench calls` has compiled in the working directory, with benches/target.c as msodbcsql18.so."""

import os
import subprocess

from common import budget, table

library, project = os.environ["LOOPBACK_ODBC_LIBRARY"], os.environ["PROJECT"]


def lines(command, check=True, **options):
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=check, **options).stdout
    return [line.split("\t") for line in output.splitlines() if "\t" in line]


# The test fails if the budget is missed, after it has printed the counts.
counted = lines(["cargo", "test", "--quiet", "--locked", "--test", "speed", "--", "--nocapture"], check=False, cwd=project)
assert len(counted) == 3, counted
more = max(int(through) - int(direct) for _, direct, through in counted)
budget("a forwarded call is at most 2 instructions more than a direct one", more, more <= 2)

folder = os.getcwd()
with open("odbcinst.ini", "w") as registrations:
    registrations.write(f"[direct]\nDriver={folder}/msodbcsql18.so\n[through]\nDriver={library}\n")
environment = os.environ | {
    "ODBCSYSINI": folder,
    "ODBCINI": f"{folder}/odbc.ini",
    "LOOPBACK_ODBC_TARGET_DRIVER": f"{folder}/msodbcsql18.so",
}
times = {}
for function, way, *quartiles in lines(["./calls", "time", f"{folder}/msodbcsql18.so", library], env=environment):
    times.setdefault(function, {})[way] = [float(nanoseconds) for nanoseconds in quartiles]

print("The target does nothing. Instructions include the loop that calls; nanoseconds are medians of batches in turns, in brackets the")
print("quartiles, and the ratio is of calls through unixODBC, as applications make them.\n")
rows = []
for (function, *instructions), arguments in zip(counted, (1, 6, 10)):
    ways = times[function]
    ratio = ways["manager, through"][0] / ways["manager, direct"][0]
    cells = [f"{median:.1f} ({low:.1f} to {high:.1f})" for median, low, high in ways.values()]
    rows.append([f"`{function}` ({arguments})", *instructions, *cells, f"{ratio:.2f}"])
table(
    [
        *("function (arguments)", "instructions, directly", "through the library", "ns, directly", "through the library"),
        *("by unixODBC, directly", "through the library", "ratio"),
    ],
    rows,
)
