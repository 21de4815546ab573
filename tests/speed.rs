//! The cost of a forwarded call, counted in instructions. Their number does not depend on the load of the machine.
#![cfg(target_arch = "x86_64")]

mod common;

use common::{Ran, Registrations, compile, library};
use std::path::Path;

/// The most additional instructions compared with calling the target directly: a load and a jump.
const BUDGET: u64 = 2;

/// The instructions of `repeat` in benches/calls.c and of everything that it calls.
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
fn a_forwarded_call_is_at_most_two_instructions_more_than_a_direct_one() {
    const TIMES: u64 = 1000;
    let folder = Registrations::new("", "");
    let target = folder.path("target.so");
    compile("benches/calls.c", &folder.path("calls"), &["-O2", "-ldl"]);
    compile("benches/target.c", &target, &["-O2", "-shared", "-fPIC", "-Wno-unused-parameter"]);
    // With 1, 6 and 10 arguments.
    let counted = ["SQLFetch", "SQLGetData", "SQLBindParameter"].map(|function| {
        // What is not part of a call costs the same for any number of calls.
        let calls = |library: &Path| {
            instructions(&folder, library, function, 2 * TIMES) - instructions(&folder, library, function, TIMES)
        };
        let (direct, through) = (calls(&target), calls(&library()));
        // For benches/calls.py, which reports a missed budget as well: all results, before they are checked.
        println!("{function}\t{}\t{}", direct / TIMES, through / TIMES);
        (function, direct, through)
    });
    for (function, direct, through) in counted {
        assert!(direct >= 3 * TIMES, "{function}: {direct} instructions are too few for {TIMES} calls");
        assert!(
            through > direct,
            "{function}: {through} instructions, as {direct} without the library: it was not called"
        );
        assert!(through - direct <= BUDGET * TIMES, "{function}: {through} instructions, {direct} without the library");
    }
}
