//! Tells the program which Rust it was built with.

fn main() {
    let rustc = std::env::var_os("RUSTC").expect("cargo sets RUSTC");
    let output = std::process::Command::new(rustc).arg("--version").output().expect("rustc runs");
    let version = String::from_utf8(output.stdout).expect("rustc's version is text");
    // "rustc 1.95.0 (59807616e 2026-04-14)"
    println!("cargo::rustc-env=RUST_VERSION={}", version.split(' ').nth(1).expect("rustc tells its version"));
    println!("cargo::rerun-if-changed=build.rs");
}
