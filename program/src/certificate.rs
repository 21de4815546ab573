//! Whether the session's certificate is valid now, and whether the key is its key.
//!
//! The library leaves that to Microsoft's driver, which says it in OpenSSL's words or not at all.

use crate::report::{Area, Level, Report};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};
use std::time::SystemTime;
use x509_cert::Certificate;
use x509_cert::der::Encode;

/// Adds what the two files' contents show.
pub fn check(report: &mut Report, certificate: &[u8], key: &[u8], now: SystemTime) {
    let certificate = match Certificate::load_pem_chain(certificate).as_deref() {
        Ok([certificate, ..]) => certificate.clone(),
        Ok([]) => return report.failure(Area::Session, "The certificate's file has no certificate in it"),
        Err(error) => return report.failure(Area::Session, format!("The certificate cannot be read: {error}")),
    };
    check_validity(report, &certificate, now);
    check_key(report, &certificate, key);
}

fn check_validity(report: &mut Report, certificate: &Certificate, now: SystemTime) {
    let certificate = &certificate.tbs_certificate;
    let (from, until) = (certificate.validity.not_before, certificate.validity.not_after);
    let text = format!("Certificate of {}, valid from {from} until {until}", certificate.subject);
    let (level, remedy) = if now > until.to_system_time() {
        (Level::Failure, "It has expired: it is that of a session that has ended, or the machine's clock is wrong")
    } else if now < from.to_system_time() {
        (Level::Failure, "It is not valid yet: the machine's clock is wrong")
    } else {
        return report.ok(Area::Session, text);
    };
    report.add(Area::Session, level, text, vec![remedy.to_owned()]);
}

fn check_key(report: &mut Report, certificate: &Certificate, key: &[u8]) {
    let Ok(key) = str::from_utf8(key) else { return report.failure(Area::Session, "The key is not a PEM file") };
    if key.contains("ENCRYPTED") {
        return report.warning(Area::Session, "The key is encrypted; whether it is the certificate's was not checked");
    }
    let public = certificate.tbs_certificate.subject_public_key_info.to_der().map_err(|error| error.to_string());
    let public = public.and_then(|der| RsaPublicKey::from_public_key_der(&der).map_err(|error| error.to_string()));
    let Ok(public) = public else {
        let text = "The certificate is for another kind of key than RSA; whether it is this one was not checked";
        return report.warning(Area::Session, text);
    };
    // PKCS #1 is what SQL Server writes.
    let private = RsaPrivateKey::from_pkcs1_pem(key).map_err(|error| error.to_string());
    match private.or_else(|_| RsaPrivateKey::from_pkcs8_pem(key).map_err(|error| error.to_string())) {
        Err(error) => report.failure(Area::Session, format!("The key cannot be read: {error}")),
        Ok(private) if private.to_public_key() == public => report.ok(Area::Session, "The key is the certificate's"),
        Ok(_) => report.add(
            Area::Session,
            Level::Failure,
            "The key is not the certificate's",
            vec![
                "The two files are of different sessions: name those of one with LOOPBACK_ODBC_CLIENT_CERTIFICATE and \
                  LOOPBACK_ODBC_CLIENT_KEY"
                    .to_owned(),
            ],
        ),
    }
}
