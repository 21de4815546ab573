//! What the target can be sent: which keywords of the loopback form each driver knows.
//!
//! A driver answers a keyword that it does not know with a warning (01S00), and one for another kind of server may take it
//! for something else. So each is sent only what it knows; what the application and the DSN section say goes through
//! whatever it is.

use super::{CLIENT_CERTIFICATE, CLIENT_KEY, ENCRYPT, Slot, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION};
use crate::failure::{Failure, Sqlstate};
use std::path::Path;

/// What kind of driver the target is, by what it says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// SQL_DRIVER_NAME: the name of its file.
    name: String,
    /// SQL_DRIVER_VER, such as 18.06.0002.
    version: String,
}

/// Keywords and the drivers that know them, by what is in the name of their files.
///
/// Sources: Microsoft's "DSN and Connection String Keywords and Attributes" and "Using Connection String Keywords with SQL
/// Server Native Client"; for the driver that comes with Windows its own documentation, "SQLConfigDataSource".
const KNOWN: [(&[&str], &[Slot]); 3] = [
    (
        &["msodbcsql-18", "msodbcsql18", "msodbcsql-17", "msodbcsql17"],
        &[CLIENT_CERTIFICATE, CLIENT_KEY, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT],
    ),
    (
        &["msodbcsql-13", "msodbcsql13", "msodbcsql-11", "msodbcsql11", "sqlncli"],
        &[TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT],
    ),
    (&["sqlsrv32"], &[TRUSTED_CONNECTION]),
];

/// The names that Microsoft's installers register, best first, and the files behind them.
pub const NAMES: [(&str, &str); 6] = [
    ("ODBC Driver 18 for SQL Server", "msodbcsql18"),
    ("ODBC Driver 17 for SQL Server", "msodbcsql17"),
    ("ODBC Driver 13 for SQL Server", "msodbcsql13"),
    ("ODBC Driver 11 for SQL Server", "msodbcsql11"),
    ("SQL Server Native Client 11.0", "sqlncli11"),
    ("SQL Server", "sqlsrv32"),
];

/// The first version of Microsoft's driver that logs in with a client certificate, which Microsoft writes 17.4.1.1.
const FIRST_WITH_CERTIFICATES: [u32; 3] = [17, 4, 1];

impl Kind {
    /// By SQL_DRIVER_NAME and SQL_DRIVER_VER.
    pub fn new(name: &str, version: &str) -> Kind {
        Kind { name: name.to_owned(), version: version.to_owned() }
    }

    /// By the name that a driver is registered under, or by its file's where that is another; the version is not known.
    pub fn registered_as(name: Option<&str>, library: &Path) -> Kind {
        let known = NAMES.iter().find(|(known, _)| name.is_some_and(|name| name.eq_ignore_ascii_case(known)));
        let file = || library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Kind { name: known.map_or_else(file, |(_, file)| (*file).to_owned()), version: String::new() }
    }

    fn keywords(&self) -> Option<&'static [Slot]> {
        let name = self.name.to_ascii_lowercase();
        let found = KNOWN.iter().find(|(parts, _)| parts.iter().any(|part| name.contains(part)));
        found.map(|(_, keywords)| *keywords)
    }

    /// Whether this is one of Microsoft's drivers; to others the loopback form means nothing.
    pub fn is_for_sql_server(&self) -> bool {
        self.keywords().is_some()
    }

    /// Whether it can be sent a keyword of the form.
    pub fn knows(&self, slot: Slot) -> bool {
        self.keywords().is_some_and(|known| known.contains(&slot))
    }

    /// Whether `Encrypt` is yes where nobody says otherwise: from version 18 on.
    pub fn encrypts_by_default(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        name.contains("msodbcsql-18") || name.contains("msodbcsql18")
    }

    /// # Errors
    /// 08001 for a driver that cannot log in with a certificate, with the version found. One that does not say its version
    /// is left to find out itself.
    pub fn must_know_certificates(&self) -> Result<(), Failure> {
        let numbers: Vec<u32> = self.version.split('.').map_while(|part| part.parse().ok()).collect();
        let is_enough = self.version.is_empty() || numbers.as_slice() >= FIRST_WITH_CERTIFICATES.as_slice();
        if self.knows(CLIENT_CERTIFICATE) && is_enough {
            return Ok(());
        }
        Err(Failure::new(
            Sqlstate::UNABLE_TO_CONNECT,
            format!(
                "A loopback connection needs Microsoft's ODBC driver 17.4.1.1 or later, which can log in with a client \
                 certificate. The target is version {} ({}). Install a later one; if several are there, name it with \
                 TargetDriver in this driver's section of odbcinst.ini.",
                self.version, self.name
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_driver_knows_its_keywords() {
        for (name, certificate, trust, trusted, is_microsoft_s) in [
            ("libmsodbcsql-18.6.so.2.1", true, true, true, true),
            ("msodbcsql18.dll", true, true, true, true),
            ("libmsodbcsql-17.10.so.6.1", true, true, true, true),
            ("MSODBCSQL17.DLL", true, true, true, true),
            ("libmsodbcsql-13.1.so.9.2", false, true, true, true),
            ("msodbcsql11.dll", false, true, true, true),
            ("sqlncli11.dll", false, true, true, true),
            ("SQLSRV32.DLL", false, false, true, true),
            ("psqlodbcw.so", false, false, false, false),
            ("libtdsodbc.so", false, false, false, false),
            ("", false, false, false, false),
        ] {
            let driver = Kind::new(name, "");
            let known = (driver.knows(CLIENT_CERTIFICATE), driver.knows(TRUST_SERVER_CERTIFICATE));
            assert_eq!(known, (certificate, trust), "{name}");
            assert_eq!(driver.knows(CLIENT_KEY), certificate, "{name}");
            assert_eq!(driver.knows(ENCRYPT), trust, "{name}");
            assert_eq!(driver.knows(TRUSTED_CONNECTION), trusted, "{name}");
            assert_eq!(driver.is_for_sql_server(), is_microsoft_s, "{name}");
        }
    }

    #[test]
    fn a_registered_name_says_which_driver_it_is_and_else_its_file_does() {
        for (name, library, knows) in [
            (Some("ODBC Driver 17 for SQL Server"), "/x.so", true),
            (Some("odbc driver 18 FOR SQL Server"), "", true),
            (Some("Mine"), "/opt/lib64/libmsodbcsql-18.6.so.2.1", true),
            (None, "/opt/lib64/libmsodbcsql-17.10.so.6.1", true),
            (Some("ODBC Driver 13 for SQL Server"), "/x.so", false),
            (Some("SQL Server"), "/x.so", false),
            (Some("PostgreSQL Unicode"), "psqlodbcw.so", false),
        ] {
            let kind = Kind::registered_as(name, Path::new(library));
            assert_eq!(kind.knows(CLIENT_CERTIFICATE), knows, "{name:?} {library}");
        }
        assert!(NAMES.iter().all(|(name, _)| Kind::registered_as(Some(name), Path::new("")).is_for_sql_server()));
    }

    #[test]
    fn certificates_need_a_driver_of_17_4_1_1_or_later() {
        for (name, version, enough) in [
            ("libmsodbcsql-18.6.so.2.1", "18.06.0002", true),
            ("libmsodbcsql-17.4.so.1.1", "17.04.0001", true),
            ("libmsodbcsql-17.10.so.6.1", "17.10.0006", true),
            ("libmsodbcsql-17.3.so.1.1", "17.03.0001", false),
            ("libmsodbcsql-17.4.so.0.1", "17.04.0000", false),
            ("msodbcsql13.dll", "13.03.6300", false),
            ("libmsodbcsql-17.so", "", true),
            ("psqlodbcw.so", "99.00.0000", false),
        ] {
            let judged = Kind::new(name, version).must_know_certificates();
            assert_eq!(judged.is_ok(), enough, "{name} {version}");
            if let Err(failure) = judged {
                assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
                assert!(failure.text.contains(version) && failure.text.contains("17.4.1.1"), "{}", failure.text);
            }
        }
    }
}
