//! What an error from the driver or the server means for a loopback connection.
//!
//! A hint is appended to the driver's own text in the record that programs see first, because many show only that one.
//! Only loopback connections get hints, and only when the cause is known.

use crate::loopback::connection_string::Attribute;
use crate::loopback::failure::{MOST_UNITS, PREFIX, cut};
use crate::loopback::{Rewritten, SERVER, SERVER_VARIABLE, Slot, USER, is_any};
use crate::world::Platform;
use std::cmp::Reverse;

/// A diagnostic record of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRecord {
    /// The SQLSTATE.
    pub state: [u8; 5],
    /// The server's error number, if the server reported the error.
    pub native_error: i32,
    pub text: String,
}

/// SQL Server's "Cannot open database".
const NO_DATABASE: i32 = 4060;

/// SQL Server's "Login failed for user".
const LOGIN_FAILED: i32 = 18456;

/// The name in a session's certificate. A server that does not know the session takes it for a user name.
const NAME_IN_CERTIFICATE: &str = "'Microsoft Corporation'";

/// The hint for a connect that failed with these records, and the SQLSTATE of the record that it explains. unixODBC
/// sorts records by SQLSTATE, and the hint must stay after that record.
pub fn hint(given: &Rewritten, records: &[TargetRecord]) -> Option<([u8; 5], String)> {
    if given.is_of_other_system {
        return records.first().map(|first| (first.state, OTHER_SYSTEM.to_owned()));
    }
    // A login that fails because the database does not exist says nothing about the login.
    let explained = records.iter().filter(|record| {
        record.native_error != LOGIN_FAILED || records.iter().all(|it| it.native_error != NO_DATABASE)
    });
    explained.into_iter().find_map(|record| Some((record.state, explain(given, record)?)))
}

/// The record that a program sees first, and its number. unixODBC sorts a connection's records by SQLSTATE, the highest
/// first, and keeps the order of equal ones; on Windows they stay in the driver's order.
pub fn shown_first(records: &[TargetRecord], platform: Platform) -> Option<(i16, &TargetRecord)> {
    let is_sorted = platform == Platform::Linux;
    let place = |&(number, record): &(i16, &TargetRecord)| (is_sorted.then_some(Reverse(record.state)), number);
    (1..).zip(records).min_by_key(place)
}

/// The text of the driver's record, followed by as much of the hint as fits into one record, and whether that is the
/// whole hint. None if the driver's text leaves no room.
pub fn behind(record: &TargetRecord, hint: &str) -> Option<(String, bool)> {
    let start = format!("{} {PREFIX}", record.text);
    let room = MOST_UNITS.checked_sub(start.encode_utf16().count()).filter(|&room| room >= LEAST_ROOM)?;
    let (piece, rest) = cut(hint, room);
    Some((start + &piece, rest.is_empty()))
}

/// With fewer code units a hint would be useless.
const LEAST_ROOM: usize = 60;

const OTHER_SYSTEM: &str = "This is the Windows form of a loopback connection. On Linux the driver then needs a server on this \
    machine and a Kerberos ticket. Remove Server and Trusted_Connection: the library then discovers the server and the \
    session's certificate.";

fn find<'s>(string: &'s [Attribute<'static>], slot: Slot) -> Option<&'s Attribute<'static>> {
    string.iter().find(|attribute| is_any(attribute, slot))
}

fn explain(given: &Rewritten, record: &TargetRecord) -> Option<String> {
    let string = &given.target;
    let says = |words: &str| record.text.contains(words);
    // If only the section sets the server, the driver read it there.
    let server = || find(string, SERVER).map_or("the server of the DSN section".to_owned(), ToString::to_string);
    let [certificate, _] = &given.files;
    let by_certificate = certificate.is_some();
    let on_windows = given.platform == Platform::Windows;
    if record.native_error == LOGIN_FAILED && says(NAME_IN_CERTIFICATE) {
        return Some(format!(
            "SQL Server does not know the session of this certificate ({}). The session has ended, or the files belong to \
             another session. Connect from within the script that sp_execute_external_script runs, and do not copy or keep \
             the files.",
            certificate.as_ref().map(ToString::to_string).unwrap_or_default()
        ));
    }
    if record.native_error == LOGIN_FAILED && by_certificate {
        return Some(
            "A loopback connection logs in as the user who called sp_execute_external_script. Check that this user can \
             log in to the server without the script (CREATE LOGIN). The server's error log has the reason."
                .to_owned(),
        );
    }
    if record.native_error == LOGIN_FAILED && on_windows && find(string, USER).is_none() {
        return Some(
            "On Windows, scripts run as accounts in the group SQLRUserGroup (SQLRUserGroupNAME for a named instance). \
             Create a login for that group: CREATE LOGIN [MACHINE\\SQLRUserGroup] FROM WINDOWS."
                .to_owned(),
        );
    }
    if says("invalid null pkcs12 pointer") {
        return Some(
            "ClientCertificate is configured without ClientKey, so the driver read it as a PKCS #12 file. Configure \
             ClientKey as well, or remove ClientCertificate: the library then discovers both."
                .to_owned(),
        );
    }
    if says("DECODER routines::unsupported") {
        return Some(
            "The driver reads a PEM key only from a file whose name ends in .pem. Rename the file that ClientKey names, \
             or create a link to it with such a name."
                .to_owned(),
        );
    }
    if says("certificate verify failed") {
        return Some(
            "In a loopback connection the server has a self-signed certificate, which TrustServerCertificate=Yes accepts. \
             Something overrides that: TrustServerCertificate=No, HostNameInCertificate, ServerCertificate or \
             Encrypt=Strict, in the connection string, an attribute or the DSN section. Remove that setting."
                .to_owned(),
        );
    }
    // In ODBC 3 and in ODBC 2.
    let timed_out = matches!(&record.state, b"HYT00" | b"S1T00");
    if timed_out && on_windows {
        return Some(format!(
            "No SQL Server answered at {} over shared memory or a named pipe. If the script belongs to another instance, \
             set Server=.\\NAME in the DSN section, or .\\NAME in {SERVER_VARIABLE}. Outside SQL Server, set a server there.",
            server()
        ));
    }
    if timed_out {
        return Some(format!(
            "No SQL Server answered at {}. In a session the address is discovered and the port is 1433. If SQL Server \
             listens on another port (network.tcpport in mssql.conf), set address and port: address,port in \
             {SERVER_VARIABLE}, or Server=address,port in the DSN section of odbc.ini.",
            server()
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::utf16;
    use crate::loopback::{CLIENT_CERTIFICATE, CLIENT_KEY};

    const BY_CERTIFICATE: [(&str, &str); 2] =
        [("Server", "fe80::1%eth0"), ("ClientCertificate", "file:/data/launchpad/sqlsatellitecert.pem")];

    fn given(target: Vec<Attribute<'static>>, is_loopback: bool, is_of_other_system: bool) -> Rewritten {
        let is_on_windows = find(&target, SERVER).is_some_and(|server| server.text().reveal().starts_with('.'));
        Rewritten {
            ends_open: false,
            platform: if is_on_windows { Platform::Windows } else { Platform::Linux },
            files: [CLIENT_CERTIFICATE, CLIENT_KEY].map(|slot| find(&target, slot).cloned()),
            target,
            returned: Vec::new(),
            is_loopback,
            is_of_other_system,
            resets_trusted: false,
        }
    }

    fn hint_for(string: &[(&str, &str)], records: &[(&[u8; 5], i32, &str)]) -> Option<(String, String)> {
        let string: Vec<_> = string.iter().map(|(keyword, value)| Attribute::new(keyword, &utf16(value))).collect();
        let records: Vec<_> = records
            .iter()
            .map(|&(&state, native_error, text)| TargetRecord { state, native_error, text: text.to_owned() })
            .collect();
        hint(&given(string, true, false), &records)
            .map(|(state, text)| (String::from_utf8(state.to_vec()).unwrap(), text))
    }

    #[test]
    fn each_known_failure_has_its_hint() {
        for (state, native_error, text, parts) in [
            (
                b"28000",
                18456,
                "[SQL Server]Login failed for user 'Microsoft Corporation'.",
                ["session has ended", "file:/data/launchpad/sqlsatellitecert.pem"],
            ),
            (b"28000", 18456, "[SQL Server]Login failed for user 'A\\b'.", ["logs in as the user who called", "LOGIN"]),
            (b"08001", -1, "SSL Provider: [error:1180006B:x:invalid null pkcs12 pointer]", ["ClientKey", "PKCS #12"]),
            (b"08001", -1, "SSL Provider: [error:1E08010C:DECODER routines::unsupported]", ["ClientKey", ".pem"]),
            (b"08001", -1, "SSL Provider: [certificate verify failed:self-signed]", ["TrustServerCertificate", "Yes"]),
            (b"HYT00", 0, "Login timeout expired", ["fe80::1%eth0", SERVER_VARIABLE]),
            (b"S1T00", 0, "Login timeout expired", ["fe80::1%eth0", "Server=address,port"]),
        ] {
            let (hinted, hint) = hint_for(&BY_CERTIFICATE, &[(state, native_error, text)]).unwrap();
            assert_eq!(hinted.as_bytes(), state);
            for part in parts {
                assert!(hint.contains(part), "{part:?} is not in {hint:?}");
            }
        }
    }

    #[test]
    fn on_windows_the_instance_and_the_login_of_scripts_are_explained() {
        let string = [("Server", r".\SALES"), ("Trusted_Connection", "Yes")];
        let refused = (b"28000", 18456, r"Login failed for user 'NT Service\MSSQLLaunchpad$SALES'.");
        for ((state, native_error, text), part) in
            [(refused, "SQLRUserGroup"), ((b"HYT00", 0, "Login timeout expired"), r"at Server=.\SALES over")]
        {
            let (_, hint) = hint_for(&string, &[(state, native_error, text)]).unwrap();
            assert!(hint.contains(part), "{part:?} is not in {hint:?}");
        }
    }

    #[test]
    fn the_first_record_with_a_known_cause_is_explained_and_others_are_not() {
        let records: [(&[u8; 5], i32, &str); 3] =
            [(b"08001", 10061, "refused"), (b"HYT00", 0, "Login timeout expired"), (b"28000", 18456, "x")];
        assert_eq!(hint_for(&BY_CERTIFICATE, &records).unwrap().0, "HYT00");
        assert_eq!(hint_for(&BY_CERTIFICATE, &records[..1]), None);
        assert_eq!(hint_for(&BY_CERTIFICATE, &[(b"42000", 4060, "Cannot open database")]), None);
        let beside = [(b"28000", 18456, "Login failed for user 'x'."), (b"42000", 4060, "Cannot open database")];
        assert_eq!(hint_for(&BY_CERTIFICATE, &beside), None);
        // The server is in the section.
        let (_, text) = hint_for(&[], &[(b"HYT00", 0, "Login timeout expired")]).unwrap();
        assert!(text.contains("at the server of the DSN section"), "{text}");
    }

    #[test]
    fn windows_form_on_linux_is_explained_and_other_connections_are_not() {
        let record = TargetRecord { state: *b"HY000", native_error: 0, text: "SSPI Provider: No Kerberos".to_owned() };
        let (state, text) = hint(&given(Vec::new(), false, true), std::slice::from_ref(&record)).unwrap();
        assert!(state == *b"HY000" && text.contains("the Windows form") && text.len() < 450, "{text}");
        assert!(!given(Vec::new(), false, false).can_be_explained());
    }

    #[test]
    fn a_hint_follows_the_driver_message_if_there_is_room() {
        let record = |text: &str| TargetRecord { state: *b"HYT00", native_error: 0, text: text.to_owned() };
        let words = "[Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired";
        let expected = Some((format!("{words} [loopback-odbc] Wait."), true));
        assert_eq!(behind(&record(words), "Wait."), expected);
        let long = "hint ".repeat(100);
        let (text, whole) = behind(&record(words), &long).unwrap();
        assert!(!whole && text.len() <= MOST_UNITS && text.ends_with("hint ..."), "{text}");
        assert_eq!(behind(&record(&"x".repeat(MOST_UNITS - PREFIX.len() - LEAST_ROOM)), "Wait."), None);
    }

    #[test]
    fn the_hint_goes_to_the_record_that_is_shown_first() {
        let records: Vec<_> = [*b"08001", *b"HYT00", *b"HYT00", *b"08001"]
            .map(|state| TargetRecord { state, native_error: 0, text: String::new() })
            .into();
        assert_eq!(shown_first(&records, Platform::Linux).unwrap().0, 2);
        assert_eq!(shown_first(&records, Platform::Windows).unwrap().0, 1);
        assert!(shown_first(&[], Platform::Linux).is_none());
    }

    #[test]
    fn every_hint_fits_behind_what_the_driver_says() {
        for (native_error, text) in [
            (
                18456,
                "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Login failed for user 'Microsoft Corporation'.",
            ),
            (18456, "[Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Login failed for user 'CONTOSO\\analyst'."),
            (
                -1,
                "[Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: [error:0A000086:SSL routines::certificate verify \
                  failed:self-signed certificate]",
            ),
            (
                -1,
                "[Microsoft][ODBC Driver 18 for SQL Server]SSL Provider: [error:1E08010C:DECODER routines::unsupported:]",
            ),
            (0, "[Microsoft][ODBC Driver 18 for SQL Server]Login timeout expired"),
        ] {
            let state = if native_error == 0 { *b"HYT00" } else { *b"08001" };
            let record = TargetRecord { state, native_error, text: text.to_owned() };
            let session = "/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2/sqlsatellitecert.pem";
            let certificate = format!("file:{session}");
            let string = [("Server", "fe80::8012:3df5:0:5db1%eth0"), ("ClientCertificate", &*certificate)];
            let string = string.map(|(keyword, value)| Attribute::new(keyword, &utf16(value))).to_vec();
            let (_, hint) = hint(&given(string, true, false), std::slice::from_ref(&record)).unwrap();
            let (text, whole) = behind(&record, &hint).unwrap();
            assert!(whole, "{text}");
        }
    }

    #[test]
    fn a_login_by_name_is_not_explained() {
        let string = [("Server", "s"), ("UID", "u")];
        assert_eq!(hint_for(&string, &[(b"28000", 18456, "Login failed for user 'u'.")]), None);
    }
}
