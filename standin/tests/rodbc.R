# What RODBC makes of the stand-in. Started by driver.rs with the connection string as its argument.
library(RODBC)

check <- function(got, wanted, what) {
    if (!isTRUE(all.equal(got, wanted))) stop(what, ": ", paste(deparse(got), collapse = " "), call. = FALSE)
}

channel <- odbcDriverConnect(commandArgs(TRUE)[1])
if (!inherits(channel, "RODBC")) stop("not connected")
check(odbcGetInfo(channel)[["DBMS_Name"]], "Microsoft SQL Server", "DBMS name")

frame <- data.frame(
    id = 1:4,
    name = c("Ada", NA, "Grün €", "it's"),
    amount = c(1.5, -2.25, NA, 1e10),
    flag = c(TRUE, FALSE, NA, TRUE),
    stringsAsFactors = FALSE
)
for (fast in c(TRUE, FALSE)) {
    sqlSave(channel, frame, tablename = "r_frame", rownames = FALSE, fast = fast)
    back <- sqlFetch(channel, "r_frame", stringsAsFactors = FALSE)
    check(names(back), names(frame), "names")
    check(back$id, frame$id, "id")
    check(back$name, frame$name, "name")
    check(back$amount, frame$amount, "amount")
    check(as.logical(back$flag), frame$flag, "flag")
    if ("r_frame" %in% sqlTables(channel, tableType = "TABLE")$TABLE_NAME) sqlDrop(channel, "r_frame") else stop("sqlTables")
}

result <- sqlQuery(channel, "CREATE TABLE r_keyed (id int NOT NULL PRIMARY KEY, name nvarchar(20), noted datetime, size float)")
check(length(result), 0L, "CREATE TABLE")
keyed <- data.frame(id = 1:2, name = c("one", "two"), noted = as.POSIXct(c("2026-11-22 20:15:00", NA)), size = c(0.1, NA))
sqlSave(channel, keyed, tablename = "r_keyed", rownames = FALSE, append = TRUE)
keyed$name <- c("eins", NA)
sqlUpdate(channel, keyed, tablename = "r_keyed", index = "id")
back <- sqlQuery(channel, "SELECT * FROM r_keyed ORDER BY id", stringsAsFactors = FALSE)
check(back$name, keyed$name, "sqlUpdate")
check(format(back$noted), format(keyed$noted), "times")
check(back$size, keyed$size, "size")
check(sqlColumns(channel, "r_keyed")$COLUMN_NAME, c("id", "name", "noted", "size"), "sqlColumns")
check(sqlPrimaryKeys(channel, "r_keyed")$COLUMN_NAME, "id", "sqlPrimaryKeys")
if (!"int" %in% sqlTypeInfo(channel)$TYPE_NAME) stop("sqlTypeInfo")
errors <- sqlQuery(channel, "SELECT * FROM nowhere")
if (!any(grepl("Invalid object name 'nowhere'", errors))) stop("error: ", errors)
check(sqlQuery(channel, "SELECT COUNT(*) AS n FROM seeded")$n, 3L, "seeded")
odbcSetAutoCommit(channel, FALSE)
sqlQuery(channel, "DELETE FROM r_keyed")
odbcEndTran(channel, FALSE)
odbcSetAutoCommit(channel, TRUE)
check(sqlQuery(channel, "SELECT COUNT(*) AS n FROM r_keyed")$n, 2L, "rollback")
sqlDrop(channel, "r_keyed")
odbcClose(channel)
cat("ok rodbc\n")
