//! The meaning of libFuzzer's bytes. Text stays text, so seeds and findings are readable; control characters encode the
//! rest.

/// A password that nobody would write by chance.
pub const SECRET: &str = "M4rk3r9hush";

/// The characters that represent a password in an input, and the text before the password, which marks it as one.
const PLANTED: [(char, &str); 4] =
    [('\u{2}', "PWD="), ('\u{3}', ",password:"), ('\u{4}', "PWD={"), ('\u{5}', "AccessToken={")];

/// Option bits of an input.
#[derive(Clone, Copy)]
pub struct Options(u8);

impl Options {
    /// Takes the option bits off an input.
    pub fn take(input: &[u8]) -> Option<(Options, &[u8])> {
        let (&first, rest) = input.split_first()?;
        // So the character 0 means that no option is set.
        Some((Options(first ^ b'0'), rest))
    }

    pub fn is_set(self, bit: u8) -> bool {
        self.0 & 1 << bit != 0
    }

    /// The bits from `bit` on, as a number below `limit`.
    pub fn number(self, bit: u8, limit: usize) -> usize {
        usize::from(self.0 >> bit) % limit
    }
}

/// A text with its passwords.
pub fn text(bytes: &[u8]) -> String {
    let text: Vec<u16> = String::from_utf8_lossy(bytes).encode_utf16().collect();
    String::from_utf16(&planted(&text)).expect("pairs stay together")
}

/// The same as in a file, an environment variable or an argument of C: without NULs.
pub fn c_text(bytes: &[u8]) -> String {
    text(bytes).replace('\0', "")
}

/// Code units of all kinds: an ASCII byte is itself, any other byte is the first half of a unit.
pub fn units(bytes: &[u8]) -> Vec<u16> {
    let mut bytes = bytes.iter().copied();
    let unit = || {
        let first = bytes.next()?;
        Some(match first.is_ascii() {
            true => first.into(),
            false => u16::from_be_bytes([first, bytes.next().unwrap_or_default()]),
        })
    };
    planted(&std::iter::from_fn(unit).collect::<Vec<u16>>())
}

fn planted(units: &[u16]) -> Vec<u16> {
    let written = |unit: &u16| match PLANTED.iter().find(|(mark, _)| *mark as u16 == *unit) {
        Some((_, before)) => before.encode_utf16().chain(SECRET.encode_utf16()).collect(),
        None => vec![*unit],
    };
    units.iter().flat_map(written).collect()
}

/// Splits an input into `COUNT` parts; missing ones are empty.
pub fn parts<const COUNT: usize>(input: &[u8], between: u8) -> [&[u8]; COUNT] {
    let mut parts = input.splitn(COUNT, |&byte| byte == between);
    [(); COUNT].map(|()| parts.next().unwrap_or_default())
}

/// `keyword=value` of each line that has both.
pub fn entries(lines: &[u8]) -> Vec<(String, String)> {
    let lines = lines.split(|&byte| byte == b'\n').map(c_text);
    lines.filter_map(|line| line.split_once('=').map(|(one, other)| (one.to_owned(), other.to_owned()))).collect()
}
