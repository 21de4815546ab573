# Prints the loopback connection string of this session, for programs that do not connect by ODBC.
#     Rscript examples/connection_string.R LIBRARY [DATABASE [DRIVER]]
# LIBRARY is the path in odbcinst.ini, such as /usr/lib/x86_64-linux-gnu/odbc/libloopbackodbc.so.
# Without SQL Server, as root after `make demo`:
#     scripts/satellite --script examples/connection_string.R -- /usr/bin/Rscript connection_string.R /opt/mssql-extensibility/lib/libloopbackodbc.so Sales

connection_string <- function(library, database = "", driver = "") {
  dyn.load(library)
  bytes <- function(text) c(charToRaw(enc2utf8(text)), as.raw(0))
  answer <- .C("loopback_odbc_connection_string", bytes(database), bytes(driver), text = raw(4096), length = 4096L)
  if (abs(answer$length) >= 4096) stop(answer$length, " bytes are needed")
  text <- rawToChar(answer$text[seq_len(abs(answer$length))])
  Encoding(text) <- "UTF-8"
  if (answer$length < 0) stop(text)
  text
}

# Not when another script reads this one with source().
if (sys.nframe() == 0) {
  options(warning.length = 8170) # of messages, which R would cut at 1000 bytes
  arguments <- commandArgs(trailingOnly = TRUE)
  if (!length(arguments) %in% 1:3) stop("Usage: connection_string.R LIBRARY [DATABASE [DRIVER]]", call. = FALSE)
  cat(do.call(connection_string, as.list(arguments)), "\n", sep = "")
}
