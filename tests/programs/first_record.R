# Connects with RODBC, which must fail, and prints its warnings. Argument: the connection string.
library(RODBC)
tryCatch(odbcDriverConnect(commandArgs(trailingOnly = TRUE)[[1]]), warning = function(warning) cat(conditionMessage(warning), "\n"))
