//! Microsoft's own driver with the stand-in: logins, types, statements, transactions, errors, the catalog.
//!
//! The assertions are in `driver.py` and `rodbc.R`, because the stand-in must serve pyodbc and RODBC. What these do not
//! show is in `cursors.py` and `procedures.py`, which call ODBC's own functions. Each test starts its own server. The
//! tools come from the environment:
//!
//! | variable | |
//! |-|-|
//! | `MSODBCSQL` | Microsoft's driver, `libmsodbcsql-18.x.so` |
//! | `PYTHON` | a Python that can import pyodbc |
//! | `RSCRIPT` | Rscript with RODBC; `Rscript` when not set |
//!
//! `openssl` makes the certificates.

use std::env;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server and the folder that it shares with its clients.
struct Standin {
    process: Child,
    folder: TempDir,
}

fn variable(name: &str, what: &str) -> PathBuf {
    let value = env::var_os(name).unwrap_or_else(|| panic!("set {name} to {what}"));
    PathBuf::from(value)
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}\n{}", text(&output.stdout), text(&output.stderr));
    output
}

/// A key as SQL Server writes it, PKCS#1, and a certificate; X.509 version 1 when asked for.
fn make_certificate(folder: &Path, name: &str, version_1: bool) {
    let openssl = |arguments: &[&str]| {
        run(Command::new("openssl").args(arguments).current_dir(folder));
    };
    let key = &format!("{name}key.pem");
    let certificate = &format!("{name}.pem");
    let subject = ["-subj", "/O=Microsoft Corporation"];
    openssl(&["genrsa", "-traditional", "-out", key, "2048"]);
    if version_1 {
        let request = &format!("{name}.csr");
        openssl(&[&["req", "-new", "-key", key, "-out", request], subject.as_slice()].concat());
        openssl(&["x509", "-req", "-in", request, "-signkey", key, "-out", certificate, "-days", "2"]);
    } else {
        openssl(
            &[&["req", "-x509", "-new", "-key", key, "-out", certificate, "-days", "2"], subject.as_slice()].concat(),
        );
    }
}

impl Standin {
    fn start() -> Standin {
        let driver = variable("MSODBCSQL", "the path of Microsoft's ODBC driver (libmsodbcsql-18.x.so)");
        let folder = TempDir::new().expect("a folder");
        let path = folder.path();
        fs::write(path.join("odbcinst.ini"), format!("[real]\nDriver={}\n", driver.display())).expect("odbcinst.ini");
        fs::write(
            path.join("seed.sql"),
            "CREATE TABLE seeded (n int NOT NULL)\nGO\nINSERT INTO seeded VALUES (1), (2), (3)\n",
        )
        .expect("seed");
        make_certificate(path, "session", false);
        make_certificate(path, "other", false);
        make_certificate(path, "oldform", true);
        let process = Command::new(env!("CARGO_BIN_EXE_standin"))
            .current_dir(path)
            // The files of a killed server are removed with the test's own folder.
            .env("TMPDIR", path)
            .args(["--listen", "127.0.0.1:0", "--data-channel", "127.0.0.1:0", "--session-certificate", "session.pem"])
            .args(["--login", "dev:se{cret", "--database", "Sales", "--seed", "Sales=seed.sql"])
            .args(["--log", "log", "--ready-file", "ready"])
            .stderr(fs::File::create(path.join("stderr")).expect("a file"))
            .spawn()
            .expect("the server");
        let mut standin = Standin { process, folder };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !standin.folder.path().join("ready").exists() {
            assert!(Instant::now() < deadline, "the server is not ready");
            assert!(standin.process.try_wait().expect("the server").is_none(), "the server has ended");
            thread::sleep(Duration::from_millis(20));
        }
        standin
    }

    /// The address for TDS.
    fn address(&self) -> String {
        let ready = fs::read_to_string(self.folder.path().join("ready")).expect("the ready file");
        ready.lines().next().expect("an address").to_owned()
    }

    /// The server's complaints; there are none unless the server is at fault.
    fn complaints(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).expect("what it wrote")
    }

    fn client(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The second is the user's own file, which unixODBC reads as well, and creates if there is none.
        command.env("ODBCSYSINI", self.folder.path()).env("ODBCINI", self.folder.path().join("user.ini"));
        command
    }

    fn topic(&self, script: &str, topic: &str) {
        let python = variable("PYTHON", "a Python interpreter that can import pyodbc");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
        // -B: no files are left next to the scripts.
        let output = run(self.client(&python).arg("-B").arg(script).arg(topic).arg(self.folder.path()));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("ok {topic}"));
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        // It may have ended already; the test that checks this has noticed.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("{}", self.complaints());
        }
    }
}

/// One test for each topic of a script.
macro_rules! topics {
    ($script:literal: $($topic:ident)*) => {
        $(
            #[test]
            fn $topic() {
                Standin::start().topic($script, stringify!($topic));
            }
        )*
    };
}

topics! {
    "driver.py": certificate_login password_login basics types description rowversion statements results parameters transactions
    errors attention catalog bulk_copy
}

topics! {
    "cursors.py": scrolling what_is_seen no_cursor positioned conflicts bookmarks named prepared
}

topics! {
    "procedures.py": outputs stored listed views mixed
}

#[test]
fn rodbc() {
    let standin = Standin::start();
    let rscript = env::var_os("RSCRIPT").unwrap_or_else(|| "Rscript".into());
    let address = standin.address();
    let port = address.rsplit(':').next().expect("a port");
    let folder = standin.folder.path().display();
    let connection = format!(
        "Driver=real;Server=127.0.0.1,{port};Database=Sales;ClientCertificate=file:{folder}/session.pem;\
         ClientKey=file:{folder}/sessionkey.pem;TrustServerCertificate=yes;"
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rodbc.R");
    // UTF-8; otherwise R would misread its own script.
    let output = run(standin.client(Path::new(&rscript)).env("LC_ALL", "C.UTF-8").arg(script).arg(connection));
    assert!(String::from_utf8_lossy(&output.stdout).contains("ok rodbc"));
}

/// Whatever a client sends, the server serves the next one.
#[test]
fn nonsense_ends_only_its_own_connection() {
    let standin = Standin::start();
    let address = standin.address();
    let prelogin_off = packet(PRELOGIN, &PLAIN);
    let login_too_short = [0x10, 1, 0, 12, 0, 0, 0, 0, 94, 0, 0, 0];
    let nonsense: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0x12, 1, 0, 3, 0, 0, 0, 0],
        &[0x12, 1, 0, 9, 0, 0, 0, 0, 1],
        &[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0],
        &[prelogin_off.as_slice(), &login_too_short].concat(),
    ];
    for bytes in nonsense {
        let mut socket = TcpStream::connect(&address).expect("a connection");
        socket.write_all(bytes).expect("sent");
        socket.shutdown(Shutdown::Write).expect("shut down");
        // The server closes the connection, with or without an answer before that.
        let _ = socket.read_to_end(&mut Vec::new());
    }
    standin.topic("driver.py", "basics");
    let log = fs::read_to_string(standin.folder.path().join("log")).expect("the log");
    assert_eq!(log.lines().filter(|line| line.starts_with("connection result=broken")).count(), 5, "{log}");
}

const SQL_BATCH: u8 = 0x01;
const RPC: u8 = 0x03;
const BULK_LOAD: u8 = 0x07;
const LOGIN7: u8 = 0x10;
const PRELOGIN: u8 = 0x12;
/// A PRELOGIN that asks for no encryption, not even of the login.
const PLAIN: [u8; 7] = [1, 0, 6, 0, 1, 0xff, 2];
/// ALL_HEADERS without a header.
const NO_HEADERS: [u8; 4] = [4, 0, 0, 0];

fn packet(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).expect("one packet");
    [&[kind, 1], length.to_be_bytes().as_slice(), &[0; 4], payload].concat()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A call of a procedure by its number, with a text after the first parameter if there is one.
fn rpc(number: u8, text: &str, values: &[i32]) -> Vec<u8> {
    let mut parameters: Vec<Vec<u8>> =
        values.iter().map(|value| [&[0, 0, 0x26, 4, 4], value.to_le_bytes().as_slice()].concat()).collect();
    if !text.is_empty() {
        let text = utf16(text);
        parameters.insert(1, [&[0, 0, 0xe7, 0x40, 0x1f, 0, 0, 0, 0, 0, text.len() as u8, 0], text.as_slice()].concat());
    }
    [[0xff, 0xff, number, 0, 0, 0].as_slice(), &parameters.concat(), &[0xff]].concat()
}

fn login7() -> Vec<u8> {
    let password = utf16("se{cret").into_iter().map(|byte| byte.rotate_left(4) ^ 0xa5).collect();
    let mut fixed = [vec![0; 4], 0x7400_0004_u32.to_le_bytes().to_vec(), vec![0; 28]].concat();
    let mut texts = Vec::new();
    for text in [vec![], utf16("dev"), password, vec![], vec![], vec![], vec![], vec![], vec![]] {
        fixed.extend((94 + texts.len() as u16).to_le_bytes());
        fixed.extend((text.len() as u16 / 2).to_le_bytes());
        texts.extend(text);
    }
    fixed.resize(94, 0);
    [fixed, texts].concat()
}

/// The server's next message; `None` if it has closed the connection.
fn answer(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let mut header = [0; 8];
        socket.read_exact(&mut header).ok()?;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 8];
        socket.read_exact(&mut payload).ok()?;
        whole.extend(payload);
        if header[1] == 1 {
            return Some(whole);
        }
    }
}

/// A logged-in connection without encryption.
fn logged_in(address: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    for message in [packet(PRELOGIN, &PLAIN), packet(LOGIN7, &login7())] {
        socket.write_all(&message).expect("sent");
        answer(&mut socket).expect("an answer");
    }
    socket
}

/// What a client can do wrong after the login: nothing of it ends the server, blocks it, or exhausts the machine's
/// memory.
#[test]
fn nonsense_after_the_login_does_no_more_harm() {
    let standin = Standin::start();
    let address = standin.address();
    // Clients that send nothing, and one that stops in the middle, stay until the end.
    let mut silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(&address).expect("a connection")).collect();
    silent[0].write_all(&packet(PRELOGIN, &PLAIN)[..3]).expect("sent");

    // sp_executesql N'SELECT 1', truncated at every byte.
    let statement = utf16("SELECT 1");
    let parameter = [&[0, 0, 0xe7, 0x40, 0x1f, 0, 0, 0, 0, 0, statement.len() as u8, 0], statement.as_slice()].concat();
    let whole = [&NO_HEADERS, [0xff, 0xff, 10, 0, 0, 0].as_slice(), &parameter].concat();
    let mut requests: Vec<Vec<u8>> = (0..whole.len()).map(|end| packet(RPC, &whole[..end])).collect();
    // Lengths that exceed any memory: of the headers, of a name, of an nvarchar(max), of its first chunk, of an image.
    let call = [&NO_HEADERS, [0xff, 0xff, 10, 0, 0, 0, 0, 0].as_slice()].concat();
    let max = [&call, [0xe7, 0xff, 0xff, 0, 0, 0, 0, 0].as_slice()].concat();
    requests.push(packet(SQL_BATCH, &[0xff, 0xff, 0xff, 0xff, 0]));
    requests.push(packet(RPC, &[&NO_HEADERS, [0xfe, 0xff].as_slice()].concat()));
    requests
        .push(packet(RPC, &[&max, 0x7fff_ffff_ffff_ffff_u64.to_le_bytes().as_slice(), &[1, 0, 0, 0, b'x']].concat()));
    requests.push(packet(RPC, &[&max, 4_u64.to_le_bytes().as_slice(), &0xffff_fff0_u32.to_le_bytes()].concat()));
    requests.push(packet(RPC, &[&call, [0x22, 0xff, 0xff, 0xff, 0x7f, 0xfe, 0xff, 0xff, 0xff].as_slice()].concat()));
    // Statements that ask for too much.
    let batch = |sql: &str| packet(SQL_BATCH, &[&NO_HEADERS, utf16(sql).as_slice()].concat());
    requests.push(batch(&format!("SELECT 1 WHERE 1=1{}", " OR 1=1".repeat(2400))));
    requests.push(batch(&format!("SELECT 1{}", "+1".repeat(15_000))));
    requests.push(batch(&format!("{}SELECT 1", "IF 1=1 ".repeat(4000))));
    requests.push(batch("SELECT REPLICATE(REPLICATE(CAST(REPLICATE('x', 8000) AS varchar(max)), 8000), 8000)"));
    // A bulk load that was not announced, and one whose row is truncated at every byte: it is never stored, as `basics`
    // checks.
    let rows = [0x81, 1, 0, 0, 0, 0, 0, 5, 0, 0x26, 4, 1, b'n', 0, 0xd1, 4, 7, 0, 0, 0];
    requests.push(packet(BULK_LOAD, &rows));
    let announced = |end| [batch("INSERT BULK seeded (n int)"), packet(BULK_LOAD, &rows[..end])].concat();
    requests.extend((0..rows.len()).map(announced));
    // Bytes from a linear congruential generator, as every kind of message.
    let mut state = 1_u32;
    for kind in 0..=0x12 {
        for _ in 0..10 {
            let random = std::iter::repeat_with(|| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            });
            let random: Vec<u8> = random.take(60).collect();
            requests.push(packet(kind, &[&NO_HEADERS, random.as_slice()].concat()));
        }
    }
    for request in requests {
        let mut socket = logged_in(&address);
        socket.write_all(&request).expect("sent");
        // It answers or closes; otherwise the read times out and fails. The requests of a client that has gone are
        // stopped.
        let begun = socket.read(&mut [0]);
        assert!(!begun.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{request:x?}");
        // It may have closed already.
        let _ = socket.shutdown(Shutdown::Write);
        let closed = socket.read_to_end(&mut Vec::new());
        assert!(!closed.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "{request:x?}");
    }

    // Cursors that are asked for every row except those that they have.
    const FIRST_HANDLE: i32 = 180_150_001;
    let [cursor, open, fetch] = [1, 2, 7];
    for kind in [1, 2, 4, 8, 16, i32::MIN, i32::MAX] {
        let mut calls = [&NO_HEADERS, rpc(open, "SELECT n FROM #n", &[0, kind, kind, -1]).as_slice()].concat();
        for number in [i32::MIN, -4, 0, 1, 4, i32::MAX] {
            for other in [i32::MIN, -1, 0, 2, i32::MAX] {
                for bit in (0..11).map(|bit| 1 << bit) {
                    calls.extend(rpc(fetch, "", &[FIRST_HANDLE, bit, number, other]));
                }
                for operation in [1, 2, 4, 8, 32, 33, 40, 65, 127, -1] {
                    calls.extend(rpc(cursor, "", &[FIRST_HANDLE, operation, number]));
                }
            }
        }
        // Waits for the whole answer, because the requests of a client that has gone are stopped.
        let mut socket = logged_in(&address);
        for request in [batch("CREATE TABLE #n (n int) INSERT INTO #n VALUES (1), (2), (3)"), packet(RPC, &calls)] {
            socket.write_all(&request).expect("sent");
            assert!(answer(&mut socket).is_some());
        }
    }

    // Clients that disconnect in the middle of a result.
    let endless = "WITH n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT i, REPLICATE('x', 1000) FROM n";
    for _ in 0..5 {
        let mut socket = logged_in(&address);
        socket.write_all(&batch(endless)).expect("sent");
        socket.read_exact(&mut [0; 100]).expect("the beginning of a result");
    }
    standin.topic("driver.py", "basics");
    assert_eq!(standin.complaints(), "");
    let status = fs::read_to_string(format!("/proc/{}/status", standin.process.id())).expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(kib < 512 << 10, "{kib} KiB");
}

#[test]
fn ends_on_sigterm_and_leaves_nothing() {
    let mut standin = Standin::start();
    let left = |standin: &Standin| {
        let entries = fs::read_dir(standin.folder.path()).expect("the folder").flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("standin-")).count()
    };
    assert_eq!(left(&standin), 1);
    let pid = standin.process.id().to_string();
    // Uses the shell's own kill: there may be no such program.
    run(Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]));
    let status = standin.process.wait().expect("the server");
    assert!(status.success(), "{status}");
    assert_eq!(left(&standin), 0);
    assert_eq!(fs::read_to_string(standin.folder.path().join("ready")).expect("the ready file").lines().count(), 2);
}

#[test]
fn a_seed_that_fails_ends_the_program() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("bad.sql"), "SELECT 1\nSELECT * FROM nowhere\n").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_standin"))
        .current_dir(folder.path())
        .args(["--listen", "127.0.0.1:0", "--seed", "master=bad.sql"])
        .output()
        .expect("the server");
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("Invalid object name 'nowhere'") && text.contains("Line 2"), "{text}");
}
