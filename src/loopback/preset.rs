//! What an application says by a connection attribute before it connects, instead of by a keyword.
//!
//! To Microsoft's driver an attribute is stronger than the data source's section; most are weaker than the connection
//! string. What we give it is all connection string. So such an attribute counts as a source of its own, between the application's
//! string and the environment, of which nothing is written: the driver has it already.

use super::{AUTHENTICATION, DATABASE, ENCRYPT, Slot, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, utf16};
use crate::connection_string::Attribute;

/// Stands for SQL_COPT_SS_ACCESS_TOKEN, which no keyword can say.
pub const ACCESS_TOKEN: Slot = &["AccessToken"];

/// Attributes that have a keyword and can be set before a connect.
///
/// Microsoft, "SQLSetConnectAttr" of SQL Server Native Client, "DSN and Connection String Keywords and Attributes", and
/// the driver's `msodbcsql.h` for the numbers.
const ATTRIBUTES: [(i32, Slot); 19] = [
    (109, DATABASE), // SQL_ATTR_CURRENT_CATALOG
    (1203, TRUSTED_CONNECTION),
    (1217, &["QuotedId"]),
    (1218, &["AnsiNPW"]),
    (1220, &["AutoTranslate"]),
    (1221, &["AttachDBFileName"]),
    (1222, &["ConcatNullYieldsNull"]),
    (1223, ENCRYPT),
    (1224, &["MARS_Connection"]),
    (1225, &["Failover_Partner"]),
    (1228, TRUST_SERVER_CERTIFICATE),
    (1229, &["ServerSPN"]),
    (1230, &["FailoverPartnerSPN"]),
    (1247, &["ApplicationIntent"]),
    (1248, &["MultiSubnetFailover"]),
    (1249, &["TransparentNetworkIPResolution"]),
    (1250, &["ColumnEncryption"]),
    (1255, AUTHENTICATION),
    (1256, ACCESS_TOKEN),
];

/// What an attribute says, as a keyword. Of its value only is known whether it is something: not zero, not null. An empty
/// value is one that nobody gave.
pub fn keyword(attribute: i32, is_something: bool) -> Option<Attribute<'static>> {
    let (_, slot) = ATTRIBUTES.iter().find(|(known, _)| *known == attribute)?;
    let value = match is_something {
        true => "yes",
        false if *slot == AUTHENTICATION => "",
        false => "no",
    };
    Some(Attribute::new(slot[0], &utf16(value)))
}
