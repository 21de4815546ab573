//! The differences between targets: the SQL, and names. One table for each target.

/// An SQL type as a parameter has it: its number, size and digits.
pub type SqlType = (i16, usize, i16);

/// A target's SQL.
pub struct Target {
    name: &'static str,
    /// Creates the table `items` with five rows: id, name, price, made, data.
    pub items: &'static [&'static str],
    /// Values of each type, and NULL.
    pub values: &'static [&'static str],
    /// C types and SQL types of parameters with which the driver itself crashes the process.
    pub crashing: (&'static [i16], &'static [i16]),
    /// After its connection was lost, the driver frees a statement and returns that it could not. The records of this failure are then
    /// read from freed memory.
    pub frees_and_fails: bool,
    /// Fields of descriptors for which the driver gives what happens to be in its memory.
    pub unsteady_fields: &'static [i16],
    /// The driver likewise gives the type of a parameter that SQLSetDescRec has set.
    pub unsteady_parameter: bool,
    /// One value each of 10,000 characters or bytes.
    pub long_values: &'static [&'static str],
    /// Several results at once.
    pub several: &'static str,
    /// Statements with output parameters: the first parameter, which is an integer.
    pub outputs: &'static [&'static str],
    /// Runs for twenty seconds.
    pub slow: &'static str,
    /// Runs for a moment.
    pub moment: &'static str,
    /// Statements that fail or cause warnings. CATALOG is the database.
    pub errors: &'static [&'static str],
    /// The schema of `items`.
    pub schema: &'static str,
    /// An existing database other than the one in the connection string.
    pub other_database: &'static str,
    /// The keyword of the server's address, and an address that refuses connections.
    pub nowhere: &'static [(&'static str, &'static str)],
    /// More attributes of connections that take an integer.
    pub connection_attributes: &'static [i32],
}

/// Microsoft's driver with the stand-in server.
const SQL_SERVER: Target = Target {
    name: "sql-server",
    items: &[
        "DROP TABLE IF EXISTS items",
        "CREATE TABLE items (id int NOT NULL PRIMARY KEY, name nvarchar(40) NULL, price decimal(10, 2) NULL, made datetime2 NULL, \
         data varbinary(max) NULL)",
        "INSERT INTO items VALUES (1, N'one', 1.10, '2026-01-01 10:00:00', 0x01), (2, N'zwei — två', 2.20, NULL, 0x0202), \
         (3, NULL, 3.30, '2026-03-03 12:34:56.789', NULL), (4, N'四', NULL, '1999-12-31 23:59:59', 0x), \
         (5, N'five', 5.50, '2026-05-05', 0x05)",
    ],
    values: &[
        "CAST(1 AS bit)",
        "CAST(200 AS tinyint)",
        "CAST(-12345 AS smallint)",
        "123456789",
        "CAST(9007199254740993 AS bigint)",
        "CAST(3.5 AS real)",
        "CAST(2.718281828459045 AS float)",
        "CAST(12345.6789 AS decimal(18, 4))",
        "CAST(-1.5 AS money)",
        "CAST(1.25 AS smallmoney)",
        "CAST('12' AS char(5))",
        "CAST('héllo' AS varchar(20))",
        "CAST('2026-02-03 04:05:06' AS varchar(30))",
        "N'Grüße 大阪 𝄞'",
        "CAST(N'7' AS nchar(3))",
        "CAST('12.75' AS varchar(max))",
        "CAST(N'é' AS nvarchar(max))",
        "CAST(0x010203 AS varbinary(10))",
        "CAST(0x41 AS binary(4))",
        "CAST(0x4100 AS varbinary(max))",
        "CAST('6F9619FF-8B86-D011-B42D-00C04FC964FF' AS uniqueidentifier)",
        "CAST('2026-02-03' AS date)",
        "CAST('04:05:06.1234567' AS time(7))",
        "CAST('2026-02-03 04:05:06.12' AS datetime)",
        "CAST('2026-02-03 04:05:06.1234567' AS datetime2)",
        "CAST('2026-02-03 04:05' AS smalldatetime)",
        "CAST('2026-02-03 04:05:06.5 +02:00' AS datetimeoffset)",
        "CAST('<a>b</a>' AS xml)",
        "CAST(1 AS sql_variant)",
        "CAST(NULL AS int)",
        "CAST(NULL AS nvarchar(10))",
        "CAST(NULL AS varbinary(max))",
    ],
    crashing: (&[], &[]),
    frees_and_fails: false,
    unsteady_fields: &[],
    unsteady_parameter: false,
    long_values: &[
        "REPLICATE(CAST('x' AS varchar(max)), 10000)",
        "REPLICATE(CAST(N'é' AS nvarchar(max)), 10000)",
        "CAST(REPLICATE(CAST('y' AS varchar(max)), 10000) AS varbinary(max))",
        "N'Grüße 大阪 𝄞'",
        "CAST(0x0102030405 AS varbinary(10))",
        "CAST(NULL AS nvarchar(max))",
    ],
    several: "SELECT 1 AS a; UPDATE items SET price = 9 WHERE id > 3; PRINT 'said'; SELECT id, name FROM items WHERE id < 3; \
              SELECT 1 / 0; DELETE FROM items WHERE id = 99",
    outputs: &["SET ? = 42", "{? = call sp_none}", "EXEC sp_executesql N'SET @a = 42', N'@a int OUTPUT', ? OUTPUT"],
    slow: "WAITFOR DELAY '00:00:20'",
    moment: "WAITFOR DELAY '00:00:00.3'; SELECT 'slept'",
    errors: &[
        "SELEC 1",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM items",
        "INSERT INTO items (id) VALUES (1)",
        "INSERT INTO items (id) VALUES (NULL)",
        "INSERT INTO items (id, name) VALUES (50, REPLICATE('x', 50))",
        "UPDATE items SET price = 123456789012 WHERE id = 1",
        "SELECT CAST('abc' AS int)",
        "SELECT CAST('2026-13-01' AS date)",
        "SELECT CAST(300 AS tinyint)",
        "SELECT 1 / 0",
        "RAISERROR('said by the test', 16, 3)",
        "RAISERROR('a warning', 10, 1)",
        "THROW 50001, 'thrown', 7",
        "PRINT 'printed'",
        "CREATE TABLE items (id int)",
        "DROP TABLE nowhere",
        "USE nowhere",
        "USE master",
        "USE CATALOG",
        "COMMIT",
        "SELECT 1; SELECT 1 / 0; SELECT 2",
        "EXEC nothing",
    ],
    schema: "dbo",
    other_database: "master",
    nowhere: &[("Server", "127.0.0.1,1")],
    // SQL_COPT_SS_*: REMOTE_PWD to TXN_ISOLATION, without those that take an address.
    connection_attributes: &[
        1201, 1202, 1203, 1204, 1205, 1206, 1207, 1210, 1211, 1213, 1214, 1217, 1218, 1219, 1224, 1225, 1227, 1228,
    ],
};

/// psqlodbc with PostgreSQL.
const POSTGRESQL: Target = Target {
    name: "postgresql",
    items: &[
        "DROP TABLE IF EXISTS items",
        "CREATE TABLE items (id int PRIMARY KEY, name varchar(40), price decimal(10, 2), made timestamp, data bytea)",
        "INSERT INTO items VALUES (1, 'one', 1.10, '2026-01-01 10:00:00', '\\x01'), (2, 'zwei — två', 2.20, NULL, '\\x0202'), \
         (3, NULL, 3.30, '2026-03-03 12:34:56.789', NULL), (4, '四', NULL, '1999-12-31 23:59:59', ''), \
         (5, 'five', 5.50, '2026-05-05', '\\x05')",
    ],
    values: &[
        "true",
        "(-12345)::int2",
        "123456789",
        "9007199254740993::int8",
        "3.5::float4",
        "2.718281828459045::float8",
        "12345.6789::numeric(18, 4)",
        "'NaN'::numeric",
        "(-1.5)::money",
        "'12'::char(5)",
        "'héllo'::varchar(20)",
        "'2026-02-03 04:05:06'::varchar",
        "'Grüße 大阪 𝄞'::text",
        "'\\x010203'::bytea",
        "'6F9619FF-8B86-D011-B42D-00C04FC964FF'::uuid",
        "'2026-02-03'::date",
        "'04:05:06.123456'::time",
        "'04:05:06+02'::timetz",
        "'2026-02-03 04:05:06.123456'::timestamp",
        "'2026-02-03 04:05:06+02'::timestamptz",
        "'1 year 2 months'::interval",
        "'3 days 04:05:06'::interval",
        "'<a>b</a>'::xml",
        "'{\"a\": 1}'::jsonb",
        "'{1,2}'::int[]",
        "B'101'",
        "'127.0.0.1'::inet",
        "'name'::name",
        "NULL::int",
        "NULL::varchar",
        "NULL::bytea",
    ],
    crashing: (&[9, 10, 11, 91, 92, 93], &[4, 5, -5, -6]),
    frees_and_fails: true,
    // SQL_DESC_SCALE.
    unsteady_fields: &[1006],
    unsteady_parameter: true,
    long_values: &[
        "repeat('x', 10000)",
        "repeat('é', 10000)",
        "convert_to(repeat('y', 10000), 'UTF8')",
        "'Grüße 大阪 𝄞'",
        "'\\x0102030405'::bytea",
        "NULL::text",
    ],
    several: "SELECT 1 AS a; UPDATE items SET price = 9 WHERE id > 3; SELECT id, name FROM items WHERE id < 3; DELETE FROM items WHERE id = 99",
    outputs: &["{? = call abs(-42)}", "{? = call length('four')}", "{call nothing(?)}"],
    slow: "SELECT pg_sleep(20)",
    moment: "SELECT pg_sleep(0.3), 'slept'",
    errors: &[
        "SELEC 1",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM items",
        "INSERT INTO items (id) VALUES (1)",
        "INSERT INTO items (id) VALUES (NULL)",
        "INSERT INTO items (id, name) VALUES (50, repeat('x', 50))",
        "UPDATE items SET price = 123456789012 WHERE id = 1",
        "SELECT 'abc'::int",
        "SELECT '2026-13-01'::date",
        "SELECT 300000::int2",
        "SELECT 1 / 0",
        "DO $$BEGIN RAISE EXCEPTION 'said by the test' USING ERRCODE = 'P0042', DETAIL = 'a detail', HINT = 'a hint'; END$$",
        "DO $$BEGIN RAISE WARNING 'a warning'; END$$",
        "DO $$BEGIN RAISE NOTICE 'a notice'; END$$",
        "CREATE TABLE items (id int)",
        "DROP TABLE nowhere",
        "DROP TABLE IF EXISTS nowhere",
        "COMMIT",
        "SELECT 1; SELECT 1 / 0; SELECT 2",
        "SELECT nothing()",
    ],
    schema: "public",
    other_database: "template1",
    nowhere: &[("Servername", "127.0.0.1"), ("Port", "1")],
    // SQL_ATTR_PGOPT_*, without the two that make the driver write logs to /tmp.
    connection_attributes: &[65538, 65539, 65540, 65541, 65542, 65543, 65544, 65545],
};

pub fn by_name(name: &str) -> &'static Target {
    static ALL: [Target; 2] = [SQL_SERVER, POSTGRESQL];
    ALL.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name:?}"))
}
