//! Diagnostic records: the target's first, then this library's. One of the target's records may have a hint appended to
//! its text; otherwise they are passed on unchanged.

use crate::loopback::hints::TargetRecord;
use crate::surface::connections::{self, Diagnostics, Record};
use crate::target::odbc::{HeaderDiagnosticIdentifier as Field, *};
use crate::target::output;
use crate::target::slots::call;

/// The fields of this library's records; they have no others.
const FIELDS: [Field; 11] = [
    Field::ReturnCode,
    Field::Number,
    Field::SqlState,
    Field::Native,
    Field::MessageText,
    Field::ClassOrigin,
    Field::SubclassOrigin,
    Field::ConnectionName,
    Field::ServerName,
    Field::RowNumber,
    Field::ColumnNumber,
];

/// The record number for the fields of a whole call, such as SQL_DIAG_NUMBER and SQL_DIAG_RETURNCODE.
const HEADER: i16 = 0;

/// Where to find the record with a number.
enum Place<'d> {
    /// In the target, under the same number.
    Target,
    Ours(&'d Record),
    /// Past the last record.
    None,
}

/// `SQLGetDiagRecW`. `capacity` and `length` are in characters; `state` has room for six.
///
/// # Safety
/// The arguments are as the specification requires.
#[allow(clippy::too_many_arguments)]
pub unsafe fn get_diag_rec(
    handle_type: i16,
    handle: Handle,
    number: i16,
    state: *mut WChar,
    native_error: *mut i32,
    text: *mut WChar,
    capacity: i16,
    length: *mut i16,
) -> SqlReturn {
    // SAFETY: the caller's arguments, unchanged.
    let forward =
        || unsafe { call::SQLGetDiagRecW(handle_type, handle, number, state, native_error, text, capacity, length) };
    let Some(own) = own(handle_type, handle) else { return forward() };
    let Ok(capacity) = usize::try_from(capacity) else { return SqlReturn::ERROR };
    if number < 1 {
        return SqlReturn::ERROR;
    }
    match explained(&own, number).map_or_else(|| place(&own, handle, number), Place::Ours) {
        Place::Target => forward(),
        Place::None => SqlReturn::NO_DATA,
        // SAFETY: the caller's promise.
        Place::Ours(record) => unsafe {
            output::put_string(state, SQLSTATE_UNITS, &record.state.0.map(u16::from));
            output::put(native_error, record.native_error);
            output::put(length, record.text.len() as i16);
            information_if(output::put_string(text, capacity, &record.text))
        },
    }
}

/// The length of an SQLSTATE with its NUL.
const SQLSTATE_UNITS: usize = 6;

/// `SQLGetDiagFieldW`. `capacity` and `length` are in bytes.
///
/// # Safety
/// The arguments are as the specification requires.
pub unsafe fn get_diag_field(
    handle_type: i16,
    handle: Handle,
    number: i16,
    field: i16,
    value: Pointer,
    capacity: i16,
    length: *mut i16,
) -> SqlReturn {
    // SAFETY: the caller's arguments, unchanged.
    let forward = || unsafe { call::SQLGetDiagFieldW(handle_type, handle, number, field, value, capacity, length) };
    let Some(own) = own(handle_type, handle) else { return forward() };
    let known = FIELDS.into_iter().find(|known| *known as i32 == i32::from(field));
    match known {
        Some(Field::Number) => {
            let count = count_of_target(&own, handle) + own.records.len() as i32;
            // SAFETY: the caller promises an SQLINTEGER.
            unsafe { output::put(value.cast(), count) };
            return SqlReturn::SUCCESS;
        }
        Some(Field::ReturnCode) => {
            // SAFETY: the caller promises an SQLRETURN.
            unsafe { output::put(value.cast(), own.code) };
            return SqlReturn::SUCCESS;
        }
        _ if number < 1 => return if number == HEADER { forward() } else { SqlReturn::ERROR },
        _ => {}
    }
    let record = match place(&own, handle, number) {
        Place::Target => match explained(&own, number) {
            Some(explained) if known == Some(Field::MessageText) => explained,
            _ => return forward(),
        },
        Place::None => return SqlReturn::NO_DATA,
        Place::Ours(record) => record,
    };
    let string = |string: &[u16]| {
        let Ok(bytes) = usize::try_from(capacity) else { return SqlReturn::ERROR };
        // SAFETY: the caller promises a buffer of `capacity` bytes, and an SQLSMALLINT for the length.
        unsafe {
            output::put(length, size_of_val(string) as i16);
            information_if(output::put_string(value.cast(), bytes / size_of::<WChar>(), string))
        }
    };
    let text = |text: &str| string(&text.encode_utf16().collect::<Vec<u16>>());
    // SAFETY: the caller promises an SQLINTEGER, or an SQLLEN for the row number.
    unsafe {
        match known {
            Some(Field::SqlState) => text(&record.state.text()),
            Some(Field::MessageText) => string(&record.text),
            Some(Field::ClassOrigin) => text(record.state.class_origin()),
            Some(Field::SubclassOrigin) => text(record.state.subclass_origin()),
            Some(Field::ConnectionName | Field::ServerName) => text(""),
            Some(Field::Native) => {
                output::put(value.cast(), record.native_error);
                SqlReturn::SUCCESS
            }
            Some(Field::ColumnNumber) => {
                output::put(value.cast(), NO_COLUMN_NUMBER);
                SqlReturn::SUCCESS
            }
            Some(Field::RowNumber) => {
                output::put(value.cast(), NO_ROW_NUMBER);
                SqlReturn::SUCCESS
            }
            _ => SqlReturn::ERROR,
        }
    }
}

fn own(handle_type: i16, handle: Handle) -> Option<Diagnostics> {
    (handle_type == HandleType::Dbc as i16).then(|| connections::diagnostics(handle.as_hdbc())).flatten()
}

/// The record with a hint, if it has this number.
fn explained(own: &Diagnostics, number: i16) -> Option<&Record> {
    own.explained.as_ref().filter(|(explained, _)| *explained == number).map(|(_, record)| record)
}

fn place<'d>(own: &'d Diagnostics, handle: Handle, number: i16) -> Place<'d> {
    match i32::from(number) - count_of_target(own, handle) {
        ..=0 => Place::Target,
        ours => own.records.get(ours as usize - 1).map_or(Place::None, Place::Ours),
    }
}

/// How many records the target has for the last call.
fn count_of_target(own: &Diagnostics, handle: Handle) -> i32 {
    let mut count = 0i32;
    if own.target_called {
        let count = (&raw mut count).cast();
        // SAFETY: SQL_DIAG_NUMBER is an SQLINTEGER. A failure leaves the count at zero.
        unsafe {
            let (kind, field) = (HandleType::Dbc as i16, Field::Number as i16);
            let _ = call::SQLGetDiagFieldW(kind, handle, HEADER, field, count, 0, std::ptr::null_mut());
        }
    }
    count
}

/// The target's records of a call, as it wrote them. They are not on the heap, so nothing leaks if the target does not
/// return.
pub struct TargetRecords {
    records: [RawRecord; MOST_RECORDS],
    count: usize,
}

#[derive(Clone, Copy)]
struct RawRecord {
    state: [WChar; SQLSTATE_UNITS],
    native_error: i32,
    text: [WChar; LONGEST_TEXT],
}

impl Default for TargetRecords {
    fn default() -> Self {
        let record = RawRecord { state: [0; SQLSTATE_UNITS], native_error: 0, text: [0; LONGEST_TEXT] };
        TargetRecords { records: [record; MOST_RECORDS], count: 0 }
    }
}

impl TargetRecords {
    pub fn to_vec(&self) -> Vec<TargetRecord> {
        let record = |raw: &RawRecord| TargetRecord {
            state: std::array::from_fn(|index| raw.state[index] as u8),
            native_error: raw.native_error,
            text: String::from_utf16_lossy(raw.text.split(|&unit| unit == 0).next().unwrap_or_default()),
        };
        self.records[..self.count].iter().map(record).collect()
    }
}

/// The target's records of the call on a connection that has just returned. Texts are truncated at [`LONGEST_TEXT`].
pub fn target_records(connection: HDbc) -> TargetRecords {
    let mut records = TargetRecords::default();
    for (number, record) in (1..).zip(&mut records.records) {
        // SAFETY: the buffers have the sizes that the target is told, or that the specification requires.
        let code = unsafe {
            call::SQLGetDiagRecW(
                HandleType::Dbc as i16,
                connection.as_handle(),
                number,
                record.state.as_mut_ptr(),
                &raw mut record.native_error,
                record.text.as_mut_ptr(),
                LONGEST_TEXT as i16,
                std::ptr::null_mut(),
            )
        };
        if !succeeded(code) {
            break;
        }
        records.count += 1;
    }
    records
}

/// In code units; longer than the texts of Microsoft's driver that hints look for.
const LONGEST_TEXT: usize = 512;

/// A failed connect has two or three. A target that returns records without end must not block this library.
const MOST_RECORDS: usize = 8;

/// The return code of a function that returned a string, which may be truncated.
pub fn information_if(cut: bool) -> SqlReturn {
    if cut { SqlReturn::SUCCESS_WITH_INFO } else { SqlReturn::SUCCESS }
}
