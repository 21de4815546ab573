//! What the target can be sent: the keywords of the loopback form that each driver knows.
//!
//! A driver answers an unknown keyword with a warning (01S00), and a driver for another kind of server may misinterpret
//! it. So discovered values and the constants of the form are sent only to a driver that knows them. Values from the
//! application, the environment and the DSN section are passed on in any case.

use super::{CLIENT_CERTIFICATE, CLIENT_KEY, ENCRYPT, Slot, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION};
use crate::loopback::connection_string::Text;
use crate::loopback::failure::{Failure, Sqlstate};
use crate::world::Platform;

/// The driver that messages and examples name.
pub const USUAL: &str = "ODBC Driver 18 for SQL Server";
/// The driver that comes with Windows.
pub const OF_WINDOWS: &str = "SQL Server";

/// How well a Microsoft driver suits a loopback connection, by the name that its installer registers: the newer, the
/// better. None for any other name, and for a driver that cannot log in as the platform's form requires.
pub fn rank(name: &str, platform: Platform) -> Option<u32> {
    let name = name.to_ascii_lowercase();
    let number = name.strip_prefix("odbc driver ").and_then(|rest| rest.strip_suffix(" for sql server"));
    let rank = match number {
        Some(number) => number.parse().ok()?,
        None if name.starts_with("sql server native client ") => 1,
        None if name == "sql server" => 0,
        None => return None,
    };
    (platform == Platform::Windows || rank >= FIRST_WITH_CERTIFICATES[0]).then_some(rank)
}

/// The first version of Microsoft's driver that logs in with a client certificate. Microsoft writes it 17.4.1.1.
const FIRST_WITH_CERTIFICATES: [u32; 3] = [17, 4, 1];

/// A driver, identified by what it reports or by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    family: Family,
    /// SQL_DRIVER_NAME, which is the name of its file, or its registered name.
    name: Text,
    /// SQL_DRIVER_VER, such as 18.06.0002; empty if unknown.
    version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Microsoft ODBC Driver 11 and later for SQL Server.
    Msodbcsql(u32),
    NativeClient,
    /// "SQL Server", which comes with Windows.
    Sqlsrv32,
    Other,
}

impl Family {
    /// From a registered name or a file name: `libmsodbcsql-18.6.so.2.1`, `msodbcsql17.dll`, `sqlncli11.dll`.
    fn of(name: &str) -> Family {
        let name = name.to_ascii_lowercase();
        let number = |rest: &str| {
            let digits = rest.trim_start_matches('-');
            let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
            digits[..end].parse().ok()
        };
        let behind = |mark: &str| name.find(mark).map(|start| &name[start + mark.len()..]);
        if let Some(version) = behind("msodbcsql").or_else(|| behind("odbc driver ")).and_then(number) {
            Family::Msodbcsql(version)
        } else if name.contains("sqlncli") || name.contains("sql server native client") {
            Family::NativeClient
        } else if name.contains("sqlsrv32") || name == "sql server" {
            Family::Sqlsrv32
        } else {
            Family::Other
        }
    }
}

impl Kind {
    /// From SQL_DRIVER_NAME and SQL_DRIVER_VER.
    pub fn new(name: &str, version: &str) -> Kind {
        Kind { family: Family::of(name), name: Text::new(name), version: version.to_owned() }
    }

    /// Whether this is one of Microsoft's drivers. The loopback form means nothing to others.
    pub fn is_microsofts(&self) -> bool {
        self.family != Family::Other
    }

    /// Whether the driver can be sent a keyword of the form.
    ///
    /// Sources: Microsoft's "DSN and Connection String Keywords and Attributes" and "Using Connection String Keywords
    /// with SQL Server Native Client"; for the driver that comes with Windows, its own documentation,
    /// "SQLConfigDataSource".
    pub fn knows(&self, slot: Slot) -> bool {
        let known: &[Slot] = match self.family {
            Family::Msodbcsql(17..) => {
                &[CLIENT_CERTIFICATE, CLIENT_KEY, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT]
            }
            Family::Msodbcsql(_) | Family::NativeClient => &[TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, ENCRYPT],
            Family::Sqlsrv32 => &[TRUSTED_CONNECTION],
            Family::Other => &[],
        };
        known.contains(&slot)
    }

    /// Whether the driver encrypts if no source sets `Encrypt`.
    pub fn encrypts_by_default(&self) -> bool {
        matches!(self.family, Family::Msodbcsql(18..))
    }

    /// # Errors
    /// 08001, with the version found, for a driver that cannot log in with a certificate. A driver that does not report
    /// its version passes.
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
                 certificate. The target is {self}. Install a later version. If several are installed, select one \
                 with TargetDriver in this driver's section of odbcinst.ini."
            ),
        ))
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.version.as_str() {
            "" => write!(formatter, "{}", self.name),
            version => write!(formatter, "{} {version}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_driver_knows_its_keywords() {
        for (name, certificate, trust, trusted, encrypts) in [
            ("libmsodbcsql-18.6.so.2.1", true, true, true, true),
            ("msodbcsql18.dll", true, true, true, true),
            ("ODBC Driver 18 for SQL Server", true, true, true, true),
            ("libmsodbcsql-19.0.so.1.1", true, true, true, true),
            ("libmsodbcsql-17.10.so.6.1", true, true, true, false),
            ("MSODBCSQL17.DLL", true, true, true, false),
            ("odbc driver 17 FOR SQL server", true, true, true, false),
            ("libmsodbcsql-13.1.so.9.2", false, true, true, false),
            ("msodbcsql11.dll", false, true, true, false),
            ("ODBC Driver 11 for SQL Server", false, true, true, false),
            ("sqlncli11.dll", false, true, true, false),
            ("SQL Server Native Client 11.0", false, true, true, false),
            ("SQLSRV32.DLL", false, false, true, false),
            ("SQL Server", false, false, true, false),
            ("psqlodbcw.so", false, false, false, false),
            ("libtdsodbc.so", false, false, false, false),
            ("PostgreSQL Unicode", false, false, false, false),
            ("MySQL ODBC driver for SQL Server", false, false, false, false),
            ("", false, false, false, false),
        ] {
            let kind = Kind::new(name, "");
            let known = (kind.knows(CLIENT_CERTIFICATE), kind.knows(TRUST_SERVER_CERTIFICATE));
            assert_eq!(known, (certificate, trust), "{name}");
            assert_eq!((kind.knows(CLIENT_KEY), kind.knows(ENCRYPT)), (certificate, trust), "{name}");
            assert_eq!((kind.knows(TRUSTED_CONNECTION), kind.is_microsofts()), (trusted, trusted), "{name}");
            assert_eq!(kind.encrypts_by_default(), encrypts, "{name}");
        }
    }

    #[test]
    fn the_newest_of_microsoft_s_drivers_is_the_best() {
        let best_first = |names: &[&'static str], platform| {
            let mut names: Vec<_> = names.iter().filter_map(|name| Some((rank(name, platform)?, *name))).collect();
            names.sort_by_key(|&(rank, _)| std::cmp::Reverse(rank));
            names.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        let names = [
            "SQL Server",
            "ODBC Driver 13 for SQL Server",
            "ODBC Driver 100 for SQL Server",
            "SQL Server Native Client 11.0",
            "SQL Server Loopback",
            "odbc driver 17 FOR SQL server",
            "ODBC Driver 19 for SQL Server",
            "My ODBC Driver 18 for SQL Server",
            "ODBC Driver for SQL Server",
            "PostgreSQL Unicode",
        ];
        let newest =
            ["ODBC Driver 100 for SQL Server", "ODBC Driver 19 for SQL Server", "odbc driver 17 FOR SQL server"];
        assert_eq!(best_first(&names, Platform::Linux), newest);
        let older = ["ODBC Driver 13 for SQL Server", "SQL Server Native Client 11.0", "SQL Server"];
        assert_eq!(best_first(&names, Platform::Windows), [newest, older].concat());
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
                let found = format!("The target is {name} {version}.");
                assert!(failure.text.contains(&found) && failure.text.contains("17.4.1.1"), "{}", failure.text);
            }
        }
    }
}
