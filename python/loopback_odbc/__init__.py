"""Loopback connections of Python scripts that SQL Server runs with ``sp_execute_external_script``.

A script connects back to its SQL Server, as the user who called it. With ODBC, ``DSN=Loopback`` is enough once the driver is
installed (``loopback-odbc install``). This package also gives the connection string itself::

    from loopback_odbc import rx_get_sql_loopback_connection_string

is a replacement for the function of the same name in Microsoft's revoscalepy.

Every function asks the library ``libloopbackodbc.so`` (``loopbackodbc.dll``) that is registered on this machine, or the one in this
package if none is registered; :func:`library` says which.
"""

import ctypes
import os
import sys
from typing import Any, List, Optional

__all__ = ["Error", "connection_string", "library", "report", "rx_get_sql_loopback_connection_string", "version"]

_WINDOWS = sys.platform == "win32"
_STEM = "loopbackodbc" if _WINDOWS else "libloopbackodbc"
_FILE = _STEM + (".dll" if _WINDOWS else ".so")
_DRIVER = "SQL Server Loopback"
_DATA_SOURCE = "Loopback"


class Error(Exception):
    """The string or the report cannot be made. Every error of this package is of this class.

    Attributes:
        sqlstate: the SQLSTATE, five characters, such as ``08001`` if the session or the server was not found.
        text: the reason and the fix, then one line for each place that was checked. It contains no secrets.
    """

    def __init__(self, sqlstate: str, text: str) -> None:
        super().__init__(sqlstate, text)
        self.sqlstate = sqlstate
        self.text = text

    def __str__(self) -> str:
        return "[{}] {}".format(self.sqlstate, self.text)


def connection_string(database: Optional[str] = None, driver: Optional[str] = None) -> str:
    """Returns the loopback connection string of this session.

    Args:
        database: the database to connect to; without one, the login's default database.
        driver: Microsoft's ODBC driver, by its name in odbcinst.ini; without one, the newest that is registered.

    Raises:
        Error: this is no session, the server was not found, or an argument is no text.
    """
    return _ask("loopback_odbc_connection_string", _text("database", database), _text("driver", driver))


def rx_get_sql_loopback_connection_string(
    name_of_database: Optional[str] = None, odbc_driver: Optional[str] = None
) -> str:
    """Returns the loopback connection string of this session, as revoscalepy's function does.

    Args:
        name_of_database: the database to connect to; without one, the login's default database.
        odbc_driver: Microsoft's ODBC driver, by its name in odbcinst.ini; without one, the newest that is registered.

    Raises:
        Error: this is no session, the server was not found, or an argument is no text.
    """
    return _ask(
        "loopback_odbc_connection_string",
        _text("name_of_database", name_of_database),
        _text("odbc_driver", odbc_driver),
    )


def report() -> str:
    """Returns what the library checks in this session and what it finds, one line each, without secrets.

    Raises:
        Error: the library cannot be loaded.
    """
    return _ask("loopback_odbc_report")


def version() -> str:
    """Returns the version of the library.

    Raises:
        Error: the library cannot be loaded.
    """
    function = _function("loopback_odbc_version")
    function.restype = ctypes.c_char_p
    text = function()
    return bytes(text).decode()


def library() -> str:
    """Returns the path of the library that this package asks: the registered one, or the one in this package.

    The registered one is that of the data source ``Loopback`` or of the driver ``SQL Server Loopback``.

    Raises:
        Error: none is registered, and this package contains none for this platform.
    """
    for path in _registered():
        name = os.path.basename(path)
        if os.path.isfile(path) and name.lower().startswith(_STEM):
            return path
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), _FILE)
    if os.path.isfile(own):
        return own
    text = "No library is registered as [{}], and this package has none for this platform ({}). Fix: install the wheel for it"
    raise Error("IM003", text.format(_DRIVER, sys.platform))


def _registered() -> List[str]:
    """The libraries that the data source and the driver name in odbc.ini and odbcinst.ini."""
    named = _profile(_DATA_SOURCE, "odbc.ini")
    by_name = [named] if named and not os.path.isabs(named) else []
    paths = [named] if os.path.isabs(named) else []
    return paths + [_profile(name, "odbcinst.ini") for name in by_name + [_DRIVER]]


def _profile(section: str, file: str) -> str:
    """The value of Driver in a section, as the driver manager reads it; empty if there is none."""
    buffer = ctypes.create_string_buffer(4096)
    for name in ["odbccp32.dll"] if _WINDOWS else ["libodbcinst.so.2", "libodbcinst.so.1"]:
        try:
            installer = ctypes.WinDLL(name) if _WINDOWS else ctypes.CDLL(name)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            continue
        installer.SQLGetPrivateProfileString(
            os.fsencode(section), b"Driver", b"", buffer, ctypes.c_int(len(buffer)), file.encode()
        )
        return os.fsdecode(buffer.value)
    return ""


def _function(name: str) -> Any:
    """A function of the library."""
    path = library()
    try:
        return getattr(ctypes.CDLL(path), name)
    except OSError as error:
        text = "The library cannot be loaded: {}. Fix: install the package for this platform".format(error)
        raise Error("IM003", text) from None
    except AttributeError:
        raise Error("IM003", "{} has no function {}: it is too old, or another library".format(path, name)) from None


def _text(name: str, value: Optional[str]) -> bytes:
    """An argument of a C function, in UTF-8."""
    if value is None:
        return b""
    if not isinstance(value, str):
        raise Error("HY009", "{} must be a str, not {}".format(name, type(value).__name__))
    if "\0" in value:
        raise Error("HY009", "{} contains a NUL".format(name))
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise Error("HY009", "{} is not valid Unicode: {}".format(name, error.reason)) from None


def _ask(function: str, *arguments: bytes) -> str:
    """Calls a function that fills a buffer. A positive length is that of the result, a negative one that of an error."""
    call = _function(function)
    size = 4096
    while True:
        buffer, length = ctypes.create_string_buffer(size), ctypes.c_int(size)
        given = call(*arguments, buffer, ctypes.byref(length))
        if abs(given) < size:
            break
        size = abs(given) + 1
    text = buffer.value.decode()
    if given < 0:
        sqlstate, _, reason = text.partition(":")
        raise Error(sqlstate, reason.strip())
    return text
