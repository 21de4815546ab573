//! Connections: from the socket to a session, and its requests after that.
//!
//! A connection has two threads. One reads, to notice an attention while a request runs; the other executes requests
//! and writes.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use openssl::ssl::SslContext;
use openssl::x509::X509;

use crate::database::Databases;
use crate::error::SqlError;
use crate::log::{Attempt, Log};
use crate::session::{Cancel, Identity, Session};
use crate::wire::cursor::{Cursor, utf16};
use crate::wire::login::{self, ENCRYPT_CLIENT_CERTIFICATE, ENCRYPT_NOT_SUPPORTED, ENCRYPT_OFF, Login};
use crate::wire::packet::{self, DEFAULT_PACKET_SIZE, Message, PacketWriter, TABULAR_RESULT};
use crate::wire::rpc;
use crate::wire::tls;
use crate::wire::tokens::{EnvChange, Reply, Response};
use crate::wire::transport::Transport;

/// Who may log in.
pub struct Access {
    /// The client certificate of a loopback connection.
    pub session_certificate: Option<X509>,
    /// The user of a loopback connection.
    pub session_user: String,
    /// Users and their passwords.
    pub logins: HashMap<String, String>,
}

/// The packet sizes that SQL Server agrees to.
const PACKET_SIZES: std::ops::RangeInclusive<usize> = 512..=32767;
/// The first number that SQL Server gives to a user session.
const FIRST_SESSION: u16 = 51;
const MASTER: &str = "master";
/// How long a client may be silent before it is logged in.
const LOGIN_PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait for a thread or a descriptor to become free.
const SHORTAGE: Duration = Duration::from_millis(50);
/// Statements are compiled by recursion; [`crate::sql::batch`] sets the limit that needs this stack. Only the used part
/// takes memory.
const STACK: usize = 256 << 20;

pub struct Server {
    databases: Arc<Databases>,
    tls: SslContext,
    access: Access,
    log: Log,
    next_session: AtomicU16,
    /// Numbers in use; they must be unique, because temporary tables depend on them.
    sessions: Mutex<HashSet<u16>>,
}

/// The results of the handshakes before LOGIN7.
struct Greeting {
    prelogin_encryption: u8,
    mars: bool,
    certificate: Option<X509>,
    peer: SocketAddr,
}

/// Closes the connection however its thread ends; otherwise the reading thread would keep it open.
struct Closing<'a>(&'a Transport);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A session's number, until the session ends.
struct Number<'a> {
    id: u16,
    taken: &'a Mutex<HashSet<u16>>,
}

impl Drop for Number<'_> {
    fn drop(&mut self) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Server {
    pub fn new(databases: Arc<Databases>, tls: SslContext, access: Access, log: Log) -> Server {
        Server { databases, tls, access, log, next_session: AtomicU16::new(FIRST_SESSION), sessions: Mutex::default() }
    }

    /// Accepts connections for ever, each with its own thread.
    pub fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for socket in listener.incoming() {
            let server = Arc::clone(self);
            let started = socket.and_then(|socket| {
                let peer = socket.peer_addr()?;
                thread::Builder::new().stack_size(STACK).spawn(move || {
                    if let Err(error) = server.connection(socket, peer) {
                        server.log.broken(peer, error);
                    }
                })
            });
            // A client that has gone, or one too many, is no reason to stop.
            if started.is_err() {
                thread::sleep(SHORTAGE);
            }
        }
    }

    fn connection(&self, socket: TcpStream, peer: SocketAddr) -> Result<(), Box<dyn Error>> {
        // Replies are written whole; waiting to fill a segment would only delay them.
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(LOGIN_PATIENCE))?;
        let transport = Arc::new(Transport::new(socket));
        let _closing = Closing(&transport);
        self.log_in_and_serve(&transport, peer)
    }

    fn log_in_and_serve(&self, transport: &Arc<Transport>, peer: SocketAddr) -> Result<(), Box<dyn Error>> {
        let Some(greeting) = self.greet(transport, peer)? else {
            return Ok(());
        };
        let Some(message) = packet::read_message(&mut &**transport)? else {
            return Ok(());
        };
        if message.kind != packet::LOGIN7 {
            return Err("not a LOGIN7 after PRELOGIN".into());
        }
        if greeting.prelogin_encryption & !ENCRYPT_CLIENT_CERTIFICATE == ENCRYPT_OFF {
            transport.stop_tls();
        }
        let login = Login::parse(&message.payload)?;
        let number = self.take_number();
        let writer = PacketWriter::new(
            Box::new(&**transport) as Box<dyn io::Write>,
            TABULAR_RESULT,
            DEFAULT_PACKET_SIZE,
            number.id,
        );
        let mut reply = Response::new(writer);
        let cancel = Arc::new(Cancel::default());
        match self.log_in(&greeting, &login, number.id, &cancel, &mut reply)? {
            Some(session) => {
                transport.wait_for_ever()?;
                let requests = read_requests(transport, cancel.clone())?;
                serve(session, &requests, &cancel, &mut reply)
            }
            None => Ok(()),
        }
    }

    fn take_number(&self) -> Number<'_> {
        let mut taken = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let id = self.next_session.fetch_add(1, Ordering::Relaxed).max(FIRST_SESSION);
            if taken.insert(id) {
                return Number { id, taken: &self.sessions };
            }
        }
    }

    /// PRELOGIN and TLS. `None` if the client closed the connection, like one that only checks the port.
    fn greet(&self, transport: &Arc<Transport>, peer: SocketAddr) -> Result<Option<Greeting>, Box<dyn Error>> {
        let Some(message) = packet::read_message(&mut &**transport)? else {
            return Ok(None);
        };
        if message.kind != packet::PRELOGIN {
            return Err("not a PRELOGIN, with which TDS 7.4 begins".into());
        }
        let asked = login::prelogin_encryption(&message.payload)?;
        let mars = login::prelogin_mars(&message.payload)?;
        let answer = login::encryption_answer(asked).ok_or("an encryption option that nobody knows")?;
        let mut writer = PacketWriter::new(&**transport, TABULAR_RESULT, DEFAULT_PACKET_SIZE, 0);
        io::Write::write_all(&mut writer, &login::prelogin_answer(answer))?;
        writer.finish()?;
        let certificate = match answer {
            ENCRYPT_NOT_SUPPORTED => None,
            _ => tls::handshake(transport, &self.tls)?,
        };
        Ok(Some(Greeting { prelogin_encryption: asked, mars, certificate, peer }))
    }

    /// Answers LOGIN7, and returns the session if the login succeeds.
    fn log_in(
        &self,
        greeting: &Greeting,
        login: &Login,
        id: u16,
        cancel: &Arc<Cancel>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Session>, Box<dyn Error>> {
        let known = |certificate| self.access.session_certificate.as_ref() == Some(certificate);
        let client_certificate = match &greeting.certificate {
            None => "none",
            Some(certificate) if known(certificate) => "session",
            Some(_) => "other",
        };
        let wanted = if login.database.is_empty() { MASTER } else { &login.database };
        let outcome =
            self.who(greeting, login, client_certificate).and_then(|user| match self.databases.find(wanted) {
                Some(database) => Ok((user, database)),
                None => {
                    let text = format!("Cannot open database \"{wanted}\" requested by the login. The login failed.");
                    reply.error(&SqlError::new(4060, 11, 1, text).at(1));
                    Err((SqlError::login_failed(&user), 4060))
                }
            });
        self.log.attempt(&Attempt {
            refused: outcome.as_ref().err().map(|(_, number)| *number),
            prelogin_encryption: greeting.prelogin_encryption,
            mars: greeting.mars,
            client_certificate,
            login,
            peer: greeting.peer,
        });
        let (user, database) = match outcome {
            Ok(found) => found,
            Err((error, _)) => {
                reply.error(&error.at(1));
                reply.statement_failed();
                reply.finish()?;
                return Ok(None);
            }
        };
        let identity = Identity { login: user, host: login.host.clone(), application: login.application.clone() };
        let session = Session::open(Arc::clone(&self.databases), id, identity, &database, Arc::clone(cancel))?;

        let size = if login.packet_size == 0 { DEFAULT_PACKET_SIZE } else { login.packet_size };
        let size = size.clamp(*PACKET_SIZES.start(), *PACKET_SIZES.end());
        reply.env_change(&EnvChange::Database { new: &database, old: MASTER });
        reply.info(&SqlError::new(5701, 0, 2, format!("Changed database context to '{database}'.")).at(1));
        reply.env_change(&EnvChange::Collation);
        reply.env_change(&EnvChange::Language);
        reply.info(&SqlError::new(5703, 0, 1, "Changed language setting to us_english.").at(1));
        reply.login_ack(login.tds_version);
        reply.env_change(&EnvChange::PacketSize { new: size, old: DEFAULT_PACKET_SIZE });
        reply.no_features();
        reply.finish()?;
        reply.set_packet_size(size);
        Ok(Some(session))
    }

    /// The login's name, or the error that refuses it, with its number for the log.
    fn who(&self, greeting: &Greeting, login: &Login, client_certificate: &str) -> Result<String, (SqlError, i32)> {
        let refused = |user: &str| {
            let error = SqlError::login_failed(user);
            let number = error.number;
            Err((error, number))
        };
        if !login.user.is_empty() {
            let right = self.access.logins.get(&login.user).is_some_and(|password| *password == login.password);
            return if right { Ok(login.user.clone()) } else { refused(&login.user) };
        }
        let asked = greeting.prelogin_encryption & ENCRYPT_CLIENT_CERTIFICATE != 0;
        match client_certificate {
            "session" if asked => Ok(self.access.session_user.clone()),
            // SQL Server reports the certificate's subject, which is this for every session.
            "session" | "other" => refused("Microsoft Corporation"),
            _ => refused(""),
        }
    }
}

/// Starts the reading thread. When the client has gone, the channel ends and the running request is stopped.
fn read_requests(transport: &Arc<Transport>, cancel: Arc<Cancel>) -> io::Result<Receiver<io::Result<Message>>> {
    // Room for the attention that follows a request. A client that sends more without waiting for answers must wait.
    let (sender, receiver) = mpsc::sync_channel(1);
    let transport = Arc::clone(transport);
    thread::Builder::new().spawn(move || {
        loop {
            let message = match packet::read_message(&mut &*transport) {
                Ok(Some(message)) => Ok(message),
                Ok(None) => break,
                Err(error) => Err(error),
            };
            let last = message.is_err();
            if matches!(&message, Ok(message) if message.kind == packet::ATTENTION) {
                cancel.request();
            }
            // The receiver no longer exists once the session has ended.
            if sender.send(message).is_err() || last {
                break;
            }
        }
        cancel.request();
    })?;
    Ok(receiver)
}

/// Executes requests until the client closes the connection or violates the protocol.
fn serve(
    mut session: Session,
    requests: &Receiver<io::Result<Message>>,
    cancel: &Cancel,
    reply: &mut Reply<'_>,
) -> Result<(), Box<dyn Error>> {
    while let Ok(message) = requests.recv() {
        let message = match message {
            Ok(message) => message,
            // If the client resets the connection instead of closing it, that is not this server's error.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if message.kind == packet::ATTENTION {
            cancel.clear();
            reply.acknowledge_attention()?;
            continue;
        }
        if message.given_up {
            reply.statement_failed();
            reply.finish()?;
            continue;
        }
        if message.reset {
            session.reset(reply)?;
        }
        match request(&mut session, &message, reply)? {
            Ok(()) => reply.finish()?,
            // The attention that stopped it is the next message; its answer ends this response.
            Err(_) => reply.statement_failed(),
        }
    }
    Ok(())
}

/// Executes one request. The outer error is a protocol violation by the client, the inner one a cancelled request. All
/// other errors have been reported to the client.
fn request(
    session: &mut Session,
    message: &Message,
    reply: &mut Reply<'_>,
) -> Result<Result<(), SqlError>, Box<dyn Error>> {
    // The announcement is only for the next request, whatever that is.
    let announced = session.take_bulk_load();
    match message.kind {
        packet::SQL_BATCH => {
            let mut from = Cursor::new(&message.payload);
            rpc::skip_headers(&mut from)?;
            let sql = utf16(from.rest());
            Ok(session.run_batch(&sql, reply).map(drop))
        }
        packet::RPC => {
            for call in rpc::calls(&message.payload)? {
                if let Err(cancelled) = session.run_call(&call, reply) {
                    return Ok(Err(cancelled));
                }
            }
            Ok(Ok(()))
        }
        packet::BULK_LOAD => {
            let load = announced.ok_or("rows of a bulk load that no INSERT BULK announced")?;
            Ok(session.run_bulk_load(&load, &message.payload, reply))
        }
        packet::TRANSACTION_MANAGER => {
            let request = rpc::transaction_request(&message.payload)?;
            match session.transaction_request(&request, reply) {
                Ok(()) => reply.statement_done(crate::wire::tokens::Command::Other, None),
                Err(error) if error.is_cancelled() => return Ok(Err(error)),
                Err(error) => {
                    reply.error(&error.at(1));
                    reply.statement_failed();
                }
            }
            Ok(Ok(()))
        }
        other => Err(format!("a request of type {other:#04x}, which the stand-in does not know").into()),
    }
}
