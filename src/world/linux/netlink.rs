//! What the kernel says about the network over netlink: addresses, TCP connections and neighbours.
//!
//! Requests of the same shape (RFC 3549), in libc's constants and a few lines each. A crate for netlink would be larger
//! than the library.

use crate::world::{InterfaceAddress, Neighbour, SocketIdentity, TcpConnection};
use std::ffi::CStr;
use std::io;
use std::net::Ipv6Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
const HEADER: usize = 16;
/// `struct rtattr`: length, type.
const ATTRIBUTE_HEADER: usize = 4;
/// `SOCK_DIAG_BY_FAMILY` of linux/sock_diag.h.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `TCP_ESTABLISHED` of linux/tcp_states.h.
const ESTABLISHED: u8 = 1;
/// Asks for everything there is, not for one thing.
const DUMP: i32 = libc::NLM_F_DUMP;

/// RTM_GETADDR: the IPv6 addresses of all interfaces.
pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    // struct ifaddrmsg: family, prefix length, flags, scope, index.
    const MESSAGE: usize = 8;
    let mut request = [0; MESSAGE];
    request[0] = libc::AF_INET6 as u8;
    let addresses = ask(libc::NETLINK_ROUTE, libc::RTM_GETADDR, DUMP, &request)?;
    Ok(addresses
        .iter()
        .filter_map(|message| {
            let interface = interface_name(u32_at(message, 4)?)?;
            let address = address_at(attribute(message.get(MESSAGE..)?, libc::IFA_ADDRESS)?, 0)?;
            Some(InterfaceAddress { loopback: interface == "lo", interface, address })
        })
        .collect())
}

/// SOCK_DIAG_BY_FAMILY: the established TCP connections over IPv6.
pub fn tcp_connections() -> io::Result<Vec<TcpConnection>> {
    socket_diagnostics(DUMP, &[0; 48])
}

/// SOCK_DIAG_BY_FAMILY: the one established TCP connection of this identity, which the kernel finds by its hash.
pub fn tcp_connection(identity: &SocketIdentity) -> Option<TcpConnection> {
    socket_diagnostics(0, identity).ok()?.into_iter().find(|it| it.identity.as_ref() == Some(identity))
}

fn socket_diagnostics(flags: i32, socket: &SocketIdentity) -> io::Result<Vec<TcpConnection>> {
    // struct inet_diag_req_v2: family, protocol, extensions, padding, states, struct inet_diag_sockid.
    let mut request = [0; 56];
    request[0] = libc::AF_INET6 as u8;
    request[1] = libc::IPPROTO_TCP as u8;
    request[4..8].copy_from_slice(&(1u32 << ESTABLISHED).to_ne_bytes());
    request[8..].copy_from_slice(socket);
    let sockets = ask(libc::NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, flags, &request)?;
    // struct inet_diag_msg: family, state, timer, retransmissions, then struct inet_diag_sockid: ports (4), source,
    // destination, interface, cookie.
    Ok(sockets
        .iter()
        // Asked for one, the kernel does not look at its state.
        .filter(|message| message.get(1) == Some(&ESTABLISHED))
        .filter_map(|message| {
            Some(TcpConnection {
                local: address_at(message, 8)?,
                remote: address_at(message, 24)?,
                interface: interface_name(u32_at(message, 40)?),
                identity: message.get(4..52)?.try_into().ok(),
            })
        })
        .collect())
}

/// RTM_GETNEIGH: the IPv6 neighbour table.
pub fn neighbours() -> io::Result<Vec<Neighbour>> {
    // struct ndmsg: family, padding (3), interface index (4), state (2), flags, type.
    const MESSAGE: usize = 12;
    const UNRESOLVED: u16 = libc::NUD_INCOMPLETE | libc::NUD_FAILED;
    let mut request = [0; MESSAGE];
    request[0] = libc::AF_INET6 as u8;
    let neighbours = ask(libc::NETLINK_ROUTE, libc::RTM_GETNEIGH, DUMP, &request)?;
    Ok(neighbours
        .iter()
        .filter_map(|message| {
            let state = u16::from_ne_bytes(message.get(8..10)?.try_into().ok()?);
            Some(Neighbour {
                interface: interface_name(u32_at(message, 4)?)?,
                address: address_at(attribute(message.get(MESSAGE..)?, libc::NDA_DST)?, 0)?,
                resolved: state != libc::NUD_NONE && state & UNRESOLVED == 0,
            })
        })
        .collect())
}

/// Sends one request and gives the payloads of the messages that answer it.
fn ask(protocol: i32, message_type: u16, flags: i32, payload: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    // SAFETY: socket() takes no pointers.
    let descriptor =
        check(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol) } as isize)?;
    // SAFETY: the descriptor was just opened and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor as i32) };

    let mut request = Vec::with_capacity(HEADER + payload.len());
    request.extend_from_slice(&((HEADER + payload.len()) as u32).to_ne_bytes());
    request.extend_from_slice(&message_type.to_ne_bytes());
    request.extend_from_slice(&((libc::NLM_F_REQUEST | flags) as u16).to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(payload);
    // SAFETY: the pointer and the length are those of `request`. Unconnected netlink sockets send to the kernel.
    check(unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) })?;

    let mut messages = Vec::new();
    // The kernel's dumps never exceed 32 KiB a datagram (netlink(7)).
    let mut buffer = vec![0; 32 * 1024];
    loop {
        // SAFETY: the pointer and the length are those of `buffer`.
        let length = check(unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) })?;
        let mut rest = &buffer[..length];
        while let Some((message_type, message, after)) = next_message(rest) {
            match i32::from(message_type) {
                // The end says how it went as well: the kernel may lack what was asked for.
                libc::NLMSG_DONE | libc::NLMSG_ERROR => {
                    return match u32_at(message, 0).unwrap_or(0) as i32 {
                        0 => Ok(messages),
                        errno => Err(io::Error::from_raw_os_error(-errno)),
                    };
                }
                _ => messages.push(message.to_vec()),
            }
            rest = after;
        }
        // What is not a dump has one answer, and no end to it.
        if length == 0 || flags & DUMP == 0 {
            return Ok(messages);
        }
    }
}

/// A system call's result as a length or as the system's reason.
fn check(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Splits the first message off a datagram: its type, its payload, and what follows it.
fn next_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32_at(bytes, 0)? as usize;
    let message_type = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let message = bytes.get(HEADER..length)?;
    Some((message_type, message, bytes.get(aligned(length)..).unwrap_or_default()))
}

/// The payload of the first attribute of a type.
fn attribute(mut bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let found = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
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

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn address_at(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(at..at + 16)?).ok()?))
}

/// The name of an interface; none for 0, which is no interface.
fn interface_name(index: u32) -> Option<String> {
    if index == 0 {
        return None;
    }
    let mut name = [0; libc::IF_NAMESIZE];
    // SAFETY: the buffer has the size that if_indextoname asks for.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr()) };
    if found.is_null() {
        return None;
    }
    // SAFETY: if_indextoname returned the buffer, with a name and its NUL in it.
    Some(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
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
    fn lengths_beyond_the_data_end_the_search() {
        assert_eq!(attribute(&[255, 0, 1, 0, 9], 1), None);
        assert_eq!(attribute(&[0, 0, 2, 0, 0, 0, 0, 0], 1), None);
        assert_eq!(next_message(&[255, 0, 0, 0, 1, 0]), None);
        assert_eq!(next_message(&[]), None);
    }

    #[test]
    fn the_kernel_lists_a_connection_of_this_process() {
        let listener = TcpListener::bind("[::1]:0").expect("IPv6 on the loopback interface");
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let port = client.local_addr().unwrap().port().to_be_bytes();
        let connections = tcp_connections().unwrap();
        // Its local port comes first in its identity.
        let found = connections.iter().find(|it| it.identity.is_some_and(|identity| identity.starts_with(&port)));
        let found = found.unwrap_or_else(|| panic!("{connections:?}"));
        assert_eq!((found.local, found.remote), (Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST));

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
