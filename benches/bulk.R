# RODBC's part of bulk.py:
#     bulk.R THROUGH DIRECT runs ROWS INSERTED PAIRS
#     bulk.R THROUGH DIRECT once JOB WAY COUNT
library(RODBC)

arguments <- commandArgs(trailingOnly = TRUE)
strings <- list(through = arguments[1], direct = arguments[2])
once <- arguments[3] == "once"
query <- "SELECT Id, Customer, Amount, Placed, Weight FROM Orders WHERE Id < %d"
channels <- lapply(if (once) strings[arguments[5]] else strings, odbcDriverConnect)

jobs <- list(
    fetch = function(way, count) {
        stopifnot(nrow(sqlQuery(channels[[way]], sprintf(query, count), as.is = TRUE)) == count)
    },
    insert = function(way, count) {
        rows <- data.frame(
            Id = seq_len(count), Customer = "Æbleskiver A/S", Amount = 1234.56, Placed = "2026-07-03 12:34:56", Weight = 0.25
        )
        stopifnot(sqlSave(channels[[way]], rows, "Copies", append = TRUE, rownames = FALSE, fast = TRUE) == 1)
    }
)

# Each job both ways in turns: first with few rows, which does not count, then for each pair.
runs <- function(counts, pairs) {
    for (job in names(jobs)) for (pair in seq(0, pairs)) {
        ways <- if (pair %% 2) names(strings) else rev(names(strings))
        for (way in ways) {
            sqlQuery(channels[[way]], "TRUNCATE TABLE Copies")
            gc()
            count <- counts[[job]]
            time <- system.time(jobs[[job]](way, if (pair) count else count %/% 10L))
            if (pair) cat(job, "\t", way, "\t", time[["elapsed"]], "\t", time[["user.self"]] + time[["sys.self"]], "\n", sep = "")
        }
    }
}

# Begins or ends counting this process's instructions.
counting <- function(state) {
    stopifnot(system2("callgrind_control", c("-i", state, Sys.getpid()), stdout = FALSE) == 0)
}

if (once) {
    job <- jobs[[arguments[4]]]
    count <- as.integer(arguments[6])
    job(arguments[5], count %/% 10L)
    counting("on")
    job(arguments[5], count)
    counting("off")
} else {
    counts <- as.integer(arguments[4:6])
    runs(list(fetch = counts[1], insert = counts[2]), counts[3])
}
invisible(lapply(channels, odbcClose))
