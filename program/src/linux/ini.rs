//! Reads odbcinst.ini and odbc.ini as unixODBC does, and changes only the lines of one section.
//!
//! Every other byte stays: comments, blanks, values of any length, both kinds of line ends, text of any encoding. Removing what was added
//! restores the previous file, without a record of it:
//! - A new section gets an empty line before it, which is removed with it. A file that is created begins with the section itself. This
//!   distinguishes it from an empty file that existed.
//! - If the last line had no line end, the new last line has none either.

use crate::ini::{Ini, Section};
use std::borrow::Cow;
use std::io;
use std::path::Path;

/// A line, as unixODBC reads it.
#[derive(PartialEq, Eq)]
enum Line<'l> {
    Header(&'l [u8]),
    /// A keyword and its value.
    Property(&'l [u8], &'l [u8]),
    /// A blank line or a comment.
    Other,
}

impl Line<'_> {
    fn of(bytes: &[u8]) -> Line<'_> {
        let line = bytes.trim_ascii();
        let at = |wanted| line.iter().position(|&byte| byte == wanted);
        match line.first() {
            None | Some(b'#' | b';') => Line::Other,
            Some(b'[') => Line::Header(line[1..at(b']').unwrap_or(line.len())].trim_ascii()),
            Some(_) => match at(b'=') {
                Some(equals) => Line::Property(line[..equals].trim_ascii(), line[equals + 1..].trim_ascii()),
                None => Line::Property(line, b""),
            },
        }
    }

    fn is_header(&self, section: &str) -> bool {
        matches!(self, Line::Header(name) if name.eq_ignore_ascii_case(section.as_bytes()))
    }

    fn is_property(&self, keyword: &str) -> bool {
        matches!(self, Line::Property(name, _) if name.eq_ignore_ascii_case(keyword.as_bytes()))
    }
}

/// What a file begins with that keeps unixODBC from reading any section.
pub enum Before {
    ByteOrderMark,
    Utf16,
    Text,
}

impl Ini {
    /// What stands before the first section and keeps unixODBC from reading the file; none if nothing does.
    pub fn before_sections(&self) -> Option<Before> {
        let contents = self.contents.as_deref()?;
        if contents.starts_with(b"\xef\xbb\xbf") {
            return Some(Before::ByteOrderMark);
        }
        if contents.starts_with(b"\xff\xfe") || contents.starts_with(b"\xfe\xff") {
            return Some(Before::Utf16);
        }
        let first = contents.split(|&byte| byte == b'\n').map(Line::of).find(|line| *line != Line::Other);
        matches!(first, Some(Line::Property(..))).then_some(Before::Text)
    }

    /// A file's sections; none if the file does not exist.
    ///
    /// # Errors
    /// The system's reason why it cannot be read, with its path.
    pub fn read(path: &Path) -> Result<Ini, String> {
        // Reading a FIFO would wait, and a device must not be replaced by a file.
        let is_other = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        if is_other {
            return Err(format!("{} is not a regular file", path.display()));
        }
        match std::fs::read(path) {
            Ok(contents) => Ok(Ini::parse(contents)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ini::default()),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        }
    }

    /// Ignores properties outside a section.
    pub fn parse(contents: Vec<u8>) -> Ini {
        let mut sections: Vec<Section> = Vec::new();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        for line in contents.split(|&byte| byte == b'\n').map(Line::of) {
            match (line, sections.last_mut()) {
                (Line::Header(name), _) => sections.push(Section { name: text(name), properties: Vec::new() }),
                (Line::Property(keyword, value), Some(section)) => {
                    section.properties.push((text(keyword), text(value)))
                }
                _ => {}
            }
        }
        Ini { sections, contents: Some(contents) }
    }

    /// The file with these values in a section, which is added if it is missing.
    pub fn with(&self, section: &str, values: &[(&str, &str)]) -> Vec<u8> {
        let mut text = Text::of(self);
        text.set(section, values);
        text.bytes()
    }

    /// The file without a section's properties that are ours, and without the section if it has no others. None if the file was created
    /// for the section and contains nothing else. Further sections of that name with the same driver are removed too: unixODBC ignored
    /// them behind the first one, and would read them now.
    pub fn without(&self, name: &str, ours: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
        let mut text = Text::of(self);
        let driver = self.section(name).map(|section| section.value("Driver"));
        let same =
            |section: &&Section| section.name.eq_ignore_ascii_case(name) && Some(section.value("Driver")) == driver;
        let mut emptied = false;
        for (nth, _) in self.sections.iter().enumerate().filter(|(_, section)| same(section)).rev() {
            emptied = text.remove(nth, &ours);
        }
        (!emptied).then(|| text.bytes())
    }
}

/// The lines of a file, all with a line end.
struct Text<'c> {
    lines: Vec<Cow<'c, [u8]>>,
    /// The line end.
    end: &'static [u8],
    /// Whether the last line has a line end in the file.
    ended: bool,
    is_there: bool,
}

impl<'c> Text<'c> {
    fn of(ini: &'c Ini) -> Text<'c> {
        let mut lines: Vec<Cow<[u8]>> = ini
            .contents
            .iter()
            .flat_map(|contents| contents.split_inclusive(|&byte| byte == b'\n'))
            .map(Cow::from)
            .collect();
        let ended = |line: &&Cow<[u8]>| line.ends_with(b"\n");
        let end: &[u8] = match lines.iter().rev().find(ended) {
            Some(line) if line.ends_with(b"\r\n") => b"\r\n",
            _ => b"\n",
        };
        let ended = lines.last().as_ref().is_none_or(ended);
        if let (Some(last), false) = (lines.last_mut(), ended) {
            last.to_mut().extend(end);
        }
        Text { lines, end, ended, is_there: ini.contents.is_some() }
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = self.lines.concat();
        if !self.ended && bytes.ends_with(self.end) {
            bytes.truncate(bytes.len() - self.end.len());
        }
        bytes
    }

    fn line(&self, text: &str) -> Cow<'c, [u8]> {
        [text.as_bytes(), self.end].concat().into()
    }

    /// The end of the section whose header is here.
    fn end_of(&self, header: usize) -> usize {
        let behind = &self.lines[header + 1..];
        let length = behind.iter().position(|line| matches!(Line::of(line), Line::Header(_)));
        header + 1 + length.unwrap_or(behind.len())
    }

    fn set(&mut self, section: &str, values: &[(&str, &str)]) {
        let header = self.lines.iter().position(|line| Line::of(line).is_header(section)).unwrap_or_else(|| {
            if self.is_there {
                self.lines.push(self.line(""));
            }
            self.lines.push(self.line(&format!("[{section}]")));
            self.lines.len() - 1
        });
        for (keyword, value) in values {
            let lines = header + 1..self.end_of(header);
            let is_property = |&index: &usize| matches!(Line::of(&self.lines[index]), Line::Property(..));
            match lines.clone().find(|&index| Line::of(&self.lines[index]).is_property(keyword)) {
                Some(index) => self.lines[index] = with_value(&self.lines[index], value).into(),
                None => {
                    let behind = lines.rev().find(is_property).unwrap_or(header);
                    self.lines.insert(behind + 1, self.line(&format!("{keyword}={value}")));
                }
            }
        }
    }

    /// Removes our properties from the nth section. Returns whether the file is now empty and was created for the section.
    fn remove(&mut self, nth: usize, ours: impl Fn(&str) -> bool) -> bool {
        let is_header = |line: &Cow<[u8]>| matches!(Line::of(line), Line::Header(_));
        let headers = self.lines.iter().enumerate().filter(|(_, line)| is_header(line));
        let Some(header) = headers.map(|(index, _)| index).nth(nth) else { return false };
        let is_ours = |line: &[u8]| match Line::of(line) {
            Line::Property(keyword, _) => ours(&String::from_utf8_lossy(keyword)),
            _ => false,
        };
        let is_blank = |line: &Cow<[u8]>| line.trim_ascii().is_empty();
        let end = self.end_of(header);
        let stays = self.lines[header + 1..end]
            .iter()
            .any(|line| matches!(Line::of(line), Line::Property(..)) && !is_ours(line));
        let kept: Vec<Cow<[u8]>> = self.lines.drain(header + 1..end).filter(|line| !is_ours(line)).collect();
        self.lines.splice(header + 1..header + 1, kept);
        if stays {
            return false;
        }
        self.lines.remove(header);
        match header.checked_sub(1) {
            Some(before) if is_blank(&self.lines[before]) => {
                self.lines.remove(before);
                false
            }
            Some(_) => false,
            None => {
                if self.lines.first().is_some_and(is_blank) {
                    self.lines.remove(0);
                }
                self.lines.is_empty()
            }
        }
    }
}

/// A line with another value and the same blanks.
fn with_value(line: &[u8], value: &str) -> Vec<u8> {
    let text = line.trim_ascii_end();
    let (keyword, old) =
        text.split_at(text.iter().position(|&byte| byte == b'=').map_or(text.len(), |equals| equals + 1));
    let blanks = &old[..old.len() - old.trim_ascii_start().len()];
    let equals: &[u8] = if keyword.ends_with(b"=") { b"" } else { b"=" };
    [keyword, equals, blanks, value.as_bytes(), &line[text.len()..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(contents: &str) -> Ini {
        Ini::parse(contents.into())
    }

    #[test]
    fn sections_and_values_are_read_as_unixodbc_reads_them() {
        let ini = parse(
            "lost=1\n  [ A B ] x\r\n Driver = /x.so \r\n# no=1\n ;no=1\nempty=\nalone\n\n[C]\nK=a=b;c # d\n[c]\nK=2\n",
        );
        let names: Vec<&str> = ini.sections.iter().map(|section| section.name.as_str()).collect();
        assert_eq!(names, ["A B", "C", "c"]);
        let section = ini.section("a b").unwrap();
        assert_eq!(section.value("DRIVER"), "/x.so");
        assert_eq!((section.value("empty"), section.value("alone"), section.value("no")), ("", "", ""));
        assert_eq!(ini.section("C").unwrap().value("K"), "a=b;c # d");
    }

    #[test]
    fn driver64_takes_precedence_over_driver() {
        let ini = parse("[A]\nDriver=/32.so\nDriver64=/64.so\n[B]\nDriver=/b.so\n");
        let library = |name| ini.section(name).unwrap().library().to_owned();
        assert_eq!((library("A"), library("B")), ("/64.so".into(), "/b.so".into()));
    }

    #[test]
    fn a_file_that_is_not_there_has_no_sections() {
        assert_eq!(Ini::read(Path::new("/nonexistent/odbc.ini")), Ok(Ini::default()));
        assert!(Ini::read(Path::new("/etc")).unwrap_err().starts_with("/etc is not a regular file"));
    }

    /// What files are made of: each kind of line, each kind of end, and what is no text.
    const PIECES: [&[u8]; 12] = [
        b"",
        b"\n",
        b"\r\n",
        b" \t\n",
        b"# comment\n",
        b"; comment\r\n",
        b"[A]\nDriver=/a.so\n",
        b"[A]\r\n  Driver = /b.so \r\n",
        b"K=v=w",
        b"\xff\xfe\x00 M\xfcller\n",
        b"[B] # the last\nalone",
        b"\r",
    ];

    /// All files of up to three pieces, and none.
    fn files() -> Vec<Option<Vec<u8>>> {
        let mut files = vec![None];
        for first in PIECES {
            for second in PIECES {
                files.extend(PIECES.map(|third| Some([first, second, third].concat())));
            }
        }
        files
    }

    fn of(contents: &Option<Vec<u8>>) -> Ini {
        contents.clone().map_or_else(Ini::default, Ini::parse)
    }

    #[test]
    fn added_sections_are_read_and_removed_in_any_order_without_a_trace() {
        let values = [("Driver", "x"), ("UsageCount", "1")];
        for file in files() {
            let one = Some(of(&file).with("Ours", &values));
            let both = Some(of(&one).with("Second", &values[..1]));
            let (before, now) = (of(&file), of(&both));
            let (others, ours) = now.sections.split_at(before.sections.len());
            assert_eq!(others, before.sections, "{both:?}");
            assert_eq!(ours, [Section::new("Ours", &values), Section::new("Second", &values[..1])], "{both:?}");
            for order in [["Ours", "Second"], ["Second", "Ours"]] {
                let left = order.iter().fold(both.clone(), |file, name| of(&file).without(name, |_| true));
                assert_eq!(left, file, "{both:?} without {order:?}");
            }
        }
    }

    #[test]
    fn changing_a_value_changes_nothing_else() {
        for (before, after) in [
            ("[O]\r\n  driver = old \r\nX=1", "[O]\r\n  driver = new \r\nX=1"),
            ("[O]\nDriver=old", "[O]\nDriver=new"),
            ("[O]\nDriver", "[O]\nDriver=new"),
            ("[O]\nDriver= \n", "[O]\nDriver=new \n"),
            ("[O]\n", "[O]\nDriver=new\n"),
            ("[O]", "[O]\nDriver=new"),
            ("[o]\nX=1\n# end\n\n[P]\nDriver=p\n", "[o]\nX=1\nDriver=new\n# end\n\n[P]\nDriver=p\n"),
            ("[O]\nDriver=a\nDriver=b\n[O]\nDriver=c\n", "[O]\nDriver=new\nDriver=b\n[O]\nDriver=c\n"),
        ] {
            let text = String::from_utf8(parse(before).with("O", &[("Driver", "new")])).unwrap();
            assert_eq!(text, after);
        }
    }

    #[test]
    fn removal_keeps_foreign_values_and_the_section_header() {
        let ours = |keyword: &str| keyword.eq_ignore_ascii_case("driver");
        for (before, after) in [
            ("[A]\nB=1\n\n[O]\n# mine\ndriver=x\nPWD=p\n", Some("[A]\nB=1\n\n[O]\n# mine\nPWD=p\n")),
            // Comments are no reason to stay, and stay.
            ("[A]\nB=1\n\n[O]\n# mine\nDriver=x\n; end", Some("[A]\nB=1\n# mine\n; end")),
            ("[O]\nDriver=x\n\n[A]\nB=1\n", Some("[A]\nB=1\n")),
            // As unixODBC writes a file that has nothing else.
            ("[O]\nDriver=x\n\n", None),
            ("[O]\nDriver=x\n[A]\n[o]\nDriver=x\n[O]\nDriver=y\n", Some("[A]\n[O]\nDriver=y\n")),
            ("[A]\n", Some("[A]\n")),
        ] {
            let left = parse(before).without("O", ours);
            assert_eq!(left.map(|left| String::from_utf8(left).unwrap()).as_deref(), after, "{before:?}");
        }
    }
}
