//! The only code that writes to a caller's pointer. It allows null and unaligned pointers, and truncates strings.

/// Writes a value, unless the pointer is null.
///
/// # Safety
/// `pointer` is null or can be written to.
pub unsafe fn put<T>(pointer: *mut T, value: T) {
    if !pointer.is_null() {
        // SAFETY: the caller's promise; ODBC promises no alignment.
        unsafe { pointer.write_unaligned(value) };
    }
}

/// Writes a string with its NUL, truncated to `capacity` code units including the NUL. Returns whether it was
/// truncated.
///
/// Nothing is written to a null pointer, and the result is then false.
///
/// # Safety
/// `buffer` is null or can be written to for `capacity` code units.
pub unsafe fn put_string(buffer: *mut u16, capacity: usize, value: &[u16]) -> bool {
    if buffer.is_null() {
        return false;
    }
    let length = value.len().min(capacity.saturating_sub(1));
    for (index, &unit) in value[..length].iter().chain((capacity > 0).then_some(&0)).enumerate() {
        // SAFETY: at most `capacity` code units are written, as the caller promises; ODBC promises no alignment.
        unsafe { buffer.add(index).write_unaligned(unit) };
    }
    value.len() >= capacity
}

/// Writes a text of bytes with its NUL if both fit in `capacity` bytes; writes nothing otherwise.
///
/// # Safety
/// `buffer` is null or can be written to for `capacity` bytes.
pub unsafe fn put_bytes(buffer: *mut u8, capacity: usize, text: &[u8]) {
    if buffer.is_null() || text.len() >= capacity {
        return;
    }
    // SAFETY: the caller's promise, and the text with its NUL fits.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr(), text.len());
        buffer.add(text.len()).write(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_cut_and_terminated() {
        let value: Vec<u16> = "abc".encode_utf16().collect();
        for (capacity, expected, cut) in [
            (5, [97, 98, 99, 0, 9], false),
            (4, [97, 98, 99, 0, 9], false),
            (3, [97, 98, 0, 9, 9], true),
            (1, [0, 9, 9, 9, 9], true),
            (0, [9; 5], true),
        ] {
            let mut buffer = [9u16; 5];
            // SAFETY: the buffer has more than `capacity` code units.
            assert_eq!(unsafe { put_string(buffer.as_mut_ptr(), capacity, &value) }, cut, "{capacity}");
            assert_eq!(buffer, expected, "{capacity}");
        }
    }

    #[test]
    fn nothing_is_written_to_a_null_pointer() {
        // SAFETY: null is allowed.
        unsafe {
            put(std::ptr::null_mut::<i32>(), 1);
            assert!(!put_string(std::ptr::null_mut(), 10, &[1, 2]));
        }
    }
}
