//! Link options of the library, each for a problem of loaders; an empty driver manager for the linker; and on Windows the
//! version that the library's file shows.

#[path = "scripts/windows/version_resource.rs"]
mod version_resource;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=scripts/windows/version_resource.rs");
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" {
        // The name in odbcinst.ini may be that of a copy or a link; the library knows its own.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libloopbackodbc.so");
        // Driver managers unload drivers; the target's handles and our state would not survive that.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // A missing symbol shows at build time, not in the user's process. With coverage for a fuzzer some are to be missing.
        if env::var_os("CARGO_CFG_FUZZING").is_none() {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
        }
    }
    match (target("OS").as_str(), target("ENV").as_str()) {
        // Microsoft's linker comes with the real one.
        ("windows", "msvc") => {}
        ("windows", _) => empty_library("libodbc32.a"),
        _ => empty_library("libodbc.a"),
    }
    if version_resource::can_be_compiled() {
        let object = version_resource::compile("loopbackodbc.dll");
        println!("cargo:rustc-cdylib-link-arg={}", object.display());
    }
}

/// A library without contents, first on the linker's way. odbc-sys has every program linked with a driver manager, of whose
/// functions we call none: with this nobody needs one for building, and nothing of it can come into the library.
fn empty_library(name: &str) {
    let folder = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&folder).join(name), "!<arch>\n").unwrap();
    println!("cargo:rustc-link-search=native={folder}");
}
