//! A second implementation of the grammar in docs/connection-strings.md, with a different structure, so the library's
//! parser is not judged by itself.

use loopbackodbc::fuzzing::Parsed;

/// A keyword, and its value without braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub keyword: Vec<u16>,
    pub value: Vec<u16>,
}

impl Pair {
    pub fn new(keyword: &str, value: &str) -> Pair {
        Pair { keyword: keyword.encode_utf16().collect(), value: value.encode_utf16().collect() }
    }

    pub fn is(&self, name: &str) -> bool {
        String::from_utf16(&self.keyword).is_ok_and(|keyword| keyword.eq_ignore_ascii_case(name))
    }

    pub fn says(&self, word: &str) -> bool {
        String::from_utf16(&self.value).is_ok_and(|value| value.eq_ignore_ascii_case(word))
    }

    /// The same keyword, ignoring case, and exactly the same value.
    pub fn equals(&self, other: &Pair) -> bool {
        self.value == other.value && String::from_utf16(&other.keyword).is_ok_and(|keyword| self.is(&keyword))
    }
}

/// The attributes of a string, and whether it was read to its end.
pub fn read(mut string: &[u16]) -> (Vec<Pair>, bool) {
    const SPACES: [u16; 7] = [0x3b, 0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d];
    let mut pairs = Vec::new();
    while !string.is_empty() {
        let start = string.iter().position(|unit| !SPACES.contains(unit)).unwrap_or(string.len());
        let Some((keyword, rest)) = split(&string[start..], '=') else { return (pairs, false) };
        if rest.is_empty() {
            return (pairs, false);
        }
        let mut value = Vec::new();
        if rest[0] != '{' as u16 {
            let (plain, after) = split(rest, ';').unwrap_or((rest, &[]));
            value.extend_from_slice(plain);
            pairs.push(Pair { keyword: keyword.to_vec(), value });
            string = after;
            continue;
        }
        let mut rest = &rest[1..];
        let after = loop {
            match split(rest, '}') {
                None => {
                    // An unclosed brace: all the rest, in which a doubled brace counts once.
                    value.extend_from_slice(rest);
                    pairs.push(Pair { keyword: keyword.to_vec(), value });
                    return (pairs, false);
                }
                Some((part, [0x7d, after @ ..])) => {
                    value.extend_from_slice(part);
                    value.push(0x7d);
                    rest = after;
                }
                Some((part, after)) => {
                    value.extend_from_slice(part);
                    break after;
                }
            }
        };
        pairs.push(Pair { keyword: keyword.to_vec(), value });
        match after {
            [] => return (pairs, true),
            [0x3b, after @ ..] => string = after,
            _ => return (pairs, false),
        }
    }
    (pairs, true)
}

fn split(units: &[u16], at: char) -> Option<(&[u16], &[u16])> {
    let position = units.iter().position(|&unit| unit == at as u16)?;
    Some((&units[..position], &units[position + 1..]))
}

/// The library's result, for comparison.
pub fn of(parsed: &Parsed) -> (Vec<Pair>, bool) {
    let pair =
        |it: &loopbackodbc::fuzzing::Attribute| Pair { keyword: it.keyword.to_vec(), value: it.value().to_vec() };
    (parsed.attributes.iter().map(pair).collect(), parsed.stopped.is_none())
}
