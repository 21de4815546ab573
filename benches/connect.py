"""What the library adds to a connect: the same connection through it and without it, in turns, in one run.

Run by `make bench` in the satellite setting. Prints medians and quartiles in microseconds.
"""

import glob
import statistics
import time

import pyodbc

pyodbc.pooling = False
ROUNDS = 200

folder = glob.glob("/var/opt/mssql-extensibility/data/*/")[0]
through = "DSN=Loopback;Database=Sales"
direct = (
    "Driver=ODBC Driver 18 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database=Sales;"
    f"ClientCertificate=file:{folder}sqlsatellitecert.pem;ClientKey=file:{folder}sqlsatellitekey.pem;"
    "TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes"
)


def connect(string):
    start = time.perf_counter()
    connection = pyodbc.connect(string)
    elapsed = time.perf_counter() - start
    connection.close()
    return elapsed * 1e6


times = {through: [], direct: []}
for string in times:
    connect(string)  # the first loads libraries
for _ in range(ROUNDS):
    for string, measured in times.items():
        measured.append(connect(string))

for title, string in (("through loopback-odbc", through), ("directly", direct)):
    low, median, high = statistics.quantiles(times[string], n=4)
    print(f"{title:>22}: median {median:8.0f}, quartiles {low:8.0f} to {high:8.0f} microseconds, {ROUNDS} connects")
differences = [one - other for one, other in zip(times[through], times[direct])]
print(f"{'difference':>22}: median {statistics.median(differences):8.0f} microseconds of the paired differences")
