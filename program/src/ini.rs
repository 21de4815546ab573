//! The contents of odbcinst.ini and odbc.ini: sections with keywords and values. On Windows these are keys of the registry.
//!
//! The installer library is not used for reading. On Linux it creates missing files, which a plan must not do, and caches values for
//! some seconds. It also cannot list drivers or return a usage count.

use std::path::Path;

/// The sections, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ini {
    pub sections: Vec<Section>,
    /// The bytes of the file; none if it does not exist.
    #[cfg(unix)]
    pub contents: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    /// Keywords and values.
    pub properties: Vec<(String, String)>,
}

impl Ini {
    /// The section of this name, ignoring case.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name.eq_ignore_ascii_case(name))
    }
}

impl Section {
    #[cfg(test)]
    pub fn new(name: &str, properties: &[(&str, &str)]) -> Section {
        let owned = |(keyword, value): &(&str, &str)| ((*keyword).to_owned(), (*value).to_owned());
        Section { name: name.to_owned(), properties: properties.iter().map(owned).collect() }
    }

    /// A keyword's value; empty if it has none.
    pub fn value(&self, keyword: &str) -> &str {
        let property = self.properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword));
        property.map_or("", |(_, value)| value)
    }

    /// A driver's library.
    pub fn library(&self) -> &Path {
        Path::new(self.value(self.library_keyword()))
    }

    /// The keyword of a driver's library. The driver manager prefers `Driver64` to `Driver`.
    pub fn library_keyword(&self) -> &'static str {
        if self.value("Driver64").is_empty() { "Driver" } else { "Driver64" }
    }
}
