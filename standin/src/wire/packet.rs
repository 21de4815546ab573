//! TDS packets: an eight-byte header, and messages that are split into packets of the negotiated size.
//!
//! [MS-TDS] 2.2.3. [`read_message`] assembles a message, [`PacketWriter`] splits one.

use std::io::{self, Read, Write};

pub const SQL_BATCH: u8 = 0x01;
pub const RPC: u8 = 0x03;
pub const TABULAR_RESULT: u8 = 0x04;
pub const ATTENTION: u8 = 0x06;
pub const BULK_LOAD: u8 = 0x07;
pub const TRANSACTION_MANAGER: u8 = 0x0e;
pub const LOGIN7: u8 = 0x10;
pub const PRELOGIN: u8 = 0x12;

const HEADER: usize = 8;
const END_OF_MESSAGE: u8 = 0x01;
const IGNORE: u8 = 0x02;
const RESET_CONNECTION: u8 = 0x08;
const RESET_CONNECTION_SKIP_TRAN: u8 = 0x10;

/// The packet size before the login negotiates another.
pub const DEFAULT_PACKET_SIZE: usize = 4096;
/// No client of a test tool needs a longer message; a wrong length must not exhaust the machine's memory.
const MESSAGE_LIMIT: usize = 256 << 20;

/// One whole message from the client.
pub struct Message {
    pub kind: u8,
    /// The client asks for a new session state, which it does when a pooled connection is used again.
    pub reset: bool,
    /// The client has abandoned the request before its end. Nothing in it counts, and one DONE answers it.
    pub given_up: bool,
    pub payload: Vec<u8>,
}

/// Reads one packet: its type, its status bits and its payload. `None` if the peer has closed the connection.
fn read_packet(from: &mut impl Read) -> io::Result<Option<(u8, u8, Vec<u8>)>> {
    let mut header = [0u8; HEADER];
    match from.read(&mut header[..1])? {
        0 => return Ok(None),
        _ => from.read_exact(&mut header[1..])?,
    }
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let Some(rest) = length.checked_sub(HEADER) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet shorter than its header"));
    };
    let mut payload = vec![0; rest];
    from.read_exact(&mut payload)?;
    Ok(Some((header[0], header[1], payload)))
}

/// Reads packets up to the end of a message. `None` if the peer has closed the connection between messages.
pub fn read_message(from: &mut impl Read) -> io::Result<Option<Message>> {
    let mut message: Option<Message> = None;
    loop {
        let Some((kind, status, payload)) = read_packet(from)? else {
            return match message {
                None => Ok(None),
                Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        };
        let whole = message.get_or_insert(Message { kind, reset: false, given_up: false, payload: Vec::new() });
        if whole.kind != kind {
            if kind == ATTENTION {
                // The client abandoned the request; the part that arrived is not executed.
                return Ok(Some(Message { kind, reset: false, given_up: false, payload }));
            }
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message of packets of different types"));
        }
        if whole.payload.len() + payload.len() > MESSAGE_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message too long to be meant"));
        }
        whole.reset |= status & (RESET_CONNECTION | RESET_CONNECTION_SKIP_TRAN) != 0;
        whole.payload.extend_from_slice(&payload);
        if status & END_OF_MESSAGE != 0 {
            if status & IGNORE != 0 {
                whole.given_up = true;
                whole.payload.clear();
            }
            return Ok(message);
        }
    }
}

/// Splits what is written into packets of one message; [`PacketWriter::finish`] sends the last one.
pub struct PacketWriter<W: Write> {
    to: W,
    kind: u8,
    size: usize,
    spid: u16,
    sequence: u8,
    body: Vec<u8>,
}

impl<W: Write> PacketWriter<W> {
    pub fn new(to: W, kind: u8, size: usize, spid: u16) -> Self {
        PacketWriter { to, kind, size, spid, sequence: 0, body: Vec::with_capacity(size) }
    }

    /// The size of the packets from here on, as login agreed.
    pub fn set_size(&mut self, size: usize) {
        self.size = size;
    }

    /// Sends the rest as the last packet of the message; the next write begins a new message.
    pub fn finish(&mut self) -> io::Result<()> {
        let last = std::mem::take(&mut self.body);
        self.send(&last, END_OF_MESSAGE)?;
        self.sequence = 0;
        self.to.flush()
    }

    fn send(&mut self, body: &[u8], status: u8) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let length = u16::try_from(HEADER + body.len()).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut packet = Vec::with_capacity(HEADER + body.len());
        packet.extend_from_slice(&[self.kind, status]);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(&self.spid.to_be_bytes());
        packet.extend_from_slice(&[self.sequence, 0]);
        packet.extend_from_slice(body);
        self.to.write_all(&packet)
    }
}

impl<W: Write> Write for PacketWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.extend_from_slice(bytes);
        let room = self.size - HEADER;
        // Strictly more: a packet that is exactly full may be the last one, which must have the end-of-message bit.
        let mut sent = 0;
        while self.body.len() - sent > room {
            let packet = self.body[sent..sent + room].to_vec();
            self.send(&packet, 0)?;
            sent += room;
        }
        self.body.drain(..sent);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_being_cut_into_packets() {
        for length in [0_usize, 1, 503, 504, 505, 1008, 5000] {
            let message: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut sent = Vec::new();
            let mut writer = PacketWriter::new(&mut sent, TABULAR_RESULT, 512, 51);
            writer.write_all(&message).unwrap();
            writer.finish().unwrap();
            assert_eq!(sent.len(), length + 8 * length.div_ceil(504).max(1), "{length}");
            let back = read_message(&mut sent.as_slice()).unwrap().unwrap();
            assert_eq!((back.kind, back.payload), (TABULAR_RESULT, message));
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(read_message(&mut [4u8, 1, 0, 3, 0, 0, 0, 0].as_slice()).is_err());
        assert!(read_message(&mut [4u8, 1, 0].as_slice()).is_err());
        assert!(read_message(&mut [].as_slice()).unwrap().is_none());
    }

    #[test]
    fn a_request_given_up_half_way_is_not_executed() {
        let half = [SQL_BATCH, 0, 0, 9, 0, 0, 1, 0, b'x'];
        let attention = [ATTENTION, 1, 0, 8, 0, 0, 1, 0];
        let message = read_message(&mut [half.as_slice(), &attention].concat().as_slice()).unwrap().unwrap();
        assert_eq!(message.kind, ATTENTION);
        assert!(message.payload.is_empty());
        let ignored = [SQL_BATCH, IGNORE | END_OF_MESSAGE, 0, 9, 0, 0, 2, 0, b'y'];
        let message = read_message(&mut [half.as_slice(), &ignored].concat().as_slice()).unwrap().unwrap();
        assert!(message.given_up && message.payload.is_empty());
    }
}
