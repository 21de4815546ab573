"""Measures the processor time for a first string while there are many connections: many_sockets.py LIBRARY HOST COUNT.

HOST is an address of this machine, `::1` or a link-local one as `ADDRESS%INTERFACE`. Prints the shortest of ten
times, in microseconds, and the string.
"""

import resource
import socket
import subprocess
import sys

FIRST_STRING = """
import ctypes, sys, time
library = ctypes.CDLL(sys.argv[1])
buffer, length = ctypes.create_string_buffer(4096), ctypes.c_int(4096)
start = time.process_time()
library.loopback_odbc_connection_string(b"Sales", None, buffer, ctypes.byref(length))
print(round((time.process_time() - start) * 1e6), buffer.value.decode())
"""

library, host, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
address = socket.getaddrinfo(host, 0, socket.AF_INET6, socket.SOCK_STREAM)[0][4]
listener = socket.socket(socket.AF_INET6)
listener.bind(address)
listener.listen(100)
held = []
while len(held) < count:
    peer = socket.socket(socket.AF_INET6)
    peer.connect(listener.getsockname())
    held += [peer, listener.accept()[0]]

run = [sys.executable, "-c", FIRST_STRING, library]
lines = [subprocess.run(run, stdout=subprocess.PIPE, text=True, check=True).stdout.split(" ", 1) for _ in range(10)]
strings = {string for _, string in lines}
assert len(strings) == 1, strings
print(min(int(time) for time, _ in lines), strings.pop(), end="")
