//! What was checked, and the result.
//!
//! Several signals can show each value of a loopback string. A connect asks them in order and stops at the first that
//! shows something. To explain a value, every signal is asked.

use crate::loopback::failure::Failure;
use crate::loopback::sentence::{Sentence, sentence};
use std::fmt;

/// The progress of discovery in a session.
#[derive(Debug, Default)]
pub struct Search {
    /// Whether to also ask the signals after the one that decides.
    pub every_signal: bool,
    /// In the order in which they were checked.
    pub findings: Vec<Finding>,
    /// What works, but is not as it should be.
    pub warnings: Vec<String>,
    /// Whether nothing shows a session, and one is needed.
    pub is_no_session: bool,
    /// Whether there is neither a session nor a server or a login that somebody has configured.
    pub is_unconfigured: bool,
}

/// The result of one signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The value that was searched for.
    pub value: &'static str,
    /// Where it was searched for.
    pub signal: Sentence,
    /// What the signal shows, if it shows exactly one thing.
    pub found: Option<String>,
    /// The full text of the finding.
    pub text: Sentence,
}

impl Search {
    /// A search that asks every signal.
    pub fn thorough() -> Search {
        Search { every_signal: true, ..Search::default() }
    }

    /// Whether to ask another signal, given the answer of those before it.
    pub fn goes_on<T>(&self, answer: &Option<T>) -> bool {
        answer.is_none() || self.every_signal
    }

    /// A signal shows one thing; `text` has more about it.
    pub fn found(&mut self, value: &'static str, signal: impl Into<Sentence>, found: &str, text: Sentence) {
        self.findings.push(Finding { value, signal: signal.into(), found: Some(found.to_owned()), text });
    }

    /// A signal shows nothing, or too much, or is not available.
    pub fn nothing(&mut self, value: &'static str, signal: impl Into<Sentence>, text: impl Into<Sentence>) {
        self.findings.push(Finding { value, signal: signal.into(), found: None, text: text.into() });
    }

    /// The findings, one line each.
    pub fn lines(&self) -> Vec<String> {
        self.findings.iter().map(Finding::to_string).collect()
    }

    /// Adds to a failure what was checked before it.
    pub fn explain(&self, failure: Failure) -> Failure {
        let findings = [self.lines(), failure.findings.clone()].concat();
        failure.with_findings(findings)
    }
}

/// How many of many things a text lists.
pub const MOST_NAMED: usize = 8;

/// The first of many things, and how many more there are.
pub fn named(things: &[Sentence]) -> Sentence {
    let first = things.iter().take(MOST_NAMED).enumerate();
    let first = first.flat_map(|(index, thing)| [if index == 0 { "" } else { ", " }.into(), thing.clone()]);
    let first = Sentence::All(first.collect());
    match things.len().saturating_sub(MOST_NAMED) {
        0 => first,
        others => sentence!(first, ", and ", others, " more"),
    }
}

/// The signal of a value that is assumed because no signal shows it.
pub const OTHERWISE: &str = "otherwise";

impl Finding {
    /// Whether the value is assumed because no signal shows it.
    pub fn is_assumed(&self) -> bool {
        self.signal == OTHERWISE.into()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}, {}: {}", self.value, self.signal, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_names_the_first_and_counts_the_rest() {
        let things = |count: usize| named(&(1..=count).map(Sentence::from).collect::<Vec<_>>()).to_string();
        assert_eq!(things(0), "");
        assert_eq!(things(8), "1, 2, 3, 4, 5, 6, 7, 8");
        assert_eq!(things(10), "1, 2, 3, 4, 5, 6, 7, 8, and 2 more");
    }
}
