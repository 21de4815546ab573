//! A connection through the driver manager, as any ODBC program makes it, for the doctor and for the document of
//! `examples/confirm.sql`.
//!
//! The driver manager is loaded at run time, so the program starts without one and can report that.

use super::words;
use libloading::{Library, Symbol};
use std::ffi::c_void;
use std::fmt;
use std::ptr::null_mut;

#[cfg(windows)]
const DRIVER_MANAGER: &str = "odbc32.dll";
#[cfg(not(windows))]
const DRIVER_MANAGER: &str = "libodbc.so.2";

type Handle = *mut c_void;
type AllocHandle = unsafe extern "system" fn(i16, Handle, *mut Handle) -> i16;
type FreeHandle = unsafe extern "system" fn(i16, Handle) -> i16;
type SetEnvAttr = unsafe extern "system" fn(Handle, i32, *mut c_void, i32) -> i16;
type DriverConnect = unsafe extern "system" fn(Handle, Handle, *const u16, i16, *mut u16, i16, *mut i16, u16) -> i16;
type ExecDirect = unsafe extern "system" fn(Handle, *const u16, i32) -> i16;
type Fetch = unsafe extern "system" fn(Handle) -> i16;
type GetData = unsafe extern "system" fn(Handle, u16, i16, *mut c_void, isize, *mut isize) -> i16;
type GetDiagRec = unsafe extern "system" fn(i16, Handle, i16, *mut u16, *mut i32, *mut u16, i16, *mut i16) -> i16;

const ENV: i16 = 1;
const DBC: i16 = 2;
const STMT: i16 = 3;
/// SQL_C_WCHAR.
const C_WCHAR: i16 = -8;
const SQL_ATTR_ODBC_VERSION: i32 = 200;
const SQL_OV_ODBC3: usize = 3;

/// A diagnostic record, or without a state the reason why there is no driver manager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The SQLSTATE.
    pub state: String,
    /// The server's error number, if the server reported the error.
    pub native_error: i32,
    pub text: String,
}

impl From<String> for Record {
    fn from(text: String) -> Record {
        Record { text, ..Record::default() }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let separator = if self.state.is_empty() { "" } else { ": " };
        write!(formatter, "{}{separator}{}", self.state, self.text)
    }
}

/// The answer of one query: the first column of its first row, at most a thousand characters, empty for NULL.
pub type Answer = Result<String, Vec<Record>>;

/// The driver manager, loaded.
struct DriverManager {
    library: Library,
}

/// A handle, freed on drop. A connection is disconnected first.
struct Owned<'m> {
    manager: &'m DriverManager,
    kind: i16,
    handle: Handle,
}

/// Connects with a connection string and asks each query.
///
/// # Errors
/// The loader's message, or the diagnostic records.
pub fn ask(string: &str, queries: &[&str]) -> Result<Vec<Answer>, Vec<Record>> {
    // SAFETY: every ODBC program runs the driver manager's initialisers.
    let library = unsafe { Library::new(DRIVER_MANAGER) };
    let library =
        library.map_err(|error| vec![format!("The ODBC driver manager cannot be loaded: {}", words(&error)).into()])?;
    let manager = DriverManager { library };
    let environment = manager.environment()?;
    let connection = environment.allocate(DBC)?;
    connection.connect(string)?;
    Ok(queries.iter().map(|query| connection.allocate(STMT)?.first_value(query)).collect())
}

impl DriverManager {
    /// A function of the driver manager.
    fn function<T>(&self, name: &str) -> Result<Symbol<'_, T>, Vec<Record>> {
        // SAFETY: each caller uses the function's type in the ODBC specification.
        unsafe { self.library.get(name.as_bytes()) }.map_err(|error| vec![words(&error).into()])
    }

    fn environment(&self) -> Result<Owned<'_>, Vec<Record>> {
        let environment = Owned { manager: self, kind: 0, handle: null_mut() }.allocate(ENV)?;
        let set = self.function::<SetEnvAttr>("SQLSetEnvAttr")?;
        // SAFETY: the handle is a living environment; the attribute's value is an integer.
        let code = unsafe { set(environment.handle, SQL_ATTR_ODBC_VERSION, SQL_OV_ODBC3 as *mut c_void, 0) };
        environment.succeeded(code).map(|()| environment)
    }
}

impl<'m> Owned<'m> {
    /// A handle below this one.
    fn allocate(&self, kind: i16) -> Result<Owned<'m>, Vec<Record>> {
        let mut handle = null_mut();
        let allocate = self.manager.function::<AllocHandle>("SQLAllocHandle")?;
        // SAFETY: the handle above is alive, and there is a place for the new one.
        let code = unsafe { allocate(kind, self.handle, &raw mut handle) };
        self.succeeded(code)?;
        Ok(Owned { manager: self.manager, kind, handle })
    }

    fn connect(&self, string: &str) -> Result<(), Vec<Record>> {
        let connect = self.manager.function::<DriverConnect>("SQLDriverConnectW")?;
        let string: Vec<u16> = string.encode_utf16().chain([0]).collect();
        const SQL_NTS: i16 = -3;
        const SQL_DRIVER_NOPROMPT: u16 = 0;
        // SAFETY: the string ends with a NUL and lives through the call; nothing is asked back.
        let code = unsafe {
            connect(self.handle, null_mut(), string.as_ptr(), SQL_NTS, null_mut(), 0, null_mut(), SQL_DRIVER_NOPROMPT)
        };
        self.succeeded(code)
    }

    fn first_value(&self, query: &str) -> Answer {
        let query: Vec<u16> = query.encode_utf16().collect();
        let mut value = [0u16; 1000];
        let mut length = 0isize;
        // SAFETY: the handle is a living statement, and every pointer has the length that goes with it.
        unsafe {
            let execute = self.manager.function::<ExecDirect>("SQLExecDirectW")?;
            self.succeeded(execute(self.handle, query.as_ptr(), query.len() as i32))?;
            self.succeeded(self.manager.function::<Fetch>("SQLFetch")?(self.handle))?;
            let get = self.manager.function::<GetData>("SQLGetData")?;
            let (buffer, size) = (value.as_mut_ptr().cast(), size_of_val(&value) as isize);
            self.succeeded(get(self.handle, 1, C_WCHAR, buffer, size, &raw mut length))?;
        }
        let end = value.iter().position(|&unit| unit == 0).unwrap_or(value.len());
        Ok(String::from_utf16_lossy(&value[..end]))
    }

    /// # Errors
    /// The handle's diagnostic records, if the function failed.
    fn succeeded(&self, code: i16) -> Result<(), Vec<Record>> {
        if matches!(code, 0 | 1) {
            return Ok(());
        }
        let records: Vec<Record> = (1..).map_while(|number| self.record(number)).collect();
        Err(if records.is_empty() {
            vec![format!("an ODBC function returned {code} without a diagnostic record").into()]
        } else {
            records
        })
    }

    fn record(&self, number: i16) -> Option<Record> {
        let get = self.manager.function::<GetDiagRec>("SQLGetDiagRecW").ok()?;
        let (mut state, mut native, mut text, mut length) = ([0u16; 6], 0i32, [0u16; 2000], 0i16);
        // SAFETY: the buffers have the given sizes in characters. The state has six, as specified.
        let code = unsafe {
            get(
                self.kind,
                self.handle,
                number,
                state.as_mut_ptr(),
                &raw mut native,
                text.as_mut_ptr(),
                text.len() as i16,
                &raw mut length,
            )
        };
        let length = usize::try_from(length).unwrap_or(0).min(text.len());
        let record = || Record {
            state: String::from_utf16_lossy(&state[..5]),
            native_error: native,
            text: String::from_utf16_lossy(&text[..length]),
        };
        matches!(code, 0 | 1).then(record)
    }
}

impl Drop for Owned<'_> {
    fn drop(&mut self) {
        if self.handle.is_null() {
            return;
        }
        // SAFETY: the handle is alive, nothing below it is, and it is not used again. Disconnecting a connection that is not connected
        // only returns an error.
        unsafe {
            if self.kind == DBC
                && let Ok(disconnect) = self.manager.function::<Fetch>("SQLDisconnect")
            {
                disconnect(self.handle);
            }
            if let Ok(free) = self.manager.function::<FreeHandle>("SQLFreeHandle") {
                free(self.kind, self.handle);
            }
        }
    }
}
