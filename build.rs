//! Link options of the library, each for a problem of loaders.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // The name in odbcinst.ini may be that of a copy or a link; the library knows its own.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libloopbackodbc.so");
        // Driver managers unload drivers; the target's handles and our state would not survive that.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // A missing symbol shows at build time, not in the user's process.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
    }
}
