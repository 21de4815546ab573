//! What odbcinst.ini and odbc.ini hold: sections with keywords and values. On Windows these are keys of the registry.
//!
//! The installer library could be asked instead. But on Linux it makes the files that it does not find, which a plan must not,
//! and answers from memory for some seconds; and nowhere does it list drivers or tell a usage count.

use std::path::Path;

/// The sections, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ini {
    pub sections: Vec<Section>,
    /// The file that was read, to the byte; none if it is not there.
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
    /// The section of this name; case does not count.
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

    /// A keyword's value; empty where there is none.
    pub fn value(&self, keyword: &str) -> &str {
        let property = self.properties.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword));
        property.map_or("", |(_, value)| value)
    }

    /// The library of a driver, which the driver manager prefers to take from `Driver64`.
    pub fn library(&self) -> &Path {
        let library = self.value("Driver64");
        Path::new(if library.is_empty() { self.value("Driver") } else { library })
    }
}
