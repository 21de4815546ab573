//! odbcinst.ini and odbc.ini as they are now, read as unixODBC reads them.

use crate::ini::{Ini, Section};
use std::io;
use std::path::Path;

impl Ini {
    /// A file's sections; none where there is no file.
    ///
    /// # Errors
    /// The system's reason why it cannot be read, with its path.
    pub fn read(path: &Path) -> Result<Ini, String> {
        match std::fs::read(path) {
            Ok(contents) => Ok(Ini::parse(&contents)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ini::default()),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// What is in no section, and is no comment, is nothing to unixODBC.
    pub fn parse(contents: &[u8]) -> Ini {
        let mut ini = Ini::default();
        for line in String::from_utf8_lossy(contents).lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                ini.comments = true;
            } else if let Some(rest) = line.strip_prefix('[') {
                let name = rest.split(']').next().unwrap_or(rest).trim().to_owned();
                ini.sections.push(Section { name, properties: Vec::new() });
            } else if let (Some(section), false) = (ini.sections.last_mut(), line.is_empty()) {
                let (keyword, value) = line.split_once('=').unwrap_or((line, ""));
                section.properties.push((keyword.trim().to_owned(), value.trim().to_owned()));
            }
        }
        ini
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_values_are_read_as_unixodbc_reads_them() {
        let ini = Ini::parse(b"lost=1\n  [ A B ] x\n Driver = /x.so \nempty=\nalone\n\n[C]\nK=a=b;c\n");
        let names: Vec<&str> = ini.sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["A B", "C"]);
        assert!(!ini.comments);
        let section = ini.section("a b").unwrap();
        assert_eq!(section.value("DRIVER"), "/x.so");
        assert_eq!((section.value("empty"), section.value("alone"), section.value("none")), ("", "", ""));
        assert_eq!(ini.section("C").unwrap().value("K"), "a=b;c");
    }

    #[test]
    fn a_comment_is_seen_wherever_it_is() {
        for contents in ["# first\n[A]\n", "[A]\n  ; inside\nB=1\n"] {
            assert!(Ini::parse(contents.as_bytes()).comments, "{contents}");
        }
        assert!(!Ini::parse(b"[A]\nB=1 # part of the value\n").comments);
    }

    #[test]
    fn the_library_of_a_driver_is_driver64_where_there_is_one() {
        let ini = Ini::parse(b"[A]\nDriver=/32.so\nDriver64=/64.so\n[B]\nDriver=/b.so\n");
        let library = |name| ini.section(name).unwrap().library().to_owned();
        assert_eq!((library("A"), library("B")), ("/64.so".into(), "/b.so".into()));
    }

    #[test]
    fn a_file_that_is_not_there_has_no_sections() {
        assert_eq!(Ini::read(Path::new("/nonexistent/odbc.ini")), Ok(Ini::default()));
        assert!(Ini::read(Path::new("/etc")).unwrap_err().starts_with("/etc cannot be read: "));
    }
}
