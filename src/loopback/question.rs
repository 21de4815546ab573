//! The loopback string for callers that ask for it and connect themselves: the C interface, and the program.

use crate::loopback::choice::Target;
use crate::loopback::connection_string::Attribute;
use crate::loopback::driver::{OF_WINDOWS, USUAL};
use crate::loopback::failure::{Failure, Sqlstate};
use crate::loopback::search::Search;
use crate::loopback::{self, CLIENT_CERTIFICATE, CLIENT_KEY, Rewritten, Wanted, file_of, is_any, utf16};
use crate::world::{Platform, World};

/// What the caller asks for. An empty value counts as not given.
#[derive(Debug, Default)]
pub struct Question<'q> {
    /// The platform whose form the string takes, if not this machine's.
    pub platform: Option<Platform>,
    /// The registered name of the driver; if empty, the driver that the library would load.
    pub driver: &'q str,
    /// Values of the form, as in a connection string: `("Database", "Sales")`.
    pub values: &'q [(&'q str, &'q str)],
    /// Whether files among the values are accepted unchecked and may be missing.
    pub files_unseen: bool,
}

impl Question<'_> {
    /// The string, from the given values, the environment and discovery in the session.
    ///
    /// # Errors
    /// IM003 when no driver is given and none is registered; 08001 for a certificate without its key; HY024 for a
    /// driver that is not one of Microsoft's; and the errors of [`loopback::rewrite`].
    pub fn answer(&self, world: &dyn World, search: &mut Search) -> Result<Rewritten, Failure> {
        let platform = self.platform.unwrap_or_else(|| world.platform());
        let target = match (self.driver, platform) {
            ("", _) if platform == world.platform() => Target::first(world)?,
            // The drivers of another machine are unknown. These are Microsoft's newest, and the one that comes with
            // Windows.
            ("", Platform::Linux) => Target::named(world, USUAL),
            ("", Platform::Windows) => Target::named(world, OF_WINDOWS),
            (name, _) => Target::named(world, name),
        };
        let kind = &target.kind_by_name();
        if !kind.is_microsofts() {
            return Err(Failure::new(
                Sqlstate::INVALID_VALUE,
                format!(
                    "{target} is not a Microsoft ODBC driver for SQL Server, and only these take a loopback string. Use \
                     the name of such a driver in odbcinst.ini, for example {USUAL}."
                ),
            ));
        }
        let given = self.values.iter().filter(|(_, value)| !value.is_empty());
        let given: Vec<Attribute> = given.map(|(keyword, value)| Attribute::new(keyword, &utf16(value))).collect();
        let of = |slot| given.iter().find(|attribute| is_any(attribute, slot));
        if let (Some(certificate), None) = (of(CLIENT_CERTIFICATE).filter(|it| file_of(it).is_some()), of(CLIENT_KEY)) {
            let text = format!(
                "A certificate is configured ({certificate}) without its key. Add ClientKey, or remove the certificate."
            );
            return Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text));
        }
        let wanted = Wanted {
            target: &target,
            kind,
            platform,
            preset: Vec::new(),
            files_unseen: self.files_unseen,
            ends_open: false,
        };
        let mut rewritten = loopback::rewrite(world, &wanted, &given, search)?;
        if target.name().is_none() {
            // The caller has no other way to know the driver.
            let library = target.library().to_string_lossy();
            rewritten.target.insert(0, Attribute::new("Driver", &utf16(&library)));
        }
        Ok(rewritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Profile::Odbcinst;
    use crate::world::fixture::{Fixture, whole};

    #[track_caller]
    fn answered(world: &Fixture, question: &Question) -> String {
        let rewritten = question.answer(world, &mut Search::default()).unwrap();
        String::from_utf16(&rewritten.target_string()).unwrap()
    }

    /// Source: Microsoft, "Loopback connection to SQL Server from a Python or R script".
    #[test]
    fn the_documented_values_give_the_documented_string() {
        let folder = "/var/opt/mssql-extensibility/data/baeaac72-60b3-4fae-acfd-c50eff5d34a2";
        let (certificate, key) =
            (format!("file:{folder}/sqlsatellitecert.pem"), format!("file:{folder}/sqlsatellitekey.pem"));
        let values = [
            ("Database", "nameOfDatabase"),
            ("Server", "fe80::8012:3df5:0:5db1%eth0"),
            ("ClientCertificate", &certificate),
            ("ClientKey", &key),
        ];
        let on_linux = format!(
            "Driver=ODBC Driver 17 for SQL Server;Server=fe80::8012:3df5:0:5db1%eth0;Database=nameOfDatabase;\
             ClientCertificate={certificate};ClientKey={key};TrustServerCertificate=Yes;Trusted_Connection=no;Encrypt=Yes"
        );
        let on_windows = "Driver=SQL Server;Server=.;Database=nameOfDatabase;Trusted_Connection=Yes;";
        for world in [Fixture::default(), Fixture::default().windows()] {
            let question = Question {
                platform: Some(Platform::Linux),
                driver: "ODBC Driver 17 for SQL Server",
                values: &values,
                files_unseen: true,
            };
            assert_eq!(answered(&world, &question), on_linux);
            let question = Question {
                platform: Some(Platform::Windows),
                driver: "SQL Server",
                values: &values[..1],
                ..Question::default()
            };
            assert_eq!(answered(&world, &question), on_windows);
        }
    }

    #[test]
    fn another_platform_gets_its_usual_driver() {
        let on_windows = Question { platform: Some(Platform::Windows), ..Question::default() };
        assert_eq!(answered(&Fixture::default(), &on_windows), "Driver=SQL Server;Server=.;Trusted_Connection=Yes;");
        let values = [("Server", "fe80::1%eth0"), ("ClientCertificate", "file:/c"), ("ClientKey", "file:/k")];
        let on_linux =
            Question { platform: Some(Platform::Linux), values: &values, files_unseen: true, ..Question::default() };
        assert!(
            answered(&Fixture::default().windows(), &on_linux)
                .starts_with("Driver=ODBC Driver 18 for SQL Server;Server=")
        );
        let here = on_windows.answer(&Fixture::default().windows(), &mut Search::default());
        assert_eq!(here.unwrap_err().state, Sqlstate::DRIVER_NOT_LOADED);
    }

    #[test]
    fn a_managed_instance_gets_its_installed_driver() {
        let world = Fixture::default().windows().section(
            Odbcinst,
            "ODBC Driver 11 for SQL Server",
            &[("Driver", r"C:\Windows\system32\msodbcsql11.dll")],
        );
        let question = Question { values: &[("Database", "DBName")], ..Question::default() };
        let documented = "Driver=ODBC Driver 11 for SQL Server;Server=.;Database=DBName;Trusted_Connection=Yes;";
        assert_eq!(answered(&world, &question), documented);
        // The driver that comes with Windows is registered too, but it is the last choice.
        let world = world.section(Odbcinst, "SQL Server", &[("Driver", r"C:\Windows\system32\sqlsrv32.dll")]);
        assert_eq!(answered(&world, &question), documented);
    }

    #[test]
    fn the_driver_is_the_first_whose_file_exists_or_the_given_path() {
        // Absolute paths; the files must exist.
        let [new, old, other] = [whole!("/opt/18.so"), whole!("/opt/17.so"), whole!("/opt/libmsodbcsql-18.6.so.2.1")];
        let registered = |world: Fixture| {
            world.section(Odbcinst, "ODBC Driver 18 for SQL Server", &[("Driver", new)]).section(
                Odbcinst,
                "ODBC Driver 17 for SQL Server",
                &[("Driver", old)],
            )
        };
        let values = [("Server", "x"), ("ClientCertificate", "file:/c"), ("ClientKey", "file:/k")];
        let question = Question { values: &values, files_unseen: true, ..Question::default() };
        let driver = |world: Fixture| answered(&registered(world), &question).split(';').next().unwrap().to_owned();
        assert_eq!(driver(Fixture::default().file(old, "")), "Driver=ODBC Driver 17 for SQL Server");
        let both = || Fixture::default().file(old, "").file(new, "");
        assert_eq!(driver(both()), "Driver=ODBC Driver 18 for SQL Server");
        assert_eq!(driver(Fixture::default()), "Driver=ODBC Driver 18 for SQL Server");
        let by_path = both().variable("LOOPBACK_ODBC_TARGET_DRIVER", other);
        assert_eq!(driver(by_path), format!("Driver={other}"));
    }

    #[test]
    fn certificate_and_key_need_each_other_but_need_not_exist() {
        let here = Question { driver: USUAL, files_unseen: true, ..Question::default() };
        let refusal = |values: &[(&str, &str)], world: &Fixture| {
            let question = Question { values, ..here };
            question.answer(world, &mut Search::default()).unwrap_err().text
        };
        let session = Fixture::default().working_directory("/s").pair("/s");
        assert!(refusal(&[("ClientKey", "file:/k")], &session).contains("without its certificate"));
        let text = refusal(&[("ClientCertificate", "file:/c")], &session);
        assert!(text.starts_with("A certificate is configured (ClientCertificate=file:/c) without its key."), "{text}");
        let world = session.variable("LOOPBACK_ODBC_CLIENT_KEY", "/k");
        assert!(refusal(&[], &world).contains("without its certificate"));
        // Files that the environment names must exist.
        let world = world.variable("LOOPBACK_ODBC_CLIENT_CERTIFICATE", "/c");
        let text = refusal(&[("Server", "x")], &world);
        assert!(text.starts_with("The client certificate /c cannot be read: "), "{text}");
        let remedy =
            "The environment variable LOOPBACK_ODBC_CLIENT_CERTIFICATE names this file: correct the path in it.";
        assert!(text.ends_with(remedy), "{text}");
    }

    #[test]
    fn a_driver_for_another_server_is_refused() {
        let question = Question { driver: "PostgreSQL Unicode", ..Question::default() };
        let failure = question.answer(&Fixture::default(), &mut Search::default()).unwrap_err();
        assert_eq!(failure.state, Sqlstate::INVALID_VALUE);
    }
}
