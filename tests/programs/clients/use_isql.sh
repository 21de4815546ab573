#!/bin/sh
# unixODBC's isql and iusql: use_isql.sh (isql | iusql) DSN
program=$1
shift
# Where it writes its history: the working directory is the test's.
export HOME="$PWD"

echo "client: $program of $($program --version)"
echo "language: none"

# One statement per line. In this mode (-b) only rows and errors are shown; -v shows errors completely.
$program -b -v -d'|' "$1" ${CLIENT_USER+"$CLIENT_USER" "$CLIENT_PASSWORD"} <<'SQL'
CREATE TABLE dbo.Typed (id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40), born date, noted datetime2(7), flag bit, data varbinary(20))
INSERT INTO dbo.Typed VALUES (1, 9223372036854775807, 1234567.8901, 0.1, N'Bjørn & Sønner', '1815-12-10', '2026-11-22 20:15:01.1234567', 1, 0x00FF10)
INSERT INTO dbo.Typed VALUES (2, -9223372036854775808, -0.0001, -1.5e300, N'日本 Ω', '9999-12-31', '0001-01-01', 0, 0x)
INSERT INTO dbo.Typed (id) VALUES (3)
INSERT INTO dbo.Typed (id, name) VALUES (4, N'😀')
SELECT * FROM dbo.Typed ORDER BY id
SELECT * FROM dbo.Missing
SQL
