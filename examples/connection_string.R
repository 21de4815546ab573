# Prints the loopback connection string of this session, for programs that do not connect by ODBC themselves.
# Arguments: the library's path, as in odbcinst.ini; a database; a driver.

options(warning.length = 8170) # of messages, which R would cut at 1000 bytes

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

cat(do.call(connection_string, as.list(commandArgs(trailingOnly = TRUE))), "\n", sep = "")
