//! On Windows the version that the program's file shows.

#[path = "../scripts/windows/version_resource.rs"]
mod version_resource;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../scripts/windows/version_resource.rs");
    if version_resource::can_be_compiled() {
        let object = version_resource::compile("loopback-odbc.exe");
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
}
