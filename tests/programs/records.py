"""Connects through the driver manager, which must fail, and prints each diagnostic record. Argument: the connection string."""

import sys

import odbc

for state, text in odbc.Odbc("libodbc.so.2").failure(sys.argv[1]):
    print(state, text)
