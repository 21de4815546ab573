# Sums up the orders of each region, and stores the summary.
# Run it where DSN=Loopback leads to a server with a database Sales, filled by sales.sql:
#     Rscript examples/loopback.R
# Without SQL Server, `make demo` runs it against a stand-in.
library(RODBC)

channel <- odbcConnect("Loopback")
invisible(sqlQuery(channel, "USE Sales"))

orders <- sqlQuery(channel, "SELECT OrderID, Region, Customer, Amount FROM dbo.Orders ORDER BY OrderID",
                   stringsAsFactors = FALSE)
cat("Orders:\n")
print(orders)

regions <- aggregate(Amount ~ Region, data = orders, FUN = sum)
regions$Share <- round(regions$Amount / sum(regions$Amount), 4)

sqlDrop(channel, "RegionSummary", errors = FALSE) # of an earlier run
sqlSave(channel, regions, tablename = "RegionSummary", rownames = FALSE,
        varTypes = c(Region = "nvarchar(30)"))

cat("Summary, as it was written and read back:\n")
print(sqlQuery(channel, "SELECT Region, Amount, Share FROM dbo.RegionSummary ORDER BY Amount DESC"))

odbcClose(channel)
