"""Connects when there is no installer library yet, and again when there is one: late_installer.py LIBRARY IODBC FOLDER.

FOLDER is LD_LIBRARY_PATH. It receives the driver manager from the folder IODBC and, under the name of its installer library, at
first a file that is not a library.
"""

import ctypes
import shutil
import sys
from pathlib import Path

import odbc
from odbc import DBC, SUCCESS

library, iodbc, folder = odbc.Odbc(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
manager, installer = "libiodbc.so.2", "libiodbcinst.so.2"
shutil.copy(iodbc / manager, folder)
manager = ctypes.CDLL(folder / manager)
(folder / installer).write_text("no library\n")

connection = library.allocate(DBC, library.environment())
library.driver_connect(connection, "DSN=Loopback")
for state, message in library.records(connection):
    print(state, message)

(folder / installer).unlink()
shutil.copy(iodbc / installer, folder)
code = library.driver_connect(connection, "DSN=Loopback")
assert code == SUCCESS, library.records(connection)
print("connected")
