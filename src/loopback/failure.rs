//! Why a connection is refused: one SQLSTATE, one text with cause and fix, and the list of what was checked.
//!
//! An administrator reads all of it, a data scientist only the first record (pyodbc shows no more), and unixODBC
//! truncates every record at 512 characters. So [`Failure::records`] makes the first record from the text and puts the
//! findings into records of their own.

/// The prefix of every message of this library, as the ODBC specification requires of a component.
pub const PREFIX: &str = "[loopback-odbc] ";

/// The most UTF-16 code units of one record: unixODBC's limit minus the prefixes that it may add.
pub const MOST_UNITS: usize = 480;

/// An SQLSTATE from Appendix A of the ODBC specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sqlstate(pub [u8; 5]);

impl Sqlstate {
    /// String data, right truncated.
    pub const TRUNCATED: Sqlstate = Sqlstate(*b"01004");
    /// Invalid connection string attribute.
    pub const INVALID_ATTRIBUTE: Sqlstate = Sqlstate(*b"01S00");
    /// Client unable to establish connection.
    pub const UNABLE_TO_CONNECT: Sqlstate = Sqlstate(*b"08001");
    /// General error.
    pub const GENERAL: Sqlstate = Sqlstate(*b"HY000");
    /// Invalid attribute value.
    pub const INVALID_VALUE: Sqlstate = Sqlstate(*b"HY024");
    /// Invalid string or buffer length.
    pub const INVALID_LENGTH: Sqlstate = Sqlstate(*b"HY090");
    /// Data source not found and no default driver specified.
    pub const DATA_SOURCE_NOT_FOUND: Sqlstate = Sqlstate(*b"IM002");
    /// Specified driver could not be loaded.
    pub const DRIVER_NOT_LOADED: Sqlstate = Sqlstate(*b"IM003");

    /// The five characters.
    pub fn text(self) -> String {
        self.0.map(char::from).iter().collect()
    }

    /// SQL_DIAG_CLASS_ORIGIN: who defined the class.
    pub fn class_origin(self) -> &'static str {
        if self.0.starts_with(b"IM") { "ODBC 3.0" } else { "ISO 9075" }
    }

    /// SQL_DIAG_SUBCLASS_ORIGIN: who defined the subclass; ODBC's own begin with an S.
    pub fn subclass_origin(self) -> &'static str {
        if self.0[2] == b'S' { "ODBC 3.0" } else { self.class_origin() }
    }
}

/// A refusal, before it is turned into diagnostic records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub state: Sqlstate,
    /// Cause and fix.
    pub text: String,
    /// What was checked and the result, one line each.
    pub findings: Vec<String>,
}

impl Failure {
    pub fn new(state: Sqlstate, text: impl Into<String>) -> Self {
        Failure { state, text: text.into(), findings: Vec::new() }
    }

    pub fn with_findings(self, findings: Vec<String>) -> Self {
        Failure { findings, ..self }
    }

    /// A panic in this library. Its details went to standard error.
    pub fn defect() -> Self {
        let text = "This is a bug in loopback-odbc. Please report it with the output on standard error.";
        Failure::new(Sqlstate::GENERAL, text)
    }

    /// SQLSTATE and text, then the findings, for callers without diagnostic records.
    pub fn lines(&self) -> Vec<String> {
        let first = format!("{}: {}", self.state.text(), self.text);
        std::iter::once(first).chain(self.findings.iter().cloned()).collect()
    }

    /// The texts of the diagnostic records, each of at most [`MOST_UNITS`] code units. Text that does not fit continues
    /// in the next record, so nothing is lost.
    pub fn records(&self) -> Vec<String> {
        std::iter::once(&self.text).chain(&self.findings).flat_map(|text| split(text)).collect()
    }
}

/// Splits a text into pieces that fit one record each, including the prefix. Splits at spaces if possible.
fn split(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let (piece, behind) = cut(rest, MOST_UNITS - PREFIX.len());
        pieces.push(format!("{PREFIX}{piece}"));
        if behind.is_empty() {
            return pieces;
        }
        rest = behind;
    }
}

/// The beginning of a text, of at most `units` code units, and the rest of it. If there is a rest, the beginning ends
/// in `...`, after a whole word if possible.
pub fn cut(text: &str, units: usize) -> (String, &str) {
    const CONTINUED: &str = " ...";
    if text.encode_utf16().count() <= units {
        return (text.to_owned(), "");
    }
    let limit = position_after(text, units.saturating_sub(CONTINUED.len())).unwrap_or(text.len());
    let end = text[..limit].rfind(' ').filter(|&space| space > limit / 2).unwrap_or(limit);
    (format!("{}{CONTINUED}", &text[..end]), text[end..].trim_start())
}

/// The byte position up to which `text` has at most `units` UTF-16 code units; none if the whole text fits.
fn position_after(text: &str, units: usize) -> Option<usize> {
    let mut count = 0;
    text.char_indices().find_map(|(position, character)| {
        count += character.len_utf16();
        (count > units).then_some(position)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_record() {
        let failure = Failure::new(Sqlstate::GENERAL, "cause. remedy.").with_findings(vec!["looked here".into()]);
        assert_eq!(failure.records(), ["[loopback-odbc] cause. remedy.", "[loopback-odbc] looked here"]);
    }

    #[test]
    fn a_long_text_is_continued_and_nothing_is_lost() {
        let words: Vec<String> = (0..300).map(|number| format!("w\u{1f600}{number}")).collect();
        let records = Failure::new(Sqlstate::GENERAL, words.join(" ")).records();
        assert!(records.len() > 1);
        for record in &records {
            assert!(record.encode_utf16().count() <= MOST_UNITS, "{record}");
        }
        let joined: Vec<&str> = records
            .iter()
            .flat_map(|record| record.strip_prefix(PREFIX).unwrap().split(' '))
            .filter(|&word| word != "...")
            .collect();
        assert_eq!(joined, words);
    }

    #[test]
    fn a_text_without_spaces_is_split_too() {
        let records = Failure::new(Sqlstate::GENERAL, "x".repeat(2 * MOST_UNITS)).records();
        assert_eq!(records.iter().map(|record| record.matches('x').count()).sum::<usize>(), 2 * MOST_UNITS);
    }

    #[test]
    fn origins_follow_the_specification() {
        for (state, class, subclass) in [
            (Sqlstate::UNABLE_TO_CONNECT, "ISO 9075", "ISO 9075"),
            (Sqlstate::INVALID_ATTRIBUTE, "ISO 9075", "ODBC 3.0"),
            (Sqlstate::DRIVER_NOT_LOADED, "ODBC 3.0", "ODBC 3.0"),
        ] {
            assert_eq!((state.class_origin(), state.subclass_origin()), (class, subclass), "{}", state.text());
        }
    }
}
