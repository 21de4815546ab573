//! A complete loopback string, as SQL Server's own functions print it, as a source of values.
//!
//! `rx_get_sql_loopback_connection_string()` of revoscalepy and `rxGetSqlLoopbackConnectionString()` of RevoScaleR know
//! where SQL Server is without discovery. You can put the string that one of them printed into an environment variable
//! or, under the same name, into the DSN section. Its parts then count as if they were set one by one.

use super::{NOT_FOR_THE_TARGET, TARGET_DRIVER, is_any, utf16};
use crate::loopback::connection_string::{Attribute, Text, parse};
use crate::loopback::failure::{Failure, Sqlstate};
use crate::world::World;
use std::net::Ipv6Addr;

/// The name of the environment variable, and of the keyword in a DSN section.
pub const STRING_VARIABLE: &str = "LOOPBACK_ODBC_CONNECTION_STRING";

/// The driver of the string in the environment. It names the target before anything is loaded.
pub fn driver(world: &dyn World) -> Option<Text> {
    let string = world.variable(STRING_VARIABLE)?;
    // A string that cannot be parsed is reported when it is used.
    let attributes = read(&string.to_string_lossy(), "").ok()?;
    attributes.iter().find(|attribute| is_any(attribute, TARGET_DRIVER)).map(Attribute::text)
}

/// The parts of a string that have a value. `Driver` becomes `TargetDriver`, because it names the target. `place` tells
/// messages where the string was set.
///
/// # Errors
/// 08001 when the string cannot be read to its end.
pub fn read(string: &str, place: &str) -> Result<Vec<Attribute<'static>>, Failure> {
    let units = utf16(string.trim());
    let parsed = parse(&units);
    if let Some(stopped) = parsed.stopped {
        return Err(Failure::new(
            Sqlstate::UNABLE_TO_CONNECT,
            format!(
                "The connection string in {place} can be read only up to character {}: {}. Set it exactly as \
                 rx_get_sql_loopback_connection_string() or rxGetSqlLoopbackConnectionString() printed it.",
                stopped.position,
                stopped.reason.text()
            ),
        ));
    }
    // Quotation marks left over from a file of variables, or spaces, would make it another keyword, and the connection
    // would lead elsewhere.
    let is_plain = |attribute: &&Attribute| {
        let keyword = String::from_utf16_lossy(&attribute.keyword);
        keyword.trim_matches(|it: char| it.is_whitespace() || "'\"\u{feff}\u{fffd}".contains(it)) == keyword
    };
    if let Some(other) = parsed.attributes.iter().find(|attribute| !is_plain(attribute)) {
        return Err(Failure::new(
            Sqlstate::UNABLE_TO_CONNECT,
            format!(
                "The connection string in {place} has a keyword with quotation marks or spaces around it ({other}). Set the \
                 string exactly as rx_get_sql_loopback_connection_string() or rxGetSqlLoopbackConnectionString() printed it.",
            ),
        ));
    }
    let for_us = |attribute: &Attribute| match attribute.is("Driver") {
        true => Some(Attribute::new(TARGET_DRIVER[0], &attribute.value())),
        false => (!is_any(attribute, NOT_FOR_THE_TARGET)).then(|| attribute.to_static()),
    };
    let parts = parsed.attributes.iter().filter_map(for_us);
    Ok(parts.filter(|part| !part.value().is_empty()).collect())
}

/// Whether two values mean the same. Yes, no and addresses can be written in several ways.
pub fn means_the_same(one: &str, other: &str) -> bool {
    let address = |value: &str| -> Option<(Ipv6Addr, String)> {
        let (address, rest) = value.split_once('%')?;
        Some((address.parse().ok()?, rest.to_owned()))
    };
    let is_answer = ["yes", "no"].iter().any(|answer| one.eq_ignore_ascii_case(answer));
    one == other
        || is_answer && one.eq_ignore_ascii_case(other)
        || matches!((address(one), address(other)), (Some(one), Some(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_values_compare_equal() {
        for (one, other, same) in [
            ("Yes", "yes", true),
            ("no", "yes", false),
            ("fe80::1%eth0", "FE80:0:0::1%eth0", true),
            ("fe80::1%eth0", "fe80::1%eth1", false),
            ("fe80::1%eth0,1500", "fe80::1%eth0", false),
            ("file:/Data/c.pem", "file:/data/c.pem", false),
            ("secret", "SECRET", false),
        ] {
            assert_eq!(means_the_same(one, other), same, "{one} {other}");
        }
    }
}
