//! `doctor --compare`: compares a string printed by SQL Server's own function with the library's.

use crate::report::{Area, Level, Report};
use loopbackodbc::program::{Attribute, Machine, Search, Wanted, means_the_same, parse, rewrite, shown_each, utf16};

/// Compares keyword by keyword, with a library string for the same database and without a data source. `is_configured` tells whether the
/// data source has a server and a login of its own.
pub fn compare(report: &mut Report, wanted: &Wanted, official: &str, is_configured: bool) {
    const AREA: Area = Area::Comparison;
    let units = utf16(official.trim());
    let parsed = parse(&units);
    if let Some(stopped) = parsed.stopped {
        let text = format!(
            "The official string can only be read up to character {}: {}",
            stopped.position,
            stopped.reason.text()
        );
        let remedy =
            "Fix: pass it as rx_get_sql_loopback_connection_string() or rxGetSqlLoopbackConnectionString() printed it";
        return report.failure(AREA, text, remedy);
    }
    let official: Vec<Attribute> = parsed.attributes.iter().map(Attribute::to_static).collect();
    let database = official.iter().find(|attribute| attribute.is("Database")).cloned();
    let Ok(ours) = rewrite(&Machine, wanted, database.as_slice(), &mut Search::default()) else {
        let text = "Not compared: the library cannot make a string here";
        let why = match is_configured {
            true => {
                "A server and a login are configured, so this is not a loopback string. Run this in a script that SQL Server runs"
            }
            false => "The session above says why",
        };
        return report.unchecked(AREA, text, vec![why.to_owned()]);
    };
    let ours = ours.target;
    let (official_shown, ours_shown) = (shown_each(&official), shown_each(&ours));
    let mut differs = |text: String| report.add(AREA, Level::Warning, text, vec![REMEDY.to_owned()]);
    let mut same = Vec::new();
    for (theirs, shown) in official.iter().zip(&official_shown) {
        let keyword = String::from_utf16_lossy(&theirs.keyword);
        match ours.iter().position(|ours| ours.is(&keyword)) {
            Some(index) if means_the_same(ours[index].text().reveal(), theirs.text().reveal()) => same.push(keyword),
            Some(index) => differs(format!("The official string has {shown}, the library's has {}", ours_shown[index])),
            None => differs(format!("The official string has {shown}, the library's has no {keyword}")),
        }
    }
    for (attribute, shown) in ours.iter().zip(&ours_shown) {
        let keyword = String::from_utf16_lossy(&attribute.keyword);
        if !official.iter().any(|theirs| theirs.is(&keyword)) {
            differs(format!("The library's string has {shown}, the official string has no {keyword}"));
        }
    }
    if !same.is_empty() {
        report.ok(AREA, format!("The same in both: {}", same.join(", ")));
    }
}

/// What to do about a difference.
const REMEDY: &str = "The official string is right: configure its value, and report the difference";
