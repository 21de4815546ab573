"""Many rows through the library and directly: pyodbc, arrow-odbc, RODBC (bulk.R). Time is measured in alternating runs in one
process. Instructions are counted with fewer rows under callgrind, which a busy machine does not affect.

Run by `scripts/bench bulk` in the satellite setting, with the tables of benches/bulk.sql:

    bulk.py ROWS INSERTED PAIRS                everything
    bulk.py runs CLIENT ROWS INSERTED PAIRS    one client's runs; prints job, way, seconds, seconds of its own processor time
    bulk.py once CLIENT JOB WAY COUNT          one job, once, its instructions counted; under callgrind
"""

import datetime
import decimal
import gc
import os
import re
import statistics
import subprocess
import sys
import time

from common import THROUGH, budget, direct, table

WAYS = {"through": THROUGH, "direct": direct()}
QUERY = "SELECT Id, Customer, Amount, Placed, Weight FROM Orders WHERE Id < {}"
EMPTY = "TRUNCATE TABLE Copies"
ROW = ("Æbleskiver A/S", decimal.Decimal("1234.56"), datetime.datetime(2026, 7, 3, 12, 34, 56), 0.25)


def pyodbc_jobs(ways):
    import pyodbc

    connections = {way: pyodbc.connect(WAYS[way], autocommit=True) for way in ways}

    def fetch(way, count):
        assert len(connections[way].execute(QUERY.format(count)).fetchall()) == count

    def insert(way, count):
        cursor = connections[way].cursor()
        cursor.fast_executemany = True
        cursor.executemany("INSERT INTO Copies VALUES (?, ?, ?, ?, ?)", [(number, *ROW) for number in range(count)])

    return {"fetch": fetch, "insert": insert}, lambda way: connections[way].execute(EMPTY)


def arrow_odbc_jobs(ways):
    import arrow_odbc
    import pyarrow

    connections = {way: arrow_odbc.connect(WAYS[way]) for way in ways}
    types = [pyarrow.string(), pyarrow.decimal128(12, 2), pyarrow.timestamp("us"), pyarrow.float64()]

    def fetch(way, count):
        batches = connections[way].read_arrow_batches(QUERY.format(count))
        assert sum(len(batch) for batch in batches) == count

    def insert(way, count):
        columns = [pyarrow.array(range(count), pyarrow.int32())]
        columns += [pyarrow.repeat(pyarrow.scalar(value, kind), count) for value, kind in zip(ROW, types)]
        rows = pyarrow.table(columns, ["Id", "Customer", "Amount", "Placed", "Weight"])
        connections[way].insert_into_table(rows.to_reader(), table="Copies", chunk_size=1000)

    return {"fetch": fetch, "insert": insert}, lambda way: connections[way].execute(EMPTY)


def runs(jobs, empty, counts, pairs):
    """Runs each job both ways in turns: first with few rows, which does not count, then for each pair."""
    for job, count in zip(jobs, counts):
        for pair in range(pairs + 1):
            for way in WAYS if pair % 2 else reversed(WAYS):
                empty(way)
                gc.collect()
                start, own = time.perf_counter(), time.process_time()
                jobs[job](way, count if pair else count // 10)
                if pair:
                    print(job, way, time.perf_counter() - start, time.process_time() - own, sep="\t", flush=True)


CLIENTS = {"pyodbc": pyodbc_jobs, "arrow-odbc": arrow_odbc_jobs, "RODBC": None}
COUNT = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"]


def output(client, arguments, under=()):
    """Runs this program, or its twin in R, as described above."""
    if CLIENTS[client]:
        mode, *rest = arguments
        command = [*under, sys.executable, sys.argv[0], mode, client, *rest]
    else:
        debugger = ["-d", " ".join(under)] if under else []
        command = ["R", *debugger, "--vanilla", "--no-echo", "-f", "bulk.R", "--args", *WAYS.values(), *arguments]
    # Removes what differs between runs: the order of hashes, and pyarrow's allocator, which depends on the clock.
    environment = os.environ | {"PYTHONHASHSEED": "0", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr if under else ran.stdout


def counting(state):
    """Begins or ends counting this process's instructions."""
    subprocess.run(["callgrind_control", "-i", state, str(os.getpid())], check=True, capture_output=True)


def instructions(client, job, way, count):
    """The instructions per row, once libraries and statements are warm."""
    collected = re.search(r"Collected : (\d+)", output(client, ["once", job, way, count], COUNT))
    return int(collected[1]) / count


def everything(counts, pairs):
    rows, ratios, counted = [], [], []
    for client in CLIENTS:
        print(f"{client} ...", file=sys.stderr, flush=True)  # It takes minutes.
        lines = [line.split("\t") for line in output(client, ["runs", *counts, pairs]).splitlines() if "\t" in line]
        for job, count in zip(("fetch", "insert"), counts):
            through, directly = ([tuple(map(float, run[2:])) for run in lines if run[:2] == [job, way]] for way in WAYS)
            assert len(through) == len(directly) == pairs, lines
            wall, own = zip(*([a / b for a, b in zip(*pair)] for pair in zip(through, directly)))
            each = [instructions(client, job, way, count // 50) for way in WAYS]
            ratios.append(wall)
            counted.append(each[0] / each[1])
            rows.append(
                [
                    f"{client}, {job}",
                    *(f"{statistics.median(run[0] for run in way):.2f}" for way in (through, directly)),
                    *(f"{statistics.median(them):.3f} ({min(them):.3f} to {max(them):.3f})" for them in (wall, own)),
                    *(f"{number:.0f}" for number in each),
                    f"{counted[-1]:.4f}",
                ]
            )
    worst = max(statistics.median(them) for them in ratios)
    # Missed only if all pairs agree.
    met = True if worst <= 1.01 else False if any(min(them) > 1.01 for them in ratios) else None
    budget("bulk work takes at most 1 % longer than directly", f"at most {100 * (worst - 1):.1f} %", met)
    more = 100 * (max(counted) - 1)
    budget("the client executes at most 1 % more instructions for it", f"at most {more:.2f} %", more <= 1)
    print(f"{counts[0]:,} rows fetched and {counts[1]:,} inserted: medians of {pairs} pairs of runs, the order turned each time. The ratios are")
    print("through/directly within each pair: the median, in brackets the least and the greatest. The client's processor time leaves out the")
    print("stand-in. The instructions for a row are counted by callgrind, with a fiftieth of the rows.\n")
    table(
        [
            *("", "seconds through the library", "seconds directly", "ratio", "ratio of the client's processor time"),
            *("instructions a row, through the library", "directly", "ratio"),
        ],
        rows,
    )


if sys.argv[1] == "runs":
    _, _, client, rows, inserted, pairs = sys.argv
    runs(*CLIENTS[client](WAYS), (int(rows), int(inserted)), int(pairs))
elif sys.argv[1] == "once":
    _, _, client, job, way, count = sys.argv
    run = CLIENTS[client]([way])[0][job]
    run(way, int(count) // 10)
    counting("on")
    run(way, int(count))
    counting("off")
else:
    *counts, pairs = map(int, sys.argv[1:])
    everything(counts, pairs)
