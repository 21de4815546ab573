//! Link options of the library, each for a problem with a loader; an empty driver manager for the linker; on Windows,
//! the version resource of the library.

#[path = "scripts/windows/version_resource.rs"]
mod version_resource;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=scripts/windows/version_resource.rs");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" {
        // The entry in odbcinst.ini may name a copy or a link; the library has its own name.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libloopbackodbc.so");
        // Driver managers unload drivers. The target's handles and this library's state would not survive that.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // A missing symbol shows at build time, not in the user's process. A fuzzing build with coverage lacks some on
        // purpose.
        if env::var_os("CARGO_CFG_FUZZING").is_none() {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
        }
    }
    match (target("OS").as_str(), target("ENV").as_str()) {
        // Microsoft's linker comes with the real library.
        ("windows", "msvc") => {}
        ("windows", _) => empty_library("libodbc32.a"),
        // Zig's linker looks for this name alone, and takes it for the archive that it is, as others do.
        _ => empty_library("libodbc.so"),
    }
    if version_resource::can_be_compiled() {
        let object = version_resource::compile("loopbackodbc.dll");
        println!("cargo:rustc-cdylib-link-arg={}", object.display());
    }
}

/// An empty library that the linker finds first. odbc-sys links every program with a driver manager, but this library
/// calls none of its functions. So no driver manager is needed for building, and none of its code can get in.
fn empty_library(name: &str) {
    let folder = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&folder).join(name), "!<arch>\n").unwrap();
    println!("cargo:rustc-link-search=native={folder}");
}
