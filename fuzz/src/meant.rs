//! Checks that there are no unintended attributes.

use crate::reference::{self, Pair};
use loopbackodbc::fuzzing::Rewritten;

/// The possible sources of attributes.
pub struct Meant {
    pub is_microsofts: bool,
    /// The application's attributes, as parsed from its string.
    pub application: Vec<Pair>,
    /// The name that the target is registered under.
    pub target: String,
    /// What discovery and the form may add, and the values from the environment, the section and official strings, for
    /// keywords that the target does not read in its section.
    pub others: Vec<Pair>,
}

/// The keywords that give one value.
const SLOTS: [&[&str]; 1] = [&["Server", "Address", "Addr"]];
/// Keywords that are never passed on.
const KEPT_BACK: [&str; 6] =
    ["DSN", "FILEDSN", "SAVEFILE", "Driver", "TargetDriver", "LOOPBACK_ODBC_CONNECTION_STRING"];
/// Keywords that a trusted connection replaces.
const LOGIN: [&str; 4] = ["Trusted_Connection", "UID", "PWD", "Authentication"];

impl Meant {
    /// Compares the string for the target and the one for the application with what was intended.
    pub fn holds(&self, rewritten: &Rewritten) {
        let string = rewritten.target_string();
        let (target, whole) = reference::read(&string);
        assert!(whole, "the target would stop in {}", shown(&string));
        let by_name = self.application.iter().find(|it| it.is("DSN") || it.is("Driver"));
        let data_source = by_name.filter(|it| it.is("DSN") && !it.value.is_empty());
        let (first, rest) = match (data_source, target.split_first()) {
            (Some(name), Some((first, rest))) => (first == name, rest),
            (None, Some((first, rest))) => (first.equals(&Pair::new("Driver", &self.target)), rest),
            (_, None) => (false, &target[..]),
        };
        assert!(first, "{} begins with no name", shown(&string));
        for pair in rest {
            assert!(!KEPT_BACK.iter().any(|name| pair.is(name)), "{pair:?} is for nobody: {}", shown(&string));
            if self.application.contains(pair) {
                continue;
            }
            assert!(self.is_microsofts, "{pair:?} is added for another driver");
            assert!(self.others.iter().any(|meant| meant.equals(pair)), "nobody means {pair:?} in {}", shown(&string));
            let slot = |it: &Pair| SLOTS.into_iter().find(|slot| slot.iter().any(|name| it.is(name)));
            let rival = |it: &&Pair| match slot(pair) {
                Some(slot) => slot.iter().any(|name| it.is(name)) && !it.value.is_empty(),
                None => {
                    !it.is("Trusted_Connection") && String::from_utf16(&pair.keyword).is_ok_and(|name| it.is(&name))
                }
            };
            let rival = self.application.iter().find(rival);
            assert!(rival.is_none(), "{pair:?} takes the place of {rival:?} in {}", shown(&string));
        }
        for pair in &self.application {
            let is_empty_server = pair.value.is_empty() && SLOTS[0].iter().any(|name| pair.is(name));
            let is_left_out = KEPT_BACK.iter().chain(&LOGIN).any(|name| pair.is(name)) || is_empty_server;
            assert!(is_left_out || rest.contains(pair), "{pair:?} is lost in {}", shown(&string));
        }
        self.holds_for_the_application(rewritten);
    }

    /// The application must get back only its own attributes, in their order.
    fn holds_for_the_application(&self, rewritten: &Rewritten) {
        let string = rewritten.returned_string();
        let (returned, whole) = reference::read(&string);
        assert!(whole && string.last().is_none_or(|&last| last == u16::from(b';')), "{}", shown(&string));
        let mut own = self.application.iter();
        for pair in &returned {
            assert!(own.any(|it| it == pair), "{pair:?} is returned and was not given: {}", shown(&string));
        }
    }
}

fn shown(string: &[u16]) -> String {
    String::from_utf16_lossy(string)
}
