# The example of the page of Microsoft on loopback connections, without RevoScaleR: the function comes from the package loopbackodbc, and
# RODBC reads and writes. Run it as a script of SQL Server that sees both packages (README.md shows how to paste one). It needs a database
# Sales that sales.sql has filled.
library(loopbackodbc)
library(RODBC)

loopbackConnectionString <- rxGetSqlLoopbackConnectionString(nameOfDatabase = "Sales",
                                                             odbcDriver = "ODBC Driver 18 for SQL Server")
channel <- odbcDriverConnect(loopbackConnectionString)
OutputDataSet <- sqlQuery(channel, "SELECT OrderID, Region, Amount FROM dbo.Orders ORDER BY OrderID")
print(OutputDataSet, row.names = FALSE)

totals <- aggregate(Amount ~ Region, OutputDataSet, sum)
invisible(sqlQuery(channel, "DROP TABLE IF EXISTS dbo.Totals"))
sqlSave(channel, totals, "Totals", rownames = FALSE)
cat(sqlQuery(channel, "SELECT COUNT(*) AS n FROM Totals")$n, "regions\n")
odbcClose(channel)
