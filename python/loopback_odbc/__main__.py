"""The program ``loopback-odbc``: ``python -m loopback_odbc doctor`` is ``loopback-odbc doctor``."""

import os
import subprocess
import sys


def main() -> int:
    """Runs the program in this package with the same arguments, and returns its exit status."""
    name = "loopback-odbc.exe" if sys.platform == "win32" else "loopback-odbc"
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    if not os.path.isfile(program):
        print("loopback-odbc: this package has no program for this platform, " + sys.platform, file=sys.stderr)
        return 2
    arguments = [program] + sys.argv[1:]
    if sys.platform != "win32":
        sys.stdout.flush()
        os.execv(program, arguments)
    return subprocess.call(arguments)


if __name__ == "__main__":
    sys.exit(main())
