//! `standin`: a stand-in for SQL Server.
//!
//! It speaks TDS 7.4 well enough for Microsoft's ODBC driver, with the certificate login of a loopback connection, and
//! runs the SQL on an embedded SQLite. It is a test tool of loopback-odbc: for the demo, for the tests, and for
//! machines without a SQL Server. It is not SQL Server, its `@@VERSION` says so, and it is never shipped.
//!
//! The structure: [`server`] accepts connections, [`wire`] speaks the protocol, [`session`] executes requests, [`sql`]
//! translates T-SQL to SQLite's SQL, [`database`] stores the data.

#![forbid(unsafe_code)]

mod database;
mod error;
mod log;
mod server;
mod session;
mod sql;
mod wire;

use std::error::Error;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use clap::Parser;
use openssl::x509::X509;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use database::{Databases, MOST_DATABASES};
use log::Log;
use server::{Access, Server};
use session::{Cancel, Identity, Session};
use wire::packet::{DEFAULT_PACKET_SIZE, PacketWriter, TABULAR_RESULT};
use wire::tokens::Response;

/// A stand-in for SQL Server, for tests and demonstrations of loopback-odbc.
///
/// It is not SQL Server. All data is gone when it ends, which it does on SIGTERM.
#[derive(Parser)]
#[command(version, after_long_help = LOG_FORMAT)]
struct Arguments {
    /// Where to listen for TDS; may be given more than once. `[::]` takes IPv4 too.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "[::]:1433")]
    listen: Vec<SocketAddr>,

    /// The certificate (PEM) that logs a loopback connection in.
    #[arg(long, value_name = "FILE")]
    session_certificate: Option<PathBuf>,

    /// Who such a connection is logged in as.
    #[arg(long, value_name = "NAME", default_value = "CONTOSO\\analyst")]
    session_user: String,

    /// A user who may log in with a password; may be given more than once.
    #[arg(long, value_name = "USER:PASSWORD", value_parser = pair::<':'>)]
    login: Vec<(String, String)>,

    /// A database, empty at first; may be given more than once. `master` is always there.
    #[arg(long, value_name = "NAME")]
    database: Vec<String>,

    /// A database, and T-SQL that is run in it before anyone may connect; may be given more than once.
    #[arg(long, value_name = "DATABASE=FILE", value_parser = pair::<'='>)]
    seed: Vec<(String, String)>,

    /// Where a line about each login is appended.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// A second port, which takes connections, says nothing and holds them open, as a session's data channel.
    #[arg(long, value_name = "ADDRESS:PORT")]
    data_channel: Option<SocketAddr>,

    /// Written once all ports listen: their addresses, one a line, those of --listen first, then --data-channel.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

const LOG_FORMAT: &str = "\
The log has one line for each login:

  login result=ok prelogin_encryption=0x81 client_certificate=session user=\"\" database=\"Sales\"
  application=\"Python\" driver=\"...\" host=\"...\" server=\"...\" mars=0 sspi=0 packet_size=4096 language=\"\"
  attach=\"\" flags=e0030000 features=01 peer=\"[fe80::1%3]:40112\"

(in one line), where
  result               ok or refused; after refused follows error=NUMBER, 18456 or 4060
  prelogin_encryption  the byte of the client's PRELOGIN; 0x80 in it announces a client certificate
  client_certificate   none, session (that of --session-certificate) or other
  user ... server      what LOGIN7 says; quoted, with backslashes before quotes and backslashes
  mars                 1 if PRELOGIN asks for several statements at a time
  sspi                 the length of the token with which an integrated login begins
  packet_size ... attach  what LOGIN7 says
  flags                its OptionFlags1, OptionFlags2, TypeFlags and OptionFlags3, in hexadecimal digits
  features             the numbers of the features that it asks for, in hexadecimal digits

A connection that breaks the protocol, or is silent before its login, leaves
  connection result=broken peer=\"...\" reason=\"...\"";

/// Two texts with a separator between them.
fn pair<const SEPARATOR: char>(text: &str) -> Result<(String, String), String> {
    let (left, right) = text.split_once(SEPARATOR).ok_or_else(|| format!("there is no '{SEPARATOR}' in it"))?;
    Ok((left.to_owned(), right.to_owned()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // Before anything is opened, so a signal never ends the program without cleanup.
    let mut signals = Signals::new([SIGTERM, SIGINT])?;

    let folder = tempfile::Builder::new().prefix("standin-").tempdir()?;
    let mut names = vec!["master".to_owned()];
    for name in arguments.database.iter().chain(arguments.seed.iter().map(|(name, _)| name)) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.clone());
        }
    }
    if names.len() > MOST_DATABASES {
        return Err(format!("at most {} databases besides master", MOST_DATABASES - 1).into());
    }
    let databases = Arc::new(Databases::create(folder.path(), names)?);
    for (database, file) in &arguments.seed {
        seed(&databases, database, Path::new(file)).map_err(|error| format!("{file}: {error}"))?;
    }

    let certificate = arguments.session_certificate.as_deref().map(|path| {
        let read = std::fs::read(path).map_err(Box::<dyn Error>::from).and_then(|pem| Ok(X509::from_pem(&pem)?));
        read.map_err(|error| format!("{}: {error}", path.display()))
    });
    let access = Access {
        session_certificate: certificate.transpose()?,
        session_user: arguments.session_user,
        logins: arguments.login.into_iter().collect(),
    };
    let server =
        Arc::new(Server::new(databases, wire::tls::server_context()?, access, Log::open(arguments.log.as_deref())?));

    let mut addresses = Vec::new();
    for address in &arguments.listen {
        let listener = listen(*address)?;
        addresses.push(listener.local_addr()?);
        let server = Arc::clone(&server);
        thread::spawn(move || server.accept(&listener));
    }
    if let Some(address) = arguments.data_channel {
        let listener = listen(address)?;
        addresses.push(listener.local_addr()?);
        thread::spawn(move || hold(&listener));
    }
    if let Some(path) = &arguments.ready_file {
        write_ready_file(path, &addresses)?;
    }
    signals.forever().next();
    Ok(())
}

fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))
}

/// Accepts connections and keeps them open.
fn hold(listener: &TcpListener) {
    let mut held = Vec::new();
    for socket in listener.incoming() {
        held.extend(socket.ok());
    }
}

/// In one step, so a reader of the file always sees all of it.
fn write_ready_file(path: &Path, addresses: &[SocketAddr]) -> io::Result<()> {
    let lines: String = addresses.iter().map(|address| format!("{address}\n")).collect();
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    fs::write(&unfinished, lines)?;
    fs::rename(&unfinished, path)
}

/// Runs a file of T-SQL; `GO` on a line by itself separates batches.
fn seed(databases: &Arc<Databases>, database: &str, file: &Path) -> Result<(), Box<dyn Error>> {
    let sql = fs::read_to_string(file)?;
    let database = databases.find(database).ok_or_else(|| format!("there is no database {database:?}"))?;
    let identity = Identity { login: "sa".to_owned(), ..Identity::default() };
    let mut session = Session::open(Arc::clone(databases), 0, identity, &database, Arc::new(Cancel::default()))?;
    let writer = PacketWriter::new(Box::new(io::sink()) as Box<dyn io::Write>, TABULAR_RESULT, DEFAULT_PACKET_SIZE, 0);
    let mut nobody = Response::new(writer);
    for batch in batches(&sql) {
        if !session.run_batch(&batch, &mut nobody)? {
            return Err(session.last_error().map_or("it failed".to_owned(), ToString::to_string).into());
        }
    }
    Ok(())
}

fn batches(sql: &str) -> Vec<String> {
    let mut batches = vec![String::new()];
    for line in sql.lines() {
        if line.trim().eq_ignore_ascii_case("go") {
            batches.push(String::new());
        } else if let Some(batch) = batches.last_mut() {
            batch.push_str(line);
            batch.push('\n');
        }
    }
    batches
}
