# Connects with RODBC, which must fail, and prints what it warns of. Argument: the connection string.
library(RODBC)
tryCatch(odbcDriverConnect(commandArgs(trailingOnly = TRUE)[[1]]), warning = function(warning) cat(conditionMessage(warning), "\n"))
