# The example of Microsoft's page on loopback connections, without RevoScaleR: the function comes from the package loopbackodbc, and RODBC
# reads and writes. Run it as a script of SQL Server that sees both packages:
#     EXECUTE sp_execute_external_script @language = N'R', @script = N'...'
library(loopbackodbc)
library(RODBC)

loopbackConnectionString <- rxGetSqlLoopbackConnectionString(nameOfDatabase = "Sales",
                                                             odbcDriver = "ODBC Driver 18 for SQL Server")
channel <- odbcDriverConnect(loopbackConnectionString)
OutputDataSet <- sqlQuery(channel, "SELECT OrderID, Region, Amount FROM dbo.Orders ORDER BY OrderID")
print(OutputDataSet, row.names = FALSE)

totals <- aggregate(Amount ~ Region, OutputDataSet, sum)
sqlSave(channel, totals, "Totals", rownames = FALSE)
cat(sqlQuery(channel, "SELECT COUNT(*) AS n FROM Totals")$n, "regions\n")
odbcClose(channel)
