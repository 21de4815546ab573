sqlstate <- function(expression) tryCatch(expression, loopback_error = function(error) error$sqlstate)

test_that("outside a session the error is one of this package and says why", {
  error <- tryCatch(loopback_connection_string("Sales"), loopback_error = identity)
  expect_s3_class(error, "loopback_error")
  expect_match(conditionMessage(error), "^\\[(08001|IM003)\\] ")
})

test_that("an argument that is not one text is refused", {
  for (wrong in list(1, NA, NA_character_, character(0), c("a", "b"), TRUE, as.raw(1), list("a"), quote(x))) {
    expect_identical(sqlstate(loopback_connection_string(wrong)), "HY009")
    expect_identical(sqlstate(rxGetSqlLoopbackConnectionString("Sales", wrong)), "HY009")
  }
})

test_that("the report has lines, and the library a path", {
  expect_true(length(loopback_report()) > 1)
  expect_true(file.exists(loopback_library()))
})

test_that("the library for Windows is unpacked whole", {
  archive <- system.file("windows", "loopbackodbc.dll.gz", package = "loopbackodbc")
  path <- loopbackodbc:::unpacked(archive)
  expect_identical(basename(path), "loopbackodbc.dll")
  expect_identical(rawToChar(readBin(path, raw(), 2)), "MZ")
  expect_gt(file.size(path), 500000)
})

test_that("odbc.ini is read as the driver manager reads it", {
  file <- tempfile()
  writeLines(c("# [loopback]", "[Other]", "Driver=/other", " [LOOPBACK] ", "Database=x", "DRIVER = /a b ", "Driver=/second"), file)
  driver_of <- loopbackodbc:::driver_of
  expect_identical(driver_of(file, "Loopback"), "/a b")
  expect_identical(driver_of(file, "Nowhere"), character(0))
  writeBin(c(charToRaw("[Caf"), as.raw(0xe9), charToRaw("]\nDescription=\n[Loopback]\r\nDriver=/x\r\n")), file)
  expect_identical(driver_of(file, "Loopback"), "/x")
  expect_identical(driver_of(tempfile(), "Loopback"), character(0))
})
