"""Runs pytest once, and writes what becomes of each test to a file, a line at a time, so that it is there even if the process dies.

Usage: record.py RECORD KIND LOGIN PYTEST-ARGUMENT...

LOGIN is a file with the user's name and the password, one a line; the password is in no argument, no variable of the environment from
outside, and nothing that is written. Tests that RECORD has already are left out.
"""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote_plus

import pyodbc
import pytest

DATA_SOURCE = "Loopback"

# How pyodbc's suite asks for the server's version when it is imported, and how a server can be asked that does not have this procedure,
# such as Azure SQL Database and Babelfish.
ASKED = "exec master..xp_msver 'ProductVersion'"
ASKED_INSTEAD = "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)) AS Character_Value"


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


class Asking:
    """While the suite is imported, its question for the version is asked in the other way."""

    def __init__(self) -> None:
        self.connect = pyodbc.connect

    def pytest_sessionstart(self) -> None:
        pyodbc.connect = self.connected

    def pytest_collection_finish(self) -> None:
        pyodbc.connect = self.connect

    def connected(self, *arguments: object, **keywords: object) -> SimpleNamespace:
        connection = self.connect(*arguments, **keywords)

        def execute(sql: str) -> pyodbc.Cursor:
            return connection.execute(ASKED_INSTEAD if sql == ASKED else sql)

        return SimpleNamespace(getinfo=connection.getinfo, cursor=lambda: SimpleNamespace(execute=execute))


def lacks_the_procedure(string: str) -> bool:
    try:
        pyodbc.connect(string).execute(ASKED)
    except pyodbc.ProgrammingError:
        return True
    except pyodbc.Error:
        pass  # The suite meets it too.
    return False


def entries(record: Path) -> list[dict]:
    """The tests in a record that have ended."""
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return [entry for entry in map(json.loads, lines) if "test" in entry]


def main() -> int:
    record, kind, login, *arguments = sys.argv[1:]
    user, password = Path(login).read_text(encoding="utf-8").splitlines()[:2]
    plugins: list[object] = [Recorder(Path(record), password)]
    if kind == "sqlalchemy":
        # Without a database, the host is the name of a data source.
        arguments += ["--dburi", f"mssql+pyodbc://{quote_plus(user)}:{quote_plus(password)}@{DATA_SOURCE}"]
    else:
        quoted = password.replace("}", "}}")
        string = os.environ["PYODBC_SQLSERVER"] = f"DSN={DATA_SOURCE};UID={user};PWD={{{quoted}}}"
        if lacks_the_procedure(string):
            plugins.append(Asking())
    return pytest.main(arguments, plugins=plugins)


if __name__ == "__main__":
    # Not the folder of this file.
    sys.path[0] = os.getcwd()
    sys.exit(main())
