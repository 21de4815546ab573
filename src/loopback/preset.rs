//! What an application says by a connection attribute before it connects, instead of by a keyword.
//!
//! The target has such an attribute already, and weighs it against the string and its section itself: to Microsoft's driver
//! the attributes for `Trusted_Connection`, `Encrypt` and `TrustServerCertificate` are stronger than the string, so that what
//! is added there does not overrule them. Remembered are those that say how to log in, and the one that is weaker.

use super::{AUTHENTICATION, DATABASE, Slot, TRUSTED_CONNECTION, utf16};
use crate::loopback::connection_string::Attribute;
use odbc_sys::ConnectionAttribute;

/// Stands for SQL_COPT_SS_ACCESS_TOKEN, which no keyword can say.
pub const ACCESS_TOKEN: Slot = &["AccessToken"];

/// SQL_COPT_SS_INTEGRATED_SECURITY: 1 for yes, 0 for no.
pub const INTEGRATED_SECURITY: ConnectionAttribute = ConnectionAttribute(1203);

/// Microsoft, "DSN and Connection String Keywords and Attributes", and the driver's `msodbcsql.h` for the numbers.
const ATTRIBUTES: [(ConnectionAttribute, Slot); 4] = [
    (ConnectionAttribute::CURRENT_CATALOG, DATABASE),
    (INTEGRATED_SECURITY, TRUSTED_CONNECTION),
    (ConnectionAttribute(1255), AUTHENTICATION), // SQL_COPT_SS_AUTHENTICATION
    (ConnectionAttribute::SS_ACCESS_TOKEN, ACCESS_TOKEN),
];

/// What an attribute says, as a keyword. Of its value only is known whether it is something: not zero, not null. An empty
/// value is one that nobody gave.
pub fn keyword(attribute: i32, is_something: bool) -> Option<Attribute<'static>> {
    let (_, slot) = ATTRIBUTES.iter().find(|(known, _)| known.0 == attribute)?;
    let value = match is_something {
        true => "yes",
        false if *slot == AUTHENTICATION => "",
        false => "no",
    };
    Some(Attribute::new(slot[0], &utf16(value)))
}
