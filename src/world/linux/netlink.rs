//! What the kernel reports about the network over netlink: addresses, TCP connections and neighbours.
//!
//! The requests all have the same shape (RFC 3549); with libc's constants they take a few lines each. A netlink crate
//! would be larger than this library.

use crate::world::{InterfaceAddress, Neighbour, SocketIdentity, TcpConnection};
use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const HEADER: usize = 16;
/// `struct rtattr`: length, type.
const ATTRIBUTE_HEADER: usize = 4;
/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
const IFADDRMSG: usize = 8;
/// `struct ndmsg`: family, padding (3), interface index (4), state (2), flags, type.
const NDMSG: usize = 12;
/// `SOCK_DIAG_BY_FAMILY` of linux/sock_diag.h.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `TCP_ESTABLISHED` of linux/tcp_states.h.
const ESTABLISHED: u8 = 1;
/// Asks for all entries, not for one.
const DUMP: i32 = libc::NLM_F_DUMP;
/// Marks a dump during which something changed, so entries may be missing (linux/netlink.h).
const DUMP_INTERRUPTED: u16 = 0x10;
/// How often to repeat a dump that changes meanwhile.
const MOST_TRIES: usize = 3;
/// The most answers to one request: addresses, neighbours, connections to link-local addresses.
const MOST_MESSAGES: usize = 16384;

/// RTM_GETADDR: the IPv6 addresses of all interfaces.
pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    let mut request = [0; IFADDRMSG];
    request[0] = libc::AF_INET6 as u8;
    each(&ask(libc::NETLINK_ROUTE, libc::RTM_GETADDR, DUMP, &request)?, interface_address)
}

fn interface_address(message: &[u8], names: &mut Names) -> Option<io::Result<InterfaceAddress>> {
    let address = address_at(attribute(message.get(IFADDRMSG..)?, libc::IFA_ADDRESS)?, 0)?;
    let interface = names.of(u32_at(message, 4)?).transpose()?;
    Some(interface.map(|interface| InterfaceAddress { loopback: interface == "lo", interface, address }))
}

/// SOCK_DIAG_BY_FAMILY: the established TCP connections to link-local addresses.
pub fn tcp_connections() -> io::Result<Vec<TcpConnection>> {
    connections_to(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10)
}

/// SOCK_DIAG_BY_FAMILY: the established TCP connections to addresses with this prefix. The kernel checks all
/// connections and returns only these.
fn connections_to(address: Ipv6Addr, prefix_length: u8) -> io::Result<Vec<TcpConnection>> {
    // An attribute INET_DIAG_REQ_BYTECODE with a program of one instruction, struct inet_diag_bc_op:
    // INET_DIAG_BC_D_COND, the distance to go on if the condition holds (to the end: accepted), and the distance if not
    // (beyond the end: refused). Its operand is struct inet_diag_hostcond: family, prefix length, padding (2), port
    // (-1: any), address.
    const OPERATION: u16 = 4 + 24;
    let mut filter = Vec::with_capacity(ATTRIBUTE_HEADER + usize::from(OPERATION));
    filter.extend_from_slice(&(ATTRIBUTE_HEADER as u16 + OPERATION).to_ne_bytes());
    filter.extend_from_slice(&1u16.to_ne_bytes());
    filter.extend_from_slice(&[8, OPERATION as u8]);
    filter.extend_from_slice(&(OPERATION + 4).to_ne_bytes());
    filter.extend_from_slice(&[libc::AF_INET6 as u8, prefix_length, 0, 0]);
    filter.extend_from_slice(&(-1i32).to_ne_bytes());
    filter.extend_from_slice(&address.octets());
    socket_diagnostics(DUMP, &[0; 48], &filter)
}

/// SOCK_DIAG_BY_FAMILY: the established TCP connection with this identity, which the kernel finds by its hash.
pub fn tcp_connection(identity: &SocketIdentity) -> Option<TcpConnection> {
    socket_diagnostics(0, identity, &[]).ok()?.into_iter().find(|it| it.identity.as_ref() == Some(identity))
}

fn socket_diagnostics(flags: i32, socket: &SocketIdentity, filter: &[u8]) -> io::Result<Vec<TcpConnection>> {
    // struct inet_diag_req_v2: family, protocol, extensions, padding, states, struct inet_diag_sockid.
    let mut request = vec![0; 56];
    request[0] = libc::AF_INET6 as u8;
    request[1] = libc::IPPROTO_TCP as u8;
    request[4..8].copy_from_slice(&(1u32 << ESTABLISHED).to_ne_bytes());
    request[8..].copy_from_slice(socket);
    request.extend_from_slice(filter);
    each(&ask(libc::NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, flags, &request)?, connection)
}

/// `struct inet_diag_msg`: family, state, timer, retransmissions; `struct inet_diag_sockid`: ports (4), source, destination,
/// interface, cookie; expiry (4), queues (8), user.
fn connection(message: &[u8], names: &mut Names) -> Option<io::Result<TcpConnection>> {
    // If asked for one connection, the kernel does not filter by state.
    if *message.get(1)? != ESTABLISHED {
        return None;
    }
    let (local, remote) = (address_at(message, 8)?, address_at(message, 24)?);
    let (user, identity) = (u32_at(message, 64)?, message.get(4..52)?.try_into().ok());
    let interface = match u32_at(message, 40)? {
        0 => Ok(None), // bound to none
        index => names.of(index).transpose()?.map(Some),
    };
    Some(interface.map(|interface| TcpConnection { local, remote, interface, user, identity }))
}

/// RTM_GETNEIGH: the IPv6 neighbour table.
pub fn neighbours() -> io::Result<Vec<Neighbour>> {
    let mut request = [0; NDMSG];
    request[0] = libc::AF_INET6 as u8;
    each(&ask(libc::NETLINK_ROUTE, libc::RTM_GETNEIGH, DUMP, &request)?, neighbour)
}

fn neighbour(message: &[u8], names: &mut Names) -> Option<io::Result<Neighbour>> {
    const UNRESOLVED: u16 = libc::NUD_INCOMPLETE | libc::NUD_FAILED;
    let state = u16_at(message, 8)?;
    let address = address_at(attribute(message.get(NDMSG..)?, libc::NDA_DST)?, 0)?;
    let resolved = state != libc::NUD_NONE && state & UNRESOLVED == 0;
    let interface = names.of(u32_at(message, 4)?).transpose()?;
    Some(interface.map(|interface| Neighbour { interface, address, resolved }))
}

/// A complete answer, parsed as each kind of answer.
#[cfg(fuzzing)]
#[derive(Debug)]
pub struct NetlinkAnswer {
    pub addresses: io::Result<Vec<InterfaceAddress>>,
    pub connections: io::Result<Vec<TcpConnection>>,
    pub neighbours: io::Result<Vec<Neighbour>>,
}

/// Parses datagrams as if the kernel had sent them. The flag tells whether the last one ended the answer.
///
/// # Errors
/// The same as those of the functions that ask the kernel.
#[cfg(fuzzing)]
pub fn netlink_answer(datagrams: &[&[u8]]) -> io::Result<(bool, NetlinkAnswer)> {
    let mut answer = Answer::default();
    let mut ended = false;
    for datagram in datagrams {
        ended = answer.add(datagram)?;
    }
    let addresses = each(&answer.messages, interface_address);
    let (connections, neighbours) = (each(&answer.messages, connection), each(&answer.messages, neighbour));
    Ok((ended, NetlinkAnswer { addresses, connections, neighbours }))
}

/// Parses each message. Skips messages of another form, and entries that no longer exist.
fn each<T>(messages: &[Vec<u8>], read: impl Fn(&[u8], &mut Names) -> Option<io::Result<T>>) -> io::Result<Vec<T>> {
    let mut names = Names::default();
    messages.iter().filter_map(|message| read(message, &mut names)).collect()
}

/// Sends a request and returns the payloads of the messages that answer it.
///
/// # Errors
/// The system's reason; also when the answer is incomplete.
fn ask(protocol: i32, message_type: u16, flags: i32, payload: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    for _ in 0..MOST_TRIES {
        if let Some(messages) = ask_once(protocol, message_type, flags, payload)? {
            return Ok(messages);
        }
    }
    Err(io::Error::other("it changed during every attempt to read it"))
}

/// Like [`ask`]; none if entries may be missing because something changed meanwhile.
fn ask_once(protocol: i32, message_type: u16, flags: i32, payload: &[u8]) -> io::Result<Option<Vec<Vec<u8>>>> {
    // SAFETY: socket() takes no pointers.
    let descriptor =
        check(|| unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) } as isize)
            .map_err(|error| io::Error::new(error.kind(), format!("no netlink socket: {error}")))?;
    // SAFETY: the descriptor was just opened and nothing else uses it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor as i32) };

    let mut request = Vec::with_capacity(HEADER + payload.len());
    request.extend_from_slice(&((HEADER + payload.len()) as u32).to_ne_bytes());
    request.extend_from_slice(&message_type.to_ne_bytes());
    request.extend_from_slice(&((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(payload);
    // SAFETY: the pointer and the length are those of `request`. Unconnected netlink sockets send to the kernel.
    check(|| unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) })?;

    let mut answer = Answer::default();
    // The kernel's dumps never exceed 32 KiB a datagram (netlink(7)).
    let mut buffer = vec![0; 32 * 1024];
    loop {
        // With this flag the length is that of the whole datagram, even if the buffer holds only a part.
        // SAFETY: the pointer and the length are those of `buffer`.
        let receive =
            || unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), libc::MSG_TRUNC) };
        let length = check(receive)?;
        // A request that is not a dump has a single answer, without an end message.
        if answer.add(buffer.get(..length).ok_or_else(cut_short)?)? || length == 0 || flags & DUMP == 0 {
            return Ok((!answer.interrupted).then_some(answer.messages));
        }
    }
}

/// The answer to a request.
#[derive(Default)]
struct Answer {
    messages: Vec<Vec<u8>>,
    /// Whether something changed meanwhile.
    interrupted: bool,
}

impl Answer {
    /// Adds the messages of a datagram, and returns whether it was the last one.
    fn add(&mut self, mut datagram: &[u8]) -> io::Result<bool> {
        while !datagram.is_empty() {
            let Message { message_type, flags, payload, after } = next_message(datagram).ok_or_else(cut_short)?;
            self.interrupted |= flags & DUMP_INTERRUPTED != 0;
            match i32::from(message_type) {
                // The end message also has an error code: the kernel may not support the request.
                libc::NLMSG_DONE | libc::NLMSG_ERROR => {
                    return match u32_at(payload, 0).ok_or_else(cut_short)? as i32 {
                        0 => Ok(true),
                        errno => Err(io::Error::from_raw_os_error(errno.wrapping_neg())),
                    };
                }
                _ if self.messages.len() == MOST_MESSAGES => {
                    return Err(io::Error::other(format!("there are more than {MOST_MESSAGES}")));
                }
                _ => self.messages.push(payload.to_vec()),
            }
            datagram = after;
        }
        Ok(false)
    }
}

fn cut_short() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the kernel's answer is cut short")
}

/// A system call's result as a length, or the system's reason. Repeats the call if a signal interrupted it.
fn check(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        let result = usize::try_from(call()).map_err(|_| io::Error::last_os_error());
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A message of a datagram, and what follows it.
#[derive(Debug, PartialEq, Eq)]
struct Message<'d> {
    message_type: u16,
    flags: u16,
    payload: &'d [u8],
    after: &'d [u8],
}

/// Splits the first message off a datagram.
fn next_message(bytes: &[u8]) -> Option<Message<'_>> {
    let length = u32_at(bytes, 0)? as usize;
    Some(Message {
        message_type: u16_at(bytes, 4)?,
        flags: u16_at(bytes, 6)?,
        payload: bytes.get(HEADER..length)?,
        after: bytes.get(aligned(length)..).unwrap_or_default(),
    })
}

/// The payload of the first attribute of a type.
fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16_at(bytes, 0)?);
        let found = u16_at(bytes, 2)?;
        let payload = bytes.get(ATTRIBUTE_HEADER..length)?;
        if found == wanted {
            return Some(payload);
        }
        bytes = bytes.get(aligned(length)..)?;
    }
}

/// Netlink aligns messages and attributes to four bytes.
fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn address_at(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(at..at + 16)?).ok()?))
}

/// The names of interfaces; each is looked up once.
#[derive(Default)]
struct Names(BTreeMap<u32, Option<String>>);

impl Names {
    /// The name of an interface; none if it no longer exists.
    ///
    /// # Errors
    /// The system's reason.
    fn of(&mut self, index: u32) -> io::Result<Option<String>> {
        if let Some(known) = self.0.get(&index) {
            return Ok(known.clone());
        }
        let name = interface_name(index)?;
        self.0.insert(index, name.clone());
        Ok(name)
    }
}

fn interface_name(index: u32) -> io::Result<Option<String>> {
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the size that if_indextoname requires.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        let error = io::Error::last_os_error();
        let is_gone = matches!(error.raw_os_error(), Some(libc::ENXIO | libc::ENODEV));
        return if is_gone { Ok(None) } else { Err(error) };
    }
    // SAFETY: if_indextoname returned the buffer, filled with a name and its NUL.
    Ok(Some(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    /// An attribute with its payload, padded.
    fn encoded(attribute_type: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = ((ATTRIBUTE_HEADER + payload.len()) as u16).to_ne_bytes().to_vec();
        bytes.extend_from_slice(&attribute_type.to_ne_bytes());
        bytes.extend_from_slice(payload);
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }

    #[test]
    fn attributes_are_found_behind_others() {
        let bytes = [encoded(7, b"abc"), encoded(1, b"wanted")].concat();
        assert_eq!(attribute(&bytes, 1), Some(&b"wanted"[..]));
        assert_eq!(attribute(&bytes, 2), None);
    }

    #[test]
    fn lengths_past_the_end_stop_the_search() {
        assert_eq!(attribute(&[255, 0, 1, 0, 9], 1), None);
        assert_eq!(attribute(&[0, 0, 2, 0, 0, 0, 0, 0], 1), None);
        assert_eq!(next_message(&[255, 0, 0, 0, 1, 0, 0, 0]), None);
        assert_eq!(next_message(&[]), None);
    }

    /// A message with its payload.
    fn message(message_type: i32, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + payload.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend_from_slice(&(message_type as u16).to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend_from_slice(payload);
        bytes.resize(aligned(bytes.len()), 0);
        bytes
    }

    #[test]
    fn an_incomplete_answer_is_an_error() {
        let add = |datagram: &[u8]| Answer::default().add(datagram).map_err(|error| error.kind());
        let [part, end] = [message(20, 2, b"part"), message(libc::NLMSG_DONE, 2, &[0; 4])];
        assert_eq!(add(&part), Ok(false));
        assert_eq!(add(&[&part[..], &end].concat()), Ok(true));
        for cut in 1..part.len() {
            assert_eq!(add(&part[..cut]), Err(io::ErrorKind::UnexpectedEof), "{cut}");
            assert_eq!(add(&[&part[..], &part[..cut]].concat()), Err(io::ErrorKind::UnexpectedEof), "{cut}");
        }
        let refused = message(libc::NLMSG_ERROR, 0, &(-libc::EPERM).to_ne_bytes());
        assert_eq!(add(&refused), Err(io::ErrorKind::PermissionDenied));
        assert_eq!(add(&message(libc::NLMSG_DONE, 2, &(-libc::ENOENT).to_ne_bytes())), Err(io::ErrorKind::NotFound));
        assert_eq!(add(&message(libc::NLMSG_ERROR, 0, &[])), Err(io::ErrorKind::UnexpectedEof));
        // The only number without an opposite.
        assert!(add(&message(libc::NLMSG_ERROR, 0, &i32::MIN.to_ne_bytes())).is_err());
        assert_eq!(add(&part.repeat(MOST_MESSAGES)), Ok(false));
        assert_eq!(add(&part.repeat(MOST_MESSAGES + 1)), Err(io::ErrorKind::Other));
    }

    #[test]
    fn any_message_can_mark_an_answer_as_interrupted() {
        let [part, end] = [0, 1].map(|interrupted| {
            let [of_part, of_end] = [interrupted, 1 - interrupted].map(|it| 2 | (it * DUMP_INTERRUPTED));
            [message(20, of_part, b"part"), message(libc::NLMSG_DONE, of_end, &[0; 4])].concat()
        });
        for datagram in [part, end] {
            let mut answer = Answer::default();
            assert!(answer.add(&datagram).unwrap());
            assert!(answer.interrupted);
        }
        let mut answer = Answer::default();
        answer.add(&message(20, 2, b"part")).unwrap();
        assert!(!answer.interrupted);
    }

    #[test]
    fn a_removed_interface_is_not_an_error_but_a_failed_query_is() {
        let mut names = Names::default();
        assert_eq!(names.of(1).unwrap().as_deref(), Some("lo"));
        assert_eq!(names.of(i32::MAX as u32).unwrap(), None);
        assert_eq!(
            each::<()>(&[vec![0]], |_, _| Some(Err(cut_short()))).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn the_kernel_lists_a_connection_of_this_process() {
        let listener = TcpListener::bind("[::1]:0").expect("IPv6 on the loopback interface");
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let port = client.local_addr().unwrap().port().to_be_bytes();
        let connections = connections_to(Ipv6Addr::LOCALHOST, 128).unwrap();
        // Its local port is at the start of its identity.
        let found = connections.iter().find(|it| it.identity.is_some_and(|identity| identity.starts_with(&port)));
        let found = found.unwrap_or_else(|| panic!("{connections:?}"));
        assert_eq!((found.local, found.remote), (Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST));

        // SAFETY: it takes no arguments and cannot fail.
        assert_eq!(found.user, unsafe { libc::geteuid() });
        let other = Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 2);
        let is_told = |of: io::Result<Vec<TcpConnection>>| of.unwrap().iter().any(|it| it == found);
        assert_eq!([connections_to(other, 126), connections_to(other, 127)].map(is_told), [true, false]);
        assert!(!is_told(tcp_connections()));

        let identity = found.identity.unwrap();
        assert_eq!(tcp_connection(&identity).as_ref(), Some(found));
        let mut of_another = identity;
        of_another[40] ^= 1; // in the cookie
        assert_eq!(tcp_connection(&of_another), None);
        drop(client);
        assert_eq!(tcp_connection(&identity), None);
    }

    #[test]
    fn the_kernel_lists_the_loopback_address() {
        let addresses = interface_addresses().unwrap();
        let loopback = InterfaceAddress { interface: "lo".into(), address: Ipv6Addr::LOCALHOST, loopback: true };
        assert!(addresses.contains(&loopback), "{addresses:?}");
    }

    #[test]
    fn a_dump_that_the_kernel_does_not_know_is_an_error() {
        assert!(ask(libc::NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, DUMP, &[libc::AF_VSOCK as u8 + 40; 56]).is_err());
    }

    #[test]
    fn the_neighbour_table_can_be_read() {
        neighbours().unwrap();
    }
}
