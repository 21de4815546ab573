//! Sessions that other users interfere with, that the kernel reports little about, or that are unusually large: planted
//! files, other users' connections, and the amount of work of a search.

mod common;

use common::satellite::{CONNECT, Outcome, PYTHON, SERVER, Satellite};
use common::{CONNECT_AND_FAIL, assert_says, part};

/// Connects in another working directory, which must fail without reaching the server, and returns all records.
/// Additional arguments only appear in the process's command line.
#[track_caller]
fn refused(satellite: Satellite, folder: &str, string: &str, arguments: &[&str]) -> String {
    let satellite = satellite.script("tests/programs/odbc.py").script("tests/programs/records.py");
    let start = "records=$PWD/records.py && cd $0 && exec /usr/bin/python3 $records \"$@\"";
    let outcome = satellite.run(&[&["sh", "-c", start, folder, string], arguments].concat());
    assert_eq!(outcome.logins, [""; 0]);
    outcome.ran.stdout
}

/// Connects in another working directory, and logs what was checked.
fn connect_in(satellite: Satellite, folder: &str) -> Outcome {
    let satellite = satellite.option("--env", "LOOPBACK_ODBC_LOG=info");
    satellite.run(&["sh", "-c", "cd $0 && exec \"$@\"", folder, PYTHON, "-c", CONNECT, "DSN=Loopback"])
}

// --- A planted pair ---

/// Moves the session's pair to another folder.
fn taken_to(folder: &str) -> String {
    format!(
        "mkdir -p {folder}/cwd && cp $LAUNCHPAD_DIR/*.pem {folder} && chmod 644 {folder}/*.pem && rm $LAUNCHPAD_DIR/*.pem"
    )
}

/// An access control list (struct posix_acl_xattr_header) that lets user 10002 write.
const LET_OTHER_WRITE: &str = "/usr/bin/python3 -c '
import os, struct
entries = [(1, 7, -1), (2, 7, 10002), (4, 5, -1), (16, 7, -1), (32, 5, -1)]
acl = struct.pack(\"<I\", 2) + b\"\".join(struct.pack(\"<HHi\", *entry) for entry in entries)
os.setxattr(\"/srv/above\", \"system.posix_acl_access\", acl)'";

#[test]
fn a_planted_pair_above_the_working_directory_is_ignored() {
    for (folder, snippet, reason) in [
        // In a folder with the sticky bit, with everything below it owned by another user; then an own folder inside
        // such a folder.
        ("/tmp/above", "chown -R 10002:10002 /tmp/above", "every user may write to /tmp (mode 1777)"),
        ("/tmp/above", "chown -R $SATELLITE_UID:$SATELLITE_UID /tmp/above", "every user may write to /tmp (mode 1777)"),
        (
            "/srv/above",
            "chgrp 10002 /srv/above && chmod 2775 /srv/above",
            "group 10002 may write to /srv/above (mode 2775)",
        ),
        ("/srv/above", "chmod 775 /srv/above", "group 0 may write to /srv/above (mode 775)"),
        ("/srv/above", "chmod o+w /srv/above", "every user may write to /srv/above (mode 757)"),
        ("/srv/above", "chown 10002 /srv/above", "/srv/above belongs to user 10002"),
        ("/srv/above", "chown 10002 /srv", "/srv belongs to user 10002"),
        ("/srv/above", "chown 65534 /srv/above", "/srv/above belongs to an unknown user (65534)"),
        ("/srv/above", "chown 10002 /srv/above/*cert.pem", "/srv/above/sqlsatellitecert.pem belongs to user 10002"),
        ("/srv/above", "chown 10002 /srv/above/*key.pem", "/srv/above/sqlsatellitekey.pem belongs to user 10002"),
        ("/srv/above", "chmod o+w /srv/above/*key.pem", "every user may write to /srv/above/sqlsatellitekey.pem"),
        ("/srv/above", LET_OTHER_WRITE, "group 0 may write to /srv/above (mode 775)"),
        (
            "/srv/above",
            "mv /srv/above/*key.pem /tmp && ln -s /tmp/sqlsatellitekey.pem /srv/above/",
            "every user may write to /tmp (mode 1777)",
        ),
    ] {
        let satellite = Satellite::new().prepare(&taken_to(folder)).prepare(snippet);
        let said = refused(satellite, &format!("{folder}/cwd"), "DSN=Loopback", &[]);
        let pair = format!("{folder}/sqlsatellitecert.pem is ignored, because ");
        assert_says(&said, &[&pair, reason, "LOOPBACK_ODBC_CLIENT_CERTIFICATE", "working directory: ignored: "]);
    }
}

#[test]
fn a_planted_pair_in_the_data_directory_or_a_command_line_is_ignored() {
    let of_other = "chown -R 10002:10002 /srv/above";
    let reason = "/srv/above belongs to user 10002";
    let planted = |snippet: &str| Satellite::new().prepare(&taken_to("/srv/above")).prepare(of_other).prepare(snippet);
    let in_data = planted("mv /srv/above $DATA_DIR/planted");
    let said = refused(in_data, "/", "DSN=Loopback", &[]);
    assert_says(&said, &["data directory", "ignored: ", "/data/planted belongs to user 10002"]);
    let said = refused(planted("ln -s /srv/above $DATA_DIR/link"), "/", "DSN=Loopback", &[]);
    assert_says(&said, &["/data/link/sqlsatellitecert.pem is ignored", reason]);
    let variable = planted("true").option("--env", "LOOPBACK_ODBC_DATA_DIR=/srv");
    assert_says(&refused(variable, "/", "DSN=Loopback", &[]), &["data directory /srv: ignored: ", reason]);
    for argument in ["/srv/above/cwd/script.py", "--session=/srv/above/cwd"] {
        let said = refused(planted("true"), "/", "DSN=Loopback", &[argument]);
        assert_says(&said, &["command lines: ignored: ", reason]);
    }
}

#[test]
fn a_user_s_password_is_not_sent_for_the_sake_of_a_planted_pair() {
    let satellite = Satellite::new().prepare(&taken_to("/srv/above")).prepare("chown -R 10002:10002 /srv/above");
    let said = refused(satellite, "/srv/above/cwd", "DSN=Loopback;UID=me;PWD=hunter2", &[]);
    assert_says(&said, &["is ignored, because /srv/above belongs to user 10002"]);
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn the_session_pair_is_used_and_the_log_names_the_planted_one() {
    let plant =
        "mkdir -p /tmp/above/cwd && echo planted | tee /tmp/above/sqlsatellitecert.pem >/tmp/above/sqlsatellitekey.pem";
    let outcome = connect_in(Satellite::new().prepare(plant), "/tmp/above/cwd");
    outcome.by_certificate(1);
    assert_says(&outcome.ran.stderr, &["ignored: /tmp/above/sqlsatellitecert.pem is ignored, because every user"]);
}

#[test]
fn a_planted_pair_that_is_named_is_used() {
    let outcome = Satellite::new()
        .prepare(&taken_to("/tmp/above"))
        .option("--env", "LOOPBACK_ODBC_CLIENT_CERTIFICATE=/tmp/above/sqlsatellitecert.pem")
        .option("--env", "LOOPBACK_ODBC_CLIENT_KEY=/tmp/above/sqlsatellitekey.pem")
        .run(&[PYTHON, "-c", CONNECT, "DSN=Loopback"]);
    outcome.by_certificate(1);
}

#[test]
fn doctor_names_an_ignored_pair() {
    let program = part("PROGRAM");
    let satellite = Satellite::new().script(program.to_str().unwrap()).prepare(&taken_to("/tmp/above"));
    let doctor = "doctor=$PWD/loopback-odbc && cd /tmp/above/cwd && { $doctor doctor; echo $?; }";
    let said = satellite.run(&["sh", "-c", doctor]).ran.stdout;
    let reason = "/tmp/above/sqlsatellitecert.pem is ignored, because every user may write to /tmp (mode 1777)";
    assert_says(
        &said,
        &[
            &format!("failure   Other users could have planted the certificate and key: {reason}"),
            &format!("working directory: ignored: {reason}"),
            "\n2\n",
        ],
    );
}

#[test]
fn the_microsoft_installation_layout_is_trusted() {
    // In the setting the service owns the folders, as in microsoft/mssql-docker #557.
    for owners in
        ["chown -R 10001 $LAUNCHPAD_DIR", "chown -R 0:10001 ${DATA_DIR%/data} && chmod -R g-w ${DATA_DIR%/data}"]
    {
        Satellite::new().prepare(owners).run(&[PYTHON, "-c", CONNECT, "DSN=Loopback"]).by_certificate(1);
    }
    let anybody = Satellite::new().prepare("chmod 777 $DATA_DIR");
    assert_says(
        &anybody.refused("DSN=Loopback"),
        &["every user may write to /var/opt/mssql-extensibility/data (mode 777)"],
    );
}

#[test]
fn nothing_is_trusted_if_the_owner_of_the_root_folder_is_unknown() {
    // In a user namespace that has only this user, root's folders appear to belong to an unknown user.
    let outcome = Satellite::new().run(&[
        "unshare",
        "--user",
        "--map-user=10001",
        PYTHON,
        "-c",
        CONNECT_AND_FAIL,
        "DSN=Loopback",
    ]);
    assert_says(&outcome.ran.stdout, &["is ignored, because / belongs to an unknown user (65534)"]);
    assert_eq!(outcome.logins, [""; 0]);
}

// --- Whose the connections are ---

/// A connection of user 10002 to what looks like a second link-local address of another machine.
fn with_foreign_connection(satellite: Satellite) -> Satellite {
    satellite.script("tests/programs/own_connection.py").prepare(
        "ip address add fe80::1234/64 dev eth0 nodad
        install -D $SESSION_DIR/own_connection.py /srv/own_connection.py
        setpriv --reuid 10002 --regid 10002 --clear-groups python3 /srv/own_connection.py /tmp/made >/tmp/said 2>&1 &
        until [ -e /tmp/made ]; do kill -0 $! || { cat /tmp/said >&2; exit 1; }; sleep 0.01; done
        ip address del fe80::1234/64 dev eth0",
    )
}

#[test]
fn a_connection_of_another_user_does_not_show_the_server() {
    let outcome = connect_in(with_foreign_connection(Satellite::new()), ".");
    outcome.by_certificate(1);
    let passed_over = "ignoring other users' connections: fe80::1234 of user 10002";
    assert_says(&outcome.ran.stderr, &[&format!("found {SERVER} in socket diagnostics, {passed_over}")]);
    // Alone, it shows nothing.
    let alone = with_foreign_connection(Satellite::new().flag("--no-channel"));
    let said = refused(alone, ".", "DSN=Loopback", &[]);
    assert_says(&said, &["none with a link-local address in socket diagnostics, ", passed_over]);
    // The table in /proc gives the same result.
    let outcome = with_foreign_connection(without_netlink()).run(&[PYTHON, "-c", CONNECT, "DSN=Loopback"]);
    outcome.by_certificate(1);
    assert_says(&outcome.ran.stderr, &[&format!("found {SERVER} in /proc/net/tcp6, {passed_over}")]);
}

/// A satellite whose server accepts a user by name.
fn with_login() -> Satellite {
    Satellite::new().option("--standin-arg", "--login").option("--standin-arg", "me:hunter2")
}

const BY_NAME: &str = "DSN=Loopback;UID=me;PWD=hunter2";

#[test]
fn a_password_is_sent_only_to_a_connected_peer() {
    let outcome = with_login().run(&[PYTHON, "-c", CONNECT, BY_NAME]);
    assert_says(&outcome.logins.join("\n"), &["result=ok", "user=\"me\""]);
    let route = "ip -6 route add default via fe80::8012:3df5:0:5db1 dev eth0";
    for satellite in [
        with_login().flag("--ended-channel"),
        with_login().flag("--no-channel").prepare(route),
        with_foreign_connection(with_login().flag("--ended-channel")),
    ] {
        let said = refused(satellite, ".", BY_NAME, &[]);
        assert_says(
            &said,
            &["The address of SQL Server was not found.", "LOOPBACK_ODBC_SERVER", "neighbours: not used"],
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
}

// --- What cannot be asked ---

fn without_netlink() -> Satellite {
    Satellite::new().flag("--no-netlink").option("--env", "LOOPBACK_ODBC_LOG=info")
}

#[test]
fn proc_is_used_if_netlink_is_forbidden() {
    let outcome = without_netlink().run(&[PYTHON, "-c", CONNECT, "DSN=Loopback"]);
    outcome.by_certificate(1);
    assert_says(&outcome.ran.stderr, &[&format!("found {SERVER} in /proc/net/tcp6")]);
    // Information that only netlink provides does not count as empty without netlink.
    let said = refused(without_netlink().flag("--ended-channel"), ".", "DSN=Loopback", &[]);
    assert_says(&said, &["neighbours: the neighbour table cannot be read: no netlink socket: Operation not permitted"]);
    // Without both there is nothing to ask.
    assert_says(
        &refused(without_netlink().flag("--no-proc"), ".", "DSN=Loopback", &[]),
        &[
            "socket diagnostics: no netlink socket: Operation not permitted (os error 1); /proc/net/tcp6: No such file or directory",
            "network interfaces cannot be read: no netlink socket: Operation not permitted (os error 1); /proc/net/if_inet6: No such file",
        ],
    );
}

// --- How much work a search is ---

/// Connects with these additional arguments, which must fail within a second and with little memory; returns the
/// record.
#[track_caller]
fn refused_at_once(satellite: Satellite, folder: &str, arguments: &[&str]) -> String {
    let start = "script=$PWD/refusal_measured.py && cd $0 && exec /usr/bin/python3 $script DSN=Loopback \"$@\"";
    let satellite = satellite.script("tests/programs/refusal_measured.py");
    let outcome = satellite.run(&[&["sh", "-c", start, folder], arguments].concat());
    assert_eq!(outcome.logins, [""; 0]);
    let (record, costs) = outcome.ran.stdout.trim_end().rsplit_once('\n').unwrap();
    let (seconds, kilobytes) = costs.strip_suffix(" kilobytes").unwrap().split_once(" seconds, ").unwrap();
    assert!(seconds.parse::<f64>().unwrap() < 1.0, "{costs}");
    assert!(kilobytes.parse::<u64>().unwrap() < 100_000, "{costs}");
    record.to_owned()
}

#[test]
fn a_huge_certificate_is_not_read() {
    for file in ["sqlsatellitecert.pem", "sqlsatellitekey.pem"] {
        let huge = format!("truncate -s 3G $LAUNCHPAD_DIR/{file}");
        let record = refused_at_once(Satellite::new().prepare(&huge), ".", &[]);
        assert_says(&record, &[file, "is too large: it has more than 262144 bytes"]);
    }
    let given = Satellite::new()
        .prepare(
            "mkdir /srv && truncate -s 3G /srv/c.pem && cp $LAUNCHPAD_DIR/sqlsatellitekey.pem /srv/k.pem && chmod 644 /srv/*.pem",
        )
        .option("--env", "LOOPBACK_ODBC_CLIENT_CERTIFICATE=/srv/c.pem")
        .option("--env", "LOOPBACK_ODBC_CLIENT_KEY=/srv/k.pem");
    assert_says(&refused_at_once(given, ".", &[]), &["/srv/c.pem is too large"]);
}

#[test]
fn an_argument_of_120_kilobytes_is_not_followed() {
    let none = || Satellite::new().prepare("rm $LAUNCHPAD_DIR/*.pem");
    let [slashes, folders, assigned] = ["/", "/d", "=/"].map(|part| part.repeat(120_000 / part.len()));
    let paths: Vec<String> = (0..20_000).map(|number| format!("/d/{number}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for arguments in [&[slashes.as_str()][..], &[&folders], &[&assigned], &[&slashes, &folders, &assigned], &paths] {
        let record = refused_at_once(none(), "/", arguments);
        assert_says(&record, &["this does not look like one"]);
    }
    // What comes before the limit is followed, and what was left out is reported.
    let outcome = connect_in(Satellite::new().flag("--unlistable"), ".");
    outcome.by_certificate(1);
    let said = refused(none(), "/", "DSN=Loopback", &[&folders]);
    assert_says(&said, &["command lines: skipped: everything after the first 65536 bytes of /proc/self/cmdline"]);
}

#[test]
fn a_deep_working_directory_is_searched_up_to_the_limit() {
    let deep = format!("/srv{}", "/d".repeat(1000));
    let satellite = Satellite::new().prepare("rm $LAUNCHPAD_DIR/*.pem").prepare(&format!("mkdir -p {deep}"));
    let said = refused(satellite, &deep, "DSN=Loopback", &[]);
    assert_says(&said, &["working directory: skipped: /srv/d/d/d", "more than 64 folders up"]);
}

#[test]
fn thousands_of_sockets_cost_little() {
    let took = |host: &str, count: &str| {
        let satellite = Satellite::new().script("tests/programs/many_sockets.py");
        // As root, who is allowed this many descriptors.
        let ran = satellite
            .flag("--root")
            .run(&[
                "sh",
                "-c",
                "exec /usr/bin/python3 many_sockets.py $(echo /opt/mssql-extensibility/lib/*.so) $0 $1",
                host,
                count,
            ])
            .ran;
        assert_says(&ran.stdout, &[&format!("Server={SERVER};")]);
        ran.stdout.split_once(' ').unwrap().0.parse::<f64>().unwrap() / 1000.0
    };
    let few = took("::1", "0");
    let many = took("::1", "9000");
    assert!(many - few < 6.0, "{few} ms without, {many} ms with 9000 sockets");
    // Connections that could show the server are checked one by one.
    let many = took("fe80::8012:3df5:0:5db2%eth0", "9000");
    assert!(many - few < 50.0, "{few} ms without, {many} ms with 9000 sockets to a link-local address");
}
