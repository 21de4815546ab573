//! The programs with real, unmodified ODBC clients: those in `tests/programs/clients`. Each takes the name of a data source as its argument,
//! and a login from the environment, if there is one.

use super::{Ran, Registrations, part, project};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An ODBC client.
pub struct Client {
    pub name: &'static str,
    /// The interpreter, if there is one, and the arguments before the data source's name.
    pub program: &'static [&'static str],
    /// How its program names the data source; for the table.
    pub connects: &'static str,
    /// Remarks for readers of the table. They hold without the library as well, or the outputs would differ.
    pub remarks: &'static str,
}

const PYTHON: &str = "/usr/bin/python3";

pub const CLIENTS: &[Client] = &[
    Client { name: "pyodbc", program: &[PYTHON, "use_pyodbc.py"], connects: "`pyodbc.connect(dsn=...)`", remarks: "" },
    Client {
        name: "SQLAlchemy, over pyodbc",
        program: &[PYTHON, "use_sqlalchemy.py"],
        connects: "`create_engine(\"mssql+pyodbc://USER:PASSWORD@DSN\")`; `create_engine(\"mssql+pyodbc://@DSN\")`",
        remarks: "For a URL without a user it adds `Trusted_Connection=Yes`, which in a session means the session's certificate.",
    },
    Client {
        name: "pandas, over SQLAlchemy and pyodbc",
        program: &[PYTHON, "use_pandas.py"],
        connects: "`to_sql` and `read_sql`",
        remarks: "",
    },
    Client {
        name: "arrow-odbc",
        program: &[PYTHON, "use_arrow_odbc.py"],
        connects: "`arrow_odbc.connect(\"DSN=...;\")`",
        remarks: "Writes text as varchar: characters that are not in the database's code page become `?`.",
    },
    Client {
        name: "RODBC",
        program: &["/usr/bin/Rscript", "use_rodbc.R"],
        connects: "`odbcConnect(dsn)`",
        remarks: "R has no 64-bit integers: it reads bigint as a floating-point number.",
    },
    Client {
        name: "DBD::ODBC",
        program: &["/usr/bin/perl", "use_dbd_odbc.pl"],
        connects: "`DBI->connect(\"dbi:ODBC:...\")`",
        remarks: "Debian 13 has no package of it. Debian 12 builds it without Unicode: text is passed as UTF-8 bytes in both directions. It truncates a decimal that has as many digits as its column.",
    },
    Client {
        name: "PHP, `odbc_*`",
        program: &["/usr/bin/php", "use_php_odbc.php"],
        connects: "`odbc_connect(dsn, ...)`",
        remarks: "Reads everything as text. A varbinary column must be the last one.",
    },
    Client {
        name: "PHP, PDO_ODBC",
        program: &["/usr/bin/php", "use_pdo_odbc.php"],
        connects: "`new PDO(\"odbc:...\")`",
        remarks: "Reads everything as text.",
    },
    Client {
        name: "Node.js, `odbc`",
        program: &["/usr/bin/node", "use_node_odbc.js"],
        connects: "`odbc.connect(\"DSN=...\")`",
        remarks: "This is the last version for the Node.js of Debian 12. Reads decimal as a floating-point number, bit as text.",
    },
    Client {
        name: "odbc-api",
        program: &["use_odbc_api"],
        connects: "`connect(dsn, ...)`; `connect_with_connection_string`",
        remarks: "The test passes text as UTF-16; a `&str` is written as varchar.",
    },
    Client {
        name: "isql",
        program: &["/bin/sh", "use_isql.sh", "isql"],
        connects: "`isql dsn ...`",
        remarks: "unixODBC treats a whole statement as Latin-1 if it has a character outside the BMP.",
    },
    Client { name: "iusql", program: &["/bin/sh", "use_isql.sh", "iusql"], connects: "`iusql dsn ...`", remarks: "" },
];

/// Where Python and Node.js find the clients that `scripts/setup --tests` has installed.
pub fn stage_paths(stage: &Path) -> [(&'static str, String); 2] {
    let stage = stage.display();
    [
        ("PYTHONPATH", format!("{stage}/python:{stage}/clients/python")),
        ("NODE_PATH", format!("{stage}/clients/node/node_modules")),
    ]
}

impl Client {
    /// A file of `tests/programs/clients`, or the built program.
    pub fn file(name: &str) -> PathBuf {
        if name == "use_odbc_api" { part("USE_ODBC_API") } else { project(&format!("tests/programs/clients/{name}")) }
    }

    /// The index of the program's file in `program`.
    pub fn script(&self) -> usize {
        self.program.iter().position(|part| part.starts_with("use_")).unwrap()
    }

    /// The words of the command line.
    pub fn words(&self) -> Vec<PathBuf> {
        self.program.iter().map(PathBuf::from).collect()
    }

    /// The client, with the login, where these registrations are the machine's.
    pub fn command(&self, registrations: &Registrations, dsn: &str, [user, password]: [&str; 2]) -> Command {
        let path = format!("{}:{}", std::env::var("PATH").unwrap(), part("ISQL").parent().unwrap().display());
        let mut words = self.words();
        words[self.script()] = Client::file(self.program[self.script()]);
        let mut command = registrations.command(&words[0]);
        command.args(&words[1..]).arg(dsn).env("CLIENT_USER", user).env("CLIENT_PASSWORD", password);
        command.env("PATH", path).envs(stage_paths(&part("STAGE")));
        command
    }

    /// What its output must contain, in this order.
    pub fn expected(&self) -> String {
        let file = Path::new("tests/expected/clients").join(self.program[self.program.len() - 1]);
        let expected = fs::read_to_string(project(file.with_extension("expected").to_str().unwrap())).unwrap();
        assert!(expected.lines().count() >= 4, "three rows and an error are expected, not {expected:?}");
        expected
    }

    /// The lines that are expected and are not in an output, or are not there in it.
    pub fn missing(&self, output: &str) -> Vec<String> {
        let (mut rest, mut missing) = (output, Vec::new());
        for line in self.expected().lines() {
            match rest.split_once(line) {
                Some((_, after)) => rest = after,
                None => missing.push(line.to_owned()),
            }
        }
        missing
    }

    /// Whether this is the only distribution without a package of this client, and the client is not installed in another way.
    pub fn is_lacking(&self) -> bool {
        self.name == "DBD::ODBC"
            && fs::read_to_string("/etc/os-release").unwrap().contains("VERSION_CODENAME=trixie")
            && Ran::of(Command::new("/usr/bin/perl").args(["-MDBD::ODBC", "-e", "1"])).status != 0
    }
}

/// What a client's output says after a word that begins a line.
#[track_caller]
pub fn told(output: &str, what: &str) -> String {
    let line = output.lines().find_map(|line| line.strip_prefix(what));
    line.unwrap_or_else(|| panic!("no line begins with {what:?}")).trim().to_owned()
}
