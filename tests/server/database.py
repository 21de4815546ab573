"""The database of scripts/test-server. It is reached directly on Microsoft's driver; the server and the login are in the environment:
TEST_SERVER, TEST_SERVER_USER, TEST_SERVER_PASSWORD, TEST_SERVER_OPTIONS.

    database.py create DATABASE MARKER       creates it, and then the file MARKER; fails if there is a database with this name
    database.py drop DATABASE                drops it, with everything that is connected to it
    database.py run DATABASE FILE            runs a file of T-SQL there
    database.py execute DATABASE SQL         runs one batch there
    database.py names FILE                   writes what identifies the server and its users, a line each, and never goes into a result
    database.py about                        prints rows of a Markdown table: what the server says of itself
"""

import os
import re
import sys
import time
from pathlib import Path
from typing import Callable

import pyodbc

# Names that are the same everywhere.
COMMON = {"master", "tempdb", "model", "msdb", "dbo", "guest", "public"}
ATTEMPTS = 10


def connect(database: str = "master") -> pyodbc.Connection:
    def quoted(value: str) -> str:
        return "{" + value.replace("}", "}}") + "}"

    user, password = quoted(os.environ["TEST_SERVER_USER"]), quoted(os.environ["TEST_SERVER_PASSWORD"])
    # Not the driver manager's pool, which would hold connections to the database.
    pyodbc.pooling = False
    return pyodbc.connect(
        f"Driver={{ODBC Driver 18 for SQL Server}};Server={os.environ['TEST_SERVER']};Database={quoted(database)};"
        f"UID={user};PWD={password};TrustServerCertificate=Yes;{os.environ['TEST_SERVER_OPTIONS']}",
        autocommit=True,
        timeout=30,
    )


def bracketed(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def patiently(action: Callable[[], object]) -> None:
    """Does it again after a second if the server refuses, some times."""
    for _ in range(ATTEMPTS - 1):
        try:
            action()
            return
        except pyodbc.Error:
            time.sleep(1)
    action()


def create(database: str, marker: str) -> None:
    connection = connect()
    if connection.execute("SELECT COUNT(*) FROM sys.databases WHERE name = ?", database).fetchval():
        sys.exit(f"the database {database} is there already. Name another one, which is created and dropped: --database NAME")
    try:
        connection.execute(f"CREATE DATABASE {bracketed(database)}")
    except pyodbc.Error as error:
        sys.exit(f"the database {database} cannot be created. The login needs the right CREATE ANY DATABASE. The server says: {error.args[1]}")
    Path(marker).touch()
    # Azure SQL Database may take a moment more.
    patiently(lambda: connect(database).close())


def run(database: str, file: str) -> None:
    for batch in re.split(r"(?im)^\s*go\s*$", Path(file).read_text(encoding="utf-8")):
        connect(database).execute(batch)


def drop(database: str) -> None:
    connection = connect()
    try:
        connection.execute(f"ALTER DATABASE {bracketed(database)} SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
    except pyodbc.Error:
        pass  # Azure SQL Database, Babelfish and the stand-in cannot; then sessions have to end by themselves.
    try:
        patiently(lambda: connection.execute(f"DROP DATABASE {bracketed(database)}"))
    except pyodbc.Error as error:
        sys.exit(f"the database {database} is still there. Drop it yourself. The server says: {error.args[1]}")


def answers(connection: pyodbc.Connection, *expressions: str) -> list[str]:
    """What each expression gives; those that the server does not know are left out."""
    found = []
    for expression in expressions:
        try:
            found += [str(row[0]) for row in connection.execute(f"SELECT {expression}").fetchall() if row[0] is not None]
        except pyodbc.Error:
            continue
    return found


def property_of(what: str) -> str:
    # It is a sql_variant, which pyodbc does not read.
    return f"CAST(SERVERPROPERTY('{what}') AS nvarchar(256))"


def names(file: str) -> None:
    server = os.environ["TEST_SERVER"]
    own = map(property_of, ("MachineName", "ServerName", "InstanceName", "ComputerNamePhysicalNetBIOS"))
    found = answers(connect(), "@@SERVERNAME", *own, "SUSER_SNAME()", "ORIGINAL_LOGIN()", "HOST_NAME()", "name FROM sys.databases")
    found += [server, re.split(r"[,\\]", server.removeprefix("tcp:"))[0], os.uname().nodename, os.uname().nodename.split(".")[0]]
    telling = [name for name in sorted(set(found) - {""}, key=len, reverse=True) if name.lower() not in COMMON]
    Path(file).write_text("".join(f"{name}\n" for name in telling), encoding="utf-8")


def about() -> None:
    connection = connect()
    # The lines after the first are the date, the copyright, and the edition and system, or what serves T-SQL instead. Not all are there.
    lines = [line.strip() for line in answers(connection, "@@VERSION")[0].splitlines()]
    first, *others = [line for line in lines if line and not line.startswith("Copyright")]
    rows = {"server": "; ".join([first, *others[-1:]])}
    for name, what in (("product version", "ProductVersion"), ("edition, as a number", "EngineEdition"), ("collation", "Collation")):
        rows[name] = next(iter(answers(connection, property_of(what))), "not said")
    rows["Microsoft's driver"] = connection.getinfo(pyodbc.SQL_DRIVER_VER)
    rows["pyodbc"] = pyodbc.version
    for name, value in rows.items():
        print(f"| {name} | {value.replace('|', '/')} |")


def main() -> None:
    command, *arguments = sys.argv[1:]
    if command == "create":
        create(*arguments)
    elif command == "run":
        run(*arguments)
    elif command == "drop":
        drop(*arguments)
    elif command == "execute":
        connect(arguments[0]).execute(arguments[1])
    elif command == "names":
        names(*arguments)
    elif command == "about":
        about()
    else:
        sys.exit(f"what is {command}?")


if __name__ == "__main__":
    try:
        main()
    except pyodbc.Error as error:
        sys.exit(f"the server cannot be reached, or has refused: {error.args[1]}")
