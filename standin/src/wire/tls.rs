//! TLS inside TDS: the handshake travels in PRELOGIN packets, and a client certificate is requested.
//!
//! Any certificate passes here if the client proves that it has the certificate's key. The login decides whether it is
//! the session's certificate, because SQL Server also answers a stranger's certificate with "Login failed" rather than
//! with a broken handshake.
//!
//! Uses OpenSSL, because Microsoft's driver sends the server's address as the server name (SNI), and rustls rejects a
//! link-local address with a scope (`fe80::1%eth0`) as invalid and ends the handshake.

use std::error::Error;
use std::io::{self, Write};

use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{ErrorCode, Ssl, SslContext, SslMethod, SslStream, SslVerifyMode, SslVersion};
use openssl::x509::{X509, X509NameBuilder};

use super::packet::{self, DEFAULT_PACKET_SIZE, PRELOGIN, PacketWriter};
use super::transport::{Pipe, Transport};

/// The server's side of TLS, with a self-signed certificate made for this run of the program.
///
/// TLS 1.2 only: 1.3 sends tickets after the handshake, which a peer that switches TLS off after the login would read
/// as TDS.
pub fn server_context() -> Result<SslContext, Box<dyn Error>> {
    let (certificate, key) = self_signed()?;
    let mut context = SslContext::builder(SslMethod::tls_server())?;
    context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_certificate(&certificate)?;
    context.set_private_key(&key)?;
    context.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    Ok(context.build())
}

fn self_signed() -> Result<(X509, PKey<Private>), Box<dyn Error>> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, "standin.localhost")?;
    let name = name.build();
    let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(30)?);
    let mut certificate = X509::builder()?;
    certificate.set_subject_name(&name)?;
    certificate.set_issuer_name(&name)?;
    certificate.set_not_before(&from)?;
    certificate.set_not_after(&until)?;
    certificate.set_pubkey(&key)?;
    certificate.sign(&key, MessageDigest::sha256())?;
    Ok((certificate.build(), key))
}

/// Runs the handshake, turns TLS on in `transport` and returns the client's certificate, if it presented one.
pub fn handshake(transport: &Transport, context: &SslContext) -> io::Result<Option<X509>> {
    let mut tls = SslStream::new(Ssl::new(context)?, Pipe::default())?;
    loop {
        let outcome = tls.accept();
        // Also sends the alert that tells the client what went wrong.
        let answer = std::mem::take(&mut tls.get_mut().outgoing);
        if !answer.is_empty() {
            let mut writer = PacketWriter::new(transport, PRELOGIN, DEFAULT_PACKET_SIZE, 0);
            writer.write_all(&answer)?;
            writer.finish()?;
        }
        match outcome {
            Ok(()) => break,
            Err(error) if error.code() == ErrorCode::WANT_READ => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        let Some(message) = packet::read_message(&mut &*transport)? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if message.kind != PRELOGIN {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a TLS handshake in a PRELOGIN packet"));
        }
        tls.get_mut().incoming.extend(message.payload);
    }
    let certificate = tls.ssl().peer_certificate();
    transport.start_tls(tls);
    Ok(certificate)
}
