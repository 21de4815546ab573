"""Connects, which must fail, and prints the first record and the time and memory that this took: refusal_measured.py STRING."""

import resource
import sys
import time

import pyodbc

start = time.monotonic()
try:
    pyodbc.connect(sys.argv[1])
    sys.exit("connected")
except pyodbc.Error as error:
    print(error.args[1])
took = time.monotonic() - start
print(f"{took:.3f} seconds, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} kilobytes")
