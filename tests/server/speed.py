"""How long pyodbc takes through the library, as a ratio to Microsoft's driver alone: pairs of runs in turns, in one process.

    speed.py PAIRS

Prints a line for each job: what it does, and the median, the least and the greatest of the ratios, separated by tabs. The login is
in the environment, as for the clients of tests/programs/clients.
"""

import gc
import os
import statistics
import sys
import time
from typing import Callable

import pyodbc

CONNECTS, QUERIES, ROWS, FETCHES = 10, 200, 2000, 5
ROW = ("Æbleskiver A/S", "1234.56", "2026-07-03 12:34:56", 0.25)
# pyodbc does not quote values.
LOGIN = {"user": os.environ["CLIENT_USER"], "password": "{" + os.environ["CLIENT_PASSWORD"].replace("}", "}}") + "}"}
WAYS = ("Loopback", "Direct")


def connect(dsn: str) -> pyodbc.Connection:
    return pyodbc.connect(dsn=dsn, autocommit=True, **LOGIN)


def connects(dsn: str, unused: pyodbc.Cursor) -> None:
    for _ in range(CONNECTS):
        connect(dsn).close()


def queries(unused: str, cursor: pyodbc.Cursor) -> None:
    for number in range(QUERIES):
        assert cursor.execute("SELECT ?", number).fetchval() == number


def insert(unused: str, cursor: pyodbc.Cursor) -> None:
    cursor.fast_executemany = True
    cursor.executemany("INSERT INTO dbo.Copies VALUES (?, ?, ?, ?, ?)", [(number, *ROW) for number in range(ROWS)])


def fetch(unused: str, cursor: pyodbc.Cursor) -> None:
    for _ in range(FETCHES):
        assert len(cursor.execute("SELECT * FROM dbo.Copies").fetchall()) == ROWS


def seconds(job: Callable[[str, pyodbc.Cursor], None], dsn: str) -> float:
    # A new connection each time: where the server happens to serve one may be slow for all of its life.
    connection = connect(dsn)
    gc.collect()
    start = time.perf_counter()
    job(dsn, connection.cursor())
    elapsed = time.perf_counter() - start
    connection.close()
    return elapsed


def main() -> None:
    pairs = int(sys.argv[1])
    pyodbc.pooling = False
    own = connect("Direct")
    own.execute("CREATE TABLE dbo.Copies (Id int, Customer nvarchar(40), Amount decimal(12, 2), Placed datetime2, Weight float)")
    for job, does in (
        (connects, f"{CONNECTS} connects"),
        (queries, f"{QUERIES} queries with a parameter"),
        (insert, f"{ROWS} rows inserted"),
        (fetch, f"{FETCHES} times {ROWS} rows fetched"),
    ):
        ratios = []
        # The first pair warms up, and does not count.
        for pair in range(pairs + 1):
            times = {}
            for dsn in WAYS if pair % 2 else reversed(WAYS):
                if job is insert:
                    own.execute("TRUNCATE TABLE dbo.Copies")
                times[dsn] = seconds(job, dsn)
            ratios.append(times["Loopback"] / times["Direct"])
        print(does, *(f"{figure(ratios[1:]):.3f}" for figure in (statistics.median, min, max)), sep="\t", flush=True)
    own.execute("DROP TABLE dbo.Copies")


main()
