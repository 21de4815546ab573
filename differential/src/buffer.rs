//! Texts and buffers for the functions' arguments. A buffer shows how much of it was written.

use crate::manager::{Pointer, SQL_NULL_DATA, WChar};

/// A text that a function reads or writes: UTF-16, always followed by a NUL.
pub struct Text {
    units: Vec<WChar>,
    capacity: usize,
}

/// What a buffer is filled with before a function writes to it.
const UNTOUCHED: u8 = 0xA5;

impl Text {
    /// Room for this many characters, including the NUL.
    pub fn new(capacity: usize) -> Text {
        Text { units: vec![WChar(0); capacity + 1], capacity }
    }

    pub fn of(text: &str) -> Text {
        let units: Vec<WChar> = text.encode_utf16().chain([0]).map(WChar).collect();
        Text { capacity: units.len(), units }
    }

    pub fn p(&mut self) -> *mut WChar {
        self.units.as_mut_ptr()
    }

    pub fn pointer(&mut self) -> Pointer {
        self.units.as_mut_ptr().cast()
    }

    /// The capacity in characters.
    pub fn capacity(&self) -> i16 {
        self.capacity as i16
    }

    /// The capacity in bytes.
    pub fn bytes(&self) -> i32 {
        (self.capacity * size_of::<WChar>()) as i32
    }

    pub fn get(&self) -> String {
        let text: Vec<u16> = self.units.iter().map(|unit| unit.0).take_while(|&unit| unit != 0).collect();
        String::from_utf16_lossy(&text)
    }

    pub fn shown(&self) -> String {
        format!("{:?}", self.get())
    }
}

/// Room for a function to write any value to, and its length.
pub struct Buffer {
    bytes: Vec<u8>,
    pub length: isize,
}

impl Buffer {
    pub fn new(bytes: usize) -> Buffer {
        Buffer { bytes: vec![UNTOUCHED; bytes], length: -77 }
    }

    /// A buffer with a value, and enough room after it for a driver that takes it for a longer one.
    pub fn of(value: &[u8]) -> Buffer {
        Buffer { bytes: [value, &[0; 40]].concat(), length: value.len() as isize }
    }

    pub fn p(&mut self) -> Pointer {
        self.bytes.as_mut_ptr().cast()
    }

    pub fn len(&self) -> isize {
        self.bytes.len() as isize
    }

    /// The length, and the bytes up to the last one that was written, as text if possible. Drivers leave arbitrary
    /// memory after a NULL.
    pub fn shown(&self) -> String {
        if self.length == SQL_NULL_DATA {
            return "NULL".to_owned();
        }
        format!("{} {}", self.length, shown(&self.bytes))
    }

    pub fn reset(&mut self) {
        self.bytes.fill(UNTOUCHED);
        self.length = -77;
    }
}

/// Bytes up to the last one that was written, as text if they are UTF-16. Equal bytes in a row are counted, so a long
/// value of one character stays short.
pub fn shown(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&byte| byte != UNTOUCHED).map_or(0, |last| last + 1);
    let bytes = &bytes[..end];
    let letter = |unit: &[u8]| matches!(unit, [b' '..=b'~', 0]);
    if let Some(text) = bytes.strip_suffix(&[0, 0]).filter(|text| text.len() > 2 && text.chunks(2).all(letter)) {
        return format!("{:?}", String::from_utf8_lossy(&text.iter().copied().step_by(2).collect::<Vec<u8>>()));
    }
    let runs = bytes.chunk_by(|one, other| one == other);
    let shown = |run: &[u8]| match run {
        [byte, _, _, _, _, ..] => format!(" {byte:02x}*{} ", run.len()),
        _ => run.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    format!("[{}]", runs.map(shown).collect::<String>().trim())
}
