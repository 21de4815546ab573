//! The kernel's answers over netlink.

use crate::input;
use loopbackodbc::fuzzing::netlink_answer;
use std::io::ErrorKind;
use std::net::Ipv6Addr;

/// One datagram, or several separated by a byte that rarely occurs in one.
pub fn netlink(input: &[u8]) {
    let datagrams: [&[u8]; 3] = match input.split_first() {
        Some((b'1', datagram)) => [datagram, &[], &[]],
        Some((_, datagrams)) => input::parts(datagrams, 0xa5),
        None => return,
    };
    match netlink_answer(&datagrams) {
        Err(error) => {
            let told =
                error.raw_os_error().is_some() || matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::Other);
            assert!(told, "{error:?}");
        }
        Ok((_, answer)) => {
            // Every address that is read must occur in the datagrams.
            let stands = |address: &Ipv6Addr| {
                let found = datagrams.iter().any(|it| it.windows(16).any(|window| window == address.octets()));
                assert!(found, "{address}");
            };
            let all = |addresses: Vec<Ipv6Addr>| addresses.iter().for_each(stands);
            all(answer.addresses.unwrap_or_default().iter().map(|it| it.address).collect());
            all(answer.neighbours.unwrap_or_default().iter().map(|it| it.address).collect());
            let connections = answer.connections.unwrap_or_default();
            all(connections.iter().flat_map(|it| [it.local, it.remote]).collect());
        }
    }
}
