//! All diagnostic records of a handle, and the fields of the header and of each record.

use crate::buffer::Text;
use crate::manager::*;
use crate::note;

/// The identifier and name of a field, and the kind of its value.
enum Kind {
    Text,
    Short,
    Integer,
    Length,
}

const HEADER: [(i16, &str, Kind); 5] = [
    // SQL_DIAG_RETURNCODE is first: it belongs to the call, not to the functions that ask for it.
    (1, "return code", Kind::Short),
    (3, "row count", Kind::Length),
    (-1249, "cursor row count", Kind::Length),
    (7, "dynamic function", Kind::Text),
    (12, "dynamic function code", Kind::Integer),
];

const RECORD: [(i16, &str, Kind); 8] = [
    (8, "class origin", Kind::Text),
    (9, "subclass origin", Kind::Text),
    (10, "connection", Kind::Text),
    (-1247, "column", Kind::Integer),
    (-1248, "row", Kind::Length),
    // Microsoft's: SQL_DIAG_SS_MSGSTATE, SQL_DIAG_SS_SEVERITY, SQL_DIAG_SS_LINE.
    (-1150, "state", Kind::Integer),
    (-1151, "severity", Kind::Integer),
    (-1154, "line", Kind::Integer),
];

/// SQL_DIAG_SERVER_NAME, on a line of its own, because the library affects a data source's name.
const SERVER: [(i16, &str, Kind); 1] = [(11, "server", Kind::Text)];

/// No call leaves more than this many records.
const MOST: i16 = 40;

pub fn write(kind: i16, handle: Handle) {
    if handle.is_null() || !crate::transcript::is_written() {
        return;
    }
    // The records come before the fields: unixODBC passes some questions for fields on to the driver.
    let mut count = 0;
    for number in 1..=MOST {
        let (mut state, mut text) = (Text::new(6), Text::new(1024));
        let (mut native, mut length) = (0i32, 0i16);
        let capacity = text.capacity();
        // SAFETY: the buffers have the given lengths, or those of the specification.
        let code = unsafe {
            quiet::SQLGetDiagRecW(kind, handle, number, state.p(), &mut native, text.p(), capacity, &mut length)
        };
        if !succeeded(code) {
            if code != SQL_NO_DATA {
                note!("  record {number}: {code}");
            }
            break;
        }
        count = number;
        note!("  record {number} ({code}): {} native={native} length={length} {}", state.shown(), text.shown());
    }
    let of_statements = |field: &&(i16, &str, Kind)| field.0 == 1 || kind == SQL_HANDLE_STMT;
    fields(kind, handle, 0, HEADER.iter().filter(of_statements));
    for number in 1..=count {
        fields(kind, handle, number, RECORD.iter());
        fields(kind, handle, number, SERVER.iter());
    }
}

fn fields<'f>(kind: i16, handle: Handle, number: i16, fields: impl Iterator<Item = &'f (i16, &'f str, Kind)>) {
    let mut line = format!("  fields {number}:");
    for (id, name, what) in fields {
        let mut text = Text::new(600);
        let (mut value, mut length) = ([0u8; 8], 0i16);
        let (pointer, capacity) = match what {
            Kind::Text => (text.pointer(), text.bytes() as i16),
            _ => (value.as_mut_ptr().cast(), 0),
        };
        // SAFETY: the same; no number is longer than eight bytes.
        let code = unsafe { quiet::SQLGetDiagFieldW(kind, handle, number, *id, pointer, capacity, &mut length) };
        let shown = match what {
            _ if !succeeded(code) => format!("({code})"),
            // Microsoft's driver returns an address as the name of a connection.
            Kind::Text if text.get().starts_with("NetConn: ") => "NetConn".to_owned(),
            Kind::Text => text.shown(),
            Kind::Short => i16::from_ne_bytes([value[0], value[1]]).to_string(),
            Kind::Integer => i32::from_ne_bytes([value[0], value[1], value[2], value[3]]).to_string(),
            Kind::Length => i64::from_ne_bytes(value).to_string(),
        };
        line += &format!(" {name}={shown}");
    }
    note!("{line}");
}
