//! Link options of the library, each for a problem of loaders; and on Windows the version that its file shows.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" {
        // The name in odbcinst.ini may be that of a copy or a link; the library knows its own.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libloopbackodbc.so");
        // Driver managers unload drivers; the target's handles and our state would not survive that.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // A missing symbol shows at build time, not in the user's process.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
    }
    // With Microsoft's linker the file shows no version: its resource compiler is on no search path.
    if target("OS") == "windows" && target("ENV") == "gnu" {
        version_resource();
    }
}

/// Has the linker add what the ODBC administrator and the properties of the file show of it.
fn version_resource() {
    let package = |name: &str| env::var(format!("CARGO_PKG_{name}")).unwrap();
    let numbers = [package("VERSION_MAJOR"), package("VERSION_MINOR"), package("VERSION_PATCH"), "0".into()].join(",");
    let (version, description) = (package("VERSION"), package("DESCRIPTION"));
    // FILEOS VOS_NT_WINDOWS32, FILETYPE VFT_DLL; texts in US English and Unicode.
    let source = format!(
        r#"1 VERSIONINFO
FILEVERSION {numbers}
PRODUCTVERSION {numbers}
FILEOS 0x40004
FILETYPE 2
BEGIN
    BLOCK "StringFileInfo"
    BEGIN
        BLOCK "040904B0"
        BEGIN
            VALUE "CompanyName", "loopback-odbc"
            VALUE "FileDescription", "{description}"
            VALUE "FileVersion", "{version}"
            VALUE "InternalName", "loopbackodbc"
            VALUE "LegalCopyright", "MIT License"
            VALUE "OriginalFilename", "loopbackodbc.dll"
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
    println!("cargo:rustc-cdylib-link-arg={}", object.display());
}
