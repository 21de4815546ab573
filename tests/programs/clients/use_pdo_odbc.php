<?php
// PHP's PDO_ODBC: use_pdo_odbc.php DSN

echo "client: PDO_ODBC ", phpversion("PDO_ODBC"), "\n";
echo "language: PHP ", PHP_VERSION, "\n";

$dsn = $argv[1];
[$user, $password] = [getenv("CLIENT_USER") ?: null, getenv("CLIENT_PASSWORD") ?: null];
$connection = new PDO("odbc:$dsn", $user, $password);
$connection->exec("
    CREATE TABLE dbo.Typed (
        id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
        born date, noted datetime2(6), flag bit, data varbinary(20))");
$rows = [
    [1, "9223372036854775807", "1234567.8901", 0.1, "Bjørn & Sønner",
     "1815-12-10", "2026-11-22 20:15:01.123456", 1, "\x00\xff\x10"],
    [2, "-9223372036854775808", "-0.0001", -1.5e300, "日本 Ω 😀", "9999-12-31", "0001-01-01 00:00:00", 0, ""],
    [3, ...array_fill(0, 8, null)],
];
$insert = $connection->prepare("INSERT INTO dbo.Typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
foreach ($rows as $row) {
    $insert->execute($row);
}

foreach ($connection->query("SELECT * FROM dbo.Typed ORDER BY id", PDO::FETCH_ASSOC) as $row) {
    echo json_encode($row, JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
$select = $connection->prepare("SELECT id FROM dbo.Typed WHERE name = ?");
$select->execute(["Bjørn & Sønner"]);
echo "found: ", $select->fetchColumn(), "\n";

try {
    $connection->query("SELECT * FROM dbo.Missing");
} catch (PDOException $error) {
    echo "error: ", $error->getMessage(), "\n";
}
