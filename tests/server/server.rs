//! The server that the tests are given, and how their results get onto the page.

use crate::common::{Ran, Registrations, part, project};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What `scripts/test-server` exports.
fn given(name: &str) -> String {
    std::env::var(format!("TEST_SERVER{name}"))
        .unwrap_or_else(|_| panic!("TEST_SERVER{name} is not set: run scripts/test-server"))
}

pub struct Server {
    part: &'static str,
    address: String,
    /// More attributes of the data source, each ended by a semicolon.
    options: String,
    pub database: String,
    pub user: String,
    pub password: String,
    /// Names that identify the server and its users, the longest first.
    names: Vec<String>,
    folder: PathBuf,
}

/// A way to the server that can be cut.
pub struct Relay {
    process: Child,
    pub section: String,
    /// The command that cuts it.
    pub stop: Vec<String>,
    port: u16,
}

impl Relay {
    /// A text without the port, which is another one each time, of as many digits.
    pub fn normal(&self, text: &str) -> String {
        replaced(text, &self.port.to_string(), "PORT")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have been cut.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// For the part of the page with this number and title.
    pub fn given(part: &'static str) -> Server {
        let folder = PathBuf::from(given("_FOLDER"));
        let names = std::fs::read_to_string(folder.join("names")).unwrap();
        let (database, user) = (given("_DATABASE"), given("_USER"));
        let others = names.lines().filter(|&name| name != database && name != user);
        let server = Server {
            part,
            address: given(""),
            options: given("_OPTIONS"),
            names: others.map(str::to_owned).collect(),
            database,
            user,
            password: given("_PASSWORD"),
            folder,
        };
        server.report("**This did not end.** The output of scripts/test-server says why.\n");
        server
    }

    /// The lines of a data source that lead to the server, without database and login.
    pub fn section(&self) -> String {
        self.section_to(&self.address)
    }

    fn section_to(&self, address: &str) -> String {
        format!("Server={address}\nTrustServerCertificate=Yes\n{}", self.options.replace(';', "\n"))
    }

    /// `[Direct]` is Microsoft's driver, `[Loopback]` the library, which has the login in its section for programs that do not give one.
    pub fn registrations(&self) -> Registrations {
        let section = format!("{}Database={}\n", self.section(), self.database);
        let direct = format!("[Direct]\nDriver=ODBC Driver 18 for SQL Server\n{section}");
        let registrations =
            Registrations::usual(&format!("{section}UID={}\nPWD={}\n{direct}", self.user, self.password));
        // Also in the user's file: tests/processes.rs says why.
        std::fs::copy(registrations.path("odbc.ini"), registrations.path("user.ini")).unwrap();
        registrations
    }

    /// A connection string with the login.
    pub fn string(&self, dsn: &str) -> String {
        let [user, password] = [&self.user, &self.password].map(|value| value.replace('}', "}}"));
        format!("DSN={dsn};UID={{{user}}};PWD={{{password}}}")
    }

    /// Runs a batch in the database, directly.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        let script = project("tests/server/database.py");
        let mut command = Command::new(part("PYTHON"));
        command.arg(script).args(["execute", &self.database, sql]).env("ODBCSYSINI", &self.folder);
        Ran::of(command.env("ODBCINI", self.folder.join("user.ini"))).ok();
    }

    /// Where a relay leads, if the address tells.
    pub fn relay_address(&self) -> Option<(&str, u16)> {
        host_and_port(&self.address)
    }

    /// A new relay to the server.
    pub fn relay(&self) -> Option<Relay> {
        let (host, host_port) = self.relay_address()?;
        let mut command = Command::new(part("PYTHON"));
        command.arg(project("tests/server/relay.py")).args([host, &host_port.to_string()]).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port: u16 = line.trim().parse().expect("the relay says its port");
        let stop = crate::platform::stop_command(process.id(), port);
        Some(Relay { process, section: self.section_to(&format!("127.0.0.1,{port}")), stop, port })
    }

    /// A text with the usual names of database, login and password, and without what SQL Server makes up for each new object: so that it
    /// can be compared with what is expected on every server.
    pub fn normal(&self, text: &str) -> String {
        // As connection strings quote it, and as the driver does.
        let quoted = format!("{{{}}}", self.password.replace('}', "}}"));
        let text = text.replace(&quoted, "secret").replace(&format!("{{{}}}", self.password), "secret");
        let mut text = replaced(&text.replace(&self.password, "secret"), &self.password, "secret");
        // In two steps: what is usual here may be a name there.
        let own = [(&self.database, "\u{e000}", "Sales"), (&self.user, "\u{e001}", "developer")];
        for (name, mark, _) in own {
            text = replaced(&text, name, mark);
        }
        for (_, mark, usual) in own {
            text = text.replace(mark, usual);
        }
        without_object_numbers(&text)
    }

    /// A code block of a page, without the names of the server and of its users, and without the path of the project's folder.
    pub fn block(&self, text: &str) -> String {
        let text = text.replace(env!("CARGO_MANIFEST_DIR"), ".");
        let unnamed = self.names.iter().fold(text, |text, name| replaced(&text, name, "NAME"));
        format!("```text\n{}\n```\n", unnamed.trim_end().replace("```", "'''"))
    }

    /// Writes the part of the page.
    pub fn report(&self, text: &str) {
        let (number, title) = self.part.split_once(' ').unwrap();
        std::fs::write(self.folder.join(format!("{number}.md")), format!("## {title}\n\n{text}\n")).unwrap();
    }
}

/// The host and the port of a driver's address. That of a named instance has no port: another service on the host tells it.
fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let address = address.trim_start_matches("tcp:");
    match address.split_once(',') {
        Some((host, port)) => Some((host.split('\\').next()?, port.trim().parse().ok()?)),
        None => (!address.contains('\\')).then_some((address, 1433)),
    }
}

#[test]
fn an_address_tells_host_and_port() {
    assert_eq!(host_and_port("tcp:db.example.org, 1444"), Some(("db.example.org", 1444)));
    assert_eq!(host_and_port("db"), Some(("db", 1433)));
    assert_eq!(host_and_port(r"db\SQL2022,1444"), Some(("db", 1444)));
    assert_eq!(host_and_port(r"db\SQL2022"), None);
}

/// Replaces a name where it is a word or ends at an underscore, in any case, and its bytes and units where a program writes them as
/// hexadecimal digits.
fn replaced(text: &str, name: &str, usual: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let wanted = name.to_ascii_lowercase();
    let (mut result, mut done) = (String::new(), 0);
    for (at, found) in lower.match_indices(&wanted) {
        let alone = !text[..at].ends_with(char::is_alphanumeric)
            && !text[at + found.len()..].starts_with(char::is_alphanumeric);
        if alone && at >= done {
            result += &text[done..at];
            result += usual;
            done = at + found.len();
        }
    }
    result += &text[done..];
    // Fewer digits would be found by chance.
    if name.len() >= 4 {
        let narrow: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let wide: String = name.encode_utf16().flat_map(u16::to_le_bytes).map(|byte| format!("{byte:02x}")).collect();
        result = result.replace(&wide, usual).replace(&narrow, usual);
    }
    result
}

/// The names of constraints that SQL Server makes end in the number of an object: `PK__items__3213E83F0BC6C43E`.
fn without_object_numbers(text: &str) -> String {
    let digit = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    let mut parts = text.split("__");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.as_bytes().iter().take_while(|byte| digit(byte)).count();
        result += "__";
        result += if (8..=16).contains(&digits) { &part[digits..] } else { part };
    }
    result
}

#[test]
fn names_do_not_get_onto_the_page() {
    let text = "Login failed for user 'Ann'. Announced \"ANN\"; [64006200300031] 6462303131 db011";
    assert_eq!(replaced(text, "ann", "developer"), text.replace("'Ann'", "'developer'").replace("ANN", "developer"));
    let text = replaced("db01 DB011 [6400620030003100] 64623031", "db01", "NAME");
    assert_eq!(text, "NAME DB011 [NAME] NAME");
    assert_eq!(
        without_object_numbers("'PK__items__3213E83F0BC6C43E'. a__b UQ__t__12"),
        "'PK__items__'. a__b UQ__t__12"
    );
}
