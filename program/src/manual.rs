//! The manual pages of the program and of each command, generated from the definitions of the arguments, with additional sections.

use crate::arguments::{Arguments, NAME};
use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

/// A section of a page: its title and its entries, each a term and its meaning. An entry without a term is a paragraph.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

const EXIT_STATUS: Section = (
    "EXIT STATUS",
    &[
        ("0", "All is well."),
        ("1", "It was done, with warnings. For doctor: something is doubtful or could not be checked."),
        ("2", "It failed. For doctor: a connection would fail."),
    ],
);

const FILES: Section = (
    "FILES",
    &[
        (
            "/etc/odbcinst.ini",
            "The drivers. The section [SQL Server Loopback] registers the library; TargetDriver in it names the real driver.",
        ),
        ("/etc/odbc.ini, ~/.odbc.ini", "The data sources. Programs connect with DSN=Loopback, the section [Loopback]."),
        (
            "libloopbackodbc.so",
            "The library, in /usr/lib/<architecture>-linux-gnu/odbc (Debian, Ubuntu) or /usr/lib64.",
        ),
    ],
);

/// All variables. A test compares them with docs/settings.md.
const ENVIRONMENT: Section = (
    "ENVIRONMENT",
    &[
        ("LOOPBACK_ODBC_SERVER", "SQL Server's address, instead of the discovered one."),
        (
            "LOOPBACK_ODBC_CLIENT_CERTIFICATE, LOOPBACK_ODBC_CLIENT_KEY",
            "The certificate and its key, instead of the discovered ones.",
        ),
        ("LOOPBACK_ODBC_CONNECTION_STRING", "A whole loopback string, as SQL Server's own functions print it."),
        ("LOOPBACK_ODBC_DATA_DIR", "The folder of the sessions' certificates."),
        ("LOOPBACK_ODBC_TARGET_DRIVER", "The real driver: its name in odbcinst.ini, or its path."),
        ("LOOPBACK_ODBC_LOG", "off, error, warn, info, debug or trace: what the library logs."),
        ("LOOPBACK_ODBC_LOG_FILE", "The file that the log is appended to, instead of standard error."),
    ],
);

const EXAMPLES: [(&str, Section); 5] = [
    (
        "",
        (
            "EXAMPLES",
            &[
                ("sudo loopback-odbc install", "Installs for all users and for the scripts of SQL Server."),
                ("loopback-odbc doctor --installation", "Checks the installation from any shell."),
            ],
        ),
    ),
    (
        "string",
        (
            "EXAMPLES",
            &[
                (
                    "loopback-odbc string --database Sales",
                    "In a script that SQL Server runs: prints the whole connection string.",
                ),
                (
                    "loopback-odbc string --platform windows --database Sales",
                    "Prints the string for SQL Server on Windows.",
                ),
            ],
        ),
    ),
    (
        "doctor",
        (
            "EXAMPLES",
            &[
                ("loopback-odbc doctor --installation", "Checks the installation from any shell."),
                (
                    "loopback-odbc doctor --connect",
                    "On a development machine or in a session: checks everything, and connects.",
                ),
                ("loopback-odbc doctor --json", "Prints the report for a monitoring program."),
                (
                    "loopback-odbc doctor --report",
                    "In a script that SQL Server runs: prints what the people who work on this program ask for, without names.",
                ),
            ],
        ),
    ),
    (
        "install",
        (
            "EXAMPLES",
            &[
                ("sudo loopback-odbc install", "Installs for all users and for the scripts of SQL Server."),
                ("loopback-odbc install --user", "Installs for the calling user, without root."),
                (
                    "sudo loopback-odbc install --driver-name 'Loopback 17' --dsn Loopback17 --target-driver 'ODBC Driver 17 for SQL Server'",
                    "Installs a second copy of the library in front of another driver.",
                ),
            ],
        ),
    ),
    ("uninstall", ("EXAMPLES", &[("sudo loopback-odbc uninstall", "Undoes sudo loopback-odbc install.")])),
];

/// The page of the program, or of one of its commands.
///
/// # Errors
/// There is no such command.
pub fn page(command: Option<&str>) -> Result<Vec<u8>, String> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let commands: Vec<String> =
        program.get_subcommands().map(|command| format!("{NAME}-{}", command.get_name())).collect();
    let page = match command {
        None => program,
        Some(name) => program.find_subcommand(name).cloned().ok_or_else(|| format!("there is no command {name}"))?,
    };
    // "loopback-odbc-doctor", as its page is called.
    let name = page.get_display_name().unwrap_or(NAME).to_owned();
    let examples = EXAMPLES.iter().find(|(command_of, _)| *command_of == command.unwrap_or_default());
    let others: Vec<String> = std::iter::once(NAME.to_owned()).chain(commands).filter(|other| *other != name).collect();
    let man = Man::new(page.name(name));
    let mut written = Vec::new();
    let mut write = || -> std::io::Result<()> {
        man.render(&mut written)?;
        for (title, entries) in [EXIT_STATUS, FILES, ENVIRONMENT].iter().chain(examples.map(|(_, section)| section)) {
            section(title, entries).to_writer(&mut written)?;
        }
        let mut see_also = Roff::new();
        see_also.control("SH", ["SEE ALSO"]);
        see_also.text(
            others
                .iter()
                .enumerate()
                .flat_map(|(place, other)| {
                    let separator = if place == 0 { "" } else { ", " };
                    [roman(separator), bold(other), roman("(1)")]
                })
                .collect::<Vec<_>>(),
        );
        see_also.to_writer(&mut written)
    };
    write().map_err(|error| error.to_string())?;
    Ok(written)
}

fn section(title: &str, entries: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, text) in entries {
        roff.control("TP", []);
        roff.text([bold(*term)]);
        roff.text([roman(*text)]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_manual_lists_the_documented_variables() {
        let documented = include_str!("../../docs/settings.md").split("## Environment variables").nth(1).unwrap();
        let rows =
            documented.lines().skip_while(|line| !line.starts_with("| `")).take_while(|line| line.starts_with("| `"));
        let documented: BTreeSet<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
        let named: BTreeSet<&str> = ENVIRONMENT.1.iter().flat_map(|(names, _)| names.split(", ")).collect();
        assert_eq!(named, documented);
    }

    #[test]
    fn each_page_has_its_sections_and_refers_only_to_existing_pages() {
        for command in [None, Some("string"), Some("doctor"), Some("install"), Some("uninstall")] {
            let page = String::from_utf8(page(command).unwrap()).unwrap();
            for title in [
                "NAME",
                "SYNOPSIS",
                "DESCRIPTION",
                "OPTIONS",
                "\"EXIT STATUS\"",
                "FILES",
                "ENVIRONMENT",
                "EXAMPLES",
                "\"SEE ALSO\"",
            ] {
                assert!(page.contains(&format!(".SH {title}\n")), "{command:?}: {title} is not in\n{page}");
            }
            assert!(!page.contains("help(1)") && !page.contains("completions"), "{page}");
        }
        assert!(page(Some("help")).is_err());
    }
}
