//! The log: one line for each attempt to log in, and for each connection that breaks the protocol.
//!
//! The help text describes its format, because tests and people search in it.

use std::fmt::{self, Display, Formatter};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

use crate::wire::login::Login;

/// Bytes as hexadecimal digits.
struct Bytes<'a>(&'a [u8]);

impl Display for Bytes<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Appends lines to a file, or to nothing.
pub struct Log(Option<File>);

/// One attempt to log in.
pub struct Attempt<'a> {
    /// The error that refused it.
    pub refused: Option<i32>,
    pub prelogin_encryption: u8,
    pub mars: bool,
    /// `none`, `session` or `other`.
    pub client_certificate: &'static str,
    pub login: &'a Login,
    pub peer: SocketAddr,
}

impl Log {
    pub fn open(path: Option<&Path>) -> io::Result<Log> {
        let file = path.map(|path| OpenOptions::new().create(true).append(true).open(path)).transpose()?;
        Ok(Log(file))
    }

    pub fn attempt(&self, attempt: &Attempt<'_>) {
        let Attempt { refused, prelogin_encryption, mars, client_certificate, login, peer } = attempt;
        let Login { user, database, application, library, host, server, language, attach, sspi, .. } = login;
        let result = refused.map_or("result=ok".to_owned(), |number| format!("result=refused error={number}"));
        let (flags, features) = (Bytes(&login.flags), Bytes(&login.features));
        let (mars, packet_size) = (u8::from(*mars), login.packet_size);
        // `{:?}` quotes, and keeps a line one line whatever the client sent.
        self.line(format_args!(
            "login {result} prelogin_encryption={prelogin_encryption:#04x} client_certificate={client_certificate} user={user:?} \
             database={database:?} application={application:?} driver={library:?} host={host:?} server={server:?} mars={mars} \
             sspi={sspi} packet_size={packet_size} language={language:?} attach={attach:?} flags={flags} features={features} \
             peer=\"{peer}\""
        ));
    }

    /// A connection that did not end by the client closing it.
    pub fn broken(&self, peer: SocketAddr, reason: impl Display) {
        self.line(format_args!("connection result=broken peer=\"{peer}\" reason={:?}", reason.to_string()));
    }

    /// Written in one piece, because other processes may write to the same file.
    fn line(&self, line: impl Display) {
        if let Some(mut file) = self.0.as_ref() {
            // A failure to write the log must not end a session.
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
