"""Connects to an address that is removed from this machine afterwards, and keeps the connection: own_connection.py FILE.

For `--prepare` of scripts/satellite, run in the background by the user who will own the connection. The other end is fe80::1234,
which eth0 must have until FILE exists.
"""

import pathlib
import signal
import socket
import sys

on_eth0 = (0, 0, socket.if_nametoindex("eth0"))
listener = socket.create_server(("fe80::1234", *on_eth0), family=socket.AF_INET6)
peer = socket.socket(socket.AF_INET6)
peer.bind(("fe80::8012:3df5:0:5db2", *on_eth0))
peer.connect(listener.getsockname())
pathlib.Path(sys.argv[1]).touch()
signal.pause()
