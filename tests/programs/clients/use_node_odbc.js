// Node's odbc: use_node_odbc.js DSN
const odbc = require("odbc");

console.log(`client: odbc ${require("odbc/package.json").version}`);
console.log(`language: Node.js ${process.versions.node}`);

const dsn = process.argv[2];
const { CLIENT_USER: user, CLIENT_PASSWORD: password } = process.env;
const login = user ? `;UID=${user};PWD={${password.replaceAll("}", "}}")}}` : "";

async function main() {
    const connection = await odbc.connect(`DSN=${dsn}${login}`);
    await connection.query(`
        CREATE TABLE dbo.Typed (
            id int NOT NULL PRIMARY KEY, big bigint, amount decimal(19, 4), ratio float, name nvarchar(40),
            born date, noted datetime2(6), flag bit, data varbinary(20))`);
    const rows = [
        [1, 9223372036854775807n, "1234567.8901", 0.1, "Bjørn & Sønner",
            "1815-12-10", "2026-11-22 20:15:01.123456", true, Buffer.from("00ff10", "hex")],
        [2, -9223372036854775808n, "-0.0001", -1.5e300, "日本 Ω 😀", "9999-12-31", "0001-01-01 00:00:00", false, Buffer.from("")],
        [3, null, null, null, null, null, null, null, null],
    ];
    for (const row of rows) {
        await connection.query("INSERT INTO dbo.Typed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row);
    }
    for (const row of await connection.query("SELECT * FROM dbo.Typed ORDER BY id")) {
        console.log(row);
    }
    const found = await connection.query("SELECT id FROM dbo.Typed WHERE name = ?", ["日本 Ω 😀"]);
    console.log("found:", found[0].id);
    console.log("columns:", (await connection.columns(null, null, "Typed", null)).map((column) => column.COLUMN_NAME));
    try {
        await connection.query("SELECT * FROM dbo.Missing");
    } catch (error) {
        console.log(error.message, error.odbcErrors);
    }
    await connection.close();
}

main();
