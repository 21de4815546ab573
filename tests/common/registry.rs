//! Access to the registry with Windows' own program.

use super::Ran;
use std::process::Command;

/// Sets string values of a key, and creates it if there is none.
#[track_caller]
pub fn set(key: &str, values: &[(&str, &str)]) {
    for (name, value) in values {
        Ran::of(Command::new("reg").args(["add", key, "/v", name, "/t", "REG_SZ", "/d", value, "/f"])).ok();
    }
}

/// Exports a key with everything below it in the format of the registry editor; empty if there is no such key.
pub fn exported(key: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("exported.reg");
    // Not `reg query`, which only writes the characters of one code page.
    Ran::of(Command::new("reg").args(["export", key]).arg(&file).arg("/y"));
    let exported = std::fs::read(file).unwrap_or_default();
    let units: Vec<u16> = exported.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).unwrap()
}

/// The string values of a key; none if there is no such key.
pub fn values(key: &str) -> Vec<(String, String)> {
    let value = |line: &str| {
        let (name, value) = line.strip_prefix('"')?.strip_suffix('"')?.split_once("\"=\"")?;
        Some((name.replace(r"\\", r"\"), value.replace(r"\\", r"\")))
    };
    exported(key).lines().filter_map(value).collect()
}

/// Removes a key with everything below it, if it exists.
pub fn remove(key: &str) {
    Ran::of(Command::new("reg").args(["delete", key, "/f"]));
}

/// Removes a value.
pub fn remove_value(key: &str, name: &str) {
    Ran::of(Command::new("reg").args(["delete", key, "/v", name, "/f"]));
}
