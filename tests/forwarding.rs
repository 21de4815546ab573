//! Every row of the table of entry points: the target receives what the application passed, and the application
//! receives what the target returned.

mod common;

use common::shim::{self, *};
use std::ptr::null_mut;

/// An argument that can be made up, and compared with what the recording target recorded.
trait Argument {
    fn made_of(bits: u64) -> Self;
    fn bits(&self) -> u64;
}

macro_rules! arguments {
    ($($type:ty),*) => {
        $(impl Argument for $type {
            fn made_of(bits: u64) -> $type {
                bits as $type
            }
            fn bits(&self) -> u64 {
                u64::from_le_bytes(std::array::from_fn(|byte| self.to_le_bytes().get(byte).copied().unwrap_or(0)))
            }
        })*
    };
}
arguments!(i16, u16, i32, isize, usize);

impl<T> Argument for *mut T {
    fn made_of(bits: u64) -> *mut T {
        std::ptr::without_provenance_mut(bits as usize)
    }
    fn bits(&self) -> u64 {
        self.addr() as u64
    }
}

/// Two sets of values, in which each bit is once set and once not. Within a set all arguments differ, even in their
/// lowest 16 bits. None of the values means anything to a function of this library.
fn value(round: u64, argument: u64) -> u64 {
    let bits = 0x0123_4567_89ab_4c5d_u64.rotate_left(4 * argument as u32) ^ argument;
    if round == 0 { bits } else { !bits }
}

/// SQL_SUCCESS to SQL_PARAM_DATA_AVAILABLE, the errors, and codes that no specification defines.
const CODES: [Return; 12] = [0, 1, 2, 99, 100, 101, -1, -2, 3, -3, i16::MAX, i16::MIN];

macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        $(
            #[test]
            #[allow(non_snake_case)]
            fn $name() {
                if let Some(test) = connects(stringify!($name)) {
                    return test();
                }
                let _loads_the_target = Connection::new();
                if !loopbackodbc::entry_point_names().contains(&stringify!($name)) {
                    assert!(!shim::exports(stringify!($name)), "it is said not to be exported");
                    return;
                }
                for (round, code) in (0..2).flat_map(|round| CODES.map(|code| (round, code))) {
                    let mut number = 0;
                    $(let $argument = <$type>::made_of({ number += 1; value(round, number) });)*
                    let arguments = vec![$($argument.bits()),*];
                    let distinct: std::collections::BTreeSet<u64> = arguments.iter().copied().collect();
                    assert_eq!(distinct.len(), arguments.len(), "the values must differ: {arguments:x?}");
                    tell(stringify!($name), code, &[]);
                    assert_eq!(shim::$name($($argument),*), code);
                    assert_eq!(take_call(), Some(Call { function: stringify!($name).into(), arguments }));
                    assert_eq!(take_call(), None);
                }
            }
        )*

        #[test]
        fn there_is_a_test_for_every_function() {
            // Except the one that Microsoft's driver for Windows does not have.
            let is_there = |name: &&str| !(cfg!(windows) && *name == "SQLSetConnectAttr");
            let names: Vec<&str> = [$(stringify!($name)),*].into_iter().filter(is_there).collect();
            assert_eq!(names, loopbackodbc::entry_point_names());
        }
    };
}

include!("../src/target/table.rs");

/// The three functions that do not forward their arguments: each becomes the target's `SQLDriverConnectW` without a
/// prompt.
fn connects(name: &str) -> Option<fn()> {
    match name {
        "SQLDriverConnectW" => Some(driver_connect),
        "SQLConnectW" => Some(connect),
        "SQLBrowseConnectW" => Some(browse_connect),
        _ => None,
    }
}

/// Calls the function once for each return code, and checks what the target recorded. A connect that is still executing
/// is polled once.
fn becomes_driver_connect(string: &str, call: impl Fn(Handle) -> Return) {
    // The Windows form ends in a semicolon.
    let string = format!("{string}{}", if cfg!(windows) { ";" } else { "" });
    for code in CODES {
        let connection = Connection::new();
        tell("SQLDriverConnectW", code, &[]);
        assert_eq!(call(connection.handle), code);
        let [seen] = &take_connects()[..] else { panic!("more than one call") };
        let [handle, window, _, length, buffer, capacity, output, completion] = seen.arguments[..] else {
            panic!("{seen:?}");
        };
        assert_eq!((seen.function.as_str(), handle), ("SQLDriverConnectW", connection.handle.addr() as u64));
        assert_eq!([window, buffer, capacity, output, completion], [0; 5]);
        assert_eq!((shim::connection_string(), length), (string.clone(), string.encode_utf16().count() as u64));
        if code == SQL_STILL_EXECUTING {
            tell("SQLDriverConnectW", SQL_ERROR, &[]);
            assert_eq!(call(connection.handle), SQL_ERROR);
            assert_eq!(take_connects(), std::slice::from_ref(seen), "a poll passes what the first call did");
        }
    }
}

const PROMPT: u16 = 2;

fn driver_connect() {
    let given = wide("Server=s;UID=u;APP=π");
    becomes_driver_connect("Server=s;UID=u;APP=π", |handle| {
        let window = std::ptr::without_provenance_mut(0x77);
        shim::SQLDriverConnectW(handle, window, given.as_ptr().cast_mut(), SQL_NTS, null_mut(), 0, null_mut(), PROMPT)
    });
}

fn connect() {
    let [name, user, password] = [SECTION, "me, cut here", "p;w"].map(wide);
    becomes_driver_connect("DSN=Recorded;UID=me;PWD={p;w}", |handle| {
        let [name, user, password] = [&name, &user, &password].map(|text| text.as_ptr().cast_mut());
        shim::SQLConnectW(handle, name, SQL_NTS, user, 2, password, SQL_NTS)
    });
}

fn browse_connect() {
    let given = wide("Server=s;UID=u, cut here");
    becomes_driver_connect("Server=s;UID=u", |handle| {
        shim::SQLBrowseConnectW(handle, given.as_ptr().cast_mut(), 14, null_mut(), 0, null_mut())
    });
}
