//! Manual commit, and the end of transactions by connection and by environment.

use crate::odbc::*;
use crate::session::{Connection, Setting, allocate};

fn count(connection: &Connection) {
    let statement = connection.statement();
    statement.direct("SELECT COUNT(*) FROM items");
    statement.results(2);
}

fn insert(connection: &Connection, id: i32) {
    connection.execute(&[&format!("INSERT INTO items (id) VALUES ({id})")]);
}

pub fn ends(setting: &Setting) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_COMMIT);
    connection.set(SQL_ATTR_AUTOCOMMIT, 0);
    for (kind, handle, completion) in [
        (SQL_HANDLE_DBC, connection.handle, SQL_ROLLBACK),
        (SQL_HANDLE_DBC, connection.handle, SQL_COMMIT),
        (SQL_HANDLE_ENV, connection.environment, SQL_ROLLBACK),
        (SQL_HANDLE_ENV, connection.environment, SQL_COMMIT),
        (SQL_HANDLE_DBC, connection.handle, 9),
        (SQL_HANDLE_STMT, connection.handle, SQL_COMMIT),
    ] {
        insert(&connection, 60);
        insert(&connection, 61);
        count(&connection);
        SQLEndTran(kind, handle, completion);
        count(&connection);
        connection.execute(&["DELETE FROM items WHERE id >= 60"]);
        SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_COMMIT);
    }
    // The state after an error, the effect of autocommit on an open transaction, and a cursor across its end.
    insert(&connection, 62);
    insert(&connection, 1);
    count(&connection);
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_ROLLBACK);
    insert(&connection, 63);
    connection.set(SQL_ATTR_AUTOCOMMIT, 1);
    count(&connection);
    connection.set(SQL_ATTR_AUTOCOMMIT, 0);
    let statement = connection.statement();
    statement.direct("SELECT id FROM items ORDER BY id");
    SQLFetch(statement.handle);
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_COMMIT);
    SQLFetch(statement.handle);
    statement.close();
    statement.prepare("SELECT id FROM items WHERE id < 3 ORDER BY id");
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_COMMIT);
    SQLExecute(statement.handle);
    statement.results(3);
    drop(statement);
    // Left open: some drivers refuse this.
    insert(&connection, 64);
    SQLDisconnect(connection.handle);
    connection.set(SQL_ATTR_TXN_ISOLATION, 8);
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_ROLLBACK);
}

pub fn environment_with_several(setting: &Setting) {
    let connection = setting.connect();
    connection.execute(setting.target.items);
    // A second connection in the same environment, and a third that is not open.
    let mut second =
        Connection { environment: connection.environment, handle: allocate(SQL_HANDLE_DBC, connection.environment) };
    let third = allocate(SQL_HANDLE_DBC, connection.environment);
    second.connect(&setting.with(&[]));
    connection.set(SQL_ATTR_AUTOCOMMIT, 0);
    second.set(SQL_ATTR_AUTOCOMMIT, 0);
    insert(&connection, 70);
    SQLEndTran(SQL_HANDLE_ENV, connection.environment, SQL_ROLLBACK);
    insert(&second, 71);
    SQLEndTran(SQL_HANDLE_ENV, connection.environment, SQL_COMMIT);
    count(&connection);
    SQLEndTran(SQL_HANDLE_ENV, connection.environment, SQL_COMMIT);
    SQLFreeHandle(SQL_HANDLE_DBC, third);
    // The environment is freed with the first connection.
    second.environment = std::ptr::null_mut();
}
