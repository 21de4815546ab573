//! The release build as a file: its exports, its dependencies, and the length of its forwarding code.

mod common;

use common::{Ran, library, part};
use std::collections::BTreeSet;
use std::process::Command;

/// The exports other than the ODBC functions: include/loopback_odbc.h.
const C_INTERFACE: [&str; 4] =
    ["loopback_odbc_version", "loopback_odbc_connection_string", "loopback_odbc_report", "loopback_odbc_confirmation"];

fn tool(program: &str, arguments: &[&str]) -> String {
    Ran::of(Command::new(program).args(arguments).arg(library())).ok().stdout
}

fn declared() -> BTreeSet<String> {
    loopbackodbc::entry_point_names().into_iter().chain(C_INTERFACE).map(str::to_owned).collect()
}

/// The names of a library's dynamic symbols that are functions.
fn functions_of(nm: &str) -> BTreeSet<String> {
    nm.lines().filter_map(|line| line.split_once(" T ")).map(|(_, name)| name.to_owned()).collect()
}

#[test]
fn exports_are_exactly_the_declared_ones() {
    let symbols = tool("nm", &["-D", "--defined-only"]);
    assert_eq!(functions_of(&symbols), declared());
    // There are neither data symbols nor weak symbols.
    assert_eq!(symbols.lines().count(), declared().len(), "{symbols}");
}

#[test]
fn odbc_functions_are_those_of_the_real_driver() {
    let nm = Ran::of(Command::new("nm").args(["-D", "--defined-only"]).arg(part("MSODBCSQL"))).ok().stdout;
    let real: BTreeSet<String> = functions_of(&nm).into_iter().filter(|name| name.starts_with("SQL")).collect();
    assert_eq!(real.len(), 65);
    assert_eq!(loopbackodbc::entry_point_names().into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), real);
}

#[test]
fn no_relocation_refers_to_an_own_export() {
    let relocations = tool("readelf", &["-rW"]);
    assert!(relocations.contains("R_X86_64_") || relocations.contains("R_AARCH64_"), "{relocations}");
    let declared = declared();
    let own: Vec<&str> =
        relocations.lines().filter(|line| line.split(['@', ' ']).any(|word| declared.contains(word))).collect();
    assert_eq!(own, [""; 0]);
}

#[test]
fn it_needs_only_glibc_and_libgcc_s() {
    let dynamic = tool("readelf", &["-dW"]);
    let needed: BTreeSet<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .filter(|name| !name.starts_with("ld-linux"))
        .collect();
    // The release has the unwinder inside, and names two parts of glibc that were libraries of their own before 2.34.
    let allowed = BTreeSet::from(["libc.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0"]);
    assert!(needed.contains("libc.so.6") && needed.is_subset(&allowed), "{needed:?}");
}

#[test]
fn it_is_never_unloaded_and_has_a_soname() {
    let dynamic = tool("readelf", &["-dW"]);
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(dynamic.contains("Library soname: [libloopbackodbc.so]"), "{dynamic}");
}

#[test]
fn it_is_stripped_and_at_most_a_mebibyte() {
    assert!(!tool("readelf", &["-SW"]).contains(".symtab"));
    let size = std::fs::metadata(library()).unwrap().len();
    assert!(size <= 1024 * 1024, "{size} bytes");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn a_forwarded_call_is_a_load_and_a_jump() {
    // With 1, 6, 10 and 11 arguments: the last two pass some on the stack.
    let code = tool("objdump", &["-d", "--no-show-raw-insn"]);
    for function in ["SQLFetch", "SQLGetData", "SQLBindParameter", "SQLGetDescRecW"] {
        let start = code.find(&format!(" <{function}@@Base>:")).or_else(|| code.find(&format!(" <{function}>:")));
        let body = &code[start.unwrap_or_else(|| panic!("{function} is not in the disassembly"))..];
        let instructions: Vec<&str> = body
            .lines()
            .skip(1)
            .take(2)
            .filter_map(|line| line.split_once(":\t"))
            .map(|(_, instruction)| instruction)
            .collect();
        let [load, jump] = instructions[..] else { panic!("{instructions:?}") };
        assert!(load.starts_with("mov") && load.contains("(%rip),%rax"), "{function}: {load}");
        assert!(jump.starts_with("jmp") && jump.contains("*%rax"), "{function}: {jump}");
    }
}

#[test]
fn the_header_and_the_library_agree() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("version.c");
    let program = folder.path().join("version");
    std::fs::write(
        &source,
        "#include <stdio.h>\n#include \"loopback_odbc.h\"\nint main(void) { puts(loopback_odbc_version()); return 0; }\n",
    )
    .unwrap();
    common::compile_against_us(source.to_str().unwrap(), &program);
    let folder = library().parent().unwrap().to_owned();
    let version = Ran::of(Command::new(&program).env("LD_LIBRARY_PATH", folder)).ok().stdout;
    assert_eq!(version.trim(), env!("CARGO_PKG_VERSION"));
}

/// Each row's name, and the types of its arguments as the table has them.
macro_rules! entry_points {
    ($($id:literal $kind:ident $(($detail:path))? $name:ident($($argument:ident: $type:ty),*) $($when:ident($answer:path))?;)*) => {
        const SIGNATURES: &[(&str, &[&str])] = &[$((stringify!($name), &[$(stringify!($type)),*])),*];
    };
}

include!("../src/target/table.rs");

#[test]
fn signatures_are_those_of_the_specification_s_headers() {
    let c_type = |rust: &str| match rust {
        "Handle" | "HEnv" | "HDbc" | "HStmt" | "HDesc" | "Pointer" => "void *",
        "*mut Handle" | "*mut Pointer" => "void **",
        "*mut WChar" => "unsigned short *",
        "i16" => "short",
        "*mut i16" => "short *",
        "u16" => "unsigned short",
        "*mut u16" => "unsigned short *",
        "i32" => "int",
        "*mut i32" => "int *",
        "Len" => "long",
        "*mut Len" => "long *",
        "ULen" => "unsigned long",
        "*mut ULen" => "unsigned long *",
        _ => panic!("{rust} is not known"),
    };
    let mut source = String::from("#include <sql.h>\n#include <sqlext.h>\n#include <sqlucode.h>\n");
    for (name, types) in SIGNATURES {
        let types: Vec<&str> = types.iter().map(|rust| c_type(rust)).collect();
        let declared = format!("short (*)({})", types.join(", "));
        let equal = format!("__builtin_types_compatible_p(__typeof__(&{name}), {declared})");
        source += &format!("_Static_assert({equal}, \"{name} is not {declared}\");\n");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("signatures.c");
    std::fs::write(&file, source).unwrap();
    Ran::of(common::compiler().arg("-fsyntax-only").arg(file)).ok();
}
