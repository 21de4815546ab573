if (requireNamespace("testthat", quietly = TRUE)) {
  library(testthat)
  library(loopbackodbc)
  test_check("loopbackodbc")
}
