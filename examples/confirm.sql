-- Shows how loopback-odbc finds its way on a real SQL Server, for the people who work on it. You need a SQL Server with Machine Learning
-- Services where loopback-odbc is installed, and the right to run external scripts. Run all of it in a query window, or with
--     sqlcmd -S SERVER -U USER -i examples/confirm.sql
-- It changes nothing. It opens one connection, with DSN=Loopback, and prints a JSON document in which nothing identifies the machine, the
-- network or a person. docs/confirming.md says what each field is for, and where to send it.
-- Of the two calls, that of a language that you do not have fails; one is enough. If a language has another name on your server (CREATE
-- EXTERNAL LANGUAGE), put that name after @language.

DECLARE @caller nvarchar(128) = SUSER_SNAME();
EXECUTE sp_execute_external_script @language = N'Python', @script = N'
import ctypes, glob
try:
    from loopback_odbc import library
    found = [library()]
except Exception:
    places = ["/usr/lib/*/odbc/libloopbackodbc.so", "/usr/lib*/libloopbackodbc.so", "C:/Program Files/loopback-odbc/loopbackodbc.dll"]
    found = [path for place in places for path in glob.glob(place)] or ["loopbackodbc, which is not installed where scripts see it"]
try:
    from revoscalepy import rx_get_sql_loopback_connection_string
    official = rx_get_sql_loopback_connection_string(odbc_driver="ODBC Driver 17 for SQL Server", name_of_database="master")
except Exception:
    official = ""
document, length = ctypes.create_string_buffer(1 << 20), ctypes.c_int(1 << 20)
ctypes.CDLL(found[0]).loopback_odbc_confirmation(caller.encode(), official.encode(), document, ctypes.byref(length))
print(document.value.decode(), end="")
', @params = N'@caller nvarchar(128)', @caller = @caller;
GO

-- The same in R.
DECLARE @caller nvarchar(128) = SUSER_SNAME();
EXECUTE sp_execute_external_script @language = N'R', @script = N'
places <- c("/usr/lib/*/odbc/libloopbackodbc.so", "/usr/lib*/libloopbackodbc.so", "C:/Program Files/loopback-odbc/loopbackodbc.dll")
found <- tryCatch(loopbackodbc::loopback_library(), error = function(error) Sys.glob(places))
if (length(found) == 0) stop("loopbackodbc is not installed where scripts see it")
official <- tryCatch(
  RevoScaleR::rxGetSqlLoopbackConnectionString(odbcDriver = "ODBC Driver 17 for SQL Server", nameOfDatabase = "master"),
  error = function(error) "")
text <- function(value) c(charToRaw(enc2utf8(value)), as.raw(0))
symbol <- getNativeSymbolInfo("loopback_odbc_confirmation", dyn.load(found[1]))$address
answer <- .C(symbol, text(caller), text(official), document = raw(1048576), length = 1048576L)
cat(rawToChar(answer$document[seq_len(abs(answer$length))]))
', @params = N'@caller nvarchar(128)', @caller = @caller;
