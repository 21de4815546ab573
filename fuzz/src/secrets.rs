//! Checks that no output for people shows a secret.

use crate::input::SECRET;
use loopbackodbc::fuzzing::{Failure, Rewritten, Search, TargetRecord, hint, shown, shown_each};

/// Fails if one of these texts contains the secret.
pub fn hidden_in(texts: impl IntoIterator<Item = String>) {
    for text in texts {
        assert!(!text.contains(SECRET), "a secret is shown: {text:?}");
    }
}

/// All output of a request: records, findings, warnings, lines of the log, `Display` and `Debug`.
pub fn hidden(outcome: &Result<Rewritten, Failure>, search: &Search) {
    let findings = search.findings.iter().flat_map(|it| [it.to_string(), format!("{it:?}")]);
    hidden_in(findings.chain(search.warnings.iter().cloned()).chain(search.lines()));
    match outcome {
        Ok(rewritten) => {
            hidden_in([shown(&rewritten.target), shown(&rewritten.returned), format!("{rewritten:?}")]);
            hidden_in([&rewritten.target, &rewritten.returned].into_iter().flat_map(|it| shown_each(it)));
            hidden_in(hints(rewritten));
        }
        Err(failure) => {
            let failure = search.explain(failure.clone());
            hidden_in([failure.text.clone(), format!("{failure:?}")]);
            hidden_in(failure.lines().into_iter().chain(failure.records()));
        }
    }
}

/// The hints for all errors of the driver that have one.
fn hints(rewritten: &Rewritten) -> Vec<String> {
    let records: [(&[u8; 5], i32, &str); 7] = [
        (b"28000", 18456, "Login failed for user 'Microsoft Corporation'."),
        (b"28000", 18456, "Login failed for user 'u'."),
        (b"08001", -1, "invalid null pkcs12 pointer"),
        (b"08001", -1, "DECODER routines::unsupported"),
        (b"08001", -1, "certificate verify failed"),
        (b"HYT00", 0, "Login timeout expired"),
        (b"HY000", 0, "no ticket"),
    ];
    let hint = |(state, native_error, text): (&[u8; 5], i32, &str)| {
        hint(rewritten, &[TargetRecord { state: *state, native_error, text: text.to_owned() }])
    };
    records.into_iter().filter_map(hint).map(|(_, text)| text).collect()
}
