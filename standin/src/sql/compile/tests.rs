use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use sqlparser::ast::Statement;

use super::super::modules;
use super::*;
use crate::error::SqlError;
use crate::sql::batch::{self, Command};
use crate::sql::functions::{Identities, SessionParts, install};

/// A database with one table.
fn sqlite() -> Connection {
    let sqlite = Connection::open_in_memory().unwrap();
    let parts = SessionParts {
        session: 1,
        identities: Arc::new(Identities::default()),
        last_identity: Arc::new(Mutex::new(None)),
    };
    install(&sqlite, parts).unwrap();
    sqlite.execute_batch("ATTACH ':memory:' AS Sales").unwrap();
    modules::prepare(&sqlite, "Sales").unwrap();
    let create = "CREATE TABLE t (id int IDENTITY(1,1) PRIMARY KEY, name nvarchar(20) NOT NULL, price decimal(10,2), at datetime2(3), size float)";
    let Statement::CreateTable(create) = statement(create) else { panic!() };
    let sql = compiling(&sqlite, false, |compiler| create_table(compiler, &create)).unwrap().sql;
    sqlite.execute_batch(&sql).unwrap();
    sqlite
}

fn statement(sql: &str) -> Statement {
    match batch::parse(sql).unwrap().remove(0).command {
        Command::Sql(statement) => *statement,
        other => panic!("{other:?}"),
    }
}

fn compiling<T>(sqlite: &Connection, undeclared: bool, what: impl FnOnce(&mut Compiler<'_>) -> Result<T>) -> Result<T> {
    let variables =
        HashMap::from([("@n".to_owned(), SqlType::Int), ("@d".to_owned(), "decimal(6,2)".parse().unwrap())]);
    let environment = Environment {
        sqlite,
        database: "Sales",
        variables: if undeclared { &HashMap::new() } else { &variables },
        undeclared,
        session: &|name| (name == "@@ROWCOUNT").then_some((SqlType::Int, Value::Integer(7))),
    };
    what(&mut Compiler::new(&environment))
}

fn query(sql: &str) -> Result<Query> {
    let Statement::Query(query) = statement(sql) else { panic!("{sql}") };
    let sqlite = sqlite();
    let compiled = compiling(&sqlite, false, |compiler| compiler.result(&query))?;
    // SQLite must accept every result.
    sqlite.prepare(&compiled.sql).unwrap_or_else(|error| panic!("{sql}: {}: {error}", compiled.sql));
    Ok(compiled)
}

#[test]
fn the_types_of_expressions() {
    for (expression, ty, nullable) in [
        ("1", "int", false),
        ("-2147483648", "int", false),
        ("2147483648", "decimal(10,0)", false),
        ("1.50", "decimal(3,2)", false),
        ("1e0", "float", false),
        ("'abc'", "varchar(3)", false),
        ("N''", "nvarchar(1)", false),
        ("0x0102", "varbinary(2)", false),
        ("NULL", "int", true),
        ("name", "nvarchar(20)", false),
        ("price", "decimal(10,2)", true),
        ("price + 1", "decimal(13,2)", true),
        ("price * price", "decimal(21,4)", true),
        ("price / 3", "decimal(21,13)", true),
        ("price * size", "float", true),
        ("id + 1", "int", false),
        ("id / 2", "int", true),
        ("id + '1'", "int", false),
        ("name + 'x'", "nvarchar(21)", false),
        ("name + N'x' + 'y'", "nvarchar(22)", false),
        ("@n + @d", "decimal(13,2)", true),
        ("@@ROWCOUNT", "int", false),
        ("COUNT(*)", "int", false),
        ("SUM(id)", "int", true),
        ("SUM(price)", "decimal(38,2)", true),
        ("AVG(price)", "decimal(38,6)", true),
        ("AVG(id)", "int", true),
        ("MIN(name)", "nvarchar(20)", true),
        ("CASE WHEN id = 1 THEN 1 ELSE 2.5 END", "decimal(11,1)", false),
        ("CASE WHEN id = 1 THEN 'a' END", "varchar(1)", true),
        ("COALESCE(price, 0)", "decimal(12,2)", false),
        ("ISNULL(price, 0)", "decimal(10,2)", false),
        ("CAST(name AS varchar(5))", "varchar(5)", false),
        ("CONVERT(nvarchar, id)", "nvarchar(30)", false),
        ("LEN(name)", "int", false),
        ("GETDATE()", "datetime", false),
        ("DATEADD(day, 1, at)", "datetime2(3)", true),
        ("DATEDIFF(day, at, at)", "int", true),
        ("(SELECT MAX(size) FROM t)", "float", true),
        ("ROW_NUMBER() OVER (ORDER BY id)", "bigint", false),
    ] {
        let compiled =
            query(&format!("SELECT {expression} FROM t")).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let column = &compiled.columns[0];
        assert_eq!((column.ty.to_string().as_str(), column.nullable), (ty, nullable), "{expression}");
    }
}

#[test]
fn names_and_joins() {
    let names = |sql: &str| query(sql).unwrap().columns.into_iter().map(|column| column.name).collect::<Vec<_>>();
    assert_eq!(names("SELECT ID, t.name, size AS s, p = price, 1 FROM t"), ["id", "name", "s", "p", ""]);
    assert_eq!(names("SELECT * FROM t AS a JOIN t AS b ON a.id = b.id").len(), 10);
    assert_eq!(names("SELECT b.* FROM t AS a CROSS JOIN t AS b").len(), 5);
    assert_eq!(names("WITH c (x, y) AS (SELECT id, name FROM t) SELECT * FROM c"), ["x", "y"]);
    assert_eq!(names("SELECT x.n FROM (SELECT COUNT(*) AS n FROM t) AS x"), ["n"]);
    let outer = query("SELECT b.id FROM t AS a LEFT JOIN t AS b ON a.id = b.id").unwrap();
    assert!(outer.columns[0].nullable && outer.columns[0].identity);
}

#[test]
fn invalid_queries_are_errors() {
    for (sql, number) in [
        ("SELECT * FROM nowhere", 208),
        ("SELECT nothing FROM t", 207),
        ("SELECT id FROM t AS a, t AS b", 209),
        ("SELECT x.id FROM t", 4104),
        ("SELECT @missing", 137),
        ("SELECT frobnicate(id) FROM t", 195),
        ("SELECT name - 1.5e0 + at FROM t", 8117),
        ("SELECT id FROM t UNION SELECT id, name FROM t", 205),
        ("SELECT id FROM t ORDER BY 2", 108),
        ("SELECT SUM(name) FROM t", 8117),
        ("SELECT (SELECT id, name FROM t)", 116),
        ("SELECT 1 FROM t WHERE id", 4145),
    ] {
        let error = query(sql).err().unwrap_or_else(|| panic!("{sql}"));
        assert_eq!(error.number, number, "{sql}: {error}");
    }
}

#[test]
fn parameters_take_the_type_of_their_context() {
    let sqlite = sqlite();
    let hints = |sql: &str| {
        let hints = compiling(&sqlite, true, |compiler| {
            match statement(sql) {
                Statement::Query(query) => drop(compiler.result(&query)?),
                Statement::Insert(one) => drop(insert(compiler, &one, |_| false)?),
                Statement::Update { table, assignments, from, selection, .. } => {
                    drop(update(compiler, &table, &assignments, from.as_ref(), selection.as_ref())?);
                }
                other => return Err(SqlError::unsupported(other)),
            }
            Ok(compiler.hints())
        });
        hints.unwrap().into_iter().map(|(name, ty)| format!("{name} {ty}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(hints("SELECT * FROM t WHERE price > @P1 AND name = @P2"), "@p1 decimal(10,2), @p2 nvarchar(20)");
    assert_eq!(hints("INSERT INTO t (name, at) VALUES (@P1, @P2)"), "@p1 nvarchar(20), @p2 datetime2(3)");
    assert_eq!(hints("UPDATE t SET size = @P1 WHERE id = @P2"), "@p1 float, @p2 int");
    assert_eq!(hints("SELECT id + @P1 FROM t WHERE id BETWEEN @P2 AND @P3"), "@p1 int, @p2 int, @p3 int");
}
