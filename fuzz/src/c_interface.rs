//! What C programs call: the functions of include/loopback_odbc.h, and the ODBC functions that connect, with the
//! recording target. They run on the real machine, because they look at it; scripts/fuzz registers what they find.

use crate::input::{self, Options, SECRET};
use crate::secrets;
use std::ffi::{CString, c_char, c_int, c_void};
use std::fs::OpenOptions;
use std::io::Read;
use std::ptr::{null, null_mut};

type Handle = *mut c_void;

unsafe extern "C" {
    fn loopback_odbc_connection_string(
        database: *const c_char,
        driver: *const c_char,
        buffer: *mut c_char,
        length: *mut c_int,
    ) -> c_int;
    fn loopback_odbc_report(buffer: *mut c_char, length: *mut c_int) -> c_int;

    fn SQLAllocHandle(handle_type: i16, input: Handle, output: *mut Handle) -> i16;
    fn SQLFreeHandle(handle_type: i16, handle: Handle) -> i16;
    fn SQLSetEnvAttr(environment: Handle, attribute: i32, value: *mut c_void, length: i32) -> i16;
    fn SQLDisconnect(connection: Handle) -> i16;
    fn SQLDriverConnectW(
        connection: Handle,
        window: *mut c_void,
        string: *mut u16,
        string_length: i16,
        buffer: *mut u16,
        capacity: i16,
        length: *mut i16,
        completion: u16,
    ) -> i16;
    fn SQLBrowseConnectW(
        connection: Handle,
        string: *mut u16,
        string_length: i16,
        buffer: *mut u16,
        capacity: i16,
        length: *mut i16,
    ) -> i16;
    fn SQLConnectW(
        connection: Handle,
        name: *mut u16,
        name_length: i16,
        user: *mut u16,
        user_length: i16,
        password: *mut u16,
        password_length: i16,
    ) -> i16;
    fn SQLGetDiagRecW(
        handle_type: i16,
        handle: Handle,
        number: i16,
        state: *mut u16,
        native_error: *mut i32,
        text: *mut u16,
        capacity: i16,
        length: *mut i16,
    ) -> i16;
}

const SQL_NTS: i16 = -3;
const SQL_NO_DATA: i16 = 100;
const ENVIRONMENT: i16 = 1;
const CONNECTION: i16 = 2;

/// The names of variables that an input sets.
const VARIABLES: [&str; 4] = [
    "LOOPBACK_ODBC_SERVER",
    "LOOPBACK_ODBC_CLIENT_CERTIFICATE",
    "LOOPBACK_ODBC_CLIENT_KEY",
    "LOOPBACK_ODBC_CONNECTION_STRING",
];

/// Two bytes of options and two of sizes, then one line each for the variables and the given texts.
pub fn c_interface(input: &[u8]) {
    start();
    let Some((&[options, further, low, high], input)) = input.split_first_chunk::<4>() else { return };
    let Some((options, _)) = Options::take(&[options]) else { return };
    let Some((further, _)) = Options::take(&[further]) else { return };
    let size = i16::from_le_bytes([low, high]);
    let parts: [&[u8]; VARIABLES.len() + 3] = input::parts(input, b'\n');
    for (name, value) in VARIABLES.iter().zip(parts) {
        // SAFETY: this process has one thread.
        unsafe { std::env::set_var(name, input::c_text(value)) };
    }
    let [.., first, second, third] = parts;
    match options.number(0, 4) {
        0 => text(Some((first, second)), options, size),
        1 => text(None, options, size),
        2 => connect(options, further, size, |connection, buffer, length| {
            let mut string = Argument::new(first, further, size);
            // SAFETY: each pointer leads to memory of the given length, or is null.
            unsafe {
                let (at, count, room) = (string.pointer(), string.length, size);
                match options.is_set(2) {
                    true => SQLBrowseConnectW(connection, at, count, buffer.pointer(), room, length),
                    false => SQLDriverConnectW(connection, null_mut(), at, count, buffer.pointer(), room, length, 1),
                }
            }
        }),
        _ => connect(options, further, size, |connection, _, _| {
            let mut given = [first, second, third].map(|part| Argument::new(part, further, size));
            let lengths = given.each_ref().map(|it| it.length);
            let [name, user, password] = given.each_mut().map(Argument::pointer);
            // SAFETY: each pointer leads to memory of the given length, or is null.
            unsafe { SQLConnectW(connection, name, lengths[0], user, lengths[1], password, lengths[2]) }
        }),
    }
    log_hides();
}

/// Starts the library, and restores libFuzzer's panic hook: the library catches panics and reports them without their
/// message.
fn start() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    STARTED.call_once(|| {
        let hook = std::panic::take_hook();
        // SAFETY: null is allowed.
        unsafe { loopback_odbc_report(null_mut(), null_mut()) };
        std::panic::set_hook(hook);
    });
}

/// Calls one of the two functions that return a text.
fn text(names: Option<(&[u8], &[u8])>, options: Options, size: i16) {
    let names = names.map(|(database, driver)| [database, driver].map(|it| CString::new(without_nul(it)).unwrap()));
    let ask = |buffer: *mut c_char, length: *mut c_int| {
        let pointers = names.as_ref().map(|names| {
            let pointer = |at: usize| if options.is_set(3 + at as u8) { null() } else { names[at].as_ptr() };
            [pointer(0), pointer(1)]
        });
        // SAFETY: the texts end with a NUL, and the caller's buffer has the given length.
        unsafe {
            match pointers {
                Some([database, driver]) => loopback_odbc_connection_string(database, driver, buffer, length),
                None => loopback_odbc_report(buffer, length),
            }
        }
    };
    let needed = ask(null_mut(), null_mut());
    assert_ne!(needed, 0);
    for capacity in [needed.abs() + 1, needed.abs(), size.into()] {
        let mut area = Area::new(usize::try_from(capacity).unwrap_or(0), 0);
        let mut length = capacity;
        let code = ask(area.pointer().cast(), &raw mut length);
        // The report changes if the process opens or closes connections meanwhile.
        assert_eq!(code.signum(), needed.signum());
        assert_eq!(code, length);
        let written = area.written();
        if capacity > code.abs() {
            let text = std::str::from_utf8(&written[..code.unsigned_abs() as usize]).unwrap();
            assert_eq!(written[text.len()], 0);
            if code < 0 || names.is_none() {
                secrets::hidden_in([text.to_owned()]);
            }
        } else if capacity > 0 {
            assert_eq!(written[0], 0);
        }
    }
}

fn without_nul(bytes: &[u8]) -> Vec<u8> {
    let is_text = std::str::from_utf8(bytes).is_ok();
    let bytes = if is_text { input::text(bytes).into_bytes() } else { bytes.to_vec() };
    bytes.into_iter().filter(|&byte| byte != 0).collect()
}

/// Connects with a function that has an output buffer, and checks the records.
fn connect(options: Options, further: Options, size: i16, function: impl FnOnce(Handle, &mut Area, *mut i16) -> i16) {
    let mut connection = null_mut();
    // SAFETY: each handle is used for what it is and freed once.
    unsafe {
        let code = SQLAllocHandle(CONNECTION, environment(), &raw mut connection);
        assert_eq!(code, 0);
    }
    let mut area = Area::new(2 * usize::try_from(size).unwrap_or(0), further.number(7, 2));
    area.is_null = options.is_set(3);
    let mut length = -1;
    let code = function(connection, &mut area, if options.is_set(4) { null_mut() } else { &raw mut length });
    assert!((-1..=1).contains(&code), "{code}");
    let written = area.written();
    if code == 0 && !area.is_null && length >= 0 && options.number(0, 4) == 2 {
        // It was not truncated: it ends at the reported length.
        let string: Vec<u16> = written.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
        assert_eq!(string.iter().position(|&unit| unit == 0), Some(length as usize));
    }
    for record in records(connection, size.unsigned_abs().max(1)) {
        secrets::hidden_in([record]);
    }
    // SAFETY: as above.
    unsafe {
        if code >= 0 {
            SQLDisconnect(connection);
        }
        assert_eq!(SQLFreeHandle(CONNECTION, connection), 0);
    }
}

fn environment() -> Handle {
    static ENVIRONMENT_HANDLE: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *ENVIRONMENT_HANDLE.get_or_init(|| {
        let mut environment = null_mut();
        // SAFETY: the handle belongs to an environment, which is never freed.
        unsafe {
            assert_eq!(SQLAllocHandle(ENVIRONMENT, null_mut(), &raw mut environment), 0);
            assert_eq!(SQLSetEnvAttr(environment, 200, 3 as *mut c_void, 0), 0);
        }
        environment.addr()
    }) as Handle
}

/// The texts of a connection's records, read completely or with this much room.
fn records(connection: Handle, room: u16) -> Vec<String> {
    let mut texts = Vec::new();
    for number in 1.. {
        assert!(number < 1000, "the records do not end");
        let room = if number % 2 == 0 { i16::try_from(room).unwrap_or(i16::MAX) } else { 1024 };
        let mut area = Area::new(2 * room as usize, 1);
        let (mut state, mut native_error, mut length) = ([0u16; 6], 0, 0);
        // SAFETY: the buffer has the given room.
        let code = unsafe {
            let (state, native_error, length) = (state.as_mut_ptr(), &raw mut native_error, &raw mut length);
            SQLGetDiagRecW(CONNECTION, connection, number, state, native_error, area.pointer(), room, length)
        };
        if code == SQL_NO_DATA {
            break;
        }
        assert!((0..=1).contains(&code), "{code}");
        assert_eq!(code == 1, length >= room, "{length} in {room}");
        let units = area.written().chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect::<Vec<_>>();
        let end = units.iter().position(|&unit| unit == 0).expect("a NUL");
        texts.push(String::from_utf16_lossy(&units[..end]));
    }
    texts
}

/// An input string at an odd address, with its length given in one of the possible ways.
struct Argument {
    bytes: Vec<u8>,
    length: i16,
    is_null: bool,
}

impl Argument {
    fn new(part: &[u8], options: Options, size: i16) -> Argument {
        let units = input::units(part);
        let mut bytes = vec![0];
        bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.extend([0, 0]);
        let whole = i16::try_from(units.len()).unwrap_or(i16::MAX);
        let length = match options.number(0, 4) {
            0 => SQL_NTS,
            1 => whole,
            2 => whole.min(size.saturating_abs()),
            // A negative length other than the one with a meaning.
            _ => size.saturating_abs().saturating_neg().min(-4),
        };
        Argument { bytes, length, is_null: options.number(2, 16) == 0 }
    }

    fn pointer(&mut self) -> *mut u16 {
        if self.is_null { null_mut() } else { self.bytes[1..].as_mut_ptr().cast() }
    }
}

/// Memory to write to, with a margin on both sides that must not be written.
struct Area {
    bytes: Vec<u8>,
    start: usize,
    size: usize,
    is_null: bool,
}

const MARGIN: usize = 32;
const UNTOUCHED: u8 = 0xa5;

impl Area {
    fn new(size: usize, detour: usize) -> Area {
        Area { bytes: vec![UNTOUCHED; size + 2 * MARGIN], start: MARGIN + detour, size, is_null: false }
    }

    fn pointer(&mut self) -> *mut u16 {
        if self.is_null { null_mut() } else { self.bytes[self.start..].as_mut_ptr().cast() }
    }

    /// Its contents, after checking that nothing was written next to it.
    fn written(&self) -> &[u8] {
        let end = self.start + self.size;
        let beside = self.bytes[..self.start].iter().chain(&self.bytes[end..]);
        assert!(beside.copied().all(|byte| byte == UNTOUCHED), "something was written beside the buffer");
        &self.bytes[self.start..end]
    }
}

/// Checks the log for secrets, and empties it.
fn log_hides() {
    let Some(path) = std::env::var_os("LOOPBACK_ODBC_LOG_FILE") else { return };
    let Ok(mut file) = OpenOptions::new().read(true).write(true).open(path) else { return };
    let mut log = String::new();
    file.read_to_string(&mut log).expect("the log is UTF-8");
    file.set_len(0).unwrap();
    assert!(!log.contains(SECRET), "a secret is in the log: {log}");
    for line in log.lines() {
        assert!(line.starts_with("loopback-odbc[") && line.len() < 4096, "{line:?}");
    }
}
