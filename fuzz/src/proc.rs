//! Files in /proc: for systems without netlink, and for command lines.

use crate::input::{self, Options};
use crate::meant::Meant;
use crate::reference::{self, Pair};
use crate::secrets;
use loopbackodbc::fuzzing::{Fixture, Kind, Platform, Search, Target, Wanted, parse, rewrite};
use std::net::Ipv6Addr;

const FILES: [&str; 7] = [
    "/proc/net/tcp6",
    "/proc/net/if_inet6",
    "/proc/net/ipv6_route",
    "/proc/self/cmdline",
    "/proc/self/stat",
    "/proc/1/cmdline",
    "/proc/1/stat",
];
/// Folders with pairs to which only a command line leads.
const FOLDERS: [&str; 2] = ["/opt/s/a", "/srv/t"];

/// The files, each after a byte that none of them contains, in the order of [`FILES`].
pub fn proc(input: &[u8]) {
    let Some((options, input)) = Options::take(input) else { return };
    let texts: [&[u8]; FILES.len()] = input::parts(input, 0xff);
    let mut world = Fixture::default().no_addresses().working_directory("/elsewhere").unlisted();
    for (file, text) in FILES.iter().zip(texts) {
        if !text.is_empty() {
            world = world.file(file, text);
        }
    }
    world = FOLDERS.iter().fold(world, |world, folder| world.pair(folder));
    if options.is_set(0) {
        world = world.pair("/elsewhere");
    }
    if options.is_set(1) {
        let text = String::from_utf8_lossy(texts[1]);
        let interface = text.split_ascii_whitespace().nth(5).unwrap_or("eth0").to_owned();
        world = world.neighbour(&interface, "fe80::7", !options.is_set(2));
    }
    let kind = &Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let target = &Target::registered_as("ODBC Driver 18 for SQL Server");
    let wanted =
        Wanted { target, kind, platform: Platform::Linux, preset: Vec::new(), files_unseen: false, ends_open: false };
    let string = if options.is_set(3) { "DRIVER=x;UID=u;\u{2}" } else { "DRIVER=x" };
    let string = input::units(string.as_bytes());
    let mut search = if options.is_set(4) { Search::thorough() } else { Search::default() };
    let outcome = rewrite(&world, &wanted, &parse(&string).attributes, &mut search);
    secrets::hidden(&outcome, &search);
    for finding in search.findings {
        assert!(!finding.text.to_string().contains(|it: char| it.is_control() && it != '\t'), "{finding:?}");
    }
    let Ok(rewritten) = outcome else { return };
    let (application, _) = reference::read(&string);
    let mut others = Vec::new();
    for (keyword, value) in [("TrustServerCertificate", "Yes"), ("Trusted_Connection", "no"), ("Encrypt", "Yes")] {
        others.push(Pair::new(keyword, value));
    }
    for folder in FOLDERS.iter().chain(&["/elsewhere"]) {
        others.push(Pair::new("ClientCertificate", &format!("file:{folder}/sqlsatellitecert.pem")));
        others.push(Pair::new("ClientKey", &format!("file:{folder}/sqlsatellitekey.pem")));
    }
    let (written, _) = reference::read(&rewritten.target_string());
    for server in written.iter().filter(|it| it.is("Server")) {
        assert_link_local(&String::from_utf16_lossy(&server.value), &texts);
        others.push(server.clone());
    }
    let target = "ODBC Driver 18 for SQL Server".to_owned();
    Meant { is_microsofts: true, application, target, others }.holds(&rewritten);
}

/// An address of the local network, with an interface that the files contain.
fn assert_link_local(server: &str, texts: &[&[u8]]) {
    let (address, interface) = server.split_once('%').unwrap_or_else(|| panic!("{server} has no interface"));
    assert!(address.parse::<Ipv6Addr>().is_ok_and(|it| it.is_unicast_link_local()), "{server}");
    let named = |text: &&[u8]| String::from_utf8_lossy(text).split_ascii_whitespace().any(|it| it == interface);
    assert!(texts[1..3].iter().any(named), "{server} is at an interface that nobody names");
}
