# RODBC: use_rodbc.R DSN
library(RODBC)

cat("client: RODBC", format(packageVersion("RODBC")), "\n")
cat("language: R", format(getRversion()), "\n")

# RODBC does not quote values.
password <- gsub("}", "}}", Sys.getenv("CLIENT_PASSWORD"), fixed = TRUE)
channel <- odbcConnect(commandArgs(trailingOnly = TRUE), Sys.getenv("CLIENT_USER"), if (nzchar(password)) sprintf("{%s}", password) else "")
if (channel == -1) stop("not connected")

rows <- data.frame(
    id = 1:3,
    big = c(2^53, -2^53, NA),
    amount = c(1234567.8901, -0.0001, NA),
    ratio = c(0.1, -1.5e300, NA),
    name = c("Bjørn & Sønner", "日本 Ω 😀", NA),
    born = as.Date(c("1815-12-10", "9999-12-31", NA)),
    noted = as.POSIXct(c("2026-11-22 20:15:01", "1900-01-01 00:00:00", NA), tz = "UTC"),
    flag = c(1L, 0L, NA),
    stringsAsFactors = FALSE
)
types <- c(big = "bigint", amount = "decimal(19, 4)", name = "nvarchar(40)", born = "date", noted = "datetime2(0)", flag = "bit")
sqlSave(channel, rows, tablename = "Typed", rownames = FALSE, varTypes = types)

options(digits = 17)
back <- sqlQuery(channel, "SELECT * FROM Typed ORDER BY id", stringsAsFactors = FALSE)
print(vapply(back, function(column) class(column)[1], ""))
for (row in seq_len(nrow(back))) cat(paste(vapply(back[row, ], format, ""), collapse = " | "), "\n")
print(sqlQuery(channel, "SELECT 0x00FF10 AS data"))
print(sqlColumns(channel, "Typed")$COLUMN_NAME)
print(sqlQuery(channel, "SELECT * FROM dbo.Missing"))
odbcClose(channel)
