//! The version that a file for Windows shows, for the build scripts of library and program: what the ODBC administrator and the
//! properties of the file say of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Whether this is a build for Windows with mingw's tools. With Microsoft's linker files show no version: its resource compiler
/// is on no search path.
pub fn can_be_compiled() -> bool {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    target("OS") == "windows" && target("ENV") == "gnu"
}

/// Makes an object for the linker that says of a file of this name what the package says of itself.
pub fn compile(file: &str) -> PathBuf {
    let package = |name: &str| env::var(format!("CARGO_PKG_{name}")).unwrap();
    let numbers = [package("VERSION_MAJOR"), package("VERSION_MINOR"), package("VERSION_PATCH"), "0".into()].join(",");
    let (version, description) = (package("VERSION"), package("DESCRIPTION"));
    let (name, ending) = file.rsplit_once('.').unwrap();
    // FILETYPE VFT_DLL or VFT_APP, FILEOS VOS_NT_WINDOWS32; texts in US English and Unicode.
    let kind = if ending == "dll" { 2 } else { 1 };
    let source = format!(
        r#"1 VERSIONINFO
FILEVERSION {numbers}
PRODUCTVERSION {numbers}
FILEOS 0x40004
FILETYPE {kind}
BEGIN
    BLOCK "StringFileInfo"
    BEGIN
        BLOCK "040904B0"
        BEGIN
            VALUE "CompanyName", "loopback-odbc"
            VALUE "FileDescription", "{description}"
            VALUE "FileVersion", "{version}"
            VALUE "InternalName", "{name}"
            VALUE "LegalCopyright", "MIT License"
            VALUE "OriginalFilename", "{file}"
            VALUE "ProductName", "loopback-odbc"
            VALUE "ProductVersion", "{version}"
        END
    END
    BLOCK "VarFileInfo"
    BEGIN
        VALUE "Translation", 0x409, 1200
    END
END
"#
    );
    let folder = env::var("OUT_DIR").unwrap();
    let (source_file, object) = (Path::new(&folder).join("version.rc"), Path::new(&folder).join("version.o"));
    fs::write(&source_file, source).unwrap();
    // Under its plain name on Windows itself.
    let compiler = if cfg!(windows) { "windres" } else { "x86_64-w64-mingw32-windres" };
    let status = Command::new(compiler).arg(source_file).arg(&object).status();
    assert!(status.is_ok_and(|status| status.success()), "{compiler}, which belongs to the linker, does not work");
    object
}
