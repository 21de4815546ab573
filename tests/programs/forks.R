# Forked children that connect themselves, after the parent has connected and queried, as mclapply makes them: forks.R [alone], as forks.py.
library(parallel)
library(RODBC)

alone <- identical(commandArgs(trailingOnly = TRUE), "alone")
string <- "DSN=Loopback"
if (alone) {
    password <- gsub("}", "}}", Sys.getenv("CLIENT_PASSWORD"), fixed = TRUE)
    string <- sprintf("DSN=Direct;UID={%s};PWD={%s}", Sys.getenv("CLIENT_USER"), password)
}

refused <- function(number) {
    refusal <- tryCatch(odbcDriverConnect(sprintf("DSN=Loopback;TargetDriver=other %d", number)), warning = conditionMessage)
    stopifnot(grepl("HY024", refusal), grepl(sprintf("TargetDriver=other %d is not the driver", number), refusal))
}

ask <- function(number) {
    channel <- odbcDriverConnect(string)
    answer <- sqlQuery(channel, sprintf("SELECT @@SPID AS session, (SELECT COUNT(*) FROM dbo.Orders) AS orders, %d AS number", number))
    odbcClose(channel)
    if (!alone) refused(number)
    cbind(answer, process = Sys.getpid())
}

channel <- odbcDriverConnect(string)
own <- sqlQuery(channel, "SELECT @@SPID AS session")$session
invisible(ask(0))
answers <- do.call(rbind, mclapply(1:16, ask, mc.cores = 4, mc.preschedule = FALSE))
stopifnot(
    nrow(answers) == 16, answers$number == 1:16, answers$orders == 12, !(own %in% answers$session),
    length(unique(answers$process)) == 16, !(Sys.getpid() %in% answers$process),
    # The parent's connection still belongs to the parent.
    sqlQuery(channel, "SELECT @@SPID AS session")$session == own
)
invisible(ask(17))
odbcClose(channel)
cat(length(unique(answers$process)), "children,", nrow(answers), "answers\n")
