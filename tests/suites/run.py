"""Runs one suite one way, to its end: what it does to a process does not keep the other tests from running.

Usage: run.py RECORD KIND LOGIN SECONDS PYTEST-ARGUMENT...

Calls record.py with a limit of SECONDS for each test, again if the process dies or stands still; what a test has done to it is written
into RECORD as that test's outcome. The last line of RECORD has the time that all of it took.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

# pytest's own: all passed; some failed; collection has failed; nothing was left to run.
ENDED = (0, 1, 2, 5)


def unfinished(record: Path) -> str | None:
    """The test that has started and not ended."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return json.loads(lines[-1]).get("started") if lines else None


def wait(process: subprocess.Popen, record: Path, patience: float) -> str | None:
    """Waits until the process ends. Says what was wrong with it, if something was."""
    size, since = -1, time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        now = record.stat().st_size if record.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            process.kill()
            process.wait()
            return "the process stood still"
    return None if process.returncode in ENDED else f"the process ended with status {process.returncode}"


def main() -> int:
    record, kind, login, seconds, *arguments = sys.argv[1:]
    path, started = Path(record), time.monotonic()
    # So that what it has started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    command = [sys.executable, str(Path(__file__).with_name("record.py")), record, kind, login, "--timeout", seconds, *arguments]
    while True:
        process = subprocess.Popen(command)
        try:
            # A test may be in a call that the limit cannot interrupt; collecting and clean-up take their time too.
            wrong = wait(process, path, 4 * float(seconds))
        finally:
            process.kill()
            process.wait()
        if wrong is None:
            break
        test = unfinished(path)
        if test is None:
            print(f"run.py: {wrong}, and no test was running", file=sys.stderr)
            return 1
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"test": test, "outcome": "error", "said": [["call", wrong]]}) + "\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"seconds": time.monotonic() - started}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
