//! What an application sets by a connection attribute before it connects, instead of by a keyword.
//!
//! The target already has these attributes and weighs them against the string and its section itself. In Microsoft's
//! driver the attributes for `Trusted_Connection`, `Encrypt` and `TrustServerCertificate` override the string, so
//! values added to the string do not override them. The library remembers the attributes that decide how to log in, and
//! the one that does not override the string.

use super::{AUTHENTICATION, DATABASE, Slot, TRUSTED_CONNECTION, utf16};
use crate::loopback::connection_string::Attribute;
use odbc_sys::ConnectionAttribute;

/// Represents SQL_COPT_SS_ACCESS_TOKEN, for which there is no keyword.
pub const ACCESS_TOKEN: Slot = &["AccessToken"];

/// SQL_COPT_SS_INTEGRATED_SECURITY: 1 for yes, 0 for no.
pub const INTEGRATED_SECURITY: ConnectionAttribute = ConnectionAttribute(1203);

/// Source: Microsoft, "DSN and Connection String Keywords and Attributes"; the numbers are in the driver's
/// `msodbcsql.h`.
const ATTRIBUTES: [(ConnectionAttribute, Slot); 4] = [
    (ConnectionAttribute::CURRENT_CATALOG, DATABASE),
    (INTEGRATED_SECURITY, TRUSTED_CONNECTION),
    (ConnectionAttribute(1255), AUTHENTICATION), // SQL_COPT_SS_AUTHENTICATION
    (ConnectionAttribute::SS_ACCESS_TOKEN, ACCESS_TOKEN),
];

/// What an attribute sets, as a keyword. Of its value only one thing is known: whether it is something, that is, not
/// zero and not null. An empty value counts as not set.
pub fn keyword(attribute: i32, is_something: bool) -> Option<Attribute<'static>> {
    let (_, slot) = ATTRIBUTES.iter().find(|(known, _)| known.0 == attribute)?;
    let value = match is_something {
        true => "yes",
        false if *slot == AUTHENTICATION => "",
        false => "no",
    };
    Some(Attribute::new(slot[0], &utf16(value)))
}
