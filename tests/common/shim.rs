//! Calls the release build's functions as a driver manager does, with the recording target behind them, and reads what
//! that target recorded. A process has one target, so a test program that uses this module uses no other target.

pub use super::abi::*;
use super::{library, part};
use libloading::Library;
use std::ffi::{CString, c_char};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub type WChar = u16;

/// A data source that has a server.
pub const SECTION: &str = "Recorded";

struct Libraries {
    shim: Library,
    target: Library,
}

fn libraries() -> &'static Libraries {
    static LIBRARIES: OnceLock<Libraries> = OnceLock::new();
    LIBRARIES.get_or_init(|| {
        let target = by_a_name_of_microsoft_s(&part("RECORDING_TARGET"));
        // SAFETY: every other reader of the environment in this process calls this function first. Both libraries
        // consist of this project's code, and their initialisers are harmless.
        unsafe {
            std::env::set_var("LOOPBACK_ODBC_TARGET_DRIVER", &target);
            register();
            Libraries { shim: Library::new(library()).unwrap(), target: Library::new(target).unwrap() }
        }
    })
}

/// A copy with a name by which the library takes it for Microsoft's driver.
fn by_a_name_of_microsoft_s(target: &Path) -> PathBuf {
    let copy = folder().join("msodbcsql18-recording.dll");
    std::fs::copy(target, &copy).unwrap();
    // The Windows tests are built on a system whose paths have no drive, but the target's path must be absolute on
    // Windows.
    std::path::absolute(copy).unwrap()
}

/// For files that this process leaves: nothing in it runs late enough to remove a temporary folder.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shim-{}", env!("CARGO_CRATE_NAME")));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Creates the section, for this process only.
///
/// # Safety
/// No other thread reads the environment.
#[cfg(not(windows))]
unsafe fn register() {
    let configuration = folder();
    let sections = format!("[{SECTION}]\nDriver=Ours\nServer=of the section\n[none]\nDriver=Ours\n");
    std::fs::write(configuration.join("odbc.ini"), sections).unwrap();
    // SAFETY: the caller's promise.
    unsafe {
        std::env::set_var("ODBCSYSINI", &configuration);
        std::env::set_var("ODBCINI", configuration.join("user.ini"));
    }
}

/// Creates the section for the user; there is no way to do it for the process only.
#[cfg(windows)]
unsafe fn register() {
    let set = |name, values: &[_]| super::registry::set(&format!(r"HKCU\Software\ODBC\ODBC.INI\{name}"), values);
    set(SECTION, &[("Driver", "Ours"), ("Server", "of the section")]);
    set("none", &[("Driver", "Ours")]);
}

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        $(
            #[allow(non_snake_case, clippy::too_many_arguments, clippy::not_unsafe_ptr_arg_deref)]
            pub fn $name($($argument: $type),*) -> Return {
                type Function = unsafe extern "system" fn($($type),*) -> Return;
                let name = concat!(stringify!($name), "\0");
                // SAFETY: a function of this name has this type. The tests pass what the specification allows, or
                // values that nothing dereferences.
                unsafe { libraries().shim.get::<Function>(name.as_bytes()).unwrap()($($argument),*) }
            }
        )*
    };
}

include!("../../src/target/table.rs");

/// Whether the library exports a function.
pub fn exports(name: &str) -> bool {
    // SAFETY: only the presence of the symbol is checked.
    unsafe { libraries().shim.get::<*const ()>(name.as_bytes()) }.is_ok()
}

/// A call that the target recorded: the function and its arguments, each zero-extended.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    pub function: String,
    pub arguments: Vec<u64>,
}

/// The oldest call of this thread that has not been taken yet.
pub fn take_call() -> Option<Call> {
    let (mut name, mut arguments) = ([0u8; 32], [0u64; 16]);
    // SAFETY: the types are those in the recording target's source, and the sizes are the ones it requires.
    let count = unsafe {
        libraries().target.get::<unsafe extern "C" fn(*mut u8, *mut u64) -> i32>(b"recording_take\0").unwrap()(
            name.as_mut_ptr(),
            arguments.as_mut_ptr(),
        )
    };
    let arguments = arguments[..usize::try_from(count).ok()?].to_vec();
    let function = name.split(|&byte| byte == 0).next().unwrap();
    Some(Call { function: String::from_utf8(function.to_vec()).unwrap(), arguments })
}

/// The calls that a connect made, without those by which the first connect of a process asks what kind of driver the
/// target is.
pub fn take_connects() -> Vec<Call> {
    std::iter::from_fn(take_call).filter(|call| call.function != "SQLGetInfoW").collect()
}

/// Discards the calls recorded so far.
pub fn forget_calls() {
    while take_call().is_some() {}
}

/// The names of the functions called since calls were last taken or discarded.
pub fn take_names() -> Vec<String> {
    std::iter::from_fn(take_call).map(|call| call.function).collect()
}

/// Makes the target's next call of a function return this code and leave these records.
pub fn tell(function: &str, code: Return, records: &[(&str, i32, &str)]) {
    let text = |text: &str| CString::new(text).unwrap();
    let target = &libraries().target;
    // SAFETY: the types are those in the recording target's source; it copies the strings.
    unsafe {
        target.get::<unsafe extern "C" fn(*const c_char, Return)>(b"recording_tell\0").unwrap()(
            text(function).as_ptr(),
            code,
        );
        let tell_record =
            target.get::<unsafe extern "C" fn(*const c_char, i32, *const c_char)>(b"recording_tell_record\0").unwrap();
        for (state, native_error, message) in records {
            tell_record(text(state).as_ptr(), *native_error, text(message).as_ptr());
        }
    }
}

/// The string that the target received in this thread's last connect.
pub fn connection_string() -> String {
    let mut buffer = vec![0u16; 4096];
    // SAFETY: as for the calls above.
    let length = unsafe {
        let function = b"recording_connection_string\0";
        libraries().target.get::<unsafe extern "C" fn(*mut u16, usize) -> usize>(function).unwrap()(
            buffer.as_mut_ptr(),
            buffer.len(),
        )
    };
    String::from_utf16(&buffer[..length]).unwrap()
}

/// A text in code units, with a NUL.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

pub const SQL_HANDLE_ENV: i16 = 1;
pub const SQL_HANDLE_DBC: i16 = 2;
pub const SQL_NTS: i16 = -3;
pub const SQL_SUCCESS: Return = 0;
pub const SQL_SUCCESS_WITH_INFO: Return = 1;
pub const SQL_STILL_EXECUTING: Return = 2;
pub const SQL_NO_DATA: Return = 100;
pub const SQL_ERROR: Return = -1;

/// A connection of the recording target in its own environment; freed when it is dropped.
pub struct Connection {
    environment: Handle,
    pub handle: Handle,
}

impl Connection {
    pub fn new() -> Connection {
        let mut environment = std::ptr::null_mut();
        assert_eq!(SQLAllocHandle(SQL_HANDLE_ENV, std::ptr::null_mut(), &raw mut environment), SQL_SUCCESS);
        let mut connection = Connection { environment, handle: std::ptr::null_mut() };
        connection.allocate();
        forget_calls();
        connection
    }

    /// Allocates the connection's handle, or allocates it again after it was freed.
    pub fn allocate(&mut self) {
        assert_eq!(SQLAllocHandle(SQL_HANDLE_DBC, self.environment, &raw mut self.handle), SQL_SUCCESS);
    }

    /// `SQLDriverConnectW` without an output buffer.
    pub fn connect(&self, string: &str) -> Return {
        let (mut string, null) = (wide(string), std::ptr::null_mut());
        SQLDriverConnectW(self.handle, null, string.as_mut_ptr(), SQL_NTS, null.cast(), 0, null.cast(), 0)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        SQLFreeHandle(SQL_HANDLE_DBC, self.handle);
        SQLFreeHandle(SQL_HANDLE_ENV, self.environment);
    }
}
