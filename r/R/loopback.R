# The C functions of the library are called with .C(): all of their arguments are pointers (include/loopback_odbc.h).

loopback_connection_string <- function(database = NULL, driver = NULL) {
  ask("loopback_odbc_connection_string", bytes("database", database), bytes("driver", driver))
}

# The name and the arguments are RevoScaleR's.
rxGetSqlLoopbackConnectionString <- function(nameOfDatabase = NULL, odbcDriver = NULL) {
  ask("loopback_odbc_connection_string", bytes("nameOfDatabase", nameOfDatabase), bytes("odbcDriver", odbcDriver))
}

loopback_report <- function() {
  strsplit(ask("loopback_odbc_report"), "\n", fixed = TRUE)[[1]]
}

loopback_library <- function() {
  for (path in registered()) {
    if (startsWith(tolower(basename(path)), stem()) && file.exists(path) && !dir.exists(path)) return(path)
  }
  own <- if (is_windows()) file.path("windows", "loopbackodbc.dll.gz") else file.path(R.version$arch, "libloopbackodbc.so")
  own <- system.file(own, package = "loopbackodbc")
  if (!nzchar(own)) fail("IM003", "No library is registered, and this package has none for this platform")
  if (is_windows()) unpacked(own) else own
}

# The DLL in R's folder for temporary files. In the package it is compressed.
unpacked <- function(archive) {
  path <- file.path(tempdir(), sub("\\.gz$", "", basename(archive)))
  if (!file.exists(path)) {
    input <- gzfile(archive, "rb")
    on.exit(close(input))
    contents <- raw(0)
    while (length(part <- readBin(input, raw(), 1048576)) > 0) contents <- c(contents, part)
    writeBin(contents, path)
  }
  path
}

is_windows <- function() .Platform$OS.type == "windows"

stem <- function() if (is_windows()) "loopbackodbc" else "libloopbackodbc"

# The libraries of the data source Loopback and of the driver, as they are registered; the user's own file first.
registered <- function() {
  if (is_windows()) {
    value <- function(key) {
      found <- tryCatch(utils::readRegistry(key, "HLM"), error = function(error) list())
      if (is.character(found$Driver)) found$Driver else character(0)
    }
    return(c(value("SOFTWARE\\ODBC\\ODBC.INI\\Loopback"), value("SOFTWARE\\ODBC\\ODBCINST.INI\\SQL Server Loopback")))
  }
  folder <- Sys.getenv("ODBCSYSINI", "/etc")
  user <- Sys.getenv("ODBCINI", path.expand("~/.odbc.ini"))
  named <- c(driver_of(user, "Loopback"), driver_of(file.path(folder, "odbc.ini"), "Loopback"))
  drivers <- file.path(folder, Sys.getenv("ODBCINSTINI", "odbcinst.ini"))
  is_path <- startsWith(named, "/")
  c(named[is_path], unlist(lapply(c(named[!is_path], "SQL Server Loopback"), driver_of, file = drivers)))
}

# The value of Driver in a section of odbc.ini or odbcinst.ini.
driver_of <- function(file, section) {
  lines <- tryCatch(suppressWarnings(readLines(file, encoding = "UTF-8")), error = function(error) character(0))
  # As bytes: the file may have another encoding than the session.
  trimmed <- function(text) gsub("^[ \t\r]+|[ \t\r]+$", "", text, useBytes = TRUE)
  lines <- trimmed(lines)
  heading <- grepl("^\\[", lines, useBytes = TRUE)
  wanted <- paste0("[", section, "]")
  same <- function(line) identical(tolower(iconv(line, "UTF-8", "ASCII", sub = "byte")), tolower(wanted))
  first <- which(vapply(lines[heading], same, logical(1)))[1]
  inside <- if (is.na(first)) logical(length(lines)) else cumsum(heading) == first
  driver <- grep("^driver[ \t]*=", lines[inside], ignore.case = TRUE, value = TRUE, useBytes = TRUE)
  if (length(driver) == 0) return(character(0))
  trimmed(sub("^[^=]*=", "", driver[1], useBytes = TRUE))
}

# A text as a C string in UTF-8.
bytes <- function(name, value) {
  if (is.null(value)) return(as.raw(0))
  if (!is.character(value) || length(value) != 1 || is.na(value)) {
    fail("HY009", paste(name, "must be one character string"))
  }
  text <- enc2utf8(value)
  is_broken <- Encoding(value) != "latin1" && l10n_info()[["UTF-8"]] && !validUTF8(value)
  if (is_broken || !validUTF8(text)) fail("HY009", paste(name, "is not valid UTF-8"))
  c(charToRaw(text), as.raw(0))
}

# Calls a function that fills a buffer. A positive length is that of the result, a negative one that of an error.
ask <- function(name, ...) {
  path <- loopback_library()
  loaded <- tryCatch(dyn.load(path), error = function(error) {
    fail("IM003", paste0("The library cannot be loaded: ", conditionMessage(error)))
  })
  symbol <- tryCatch(getNativeSymbolInfo(name, loaded)$address, error = function(error) {
    fail("IM003", paste0(path, " has no function ", name, ": it is too old, or another library"))
  })
  size <- 4096L
  repeat {
    answer <- .C(symbol, ..., text = raw(size), length = size)
    if (abs(answer$length) < size) break
    size <- abs(answer$length) + 1L
  }
  text <- rawToChar(answer$text[seq_len(abs(answer$length))])
  Encoding(text) <- "UTF-8"
  if (answer$length < 0) fail(substr(text, 1, 5), trimws(substr(text, 7, nchar(text))))
  text
}

# Every error of this package is a condition of the class loopback_error, with the SQLSTATE in it.
fail <- function(sqlstate, text) {
  message <- paste0("[", sqlstate, "] ", text)
  stop(structure(class = c("loopback_error", "error", "condition"), list(message = message, call = NULL, sqlstate = sqlstate)))
}
