//! What a forwarded call costs, counted: in instructions, which are the same on a busy machine.
#![cfg(target_arch = "x86_64")]

mod common;

use common::{Ran, Registrations, library, project};
use std::path::Path;
use std::process::Command;

/// More than calling the target directly: a load and a jump.
const BUDGET: u64 = 2;

fn compile(source: &str, options: &[&str], to: &Path) {
    let mut command = Command::new("cc");
    command.args(["-O2", "-Wall", "-Werror"]).args(options).arg(project(source)).arg("-ldl");
    Ran::of(command.arg("-o").arg(to)).ok();
}

/// The instructions of `repeat` in benches/calls.c, and of what it calls.
#[track_caller]
fn instructions(folder: &Registrations, library: &Path, function: &str, times: u64) -> u64 {
    let counts = folder.path("counts");
    let mut valgrind = folder.command("valgrind");
    valgrind.args(["--tool=callgrind", "--toggle-collect=repeat"]);
    valgrind.arg(format!("--callgrind-out-file={}", counts.display()));
    valgrind.arg(folder.path("calls")).arg("count").arg(library).args([function, &times.to_string()]);
    Ran::of(valgrind.env("LOOPBACK_ODBC_TARGET_DRIVER", folder.path("target.so"))).ok();
    let counts = std::fs::read_to_string(counts).unwrap();
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    total.unwrap_or_else(|| panic!("{counts}")).trim().parse().unwrap()
}

#[test]
fn a_forwarded_call_is_two_instructions_more_than_a_direct_one() {
    const TIMES: u64 = 1000;
    let folder = Registrations::new("", "");
    let target = folder.path("target.so");
    compile("benches/calls.c", &[], &folder.path("calls"));
    compile("benches/target.c", &["-shared", "-fPIC"], &target);
    // Of 1, 6 and 10 arguments.
    for function in ["SQLFetch", "SQLGetData", "SQLBindParameter"] {
        // What is not part of a call is the same for one as for any number.
        let calls = |library: &Path| {
            instructions(&folder, library, function, 2 * TIMES) - instructions(&folder, library, function, TIMES)
        };
        let (direct, through) = (calls(&target), calls(&library()));
        println!("{function}\t{}\t{}", direct / TIMES, through / TIMES); // for benches/calls.py
        assert!(direct >= 3 * TIMES, "{function}: {direct} instructions are too few for {TIMES} calls");
        assert_eq!(through - direct, BUDGET * TIMES, "{function}");
    }
}
