"""Runs pytest once, and writes what becomes of each test to a file, a line at a time, so that it is there even if the process dies.

Usage: record.py RECORD KIND LOGIN PYTEST-ARGUMENT...

LOGIN is a file with the user's name and the password, one a line; the password is in no argument, no variable of the environment from
outside, and nothing that is written. Tests that RECORD has already are left out.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import quote_plus

import pytest

DATA_SOURCE = "Loopback"


class Recorder:
    def __init__(self, record: Path, password: str) -> None:
        self.password = password
        self.known = {entry["test"] for entry in entries(record)}
        self.file = record.open("a", encoding="utf-8")
        self.problems: list[list[str]] = []

    def write(self, **entry: object) -> None:
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()

    def redacted(self, text: str) -> str:
        for form in (self.password.replace("}", "}}"), self.password, quote_plus(self.password)):
            text = text.replace(form, "***")
        return text

    def said(self, report: pytest.TestReport | pytest.CollectReport) -> str:
        """The exception and the line that raised it, or why the test was skipped."""
        what = report.longrepr
        if isinstance(what, tuple):
            return self.redacted(what[2])
        crash = getattr(what, "reprcrash", None)
        return self.redacted(f"{crash.path}:{crash.lineno}: {crash.message}" if crash else str(what))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed and report.nodeid not in self.known:
            outcome = "skipped" if report.skipped else "error"
            self.write(test=report.nodeid, outcome=outcome, said=[["collection", self.said(report)]])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid not in self.known]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.problems = []
        self.outcome = "passed"
        self.write(started=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.passed and not hasattr(report, "wasxfail"):
            return
        if report.failed:
            self.outcome = "failed" if report.when == "call" and self.outcome != "error" else "error"
        elif self.outcome == "passed":
            self.outcome = "skipped"
        said = getattr(report, "wasxfail", None) or self.said(report)
        self.problems.append([f"{report.when} {report.outcome}", said])

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.write(test=nodeid, outcome=self.outcome, said=self.problems)


def entries(record: Path) -> list[dict]:
    """The tests in a record that have ended."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [entry for entry in map(json.loads, lines) if "test" in entry]


def main() -> int:
    record, kind, login, *arguments = sys.argv[1:]
    user, password = Path(login).read_text(encoding="utf-8").splitlines()[:2]
    if kind == "sqlalchemy":
        # Without a database, the host is the name of a data source.
        arguments += ["--dburi", f"mssql+pyodbc://{quote_plus(user)}:{quote_plus(password)}@{DATA_SOURCE}"]
    else:
        quoted = password.replace("}", "}}")
        os.environ["PYODBC_SQLSERVER"] = f"DSN={DATA_SOURCE};UID={user};PWD={{{quoted}}}"
    return pytest.main(arguments, plugins=[Recorder(Path(record), password)])


if __name__ == "__main__":
    # Not the folder of this file.
    sys.path[0] = os.getcwd()
    sys.exit(main())
