//! The log: one line for each attempt to log in, and for each connection that breaks the rules.
//!
//! Its form is described in the help text, because tests and people search in it.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

/// Appends lines to a file, or to nothing.
pub struct Log(Option<File>);

/// One attempt to log in.
pub struct Attempt<'a> {
    /// The error that refused it.
    pub refused: Option<i32>,
    pub prelogin_encryption: u8,
    /// `none`, `session` or `other`.
    pub client_certificate: &'static str,
    pub user: &'a str,
    pub database: &'a str,
    pub application: &'a str,
    pub driver: &'a str,
    pub host: &'a str,
    pub server: &'a str,
    pub peer: SocketAddr,
}

impl Log {
    pub fn open(path: Option<&Path>) -> io::Result<Log> {
        let file = path.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()?;
        Ok(Log(file))
    }

    pub fn attempt(&self, attempt: &Attempt<'_>) {
        let Attempt {
            refused,
            prelogin_encryption,
            client_certificate,
            user,
            database,
            application,
            driver,
            host,
            server,
            peer,
        } = attempt;
        let result = refused.map_or("result=ok".to_owned(), |number| format!("result=refused error={number}"));
        // `{:?}` quotes, and keeps a line one line whatever the client sent.
        self.line(format_args!(
            "login {result} prelogin_encryption={prelogin_encryption:#04x} client_certificate={client_certificate} user={user:?} \
             database={database:?} application={application:?} driver={driver:?} host={host:?} server={server:?} peer=\"{peer}\""
        ));
    }

    /// A connection that ended otherwise than by the client closing it.
    pub fn broken(&self, peer: SocketAddr, reason: impl Display) {
        self.line(format_args!("connection result=broken peer=\"{peer}\" reason={:?}", reason.to_string()));
    }

    /// Written in one piece: other processes may write to the same file.
    fn line(&self, line: impl Display) {
        if let Some(mut file) = self.0.as_ref() {
            // A log that cannot be written must not end a session.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
