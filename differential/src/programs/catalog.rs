//! The catalog functions.

use crate::buffer::Text;
use crate::odbc::*;
use crate::session::{Connection, Setting, Statement};
use std::ptr::null_mut;

/// A name for a catalog function: none, or a text with its length.
struct Name(Option<Text>, i16);

impl Name {
    fn of(name: Option<&str>) -> Name {
        Name(name.map(Text::of), SQL_NTS)
    }

    fn p(&mut self) -> *mut WChar {
        self.0.as_mut().map_or(null_mut(), Text::p)
    }
}

/// All catalog functions with one set of names.
fn all(statement: &Statement, catalog: Option<&str>, schema: Option<&str>, table: Option<&str>, column: Option<&str>) {
    let handle = statement.handle;
    let [mut c, mut s, mut t, mut n, mut empty] = [catalog, schema, table, column, None].map(Name::of);
    let (cp, cl, sp, sl, tp, tl, np, nl) = (c.p(), c.1, s.p(), s.1, t.p(), t.1, n.p(), n.1);
    let none = empty.p();
    let show = |_code: Return| statement.results(60);
    show(SQLTablesW(handle, cp, cl, sp, sl, tp, tl, none, 0));
    show(SQLColumnsW(handle, cp, cl, sp, sl, tp, tl, np, nl));
    show(SQLPrimaryKeysW(handle, cp, cl, sp, sl, tp, tl));
    show(SQLForeignKeysW(handle, cp, cl, sp, sl, tp, tl, none, 0, none, 0, none, 0));
    show(SQLForeignKeysW(handle, none, 0, none, 0, none, 0, cp, cl, sp, sl, tp, tl));
    for unique in [0, 1] {
        show(SQLStatisticsW(handle, cp, cl, sp, sl, tp, tl, unique, 0));
    }
    for kind in [1, 2] {
        show(SQLSpecialColumnsW(handle, kind, cp, cl, sp, sl, tp, tl, 0, 1));
    }
    show(SQLTablePrivilegesW(handle, cp, cl, sp, sl, tp, tl));
    show(SQLColumnPrivilegesW(handle, cp, cl, sp, sl, tp, tl, np, nl));
    show(SQLProceduresW(handle, cp, cl, sp, sl, tp, tl));
    show(SQLProcedureColumnsW(handle, cp, cl, sp, sl, tp, tl, np, nl));
}

fn prepared(setting: &Setting) -> (Connection, Statement) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    connection.execute(&[
        "DROP TABLE parts",
        "CREATE TABLE parts (item int NOT NULL, part int NOT NULL, PRIMARY KEY (item, part), FOREIGN KEY (item) REFERENCES items (id))",
    ]);
    let statement = connection.statement();
    (connection, statement)
}

fn clean(connection: Connection, statement: Statement) {
    drop(statement);
    connection.execute(&["DROP TABLE parts"]);
}

pub fn names(setting: &Setting) {
    let (connection, statement) = prepared(setting);
    let target = setting.target;
    let (catalog, schema) = (Some(&*setting.catalog), Some(target.schema));
    all(&statement, catalog, schema, Some("items"), None);
    all(&statement, None, None, Some("items"), Some("name"));
    all(&statement, None, schema, Some("part_"), Some("%"));
    all(&statement, Some(""), Some(""), Some("nothing"), Some("nothing"));
    all(&statement, Some("nothing"), None, Some("items"), None);
    all(&statement, None, None, None, None);
    // SQL_ATTR_METADATA_ID: names are identifiers, not patterns.
    statement.set(10014, 1);
    all(&statement, catalog, schema, Some("ITEMS"), Some("id"));
    all(&statement, catalog, schema, Some("part_"), None);
    clean(connection, statement);
}

pub fn lists(setting: &Setting) {
    let (connection, statement) = prepared(setting);
    let tables = |catalog: &str, schema: &str, table: &str, types: &str| {
        let [mut catalog, mut schema, mut table, mut types] = [catalog, schema, table, types].map(Text::of);
        let n = SQL_NTS;
        SQLTablesW(statement.handle, catalog.p(), n, schema.p(), n, table.p(), n, types.p(), n);
        statement.results(60);
    };
    tables("%", "", "", "");
    tables("", "%", "", "");
    tables("", "", "", "%");
    tables("", "", "items", "TABLE");
    tables("%", "%", "items", "'TABLE','VIEW'");
    tables("%", "%", "items", "VIEW");
    // The length of a part of the name, and invalid lengths.
    let mut name = Text::of("itemsandmore");
    for length in [5, 0, -1, -4] {
        SQLColumnsW(statement.handle, null_mut(), 0, null_mut(), 0, name.p(), length, null_mut(), 0);
        statement.results(60);
    }
    clean(connection, statement);
}

pub fn types(setting: &Setting) {
    for version in [2, 3, 380] {
        let connection = Connection::new(version);
        connection.connect(&setting.with(&[]));
        let statement = connection.statement();
        for sql_type in
            (-11..=12).chain([91, 92, 93, 9, 10, 11, 101, 113, -95, -150, -151, -152, -153, -154, -155, 777])
        {
            SQLGetTypeInfoW(statement.handle, sql_type);
            statement.results(60);
        }
    }
}
