//! Ways to connect, ways to fail, and the state after the server goes away.

use crate::buffer::{Buffer, Text};
use crate::note;
use crate::odbc::*;
use crate::session::{Connection, Setting};
use crate::transcript::unwritten;
use std::process::Command;
use std::ptr::null_mut;
use std::thread;
use std::time::{Duration, Instant};

fn check(connection: &Connection) {
    let statement = connection.statement();
    statement.direct("SELECT 'connected'");
    statement.results(1);
}

pub fn driver_connect(setting: &Setting) {
    let connection = Connection::new(3);
    let mut string = Text::of(&setting.with(&[]));
    // Several times on one handle: with room for all of the completed string, for some of it, and for nothing.
    for (capacity, completion) in [(1024, 0), (1024, 1), (1024, 3), (20, 0), (5, 0), (1, 0), (0, 0)] {
        let (mut buffer, mut length) = (Text::new(1024), -77);
        let n = SQL_NTS;
        SQLDriverConnectW(connection.handle, null_mut(), string.p(), n, buffer.p(), capacity, &mut length, completion);
        check(&connection);
        SQLDisconnect(connection.handle);
    }
    SQLDriverConnectW(connection.handle, null_mut(), string.p(), SQL_NTS, null_mut(), 0, null_mut(), 0);
    check(&connection);
    SQLDisconnect(connection.handle);
    for (n, completion) in [(-4, 0), (SQL_NTS, 9)] {
        let mut buffer = Text::new(100);
        SQLDriverConnectW(connection.handle, null_mut(), string.p(), n, buffer.p(), 100, null_mut(), completion);
        SQLDisconnect(connection.handle);
    }
    connection.connect(&setting.by_driver());
    check(&connection);
}

/// A program of its own, because some drivers connect anyway, and the connection must then be closed.
pub fn negative_buffer_length(setting: &Setting) {
    let connection = Connection::new(3);
    let (mut string, mut buffer) = (Text::of(&setting.with(&[])), Text::new(100));
    SQLDriverConnectW(connection.handle, null_mut(), string.p(), SQL_NTS, buffer.p(), -1, null_mut(), 0);
}

pub fn connect(setting: &Setting) {
    let connection = Connection::new(3);
    let [mut source, mut user, mut password, mut wrong] =
        [&*setting.data_source, &*setting.user, &*setting.password, "wrong"].map(Text::of);
    let n = SQL_NTS;
    SQLConnectW(connection.handle, source.p(), n, user.p(), n, password.p(), n);
    check(&connection);
    SQLConnectW(connection.handle, source.p(), n, user.p(), n, password.p(), n);
    SQLDisconnect(connection.handle);
    let (user_length, password_length) = (setting.user.len() as i16, setting.password.len() as i16);
    let source_length = setting.data_source.len() as i16;
    SQLConnectW(connection.handle, source.p(), source_length, user.p(), user_length, password.p(), password_length);
    check(&connection);
    SQLDisconnect(connection.handle);
    // Not this user's name: a server may lock a login after some wrong passwords.
    SQLConnectW(connection.handle, source.p(), n, wrong.p(), n, wrong.p(), n);
    SQLConnectW(connection.handle, wrong.p(), n, user.p(), n, password.p(), n);
    SQLConnectW(connection.handle, source.p(), -7, user.p(), n, password.p(), n);
    SQLConnectW(connection.handle, source.p(), n, user.p(), -7, password.p(), n);
    SQLConnectW(connection.handle, source.p(), n, user.p(), n, password.p(), -7);
}

pub fn browse_connect(setting: &Setting) {
    // unixODBC's SQLBrowseConnect writes the string anew, and gives every driver another password.
    if setting.password.contains('}') {
        return;
    }
    let connection = Connection::new(3);
    connection.set(SQL_ATTR_LOGIN_TIMEOUT, 1);
    let (mut string, mut buffer, mut length) = (Text::of(&setting.with(&[])), Text::new(1024), -77);
    let code = SQLBrowseConnectW(connection.handle, string.p(), SQL_NTS, buffer.p(), buffer.capacity(), &mut length);
    note!("browsed: {code}");
}

pub fn refused(setting: &Setting) {
    for version in [2, 3] {
        let connection = Connection::new(version);
        connection.set(SQL_ATTR_LOGIN_TIMEOUT, 1);
        // Never a wrong password with the user's own name: a server may lock the login.
        connection.connect(&setting.with(&[("UID", "nobody"), ("PWD", "wrong")]));
        connection.connect(&setting.with(&[("UID", "somebody"), ("PWD", "wrong")]));
        connection.connect(&setting.with(&[("Database", "nowhere")]));
        connection.connect(&setting.with(&[("Nonsense", "1")]));
        SQLDisconnect(connection.handle);
        let start = Instant::now();
        connection.connect(&setting.with(setting.target.nowhere));
        note!("soon: {}", start.elapsed() < Duration::from_secs(15));
        connection.connect("DSN=nowhere");
        connection.connect("");
        // The same handle still works.
        connection.connect(&setting.with(&[("Database", setting.target.other_database)]));
        check(&connection);
    }
}

/// The last program: the server goes away while there are connections.
pub fn lost(setting: &Setting) {
    let connection = setting.connect();
    let statement = connection.statement();
    connection.get(SQL_ATTR_CONNECTION_DEAD);
    let (program, arguments) = setting.stop_server.split_first().expect("a program that ends the server");
    note!("ended: {:?}", Command::new(program).args(arguments).status().map(|status| status.success()).ok());
    // Waits until the system tells the connection, and the driver reports the loss. The first failure may still contain
    // the server's last message, and psqlodbc changes its state with each failure. Uses another statement than the one
    // that is compared, which would remember its last success.
    let probe = connection.statement();
    let start = Instant::now();
    let mut failed = 0;
    let is_dead = || {
        let mut dead = [0u32; 2];
        let value = dead.as_mut_ptr().cast();
        let code = SQLGetConnectAttrW(connection.handle, SQL_ATTR_CONNECTION_DEAD, value, 8, null_mut());
        succeeded(code) && dead[0] == 1
    };
    while (failed < 2 || failed < 8 && !unwritten(is_dead)) && start.elapsed() < Duration::from_secs(20) {
        failed += i32::from(!succeeded(unwritten(|| probe.direct("SELECT 1"))));
        unwritten(|| probe.close());
        thread::sleep(Duration::from_millis(20));
    }
    drop(probe);
    connection.get(SQL_ATTR_CONNECTION_DEAD);
    statement.direct("SELECT 2");
    statement.prepare("SELECT 3");
    SQLExecute(statement.handle);
    SQLEndTran(SQL_HANDLE_DBC, connection.handle, SQL_COMMIT);
    let (mut value, mut length) = (Buffer::new(100), -77);
    SQLGetInfoW(connection.handle, 17, value.p(), 100, &mut length);
    note!("  {}", value.shown());
    connection.get(SQL_ATTR_CONNECTION_DEAD);
    if setting.target.frees_and_fails {
        unwritten(|| drop(statement));
    } else {
        drop(statement);
    }
    SQLDisconnect(connection.handle);
    connection.set(SQL_ATTR_LOGIN_TIMEOUT, 1);
    connection.connect(&setting.with(&[]));
}
