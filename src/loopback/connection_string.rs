//! Connection strings: parsed, edited and written as Microsoft's driver reads them.
//!
//! Everything works on UTF-16 code units and borrows from the given string, so everything that the library does not
//! change (unpaired surrogates, odd spacing, braces) reaches the target exactly as the application wrote it.
//!
//! An unclosed brace swallows the rest of a string, including a password. So values leave this module only as
//! [`Attribute`] or [`Text`], which do not show secrets. [`Text::reveal`] is for using a value, never for a message.
//!
//! The grammar is msodbcsql's, which differs in several places from the ODBC specification and from other drivers.
//! `docs/connection-strings.md` describes it as a table of inputs and results; the tests below read that table and
//! check the parser against it.

use std::borrow::Cow;
use std::fmt;

/// One `keyword=value` of a connection string.
///
/// `Display` and `Debug` are for logs: they never show a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// The keyword as written; neither trimmed nor changed in case.
    pub keyword: Cow<'a, [u16]>,
    /// The value as written, with its braces if it has them.
    pub written: Cow<'a, [u16]>,
}

impl<'a> Attribute<'a> {
    /// Makes an attribute; `value` is quoted if necessary.
    pub fn new(keyword: &str, value: &[u16]) -> Self {
        Attribute { keyword: Cow::Owned(keyword.encode_utf16().collect()), written: quote(value).into_owned().into() }
    }

    /// Whether the keyword is `name`, ignoring ASCII case.
    pub fn is(&self, name: &str) -> bool {
        same_keyword(&self.keyword, name)
    }

    /// The value without its quoting.
    pub fn value(&self) -> Cow<'_, [u16]> {
        match &*self.written {
            [OPEN, inner @ .., CLOSE] if inner.contains(&CLOSE) => {
                let mut value = Vec::with_capacity(inner.len());
                let mut units = inner.iter();
                while let Some(&unit) = units.next() {
                    value.push(unit);
                    if unit == CLOSE {
                        // The second of a pair: inside braces a closing brace is always doubled.
                        units.next();
                    }
                }
                value.into()
            }
            [OPEN, inner @ .., CLOSE] => inner.into(),
            written => written.into(),
        }
    }

    /// Whether the value must not be shown. Decided by words in the keyword, to cover other drivers' keywords too.
    fn is_secret(&self) -> bool {
        names_a_secret(&String::from_utf16_lossy(&self.keyword))
    }

    /// A copy that owns its memory.
    pub fn to_static(&self) -> Attribute<'static> {
        Attribute { keyword: self.keyword.to_vec().into(), written: self.written.to_vec().into() }
    }

    /// The value as text, for comparing and for messages. Unpaired surrogates become U+FFFD.
    pub fn text(&self) -> Text {
        Text(String::from_utf16_lossy(&self.value()))
    }
}

/// A value or a part of one, as text. `Display` and `Debug` hide anything in it that may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    pub fn new(text: impl Into<String>) -> Text {
        Text(text.into())
    }

    /// The whole text including secrets: for use, not for display.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The path in a text that names a file. A password may follow it.
    pub fn path(&self) -> Text {
        // Text longer than a path may be the key itself.
        let longest = self.0.char_indices().nth(LONGEST_PATH).map(|(end, _)| end);
        match self.0.find([',', ';']).map(|end| end + 1).into_iter().chain(longest).min() {
            Some(end) => Text(format!("{}***", &self.0[..end])),
            None => self.clone(),
        }
    }

    /// Whether the text is this one, ignoring ASCII case.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match secret_within(&self.0) {
            Some(position) => write!(formatter, "{}***", &self.0[..position]),
            None => formatter.write_str(&self.0),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let keyword = String::from_utf16_lossy(&self.keyword);
        if keyword.contains(';') || secret_within(&keyword).is_some() {
            // If a password without braces contains a `;`, its rest becomes part of the next keyword. If the `=` before
            // a password is missing, the password up to its own `=` becomes part of the keyword.
            return formatter.write_str("***=***");
        }
        if self.is_secret() {
            return write!(formatter, "{keyword}=***");
        }
        let written = Text(String::from_utf16_lossy(&self.written));
        if self.is("ClientCertificate") || self.is("ClientKey") {
            return write!(formatter, "{keyword}={}", written.path());
        }
        write!(formatter, "{keyword}={written}")
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn names_a_secret(keyword: &str) -> bool {
    let keyword = keyword.to_ascii_uppercase();
    ["PWD", "PASS", "SECRET", "TOKEN", "CONNECTION_STRING"].iter().any(|secret| keyword.contains(secret))
}

/// How many characters of a path are shown.
const LONGEST_PATH: usize = 200;

/// The byte position where a secret begins in a value: after the keyword of a key's password; after a password keyword,
/// if the value is a whole string because of an unclosed brace; where a key stands itself instead of its path; or after
/// the user in a URL, `//user:password@host`.
fn secret_within(value: &str) -> Option<usize> {
    let of_key = value.to_ascii_lowercase().find(KEY_PASSWORD).map(|position| position + KEY_PASSWORD.len());
    let key_itself = value.find("-----BEGIN");
    let of_url = value.find("//").and_then(|start| {
        let (user_info, _) = value[start..].rsplit_once('@')?;
        user_info.find(':').map(|colon| start + colon + 1)
    });
    let mut keyword = 0;
    let of_string = value.bytes().enumerate().find_map(|(position, byte)| {
        match byte {
            b';' => keyword = position + 1,
            b'=' if names_a_secret(&value[keyword..position]) => return Some(position + 1),
            _ => {}
        }
        None
    });
    of_key.into_iter().chain(key_itself).chain(of_string).chain(of_url).min()
}

/// The attributes for the log, without secrets.
pub fn shown(attributes: &[Attribute]) -> String {
    shown_each(attributes).join(";")
}

/// Each attribute without its secret. What follows a password without braces may be an unquoted part of it, so it is
/// hidden too.
pub fn shown_each(attributes: &[Attribute]) -> Vec<String> {
    let hidden = behind_a_secret(attributes);
    let shown = attributes[..attributes.len() - hidden.len()].iter().map(Attribute::to_string);
    shown.chain(hidden.iter().map(|_| "***".to_owned())).collect()
}

/// The attributes after the first secret without braces.
pub fn behind_a_secret<'s, 'a>(attributes: &'s [Attribute<'a>]) -> &'s [Attribute<'a>] {
    let has_secret = |it: &Attribute| it.is_secret() || secret_within(it.text().reveal()).is_some();
    let open_secret = |it: &Attribute| has_secret(it) && it.written.first() != Some(&OPEN);
    let end = attributes.iter().position(open_secret).map_or(attributes.len(), |position| position + 1);
    &attributes[end..]
}

/// The result of [`parse`].
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The attributes in order, including duplicates (the first one counts).
    pub attributes: Vec<Attribute<'a>>,
    /// Why the string was not read to its end, if it was not. Microsoft's driver keeps what it has read so far, warns
    /// with SQLSTATE 01S00, and continues; so does this library.
    pub stopped: Option<Stopped>,
}

/// Where and why parsing stopped before the end of a connection string.
#[derive(Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The position, in code units from 0, of the attribute that could not be read.
    pub position: usize,
    pub reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No `=` between here and the end. A run of two or more `;` at the end counts as this, a single `;` does not.
    NoEqualsSign,
    /// A `{` that no `}` closes.
    Unterminated,
    /// Something other than `;` after the closing `}`.
    AfterClosingBrace,
}

impl Reason {
    /// The reason in words that complete "the connection string was read only up to here: ...".
    pub fn text(self) -> &'static str {
        match self {
            Reason::NoEqualsSign => "a keyword without '='",
            Reason::Unterminated => "an opening brace is not closed",
            Reason::AfterClosingBrace => "a closing brace is followed by something other than ';'",
        }
    }
}

/// Starts the secret in `ClientCertificate=file:PATH,password:SECRET`.
///
/// Without the comma: a space may follow it, or another character may replace it.
const KEY_PASSWORD: &str = "password:";

const SEPARATOR: u16 = b';' as u16;
const EQUALS: u16 = b'=' as u16;
const OPEN: u16 = b'{' as u16;
const CLOSE: u16 = b'}' as u16;

/// Splits a connection string into its attributes. The module's documentation has the grammar.
pub fn parse(string: &[u16]) -> Parsed<'_> {
    let mut attributes = Vec::new();
    let mut at = 0;
    let stopped = loop {
        if at == string.len() {
            break None;
        }
        while string.get(at).is_some_and(|&unit| unit == SEPARATOR || is_space(unit)) {
            at += 1;
        }
        let position = at;
        let stop = |reason| Some(Stopped { position, reason });
        let Some(equals) = find(string, at, EQUALS) else {
            break stop(Reason::NoEqualsSign);
        };
        let keyword = &string[at..equals];
        let start = equals + 1;
        let end = if string.get(start) != Some(&OPEN) {
            find(string, start, SEPARATOR).unwrap_or(string.len())
        } else if let Some(close) = closing_brace(string, start + 1) {
            close + 1
        } else {
            // The value is the whole rest. With the missing brace added it can be written again.
            let written = [&string[start..], &[CLOSE]].concat();
            attributes.push(Attribute { keyword: keyword.into(), written: written.into() });
            break stop(Reason::Unterminated);
        };
        attributes.push(Attribute { keyword: keyword.into(), written: string[start..end].into() });
        match string.get(end) {
            None => break None,
            Some(&SEPARATOR) => at = end + 1,
            // The value itself counts, as it does for Microsoft's driver.
            Some(_) => break Some(Stopped { position: end, reason: Reason::AfterClosingBrace }),
        }
    };
    Parsed { attributes, stopped }
}

/// Writes attributes as a connection string, with `;` between them. A final `;` is added only after an empty value,
/// because Microsoft's driver warns about an empty value at the very end.
pub fn write<'a>(attributes: impl IntoIterator<Item = &'a Attribute<'a>>) -> Vec<u16> {
    let mut string = Vec::new();
    for attribute in attributes {
        if !string.is_empty() {
            string.push(SEPARATOR);
        }
        string.extend_from_slice(&attribute.keyword);
        string.push(EQUALS);
        string.extend_from_slice(&attribute.written);
    }
    if string.last() == Some(&EQUALS) {
        string.push(SEPARATOR);
    }
    string
}

/// Quotes a value, if necessary, so it is read back unchanged and cannot be read as more than one value.
///
/// Only a `;`, a leading `{` and a leading or trailing space require braces. Other values stay without braces, like
/// those in the documented loopback strings.
pub fn quote(value: &[u16]) -> Cow<'_, [u16]> {
    let edge_is_space = |unit: Option<&u16>| unit.is_some_and(|&unit| is_space(unit));
    if !value.contains(&SEPARATOR)
        && value.first() != Some(&OPEN)
        && !edge_is_space(value.first())
        && !edge_is_space(value.last())
    {
        return value.into();
    }
    let mut quoted = vec![OPEN];
    for &unit in value {
        quoted.push(unit);
        if unit == CLOSE {
            quoted.push(CLOSE);
        }
    }
    quoted.push(CLOSE);
    quoted.into()
}

/// Whether `keyword` is `name`, ignoring ASCII case.
pub fn same_keyword(keyword: &[u16], name: &str) -> bool {
    let lower = |unit: u16| u8::try_from(unit).map_or(unit, |byte| byte.to_ascii_lowercase().into());
    keyword.iter().copied().map(lower).eq(name.encode_utf16().map(lower))
}

/// White space as the driver defines it: C's `isspace` in the "C" locale.
fn is_space(unit: u16) -> bool {
    matches!(unit, 0x09..=0x0d | 0x20)
}

fn find(string: &[u16], from: usize, wanted: u16) -> Option<usize> {
    string[from..].iter().position(|&unit| unit == wanted).map(|offset| from + offset)
}

/// The position of the `}` that closes a braced value whose text starts at `from`; `}}` is an escaped `}`.
fn closing_brace(string: &[u16], mut from: usize) -> Option<usize> {
    loop {
        let close = find(string, from, CLOSE)?;
        if string.get(close + 1) != Some(&CLOSE) {
            return Some(close);
        }
        from = close + 2;
    }
}

/// The attributes of a valid string, for tests.
#[cfg(test)]
pub fn words(text: &str) -> Vec<Attribute<'static>> {
    let units = super::utf16(text);
    let parsed = parse(&units);
    assert_eq!(parsed.stopped, None, "{text}");
    parsed.attributes.iter().map(Attribute::to_static).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str = include_str!("../../docs/connection-strings.md");

    fn utf16(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    /// A row of the documentation's behaviour table: input, attributes, and the reason for stopping.
    type Row = (String, Vec<(String, String)>, String);

    fn documented() -> Vec<Row> {
        let code = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(|span| span.replace("\u{2423}", " ")).collect()
        };
        TABLE
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells: Vec<&str> = line.split(" | ").collect();
                let input = code(cells[0]).remove(0);
                let attributes = code(cells[1])
                    .iter()
                    .map(|attribute| attribute.split_once(" \u{2192} ").expect("keyword \u{2192} value"))
                    .map(|(keyword, value)| (keyword.to_owned(), value.replace("(empty)", "")))
                    .collect();
                (input, attributes, cells[2].trim().to_owned())
            })
            .collect()
    }

    #[test]
    fn parses_as_the_documentation_says() {
        let rows = documented();
        assert!(rows.len() >= 20, "only {} rows were found in the table", rows.len());
        for (input, attributes, stops) in rows {
            let units = utf16(&input);
            let parsed = parse(&units);
            let read: Vec<(String, String)> = parsed
                .attributes
                .iter()
                .map(|attribute| {
                    (String::from_utf16(&attribute.keyword).unwrap(), attribute.text().reveal().to_owned())
                })
                .collect();
            assert_eq!(read, attributes, "{input}");
            let stopped = parsed.stopped.map_or("no".to_owned(), |stopped| stopped.reason.text().to_owned());
            assert_eq!(stopped, stops, "{input}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        for (string, shown) in [
            ("UID=sa;Pwd={se;cret};APP=x", "UID=sa;Pwd=***;APP=x"),
            ("Password=secret", "Password=***"),
            ("SSLKeyPass={secret};AccessToken={secret}", "SSLKeyPass=***;AccessToken=***"),
            ("PWD=se;cret=x;APP=y", "PWD=***;***;***"),
            ("ClientKey:file:/k,password:secret=;APP=x", "***=***;***"),
            ("ClientKey=file:/k,password:se;cret=x", "ClientKey=file:/k,***;***"),
            ("ClientKey=file:/k, secret;APP=x", "ClientKey=file:/k,***;APP=x"),
            ("ClientKey={file:/k;secret};APP=x", "ClientKey={file:/k;***;APP=x"),
            (&format!("ClientKey={}secret", "MII".repeat(70)), &format!("ClientKey={}***", &"MII".repeat(70)[..200])),
            ("Server=-----BEGIN RSA PRIVATE KEY-----secret", "Server=***"),
            ("ClientCertificate=file:/a,Password:secret", "ClientCertificate=file:/a,***"),
            ("UID={dom;PWD=secret;APP=x", "UID={dom;PWD=***"),
            ("Driver={a;b;Token=secret};APP=x", "Driver={a;b;Token=***;APP=x"),
            ("Server=mssql://u:secret@h", "Server=mssql://u:***"),
            ("Server=//u:se/secret@x@h:1433/db", "Server=//u:***"),
            ("Server=tcp://h:1433;APP=a@b", "Server=tcp://h:1433;APP=a@b"),
        ] {
            let string = utf16(string);
            let attributes = parse(&string).attributes;
            assert_eq!(super::shown(&attributes), shown);
            assert!(!format!("{attributes:?}").contains("secret"), "{attributes:?}");
        }
    }

    #[test]
    fn keywords_ignore_only_ascii_case() {
        for (one, other, same) in [
            ("Server", "SERVER", true),
            ("Server", "Serve", false),
            ("Serve", "Server", false),
            ("Gr\u{f6}\u{df}e", "GR\u{f6}\u{df}E", true),
            ("Gr\u{f6}\u{df}e", "GR\u{d6}\u{df}E", false),
            ("\u{1f600}x", "\u{1f600}X", true),
            ("\u{153}", "S", false),
        ] {
            assert_eq!(same_keyword(&utf16(one), other), same, "{one} {other}");
        }
    }

    #[test]
    fn values_are_quoted_only_when_needed() {
        for (value, written) in [
            ("Sales", "Sales"),
            ("ODBC Driver 18 for SQL Server", "ODBC Driver 18 for SQL Server"),
            ("a=b{c}d", "a=b{c}d"),
            ("x;UID=sa", "{x;UID=sa}"),
            ("{x}", "{{x}}}"),
            ("a};b", "{a}};b}"),
            (" x", "{ x}"),
            ("x ", "{x }"),
        ] {
            assert_eq!(String::from_utf16(&quote(&utf16(value))).unwrap(), written);
        }
    }

    /// Code units of all kinds; those that matter to the grammar are much more frequent than by chance.
    fn units() -> impl Strategy<Value = Vec<u16>> {
        let unit = prop_oneof![
            3 => prop::sample::select(utf16(";={} \ta")),
            1 => any::<u16>(),
        ];
        prop::collection::vec(unit, 0..24)
    }

    fn keyword() -> impl Strategy<Value = Vec<u16>> {
        units().prop_map(|mut units| {
            units.retain(|&unit| unit != EQUALS);
            units.insert(0, b'K'.into());
            units
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(pairs in prop::collection::vec((keyword(), units()), 0..6)) {
            let attributes: Vec<Attribute> = pairs
                .iter()
                .map(|(keyword, value)| Attribute { keyword: keyword.into(), written: quote(value) })
                .collect();
            let string = write(&attributes);
            let parsed = parse(&string);
            prop_assert_eq!(&parsed.stopped, &None);
            prop_assert_eq!(&parsed.attributes, &attributes);
            for (attribute, (_, value)) in parsed.attributes.iter().zip(&pairs) {
                prop_assert_eq!(&*attribute.value(), &value[..]);
            }
        }

        #[test]
        fn any_string_is_read_and_written_without_loss(string in units()) {
            let parsed = parse(&string);
            let again = write(&parsed.attributes);
            let reparsed = parse(&again);
            prop_assert_eq!(&reparsed.attributes, &parsed.attributes);
            prop_assert_eq!(reparsed.stopped, None);
        }
    }
}
