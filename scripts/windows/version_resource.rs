//! The version resource of a Windows file, for the build scripts of the library and the program. The ODBC administrator
//! and the file's properties show it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Whether this is a Windows build with mingw's tools. Builds with Microsoft's linker have no version resource, because
/// its resource compiler is on no search path.
pub fn can_be_compiled() -> bool {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    target("OS") == "windows" && target("ENV") == "gnu"
}

/// Compiles an object for the linker that describes the file with the package's own data.
pub fn compile(file: &str) -> PathBuf {
    let package = |name: &str| env::var(format!("CARGO_PKG_{name}")).unwrap();
    let numbers = [package("VERSION_MAJOR"), package("VERSION_MINOR"), package("VERSION_PATCH"), "0".into()].join(",");
    let (version, description) = (package("VERSION"), package("DESCRIPTION"));
    let (name, ending) = file.rsplit_once('.').unwrap();
    // FILETYPE VFT_DLL or VFT_APP, FILEOS VOS_NT_WINDOWS32; text in US English and Unicode.
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
    // On Windows itself the tool has its plain name.
    let compiler = if cfg!(windows) { "windres" } else { "x86_64-w64-mingw32-windres" };
    let status = Command::new(compiler).arg(source_file).arg(&object).status();
    assert!(status.is_ok_and(|status| status.success()), "{compiler}, which belongs to the linker, does not work");
    object
}
