//! The commands and their options. The help texts, the manual pages and the shells' completions are generated from them.

use crate::places::Mode;
use crate::system::QUOTE;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

pub const NAME: &str = "loopback-odbc";
/// The data source that scripts name.
pub const DSN: &str = "Loopback";
/// The name under which the library is registered.
pub const DRIVER_NAME: &str = "SQL Server Loopback";

/// The version, with the commit if the build was told (scripts/dist, `make build`).
fn version() -> String {
    let commit =
        option_env!("LOOPBACK_ODBC_COMMIT").filter(|commit| !commit.is_empty()).map(|commit| format!(" ({commit})"));
    format!("{}{}", env!("CARGO_PKG_VERSION"), commit.unwrap_or_default())
}

/// Install and check DSN=Loopback, the connection of scripts that SQL Server runs back to SQL Server
#[derive(Debug, Parser)]
#[command(name = NAME, version = version(), max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the loopback connection string, as rx_get_sql_loopback_connection_string() and
    /// rxGetSqlLoopbackConnectionString() do
    String(Wanted),
    /// Check the installation, the session and the connection string, and say what to do
    ///
    /// Run it in a script that SQL Server runs to check the session as well. On a development machine it checks the server and login
    /// that are configured. Exit status: 0 if all is well, 1 if something is doubtful or could not be checked, 2 if a connection
    /// would fail.
    Doctor(Examination),
    /// Install the library and this program where SQL Server's scripts see them, and register driver and data source
    ///
    /// Running it again is safe and updates an older installation, even while scripts run. Exit status: 0 if all is well, 1 with
    /// warnings, 2 if it failed.
    Install(Installation),
    /// Undo an installation
    ///
    /// Everything else in odbcinst.ini and odbc.ini stays as it is. Exit status: as for install.
    Uninstall(Registration),
}

/// Commands for `make install`, hidden from users.
#[derive(Debug, Parser)]
#[command(name = NAME)]
pub enum Making {
    /// Print the manual page of the program or of a command, in roff
    Man { command: Option<String> },
    /// Print the completions for a shell
    Completions { shell: clap_complete::Shell },
}

impl Making {
    /// Whether the first argument is one of these commands.
    pub fn is_asked_for(first: Option<&str>) -> bool {
        first.is_some_and(|first| Making::command().find_subcommand(first).is_some())
    }
}

/// Which string to print. Values that are not given come from the environment or are discovered.
#[derive(Debug, Args)]
pub struct Wanted {
    /// The database to connect to [default: the login's default database]
    #[arg(long, default_value = "", hide_default_value = true)]
    pub database: String,
    /// Microsoft's ODBC driver, by its name in odbcinst.ini [default: the one that the library loads]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub driver: String,
    /// The platform that the string is for [default: this machine's]
    #[arg(long)]
    pub platform: Option<Platform>,
    /// SQL Server's address [default: discovered]
    #[arg(long, default_value = "", hide_default_value = true)]
    pub server: String,
    /// The session's certificate: a path, or a value for ClientCertificate. The file need not exist [default: discovered]
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub client_certificate: String,
    /// The certificate's key: a path, or a value for ClientKey. The file need not exist [default: discovered]
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub client_key: String,
}

/// What to check and how to report it.
#[derive(Debug, Args)]
pub struct Examination {
    /// The data source
    #[arg(long, value_name = "NAME", default_value = DSN, value_parser = NonEmptyStringValueParser::new())]
    pub dsn: String,
    /// Check the installation only: registration, library and driver. It needs no session, so it works from any shell
    #[arg(long, conflicts_with = "compare")]
    pub installation: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Also connect, and print the server's version, the login and the database
    #[arg(long)]
    pub connect: bool,
    /// Print JSON for the people who work on this program, without anything that identifies a machine, a network or a person. It
    /// connects with DSN=Loopback
    #[arg(long, conflicts_with_all = ["installation", "json", "connect", "dsn"])]
    pub report: bool,
    /// Compare a string printed by SQL Server's own function with the library's
    #[arg(long, value_name = "STRING")]
    pub compare: Option<String>,
}

/// What is installed, and what an uninstallation undoes.
#[derive(Debug, Args)]
pub struct Registration {
    /// The data source in odbc.ini
    #[arg(long, value_name = "NAME", default_value = DSN)]
    pub dsn: String,
    /// The driver in odbcinst.ini. Another name installs a second copy of the library
    #[arg(long, value_name = "NAME", default_value = DRIVER_NAME)]
    pub driver_name: String,
    /// Install for the calling user only, below the home folder and without root. SQL Server's scripts do not see it
    #[arg(long)]
    pub user: bool,
    /// Print what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// An option to append to a command; nothing for the usual value. ODBC compares names without case.
pub fn option(name: &str, value: &str, usual: &str) -> String {
    if value.eq_ignore_ascii_case(usual) { String::new() } else { format!(" {name} {QUOTE}{value}{QUOTE}") }
}

impl Registration {
    pub fn mode(&self) -> Mode {
        if self.user { Mode::User } else { Mode::System }
    }

    /// The options that select this registration, to append to a command.
    pub fn options(&self) -> String {
        let driver = option("--driver-name", &self.driver_name, DRIVER_NAME);
        let user = if self.user { " --user" } else { "" };
        format!("{driver}{}{user}", option("--dsn", &self.dsn, DSN))
    }
}

#[derive(Debug, Args)]
pub struct Installation {
    #[command(flatten)]
    pub registration: Registration,
    /// The driver that the library loads: its name in odbcinst.ini, or its path [default: Microsoft's newest]
    #[arg(long, value_name = "NAME")]
    pub target_driver: Option<String>,
    /// The library's file [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub library: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Platform {
    /// SQL Server on Linux
    Linux,
    /// SQL Server on Windows
    Windows,
    /// Azure SQL Managed Instance
    ManagedInstance,
}
