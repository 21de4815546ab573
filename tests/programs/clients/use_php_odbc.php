<?php
// PHP's functions odbc_*: use_php_odbc.php DSN

echo "client: PHP ext/odbc ", phpversion("odbc"), "\n";
echo "language: PHP ", PHP_VERSION, "\n";

$dsn = $argv[1];
[$user, $password] = [getenv("CLIENT_USER") ?: "", getenv("CLIENT_PASSWORD") ?: ""];
$connection = odbc_connect($dsn, $user, $password);
odbc_exec($connection, "
    CREATE TABLE dbo.Typed (
        id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
        born date, noted datetime2(6), flag bit, data varbinary(20))");
$rows = [
    [1, "9223372036854775807", "1234567.8901", 0.1, "Bjørn & Sønner",
     "1815-12-10", "2026-11-22 20:15:01.123456", 1, "\x00\xff\x10"],
    [2, "-9223372036854775808", "-0.0001", -1.5e300, "日本 Ω 😀", "9999-12-31", "0001-01-01 00:00:00", 0, ""],
    [3, ...array_fill(0, 8, null)],
];
$insert = odbc_prepare($connection, "INSERT INTO dbo.Typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
foreach ($rows as $row) {
    odbc_execute($insert, $row);
}

$result = odbc_exec($connection, "SELECT * FROM dbo.Typed ORDER BY id");
odbc_binmode($result, ODBC_BINMODE_CONVERT); // binary data as hexadecimal digits
while ($row = odbc_fetch_array($result)) {
    echo json_encode($row, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
$select = odbc_prepare($connection, "SELECT id FROM dbo.Typed WHERE name = ?");
odbc_execute($select, ["Bjørn & Sønner"]);
odbc_fetch_row($select);
echo "found: ", odbc_result($select, "id"), "\n";

if (!@odbc_exec($connection, "SELECT * FROM dbo.Missing")) {
    echo "error: ", odbc_error($connection), " ", odbc_errormsg($connection), "\n";
}
odbc_close($connection);
