//! Checks whether the session's certificate is valid now, and whether the key belongs to it.
//!
//! The library leaves these checks to Microsoft's driver, whose message is OpenSSL's, or missing.

use crate::report::{Area, Report};
use pkcs1::{ALGORITHM_OID, RsaPrivateKey, RsaPublicKey};
use pkcs8::PrivateKeyInfo;
use pkcs8::der::{self, Decode, SecretDocument};
use std::time::SystemTime;
use x509_cert::Certificate;

/// The fix for unusable files.
const REMEDY: &str = "SQL Server writes both files when a session begins. To use others, set \
    LOOPBACK_ODBC_CLIENT_CERTIFICATE and LOOPBACK_ODBC_CLIENT_KEY";

/// Checks the contents of the two files.
pub fn check(report: &mut Report, certificate: &[u8], key: &[u8], now: SystemTime) {
    // A session's files are PEM. The driver also reads DER, in files that somebody configures.
    let read = match Certificate::from_der(certificate) {
        Ok(certificate) => Ok(Some(certificate)),
        Err(_) => Certificate::load_pem_chain(certificate).map(|chain| chain.into_iter().next()),
    };
    let certificate = match read {
        Ok(Some(certificate)) => certificate,
        Ok(None) => return report.failure(Area::Session, "The certificate file contains no certificate", REMEDY),
        Err(error) => {
            return report.failure(Area::Session, format!("The certificate cannot be read: {error}"), REMEDY);
        }
    };
    check_validity(report, &certificate, now);
    check_key(report, &certificate, key);
}

fn check_validity(report: &mut Report, certificate: &Certificate, now: SystemTime) {
    let certificate = &certificate.tbs_certificate;
    let (from, until) = (certificate.validity.not_before, certificate.validity.not_after);
    let text = format!("Certificate of {}, valid from {from} until {until}", certificate.subject);
    if now > until.to_system_time() {
        let remedy = "It has expired: its session has ended, or the machine's clock is wrong";
        report.failure(Area::Session, text, remedy);
    } else if now < from.to_system_time() {
        report.failure(Area::Session, text, "It is not valid yet: the machine's clock is wrong");
    } else {
        report.ok(Area::Session, text);
    }
}

fn check_key(report: &mut Report, certificate: &Certificate, key: &[u8]) {
    const UNCHECKED: &str = "If the driver rejects it, check this first";
    let text = str::from_utf8(key).unwrap_or_default();
    if text.contains("ENCRYPTED") {
        let text = "The key is encrypted. Whether it belongs to the certificate was not checked";
        return report.warning(Area::Session, text, UNCHECKED);
    }
    let public = &certificate.tbs_certificate.subject_public_key_info;
    let is_rsa = public.algorithm.oid == ALGORITHM_OID;
    let Some(public) = public.subject_public_key.as_bytes().filter(|_| is_rsa) else {
        let text = "The certificate's key is not an RSA key. Whether the key belongs to it was not checked";
        return report.warning(Area::Session, text, UNCHECKED);
    };
    match belongs_to(key, public) {
        Err(error) => report.failure(Area::Session, format!("The key cannot be read: {error}"), REMEDY),
        Ok(true) => report.ok(Area::Session, "The key belongs to the certificate"),
        Ok(false) => {
            let remedy = "The two files are from different sessions. Fix: set LOOPBACK_ODBC_CLIENT_CERTIFICATE and \
                LOOPBACK_ODBC_CLIENT_KEY to the files of one session";
            report.failure(Area::Session, "The key does not belong to the certificate", remedy);
        }
    }
}

/// Whether an RSA key, in PKCS #1 or PKCS #8 and in PEM or DER, belongs to a public key in DER. The private file contains the
/// public key, so no arithmetic is needed.
fn belongs_to(key: &[u8], public: &[u8]) -> der::Result<bool> {
    let pem = str::from_utf8(key).ok().filter(|text| text.contains("-----BEGIN"));
    let decoded = pem.map(SecretDocument::from_pem).transpose()?;
    let key = decoded.as_ref().map_or(key, |(_, document)| document.as_bytes());
    let inner = PrivateKeyInfo::from_der(key).map_or(key, |pkcs8| pkcs8.private_key);
    Ok(RsaPrivateKey::from_der(inner)?.public_key() == RsaPublicKey::from_der(public)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Check, Level};
    use std::process::Command;
    use std::time::Duration;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// A certificate of ten days and its key, made by OpenSSL; `key` is an option of `openssl genpkey`.
    fn pair(algorithm: &[&str]) -> (Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-days", "10", "-subj", "/O=Microsoft Corporation/CN=x", "-newkey"])
            .args(algorithm)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{made:?}");
        (std::fs::read(certificate).unwrap(), std::fs::read(key).unwrap())
    }

    /// The key as PKCS #1.
    fn traditional(key: &[u8], options: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, key).unwrap();
        let made =
            Command::new("openssl").args(["rsa", "-traditional", "-in"]).arg(path).args(options).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        made.stdout
    }

    #[track_caller]
    fn checked(certificate: &[u8], key: &[u8], now: SystemTime) -> Vec<(Level, String)> {
        let mut report = Report::new(Box::new(std::io::sink()), false);
        check(&mut report, certificate, key, now);
        let said = |check: Check| (check.level, [vec![check.text], check.details].concat().join("\n"));
        report.checks.into_iter().map(said).collect()
    }

    #[test]
    #[cfg_attr(windows, ignore = "OpenSSL makes its certificates, and is not there")]
    fn a_valid_certificate_passes_with_pkcs1_and_pkcs8_keys() {
        let (certificate, key) = pair(&["rsa:2048"]);
        for key in [&key, &traditional(&key, &[])] {
            let [(validity, text), (fit, _)] = &checked(&certificate, key, SystemTime::now() + DAY)[..] else {
                panic!()
            };
            assert_eq!((*validity, *fit), (Level::Ok, Level::Ok));
            assert!(text.contains("O=Microsoft Corporation") && text.contains("valid from"), "{text}");
        }
    }

    #[test]
    #[cfg_attr(windows, ignore = "OpenSSL makes its certificates, and is not there")]
    fn an_expired_or_not_yet_valid_certificate_fails_with_the_reason() {
        let (certificate, key) = pair(&["rsa:2048"]);
        for (now, said) in
            [(SystemTime::now() + 11 * DAY, "It has expired"), (SystemTime::now() - DAY, "It is not valid yet")]
        {
            let (level, text) = &checked(&certificate, &key, now)[0];
            assert_eq!(*level, Level::Failure);
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    #[cfg_attr(windows, ignore = "OpenSSL makes its certificates, and is not there")]
    fn a_key_of_another_certificate_is_a_failure() {
        let ((certificate, key), (_, other)) = (pair(&["rsa:2048"]), pair(&["rsa:2048"]));
        let now = SystemTime::now() + DAY;
        assert_eq!(checked(&certificate, &other, now)[1].0, Level::Failure);
        assert!(checked(&certificate, &other, now)[1].1.starts_with("The key does not belong to the certificate"));
        assert!(
            checked(&certificate, b"-----BEGIN PRIVATE KEY-----\nx\n", now)[1].1.starts_with("The key cannot be read")
        );
        assert!(checked(b"nonsense", &key, now)[0].1.starts_with("The certificate"));
    }

    #[test]
    #[cfg_attr(windows, ignore = "OpenSSL makes its certificates, and is not there")]
    fn a_der_certificate_and_key_are_accepted() {
        let (certificate, key) = pair(&["rsa:2048"]);
        let der = |pem: &[u8]| der::Document::from_pem(str::from_utf8(pem).unwrap()).unwrap().1.into_vec();
        let key = SecretDocument::from_pem(str::from_utf8(&key).unwrap()).unwrap().1;
        let checks = checked(&der(&certificate), key.as_bytes(), SystemTime::now() + DAY);
        assert!(checks.iter().all(|(level, _)| *level == Level::Ok), "{checks:?}");
    }

    #[test]
    #[cfg_attr(windows, ignore = "OpenSSL makes its certificates, and is not there")]
    fn a_key_that_cannot_be_checked_is_a_warning() {
        let now = SystemTime::now() + DAY;
        let (certificate, key) = pair(&["rsa:2048"]);
        let encrypted = traditional(&key, &["-aes128", "-passout", "pass:x"]);
        assert_eq!(checked(&certificate, &encrypted, now)[1].0, Level::Warning);
        let (certificate, key) = pair(&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        assert_eq!(checked(&certificate, &key, now)[1].0, Level::Warning);
    }
}
