//! The bytes of one connection: the socket, and TLS when it is on.
//!
//! One thread reads and one writes. Both share the TLS state under a lock that is never held while waiting for the
//! peer, so an attention arrives even while rows are being sent.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

use openssl::ssl::{ErrorCode, SslStream};

/// TLS over bytes that this program transports.
pub type Tls = SslStream<Pipe>;

/// Bytes from the peer, and bytes for it.
#[derive(Default, Debug)]
pub struct Pipe {
    pub incoming: VecDeque<u8>,
    pub outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.incoming.read(into)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub struct Transport {
    socket: TcpStream,
    tls: Mutex<Option<Tls>>,
}

impl Transport {
    pub fn new(socket: TcpStream) -> Self {
        Transport { socket, tls: Mutex::new(None) }
    }

    fn tls(&self) -> MutexGuard<'_, Option<Tls>> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on every byte goes through TLS.
    pub fn start_tls(&self, tls: Tls) {
        *self.tls() = Some(tls);
    }

    /// Returns to plain bytes: "encryption off" means that only the login is encrypted.
    pub fn stop_tls(&self) {
        *self.tls() = None;
    }

    /// From here on the peer may be silent for any time.
    pub fn wait_for_ever(&self) -> io::Result<()> {
        self.socket.set_read_timeout(None)
    }

    /// Closes both directions, which also wakes a thread that waits in a read.
    pub fn close(&self) {
        // The peer may have closed it already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Read for &Transport {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // A separate statement; otherwise the lock would be held while the socket is read.
            let decrypted = self.tls().as_mut().map(|tls| tls.ssl_read(into));
            match decrypted {
                None => return (&self.socket).read(into),
                Some(Ok(count)) => return Ok(count),
                Some(Err(error)) => match error.code() {
                    ErrorCode::WANT_READ => {}
                    ErrorCode::ZERO_RETURN => return Ok(0),
                    _ => return Err(io::Error::other(error)),
                },
            }
            let mut raw = [0; 16 << 10];
            let count = (&self.socket).read(&mut raw)?;
            if count == 0 {
                // Most clients close without the closing alert; the connection is closed all the same.
                return Ok(0);
            }
            match self.tls().as_mut() {
                Some(tls) => tls.get_mut().incoming.extend(&raw[..count]),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}

impl Write for &Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let encrypted = self.tls().as_mut().map(|tls| encrypt(tls, bytes)).transpose()?;
        match encrypted {
            None => (&self.socket).write(bytes),
            Some(encrypted) => (&self.socket).write_all(&encrypted).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.socket).flush()
    }
}

fn encrypt(tls: &mut Tls, bytes: &[u8]) -> io::Result<Vec<u8>> {
    tls.write_all(bytes)?;
    Ok(std::mem::take(&mut tls.get_mut().outgoing))
}
