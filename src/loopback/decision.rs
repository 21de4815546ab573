//! Step two, decide: how to log in, and at which server. The decision is made once, from the values of all sources;
//! values that no source gives are left to discovery.

use super::preset::ACCESS_TOKEN;
use super::sources::{Origin, Said, Sources};
use super::{
    AUTHENTICATION, BY_NAME, CERTIFICATE_VARIABLE, CLIENT_CERTIFICATE, CLIENT_KEY, ENCRYPT, HOST_NAME_IN_CERTIFICATE,
    KEY_VARIABLE, SERVER, SERVER_CERTIFICATE, TRUST_SERVER_CERTIFICATE, TRUSTED_CONNECTION, USER, is_any, is_in,
};
use crate::loopback::connection_string::Attribute;
use crate::loopback::failure::{Failure, Sqlstate};
use crate::world::Platform;

/// What is decided before discovery.
#[derive(Debug)]
pub struct Decision<'s> {
    pub login: Login<'s>,
    /// Which source names the server; none if it is to be discovered.
    pub server: Option<Said<'s>>,
    /// Whether the application's login is overridden: on Linux a trusted connection without a server means the
    /// session's login.
    pub trusted_is_session: bool,
    /// Whether a connection attribute asked for the trusted connection. For the driver the attribute overrides the
    /// string.
    pub resets_trusted: bool,
    /// Which source asks for verification of the server's certificate, so it is not trusted unconditionally.
    pub verification: Option<Said<'s>>,
}

/// How to log in.
#[derive(Debug)]
pub enum Login<'s> {
    /// As the session's user: on Linux with the discovered certificate, on Windows as the account of the process.
    Session,
    /// With a configured certificate. Without a key it is a PKCS #12 file, or is in the Windows certificate store.
    Certificate { certificate: Said<'s>, key: Option<Said<'s>> },
    /// By a user and a password, or by `Authentication`.
    Name,
    /// With the access token that the target was given as an attribute; it excludes names.
    Token,
    /// As the account of the process, because a source has `Trusted_Connection=yes`.
    Account,
}

impl<'s> Decision<'s> {
    /// Decides for the form of a platform.
    ///
    /// - For Microsoft's driver `Trusted_Connection=yes` takes precedence over a certificate, and a certificate over a
    ///   user, wherever they stand in the string and the section. The library follows that.
    /// - The environment ranks between the two: its certificate takes precedence over the section, but not over
    ///   anything from the application.
    /// - On Linux `Trusted_Connection=yes` without a server means the session's certificate: there is no Kerberos
    ///   ticket in a satellite. SQLAlchemy, for example, writes it into every string that names no user. A server from
    ///   the environment is the session's SQL Server, for cases where it could not be discovered.
    ///
    /// # Errors
    /// 08001 for a certificate in the environment without its key, and for a key without a certificate.
    pub fn of(sources: &'s Sources, platform: Platform) -> Result<Decision<'s>, Failure> {
        let server = sources.said(SERVER);
        let trusted = sources.says_yes(TRUSTED_CONNECTION);
        let certificate = sources.said(CLIENT_CERTIFICATE);
        let earlier = |one: Option<Said<'s>>, other: Option<Said<'s>>| {
            [one, other].into_iter().flatten().min_by_key(|said| said.origin)
        };
        let name = earlier(sources.said(USER), sources.said(AUTHENTICATION));
        let token = sources.says_yes(ACCESS_TOKEN);
        let of_program = |said: Said| matches!(said.origin, Origin::Application | Origin::Section);
        let trusted_is_session = platform == Platform::Linux && trusted.is_some() && !server.is_some_and(of_program);

        let others = earlier(trusted, earlier(name, token)).map(|said| said.origin);
        let counts = |certificate: Said| {
            let before_trusted = |trusted: Said| trusted.origin > certificate.origin && !of_program(certificate);
            let before_name = |name: Said| of_program(certificate) || certificate.origin <= name.origin;
            trusted_is_session || trusted.is_none_or(before_trusted) && earlier(name, token).is_none_or(before_name)
        };
        let login = match certificate {
            Some(certificate) if counts(certificate) => {
                // A PKCS #12 file must not get the key of another certificate.
                let key = sources.said(CLIENT_KEY).filter(|key| key.origin <= certificate.origin);
                if key.is_none() && matches!(certificate.origin, Origin::Environment) {
                    let text = format!(
                        "{CERTIFICATE_VARIABLE} names a certificate ({}) without its key. Set {KEY_VARIABLE} as well.",
                        certificate.attribute
                    );
                    return Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text));
                }
                Login::Certificate { certificate, key }
            }
            _ if trusted_is_session => Login::Session,
            _ if trusted.is_some() => Login::Account,
            _ if token.is_some_and(|token| name.is_none_or(|name| token.origin <= name.origin)) => Login::Token,
            _ if name.is_some() => Login::Name,
            _ => Login::Session,
        };
        let decides = match &login {
            Login::Certificate { .. } => None,
            Login::Session => Some(Origin::Official),
            Login::Name | Login::Token | Login::Account => others,
        };
        if let (Some(key), Some(decides)) = (sources.said(CLIENT_KEY), decides)
            && key.origin <= decides
            && sources.is_open(CLIENT_CERTIFICATE)
        {
            let text = format!(
                "A key is configured ({}) without its certificate. Add ClientCertificate (or {CERTIFICATE_VARIABLE}), or \
                 remove the key.",
                key.attribute
            );
            return Err(Failure::new(Sqlstate::UNABLE_TO_CONNECT, text));
        }
        let strict = sources.said(ENCRYPT).filter(|said| said.attribute.text().is("strict"));
        let pinned = earlier(sources.said(HOST_NAME_IN_CERTIFICATE), sources.said(SERVER_CERTIFICATE));
        let resets_trusted = trusted_is_session && trusted.is_some_and(|said| said.origin == Origin::Preset);
        Ok(Decision { login, server, trusted_is_session, resets_trusted, verification: earlier(pinned, strict) })
    }

    /// The sources of the server and of the certificate that are used; the application, if there is no other.
    pub fn origins(&self) -> [Origin; 2] {
        let certificate = match self.login {
            Login::Certificate { certificate, .. } => Some(certificate),
            Login::Session | Login::Name | Login::Token | Login::Account => None,
        };
        [self.server, certificate].map(|said| said.map_or(Origin::Application, |said| said.origin))
    }

    /// Whether the login uses a certificate, on a platform where the session's login does.
    pub fn is_by_certificate(&self, platform: Platform) -> bool {
        match self.login {
            Login::Session => platform == Platform::Linux,
            Login::Certificate { .. } => true,
            Login::Name | Login::Token | Login::Account => false,
        }
    }

    /// Whether one of the application's login keywords is left out. For the session's login these are the certificate
    /// keywords without a value. If a trusted connection means the session's login, these are also `Trusted_Connection`
    /// and the user that it takes precedence over.
    pub fn overrules(&self, attribute: &Attribute<'static>) -> bool {
        let is_session = matches!(self.login, Login::Session);
        is_session && is_in(attribute, &[CLIENT_CERTIFICATE, CLIENT_KEY])
            || self.trusted_is_session && (is_any(attribute, TRUSTED_CONNECTION) || is_in(attribute, &BY_NAME))
    }

    /// Whether a value about logging in comes from the source of the certificate, or from a stronger one.
    pub fn counts(&self, word: Said) -> bool {
        match self.login {
            Login::Certificate { certificate, .. } => word.origin <= certificate.origin,
            Login::Session | Login::Name | Login::Token | Login::Account => true,
        }
    }

    /// Whether this is the Windows form. On Linux it leads to a Kerberos login at this machine.
    pub fn is_form_of_windows(&self) -> bool {
        let is_local = |said: &Said| [".", "(local)", "localhost"].iter().any(|name| said.attribute.text().is(name));
        matches!(self.login, Login::Account) && self.server.as_ref().is_some_and(is_local)
    }

    /// Whether the server's certificate may be trusted unconditionally: no source sets this, and none asks for
    /// verification.
    pub fn may_trust(&self, sources: &Sources) -> bool {
        sources.is_open(TRUST_SERVER_CERTIFICATE) && self.verification.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::connection_string::words;

    fn application(text: &str) -> Sources {
        Sources { application: words(text), ..Sources::default() }
    }

    /// `documented.rs` tests the table of docs/settings.md; this test covers the source between application and
    /// section.
    #[test]
    fn an_environment_certificate_ranks_between_application_and_section() {
        let environment = words("ClientCertificate=file:c;ClientKey=file:k");
        let decide = |string: &str, section: &str| {
            let sources = Sources { environment: environment.clone(), section: words(section), ..application(string) };
            let decision = Decision::of(&sources, Platform::Linux).unwrap();
            matches!(decision.login, Login::Certificate { key: Some(_), .. })
        };
        assert!(decide("", ""));
        assert!(decide("", "UID=u"));
        assert!(!decide("UID=u", ""));
        assert!(!decide("Server=h;Trusted_Connection=yes", ""));
        assert!(decide("", "Server=h;Trusted_Connection=yes"));
    }

    #[test]
    fn server_and_verification_carry_their_origin() {
        let sources = Sources {
            environment: words("Server=e"),
            section: words("Server=s;Encrypt=strict"),
            ..application("HostNameInCertificate=n")
        };
        let decision = Decision::of(&sources, Platform::Linux).unwrap();
        assert_eq!(decision.server.unwrap().origin, Origin::Environment);
        assert_eq!(decision.verification.unwrap().origin, Origin::Application);
        assert!(!decision.may_trust(&sources));
        let sources = Sources { section: words("Encrypt=strict"), ..Sources::default() };
        assert_eq!(Decision::of(&sources, Platform::Linux).unwrap().verification.unwrap().origin, Origin::Section);
        let nobody = Sources::default();
        let decision = Decision::of(&nobody, Platform::Linux).unwrap();
        assert!(decision.server.is_none() && decision.verification.is_none() && decision.may_trust(&nobody));
        let sources = application("TrustServerCertificate=no");
        assert!(!Decision::of(&sources, Platform::Linux).unwrap().may_trust(&sources));
    }

    #[test]
    fn the_trusted_attribute_is_reset_if_it_means_the_session() {
        let preset = words("Trusted_Connection=yes");
        for (string, platform, is_session, resets) in [
            ("", Platform::Linux, true, true),
            ("Server=h", Platform::Linux, false, false),
            ("", Platform::Windows, false, false),
        ] {
            let sources = Sources { preset: preset.clone(), ..application(string) };
            let decision = Decision::of(&sources, platform).unwrap();
            assert_eq!((decision.trusted_is_session, decision.resets_trusted), (is_session, resets), "{string}");
        }
        let sources = application("Trusted_Connection=yes;UID=u");
        let decision = Decision::of(&sources, Platform::Linux).unwrap();
        assert!(decision.trusted_is_session && !decision.resets_trusted);
        assert!(sources.application.iter().all(|word| decision.overrules(word)));
    }

    #[test]
    fn half_a_pair_is_refused() {
        let refused = |sources: Sources| Decision::of(&sources, Platform::Linux).unwrap_err().text;
        let text = refused(Sources { environment: words("ClientCertificate=file:c"), ..Sources::default() });
        assert!(text.contains("names a certificate (ClientCertificate=file:c) without its key"), "{text}");
        let text = refused(application("ClientKey=file:k"));
        assert!(text.contains("A key is configured (ClientKey=file:k) without its certificate"), "{text}");
    }
}
