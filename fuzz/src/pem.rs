//! The contents of the certificate and the key.

use crate::input::{self, Options, SECRET};
use crate::secrets;
use loopbackodbc::fuzzing::{Fixture, Kind, Platform, Search, Target, Wanted, parse, rewrite};

/// The largest file that is read.
const MOST: usize = 256 << 10;

/// A certificate and a key; the whole key is a secret.
pub fn pem(input: &[u8]) {
    let Some((options, input)) = Options::take(input) else { return };
    let [certificate, key] = input::parts(input, 0xff).map(|part: &[u8]| {
        let secret = part.iter().flat_map(|&byte| match byte {
            2 => SECRET.as_bytes().to_vec(),
            byte => vec![byte],
        });
        let mut contents: Vec<u8> = secret.collect();
        // Rarely, because it takes long: of the maximum size, and larger.
        if options.number(4, 16) == 1 && !contents.is_empty() {
            contents = contents.repeat(MOST / contents.len() + options.number(1, 2));
        }
        contents
    });
    let folder = "/opt/s";
    let mut world = Fixture::default().file("/opt/s/sqlsatellitecert.pem", &certificate);
    world = world.file("/opt/s/sqlsatellitekey.pem", &key).variable("LOOPBACK_ODBC_SERVER", "s");
    let mut is_text = true;
    let string = match options.number(2, 4) {
        0 => {
            world = world.working_directory(folder);
            "DRIVER=x"
        }
        1 => {
            world = world.working_directory("/").variable("LOOPBACK_ODBC_DATA_DIR", "/opt");
            "DRIVER=x"
        }
        2 => {
            let variable = |name| format!("LOOPBACK_ODBC_CLIENT_{name}");
            world = world.variable(&variable("CERTIFICATE"), "/opt/s/sqlsatellitecert.pem");
            world = world.variable(&variable("KEY"), "/opt/s/sqlsatellitekey.pem");
            "DRIVER=x"
        }
        _ => {
            // Files that the application names may be in other formats.
            is_text = false;
            "DRIVER=x;ClientCertificate=file:/opt/s/sqlsatellitecert.pem;ClientKey=file:/opt/s/sqlsatellitekey.pem,password:\u{2}"
        }
    };
    let kind = &Kind::new("libmsodbcsql-18.6.so.2.1", "18.06.0002");
    let target = &Target::registered_as("ODBC Driver 18 for SQL Server");
    let wanted =
        Wanted { target, kind, platform: Platform::Linux, preset: Vec::new(), files_unseen: false, ends_open: false };
    let mut search = Search::thorough();
    let string = input::units(string.as_bytes());
    let outcome = rewrite(&world, &wanted, &parse(&string).attributes, &mut search);
    secrets::hidden(&outcome, &search);
    let has = |contents: &[u8], mark: &str| {
        let line = String::from_utf8_lossy(contents).contains(mark);
        !contents.is_empty() && contents.len() <= MOST && (line || !is_text)
    };
    let is_pair = has(&certificate, "-----BEGIN CERTIFICATE-----") && has(&key, "PRIVATE KEY-----");
    assert_eq!(outcome.is_ok(), is_pair, "{outcome:?}");
}
