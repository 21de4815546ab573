//! Link options of the library, each for a problem of loaders; and on Windows the version that its file shows.

mod version_resource;

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=version_resource.rs");
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
    if version_resource::can_be_compiled() {
        let object = version_resource::compile("loopbackodbc.dll");
        println!("cargo:rustc-cdylib-link-arg={}", object.display());
    }
}
