//! Discovers SQL Server's address from inside a satellite.
//!
//! A satellite reaches SQL Server over an IPv6 link-local address that is in no file. Three signals show it, in this
//! order:
//!
//! 1. the other end of an established TCP connection: the data channel, over which SQL Server sends the script its
//!    input. Its port is not TDS's, so only the address is used;
//! 2. the neighbour on the only network interface;
//! 3. the gateway of the only default route.
//!
//! Within a process, the connection that showed the server is used again for the next connect.
//!
//! Only link-local addresses count, so the session's certificate is never offered to a stranger. Connections of other
//! users do not count either. A user's password goes only to the other end of a connection, because others can cause
//! the other two signals: any host that exchanges packets with this machine is a neighbour, and a router can announce
//! itself as the default route.

use crate::loopback::SERVER_VARIABLE;
use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::search::{Search, named};
use crate::loopback::sentence::{Sentence, sentence};
use crate::loopback::trust::is_trusted;
use crate::world::{InterfaceAddress, TcpConnection, World};
use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::path::Path;

pub const PROC_NET_TCP6: &str = "/proc/net/tcp6";
pub const PROC_NET_IF_INET6: &str = "/proc/net/if_inet6";
pub const PROC_NET_IPV6_ROUTE: &str = "/proc/net/ipv6_route";

/// The longest file in /proc that is read: 25,000 connections. A truncated file is not used.
const MOST_TABLE_BYTES: usize = 4 << 20;

/// What is sent to the discovered server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The session's certificate; its key stays on this machine.
    Certificate,
    /// A user's password, or another secret.
    Secret,
}

/// A link-local address and the interface over which it is reached: `fe80::1%eth0`.
type Scoped = (Ipv6Addr, String);

/// The addresses that a signal shows and where it showed them, or why the signal is not available.
type Shown = Result<(BTreeSet<Scoped>, Sentence), Sentence>;
type Signal = fn(&dyn World) -> Shown;

/// The name of the value in findings.
const VALUE: &str = "Server";

/// The signals in order, and whether each is good enough for a secret.
const SIGNALS: [(&str, Signal, bool); 3] = [
    ("established connections", peers_of_connections, true),
    ("neighbours", neighbours_on_the_only_interface, false),
    ("default routes", gateway_of_the_only_default_route, false),
];

/// Finds the value for `Server`, and adds the result of each signal to `search`.
///
/// # Errors
/// 08001 when no signal shows an address, or the first one that does shows more than one.
pub fn find_server(world: &dyn World, place: &str, purpose: Purpose, search: &mut Search) -> Result<String, Failure> {
    let remedy = format!(
        "Set {SERVER_VARIABLE}, or Server in {place}, to the address of SQL Server as this script \
         reaches it, such as fe80::1%eth0 (or fe80::1%eth0,1500 for a port other than 1433)."
    );
    let mut answer = None;
    for (signal, ask, is_for_secrets) in SIGNALS {
        if !search.goes_on(&answer) {
            break;
        }
        if purpose == Purpose::Secret && !is_for_secrets {
            search.nothing(VALUE, signal, "not used: passwords and tokens are sent only to a connection's other end");
            continue;
        }
        let (peers, how) = match ask(world) {
            Ok(found) => found,
            Err(reason) => {
                search.nothing(VALUE, signal, reason);
                continue;
            }
        };
        let names: Vec<String> = peers.iter().map(|(address, interface)| format!("{address}%{interface}")).collect();
        let scoped = |(address, interface): &Scoped| sentence!(*address, "%", Sentence::Interface(interface.clone()));
        let shown: Vec<Sentence> = peers.iter().map(scoped).collect();
        let outcome = match names.as_slice() {
            [] => {
                search.nothing(VALUE, signal, sentence!("none with a link-local address ", how));
                continue;
            }
            [server] => {
                search.found(VALUE, signal, server, sentence!("found ", named(&shown), " ", how));
                Ok(server.clone())
            }
            several => {
                search.nothing(VALUE, signal, sentence!(named(&shown), " ", how));
                Err(Failure::new(
                    Sqlstate::UNABLE_TO_CONNECT,
                    format!(
                        "The address of SQL Server is not certain: {signal} show {} link-local addresses. {remedy} \
                         They are: {}",
                        several.len(),
                        named(&shown)
                    ),
                ))
            }
        };
        answer.get_or_insert(outcome);
    }
    answer.unwrap_or_else(|| {
        let looked = search.findings.iter().filter(|finding| finding.value == VALUE);
        let seen: Vec<String> = looked.map(|finding| format!("{}: {}", finding.signal, finding.text)).collect();
        let text = format!("The address of SQL Server was not found. {remedy} Looked at {}.", seen.join("; "));
        Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text))
    })
}

/// Signal 1: the link-local peers of established TCP connections.
///
/// If the connections show exactly one peer, one of them is remembered. While it lives, its peer is used, whatever
/// connections come later, and the kernel need not search all connections again.
fn peers_of_connections(world: &dyn World) -> Shown {
    // Never waits: if another thread held the lock when the process forked, it is never released in the child.
    let remembered = || *world.remembered_connection().try_lock().ok()?;
    let (connections, place) = match remembered().and_then(|identity| world.tcp_connection(&identity)) {
        Some(connection) => (vec![connection], "in a connection remembered from an earlier connect".into()),
        None => outward_connections(world)?,
    };
    let (ours, others): (Vec<_>, Vec<_>) = connections.into_iter().partition(|it| is_trusted(world, it.user));
    let identity = ours.iter().find_map(|connection| connection.identity);
    let peers: BTreeSet<Scoped> = ours.into_iter().filter_map(|it| Some((it.remote, it.interface?))).collect();
    if let Ok(mut remembered) = world.remembered_connection().try_lock() {
        *remembered = identity.filter(|_| peers.len() == 1);
    }
    let others: BTreeSet<_> = others.iter().map(|it| (it.remote, it.user)).collect();
    if others.is_empty() {
        return Ok((peers, place));
    }
    let others = others.into_iter().map(|(remote, user)| sentence!(remote, " of user ", Sentence::User(user)));
    let others = named(&others.collect::<Vec<_>>());
    Ok((peers, sentence!(place, ", ignoring other users' connections: ", others)))
}

/// The established connections to link-local addresses of other machines, each with its interface, and where they were
/// read.
fn outward_connections(world: &dyn World) -> Result<(Vec<TcpConnection>, Sentence), Sentence> {
    let (mut connections, place) = established_connections(world)?;
    connections.retain(|it| it.remote.is_unicast_link_local() && it.remote != it.local);
    if connections.is_empty() {
        return Ok((connections, place));
    }
    let own = interface_addresses(world)?;
    // A connection of this machine to itself leads nowhere.
    connections.retain(|it| own.iter().all(|own| own.address != it.remote));
    // The file does not contain the interface. Interfaces that share a hardware address may share the local address.
    let owners = |local: Ipv6Addr| own.iter().filter(move |it| it.address == local).map(|it| it.interface.clone());
    let with_interface = |it: TcpConnection| match it.interface {
        Some(_) => vec![it],
        None => owners(it.local).map(|owner| TcpConnection { interface: Some(owner), ..it.clone() }).collect(),
    };
    Ok((connections.into_iter().flat_map(with_interface).collect(), place))
}

/// The established connections that may lead to link-local addresses, and where they were read.
fn established_connections(world: &dyn World) -> Result<(Vec<TcpConnection>, Sentence), Sentence> {
    // The kernel takes ten times as long for the file (docs/decisions.md has the figures), and a sandbox may not have
    // it.
    match world.tcp_connections() {
        Ok(connections) => Ok((connections, "in socket diagnostics".into())),
        Err(error) => match table(world, PROC_NET_TCP6) {
            Ok(table) => Ok((parse_tcp6(&table), sentence!("in ", PROC_NET_TCP6))),
            Err(reason) => Err(sentence!("socket diagnostics: ", error, "; ", reason)),
        },
    }
}

/// The addresses of all interfaces.
pub fn interface_addresses(world: &dyn World) -> Result<Vec<InterfaceAddress>, Sentence> {
    world.interface_addresses().or_else(|error| match table(world, PROC_NET_IF_INET6) {
        Ok(table) => Ok(parse_if_inet6(&table)),
        Err(reason) => Err(sentence!("the network interfaces cannot be read: ", error, "; ", reason)),
    })
}

/// A table of /proc.
fn table(world: &dyn World, path: &'static str) -> Result<String, Sentence> {
    match world.read(Path::new(path), MOST_TABLE_BYTES) {
        Ok(text) if text.more => Err(sentence!(path, ": it has more than ", MOST_TABLE_BYTES, " bytes")),
        Ok(text) => Ok(String::from_utf8_lossy(&text.part).into_owned()),
        Err(error) => Err(sentence!(path, ": ", error)),
    }
}

/// Signal 2: the link-local neighbours on the only interface.
fn neighbours_on_the_only_interface(world: &dyn World) -> Shown {
    let addresses = interface_addresses(world)?;
    let outward = |address: &&InterfaceAddress| !address.loopback;
    let interfaces: BTreeSet<&str> = addresses.iter().filter(outward).map(|it| it.interface.as_str()).collect();
    let mut names = interfaces.into_iter();
    let (Some(interface), None) = (names.next(), names.next()) else {
        let count = addresses.iter().filter(outward).map(|it| &it.interface).collect::<BTreeSet<_>>().len();
        return Err(sentence!(count, " interfaces have IPv6; exactly one is needed"));
    };
    let neighbours = world.neighbours().map_err(|error| sentence!("the neighbour table cannot be read: ", error))?;
    let peers = neighbours
        .into_iter()
        .filter(|it| it.interface == interface && it.resolved && it.address.is_unicast_link_local())
        .map(|neighbour| (neighbour.address, neighbour.interface))
        .collect();
    Ok((peers, sentence!("on ", Sentence::Interface(interface.to_owned()))))
}

/// Signal 3: the link-local gateway of the only default route, and where it was read.
fn gateway_of_the_only_default_route(world: &dyn World) -> Shown {
    let routes = default_routes(&table(world, PROC_NET_IPV6_ROUTE)?);
    if routes.len() > 1 {
        return Err(sentence!("there are ", routes.len(), "; exactly one is needed"));
    }
    let gateways = routes.into_iter().filter(|(gateway, _)| gateway.is_unicast_link_local()).collect();
    Ok((gateways, sentence!("in ", PROC_NET_IPV6_ROUTE)))
}

/// The gateways of the default routes in a text in the format of /proc/net/ipv6_route, with their interfaces.
///
/// A line is `DESTINATION LENGTH SOURCE LENGTH GATEWAY METRIC REFERENCES USE FLAGS INTERFACE`. All fields except the
/// last are hexadecimal; addresses are in network byte order. Other lines are skipped.
fn default_routes(table: &str) -> BTreeSet<Scoped> {
    const RTF_GATEWAY: u32 = 2;
    let route = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[destination, length, _, _, gateway, _, _, _, flags, interface] = fields.as_slice() else { return None };
        let address = |field: &str| u128::from_str_radix(field, 16).ok().map(Ipv6Addr::from);
        let is_default = address(destination)?.is_unspecified() && length == "00";
        let by_gateway = u32::from_str_radix(flags, 16).ok()? & RTF_GATEWAY != 0;
        (is_default && by_gateway).then_some((address(gateway)?, interface.to_owned()))
    };
    table.lines().filter_map(route).collect()
}

/// The addresses in a text in the format of /proc/net/if_inet6.
///
/// A line is `ADDRESS INDEX PREFIX SCOPE FLAGS INTERFACE`, the address in hexadecimal in network byte order. Other
/// lines are skipped.
fn parse_if_inet6(table: &str) -> Vec<InterfaceAddress> {
    let address = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let &[address, _, _, _, _, interface] = fields.as_slice() else { return None };
        let address = Ipv6Addr::from(u128::from_str_radix(address, 16).ok()?);
        Some(InterfaceAddress { interface: interface.to_owned(), address, loopback: interface == "lo" })
    };
    table.lines().filter_map(address).collect()
}

/// The established connections in a text in the format of /proc/net/tcp6 (proc(5)).
///
/// A line is `0: LOCAL:PORT REMOTE:PORT STATE QUEUES TIMER RETRANSMISSIONS USER ...`. An address is four 32-bit words
/// in the host's byte order; state 01 is ESTABLISHED. Other lines are skipped.
fn parse_tcp6(table: &str) -> Vec<TcpConnection> {
    let address = |field: &str| {
        let words = field.split(':').next().filter(|words| words.len() == 32 && words.is_ascii())?;
        let mut bytes = [0; 16];
        for (index, part) in bytes.chunks_mut(4).enumerate() {
            let word = u32::from_str_radix(&words[index * 8..index * 8 + 8], 16).ok()?;
            part.copy_from_slice(&word.to_ne_bytes());
        }
        Some(Ipv6Addr::from(bytes))
    };
    table
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
            let established = fields.next()? == "01";
            let user = fields.nth(3)?.parse().ok()?;
            established.then_some(TcpConnection { local, remote, interface: None, user, identity: None })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fixture::Fixture;

    /// The header and three lines of /proc/net/tcp6: a listener, the data channel, a closing connection.
    const TABLE: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 00000000000000000000000000000000:0599 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 000080FE00000000FF0F0002010000FE:9C40 000080FE00000000F53D1280B15D0000:D431 01 00000000:00000000 00:00000000 00000000  1000
   2: 000080FE00000000FF0F0002010000FE:9C42 000080FE0000000000000000EFBE0000:0599 06 00000000:00000000 00:00000000 00000000     0
";
    const OWN: &str = "fe80::200:fff:fe00:1";
    const SERVER: &str = "fe80::8012:3df5:0:5db1";

    fn satellite() -> Fixture {
        Fixture::default().address("lo", "::1").address("eth0", OWN)
    }

    fn find(world: &Fixture) -> Result<String, Failure> {
        find_for(Purpose::Certificate, world)
    }

    fn find_for(purpose: Purpose, world: &Fixture) -> Result<String, Failure> {
        let mut search = Search::default();
        let found = find_server(world, "section [Loopback] of odbc.ini", purpose, &mut search);
        found.map_err(|failure| search.explain(failure))
    }

    #[track_caller]
    fn assert_refused(world: &Fixture, parts: &[&str]) {
        assert_refused_for(Purpose::Certificate, world, parts);
    }

    #[track_caller]
    fn assert_refused_for(purpose: Purpose, world: &Fixture, parts: &[&str]) {
        let failure = find_for(purpose, world).unwrap_err();
        assert_eq!(failure.state, Sqlstate::UNABLE_TO_CONNECT);
        let text = failure.records().join("\n");
        for part in [parts, &[SERVER_VARIABLE, "[Loopback] of odbc.ini"]].concat() {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
    }

    #[test]
    fn control_characters_in_an_interface_name_are_escaped() {
        let evil = "x\u{1b}[2J\u{1}";
        let world = || Fixture::default().address(evil, OWN);
        let route = format!("{:032x} 00 {:032x} 00 fe80{:028x} 0 0 0 3 {evil}", 0, 0, 9);
        let ways = [
            (world().connection(OWN, SERVER), SERVER),
            (world().bound_connection(OWN, SERVER, evil), SERVER),
            (world().neighbour(evil, SERVER, true), SERVER),
            (world().file(PROC_NET_IPV6_ROUTE, route), "fe80::9"),
        ];
        for (world, address) in ways {
            let mut search = Search::thorough();
            let found = find_server(&world, "", Purpose::Certificate, &mut search).unwrap();
            assert_eq!(found, format!("{address}%{evil}"));
            let text = search.lines().join("");
            assert!(text.contains("%x\\u{1b}[2J\\u{1}") && !text.contains(char::is_control), "{text:?}");
        }
        let failure = find(&world().connection(OWN, SERVER).connection(OWN, "fe80::9")).unwrap_err();
        assert!(!failure.records().join("").contains(char::is_control), "{failure:?}");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_established_connections_of_the_table_are_read() {
        let (local, remote) = (OWN.parse().unwrap(), SERVER.parse().unwrap());
        let expected = TcpConnection { local, remote, interface: None, user: 1000, identity: None };
        assert_eq!(parse_tcp6(TABLE), [expected]);
        assert_eq!(parse_tcp6("0: zz:1 yy:2 01\n1: 00\n\n"), []);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn proc_net_tcp6_is_used_without_socket_diagnostics() {
        let world = satellite().file(PROC_NET_TCP6, TABLE);
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth0"));
    }

    #[test]
    fn the_peer_of_established_connections_is_the_server() {
        let world = satellite().connection(OWN, SERVER).connection(OWN, SERVER);
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth0"));
    }

    #[test]
    fn the_interface_comes_from_the_connection_or_its_local_address() {
        let world = satellite().address("eth1", "fe80::2").connection("fe80::2", SERVER);
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth1"));
        let world = satellite().address("eth1", OWN).bound_connection(OWN, SERVER, "eth1");
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth1"));
    }

    #[test]
    fn only_link_local_peers_on_other_machines_count() {
        let world = satellite()
            .address("eth0", "2001:db8::1")
            .connection("2001:db8::1", "2001:db8::2")
            .connection("::ffff:192.0.2.1", "::ffff:192.0.2.2")
            .connection(OWN, OWN)
            .address("eth1", "fe80::7")
            .connection(OWN, "fe80::7")
            .connection(OWN, SERVER);
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth0"));
    }

    #[test]
    fn two_peers_are_an_error_that_names_both() {
        let world = satellite().connection(OWN, SERVER).connection(OWN, "fe80::9").neighbour("eth0", SERVER, true);
        assert_refused(&world, &["not certain", SERVER, "fe80::9%eth0"]);
    }

    #[test]
    fn the_same_address_on_two_interfaces_is_two_peers() {
        let world = satellite().address("eth1", "fe80::2").connection(OWN, SERVER).connection("fe80::2", SERVER);
        assert_refused(&world, &[&format!("{SERVER}%eth0"), &format!("{SERVER}%eth1")]);
    }

    #[test]
    fn an_address_that_two_interfaces_share_is_not_guessed_at() {
        let world = satellite().address("eth0.7", OWN).connection(OWN, SERVER);
        assert_refused(&world, &[&format!("{SERVER}%eth0"), &format!("{SERVER}%eth0.7")]);
    }

    /// A satellite that has discovered its server once.
    fn satellite_that_has_connected() -> Fixture {
        let world = satellite().bound_connection(OWN, SERVER, "eth0");
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth0"));
        world
    }

    #[test]
    fn the_server_is_remembered_while_its_connection_lives() {
        let world = satellite_that_has_connected().bound_connection(OWN, "fe80::9", "eth0");
        let mut search = Search::default();
        assert_eq!(find_server(&world, "", Purpose::Certificate, &mut search).unwrap(), format!("{SERVER}%eth0"));
        assert_eq!(
            search.lines(),
            [format!(
                "Server, established connections: found {SERVER}%eth0 in a connection remembered from an earlier connect"
            )]
        );
    }

    #[test]
    fn the_search_is_repeated_after_the_remembered_connection_ends() {
        let ended = || satellite_that_has_connected().without_connections();
        let world = ended().bound_connection(OWN, "fe80::9", "eth0");
        assert_eq!(find(&world).unwrap(), "fe80::9%eth0");
        let world = ended().bound_connection(OWN, "fe80::9", "eth0").bound_connection(OWN, SERVER, "eth0");
        assert_refused(&world, &["not certain", SERVER, "fe80::9%eth0"]);
        assert_eq!(find(&ended().neighbour("eth0", "fe80::9", true)).unwrap(), "fe80::9%eth0");
    }

    #[test]
    fn what_was_uncertain_is_not_remembered() {
        let world = satellite().bound_connection(OWN, SERVER, "eth0").bound_connection(OWN, "fe80::9", "eth0");
        assert_refused(&world, &["not certain"]);
        assert_refused(&world, &["not certain"]);
    }

    #[test]
    fn the_remembered_connection_is_ignored_while_locked() {
        let world = satellite_that_has_connected().bound_connection(OWN, "fe80::9", "eth0");
        let held = world.remembered_connection().lock().unwrap();
        assert_refused(&world, &["not certain"]);
        drop(held);
    }

    #[test]
    fn the_neighbour_is_used_if_no_connection_identifies_the_server() {
        let world = satellite()
            .connection("::1", "::1")
            .neighbour("eth0", SERVER, true)
            .neighbour("eth0", "fe80::dead", false)
            .neighbour("eth0", "2001:db8::2", true)
            .neighbour("lo", "fe80::3", true);
        assert_eq!(find(&world).unwrap(), format!("{SERVER}%eth0"));
    }

    #[test]
    fn two_neighbours_are_an_error_that_names_both() {
        let world = satellite().neighbour("eth0", SERVER, true).neighbour("eth0", "fe80::9", true);
        assert_refused(&world, &["not certain", SERVER, "fe80::9%eth0"]);
    }

    #[test]
    fn neighbours_are_used_only_with_a_single_interface() {
        let world = satellite().address("eth1", "fe80::2").neighbour("eth0", SERVER, true);
        assert_refused(&world, &["2 interfaces have IPv6"]);
    }

    #[test]
    fn the_failure_names_every_signal_and_its_result() {
        let world = satellite().file(PROC_NET_TCP6, "").neighbour("eth0", "fe80::dead", false);
        assert_refused(&world, &["was not found", "established connections: none", "neighbours: none", "on eth0"]);
    }

    #[test]
    fn the_default_gateway_is_the_last_resort() {
        let none = "0".repeat(32);
        let route = |to: &str, length: &str, gateway: &str, flags: &str, interface: &str| {
            format!("{to} {length} {none} 00 {gateway} 00000400 00000001 00000000 {flags} {interface}\n")
        };
        let server = "fe8000000000000080123df500005db1";
        let network = format!("fe8{}", "0".repeat(29));
        let other = [
            route(&none, "00", &none, "00200200", "lo"),
            route(&network, "40", server, "00000003", "eth1"),
            "nonsense\n".to_owned(),
        ]
        .concat();
        let world = |routes: &str| satellite().file(PROC_NET_IPV6_ROUTE, &(other.clone() + routes));
        let default = |interface| route(&none, "00", server, "00000003", interface);
        assert_eq!(find(&world(&default("eth0"))).unwrap(), "fe80::8012:3df5:0:5db1%eth0");
        let global = route(&none, "00", "20010db8000000000000000000000001", "00000003", "eth0");
        assert_refused(&world(&(default("eth0") + &default("eth1"))), &["default routes: there are 2"]);
        assert_refused(&world(&(default("eth0") + &global)), &["default routes: there are 2"]);
        assert_refused(&world(&global), &["default routes: none"]);
        assert_refused(&world(""), &["default routes: none"]);
    }

    #[test]
    fn a_connection_of_another_user_is_ignored_and_reported() {
        for user in [1001, 65534] {
            let text = format!("ignoring other users' connections: fe80::9 of user {user}");
            let foreign = || satellite().bound_connection(OWN, "fe80::9", "eth0").of_user(user);
            assert_refused(&foreign(), &["established connections: none", &text]);
            // It does not make the answer uncertain either.
            assert_eq!(find(&foreign().bound_connection(OWN, SERVER, "eth0")).unwrap(), format!("{SERVER}%eth0"));
        }
        let root_s = satellite().bound_connection(OWN, SERVER, "eth0").of_user(0);
        assert_eq!(find(&root_s).unwrap(), format!("{SERVER}%eth0"));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn proc_net_tcp6_gives_the_user_of_a_connection() {
        let world = satellite().file(PROC_NET_TCP6, TABLE.replace("  1000", "  1001"));
        assert_refused(&world, &["in /proc/net/tcp6, ignoring other users' connections", "of user 1001"]);
    }

    #[test]
    fn a_connection_now_owned_by_another_user_is_forgotten() {
        let world = satellite_that_has_connected().of_user(1001);
        assert_refused(
            &world,
            &["in a connection remembered from an earlier connect, ignoring other users' connections"],
        );
        assert_eq!(*world.remembered_connection().lock().unwrap(), None);
    }

    #[test]
    fn a_password_is_sent_only_to_a_connected_peer() {
        let route = format!(
            "{none} 00 {none} 00 fe8000000000000080123df500005db1 00000400 00000001 00000000 00000003 eth0\n",
            none = "0".repeat(32)
        );
        let world = || satellite().neighbour("eth0", SERVER, true).file(PROC_NET_IPV6_ROUTE, &route);
        assert!(find(&world()).is_ok());
        assert_refused_for(
            Purpose::Secret,
            &world(),
            &["was not found", "neighbours: not used", "default routes: not used"],
        );
        let foreign = world().bound_connection(OWN, SERVER, "eth0").of_user(1001);
        assert_refused_for(Purpose::Secret, &foreign, &["ignoring other users' connections", "neighbours: not used"]);
        let own = world().bound_connection(OWN, SERVER, "eth0");
        assert_eq!(find_for(Purpose::Secret, &own).unwrap(), format!("{SERVER}%eth0"));
        // What was remembered for a certificate is good for a password, because it is a connection.
        assert_eq!(find(&own).unwrap(), find_for(Purpose::Secret, &own).unwrap());
    }

    /// /proc/net/if_inet6 of [`satellite`].
    const ADDRESSES: &str = "\
00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000002000ffffe000001 02 40 20 80     eth0
";

    #[test]
    #[cfg(target_endian = "little")]
    fn proc_tables_are_used_without_netlink() {
        let world = || satellite().no_addresses().file(PROC_NET_IF_INET6, ADDRESSES);
        assert_eq!(parse_if_inet6(ADDRESSES), satellite().interface_addresses().unwrap());
        assert_eq!(find(&world().file(PROC_NET_TCP6, TABLE)).unwrap(), format!("{SERVER}%eth0"));
        assert_eq!(find(&world().neighbour("eth0", SERVER, true)).unwrap(), format!("{SERVER}%eth0"));
        assert_eq!(parse_if_inet6("zz 01 40 20 80 eth0\nfe80 01\n\n"), []);
    }

    #[test]
    fn connections_are_ignored_if_our_own_addresses_are_unknown() {
        // The peer could be this machine itself.
        let world = satellite().no_addresses().bound_connection(OWN, SERVER, "eth0");
        assert_refused(&world, &["the network interfaces cannot be read: permission denied; /proc/net/if_inet6: "]);
    }

    #[test]
    fn a_table_over_the_size_limit_is_ignored() {
        let world = satellite().file(PROC_NET_TCP6, TABLE.repeat(MOST_TABLE_BYTES / TABLE.len() + 1));
        assert_refused(&world, &["/proc/net/tcp6: it has more than 4194304 bytes"]);
    }

    #[test]
    fn signals_that_cannot_be_asked_are_named_with_the_reason() {
        assert_refused(
            &satellite(),
            &["socket diagnostics: ", "/proc/net/tcp6: ", "neighbour table cannot be read", "/proc/net/ipv6_route: "],
        );
    }
}
