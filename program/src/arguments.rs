//! The commands and their options, from which the help texts, the manual page and the shells' completions are made.

use clap::{Args, Parser, Subcommand, ValueEnum};

pub const NAME: &str = "loopback-odbc";
/// The data source that scripts name.
pub const DSN: &str = "Loopback";
/// What the library is registered as.
pub const DRIVER_NAME: &str = "SQL Server Loopback";

/// Loopback connections of the scripts that SQL Server runs: prints, explains, installs and uninstalls them
#[derive(Debug, Parser)]
#[command(name = NAME, version, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the loopback connection string, as rx_get_sql_loopback_connection_string() and
    /// rxGetSqlLoopbackConnectionString() do
    String(Wanted),
    /// Check registration, library, driver, session and string, and say what to do
    ///
    /// The exit status is 0 if all is well, 1 with warnings, 2 with failures; no session, and no server that is named
    /// instead, is a failure.
    Doctor(Examination),
    /// Install the library where SQL Server's scripts can see it, and register driver and data source
    ///
    /// It can be repeated, and brings an older installation up to date. The exit status is 0 if all is well, 1 with warnings,
    /// 2 if nothing could be installed.
    Install(Installation),
    /// Take an installation back
    ///
    /// What others have in the files of registrations stays as it is. The exit status is as that of install.
    Uninstall(Registration),
    /// Print the manual page of the program or of a command, in roff
    #[command(hide = true)]
    Man { command: Option<String> },
    /// Print the completions for a shell
    #[command(hide = true)]
    Completions { shell: clap_complete::Shell },
}

/// Which string is wanted. What is not given is taken from the environment, or found.
#[derive(Debug, Args)]
pub struct Wanted {
    /// The database to connect to; without it, the server chooses
    #[arg(long, default_value = "", hide_default_value = true)]
    pub database: String,
    /// Microsoft's ODBC driver, by the name that it is registered under; without it, the one that the library would load
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub driver: String,
    /// The platform whose form the string has; without it, that of this machine
    #[arg(long)]
    pub platform: Option<Platform>,
    /// SQL Server's address
    #[arg(long, default_value = "", hide_default_value = true)]
    pub server: String,
    /// The session's certificate, which need not be there: a path, or what ClientCertificate takes
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub client_certificate: String,
    /// The certificate's key, which need not be there: a path, or what ClientKey takes
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    pub client_key: String,
}

/// What is to be checked besides the usual, and how it is told.
#[derive(Debug, Args)]
pub struct Examination {
    /// The data source
    #[arg(long, value_name = "NAME", default_value = DSN)]
    pub dsn: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Connect as a program would, and ask for the server's version, the login and the database
    #[arg(long)]
    pub connect: bool,
    /// Hold what SQL Server's own function has printed against the string that the library makes
    #[arg(long, value_name = "STRING")]
    pub compare: Option<String>,
}

/// What is installed, and what an uninstallation takes back.
#[derive(Debug, Args)]
pub struct Registration {
    /// The data source in odbc.ini
    #[arg(long, value_name = "NAME", default_value = DSN)]
    pub dsn: String,
    /// The driver in odbcinst.ini; another name than the default's stands for a second copy of the library
    #[arg(long, value_name = "NAME", default_value = DRIVER_NAME)]
    pub driver_name: String,
    /// For the user who calls alone: below the home folder, where SQL Server's scripts see nothing, and without a driver in
    /// odbcinst.ini
    #[arg(long)]
    pub user: bool,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct Installation {
    #[command(flatten)]
    pub registration: Registration,
    /// The driver that the library loads: its name in odbcinst.ini, or its path; without it, the newest of Microsoft's
    #[arg(long, value_name = "NAME")]
    pub target_driver: Option<String>,
    /// The library's file, if not the one beside this program or in ../lib/loopback-odbc
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
