//! PRELOGIN and LOGIN7, which begin a connection ([MS-TDS] 2.2.6.5 and 2.2.6.4).

use super::cursor::{Cursor, Malformed, utf16};

/// The encryption option of PRELOGIN, without its client-certificate bit.
pub const ENCRYPT_OFF: u8 = 0x00;
pub const ENCRYPT_ON: u8 = 0x01;
pub const ENCRYPT_NOT_SUPPORTED: u8 = 0x02;
pub const ENCRYPT_REQUIRED: u8 = 0x03;
/// A client that will present a certificate instead of a user and a password adds this bit to the option.
pub const ENCRYPT_CLIENT_CERTIFICATE: u8 = 0x80;

const OPTION_VERSION: u8 = 0;
const OPTION_ENCRYPTION: u8 = 1;
const OPTION_MARS: u8 = 4;
const OPTIONS_END: u8 = 0xff;

/// The encryption byte of the client's PRELOGIN; a client that sends none has none.
pub fn prelogin_encryption(message: &[u8]) -> Result<u8, Malformed> {
    Ok(prelogin_option(message, OPTION_ENCRYPTION)?.unwrap_or(ENCRYPT_NOT_SUPPORTED))
}

/// Whether the client's PRELOGIN asks for several active statements (MARS).
pub fn prelogin_mars(message: &[u8]) -> Result<bool, Malformed> {
    Ok(prelogin_option(message, OPTION_MARS)? == Some(1))
}

/// The first byte of an option, if PRELOGIN has it.
fn prelogin_option(message: &[u8], wanted: u8) -> Result<Option<u8>, Malformed> {
    let mut options = Cursor::new(message);
    loop {
        let option = options.u8()?;
        if option == OPTIONS_END {
            return Ok(None);
        }
        let entry = options.bytes(4)?;
        let offset = usize::from(u16::from_be_bytes([entry[0], entry[1]]));
        if option == wanted {
            return message.get(offset).copied().map(Some).ok_or(Malformed("an option lies outside PRELOGIN"));
        }
    }
}

/// The server's answer to the client's encryption byte; `None` if the two are incompatible.
///
/// The answer to a client with a certificate must not have the certificate bit: the answer to 0x81 is 0x01.
pub fn encryption_answer(asked: u8) -> Option<u8> {
    match asked & !ENCRYPT_CLIENT_CERTIFICATE {
        // Only the login is encrypted.
        ENCRYPT_OFF => Some(ENCRYPT_OFF),
        ENCRYPT_ON | ENCRYPT_REQUIRED => Some(ENCRYPT_ON),
        ENCRYPT_NOT_SUPPORTED => Some(ENCRYPT_NOT_SUPPORTED),
        _ => None,
    }
}

/// The server's PRELOGIN.
pub fn prelogin_answer(encryption: u8) -> Vec<u8> {
    let [major, minor] = super::tokens::SERVER_VERSION;
    let values: [(u8, &[u8]); 3] =
        [(OPTION_VERSION, &[major, minor, 0, 0, 0, 0]), (OPTION_ENCRYPTION, &[encryption]), (OPTION_MARS, &[0])];
    let mut head = Vec::new();
    let mut body = Vec::new();
    for (option, value) in values {
        // Offsets count from the beginning of the message: the entries, the end mark, then the values.
        let offset = (values.len() * 5 + 1 + body.len()) as u16;
        head.push(option);
        head.extend_from_slice(&offset.to_be_bytes());
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        body.extend_from_slice(value);
    }
    head.push(OPTIONS_END);
    head.extend(body);
    head
}

/// The contents of LOGIN7. There is no `Debug`, because it contains a password.
pub struct Login {
    pub tds_version: u32,
    pub packet_size: usize,
    pub host: String,
    pub user: String,
    pub password: String,
    pub application: String,
    pub server: String,
    pub library: String,
    pub database: String,
    pub language: String,
    /// The file to attach as the database.
    pub attach: String,
    /// OptionFlags1, OptionFlags2, TypeFlags, OptionFlags3.
    pub flags: [u8; 4],
    /// The length of the token of an integrated login.
    pub sspi: usize,
    /// The numbers of the features that the client asks for.
    pub features: Vec<u8>,
}

/// The first fixed fields, up to the offsets of the texts.
const OFFSETS: usize = 36;
/// In OptionFlags3: the extension field holds the position of a list of features.
const EXTENSION: u8 = 0x10;
const FEATURES_END: u8 = 0xff;

impl Login {
    pub fn parse(message: &[u8]) -> Result<Login, Malformed> {
        let mut fixed = Cursor::new(message);
        fixed.u32()?;
        let tds_version = fixed.u32()?;
        let packet_size = fixed.u32()? as usize;
        // The client's version, process and connection.
        fixed.bytes(12)?;
        let flags = [fixed.u8()?, fixed.u8()?, fixed.u8()?, fixed.u8()?];

        let mut offsets = Cursor::new(message);
        offsets.bytes(OFFSETS)?;
        let mut next = || text(message, &mut offsets);
        let host = next()?;
        let user = next()?;
        let hidden = next()?;
        let application = next()?;
        let server = next()?;
        // The extension holds an offset of another kind, not that of a text.
        let extension = offsets.bytes(4)?;
        let mut next = || text(message, &mut offsets);
        let library = next()?;
        let language = next()?;
        let database = next()?;
        // The client's hardware address.
        offsets.bytes(6)?;
        let sspi = usize::from(Cursor::new(offsets.bytes(4)?.get(2..).unwrap_or_default()).u16()?);
        let attach = text(message, &mut offsets)?;
        let features = if flags[3] & EXTENSION == 0 { Vec::new() } else { features(message, extension)? };
        Ok(Login {
            tds_version,
            packet_size,
            host: utf16(host),
            user: utf16(user),
            password: password(hidden),
            application: utf16(application),
            server: utf16(server),
            library: utf16(library),
            database: utf16(database),
            language: utf16(language),
            attach: utf16(attach),
            flags,
            sspi,
            features,
        })
    }
}

/// The numbers in the list of features; `extension` leads to its position.
fn features(message: &[u8], extension: &[u8]) -> Result<Vec<u8>, Malformed> {
    let from =
        |place: usize| message.get(place..).map(Cursor::new).ok_or(Malformed("the features of LOGIN7 lie outside it"));
    let place = usize::from(Cursor::new(extension).u16()?);
    let mut list = from(from(place)?.u32()? as usize)?;
    let mut numbers = Vec::new();
    loop {
        match list.u8()? {
            FEATURES_END => return Ok(numbers),
            number => numbers.push(number),
        }
        let length = list.u32()? as usize;
        list.bytes(length)?;
    }
}

/// The bytes of the next text in `offsets`.
fn text<'a>(message: &'a [u8], offsets: &mut Cursor<'_>) -> Result<&'a [u8], Malformed> {
    let offset = usize::from(offsets.u16()?);
    let units = usize::from(offsets.u16()?);
    message.get(offset..offset + units * 2).ok_or(Malformed("a text of LOGIN7 lies outside it"))
}

/// LOGIN7 obscures the password: each byte is XORed with 0xA5 and its halves are swapped.
fn password(hidden: &[u8]) -> String {
    let bytes: Vec<u8> = hidden.iter().map(|byte| (byte ^ 0xa5).rotate_left(4)).collect();
    utf16(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_never_carries_the_certificate_bit() {
        for (asked, answer) in [
            (0x00, Some(0x00)),
            (0x01, Some(0x01)),
            (0x02, Some(0x02)),
            (0x03, Some(0x01)),
            (0x80, Some(0x00)),
            (0x81, Some(0x01)),
            (0x83, Some(0x01)),
            (0x07, None),
        ] {
            assert_eq!(encryption_answer(asked), answer, "{asked:#x}");
        }
    }

    #[test]
    fn our_own_prelogin_can_be_read_back() {
        assert_eq!(prelogin_encryption(&prelogin_answer(ENCRYPT_ON)), Ok(ENCRYPT_ON));
        assert!(prelogin_encryption(&[1, 0]).is_err());
        assert!(prelogin_encryption(&[1, 0xff, 0xff, 0, 1, 0xff]).is_err());
        assert_eq!(prelogin_encryption(&[OPTIONS_END]), Ok(ENCRYPT_NOT_SUPPORTED));
    }

    #[test]
    fn a_login_that_ends_too_early_is_an_error() {
        let login = [0; 93];
        for length in 0..90 {
            // No input may cause a panic.
            let _ = Login::parse(&login[..length]);
        }
        assert!(Login::parse(&[0xff; 94]).is_err());
    }

    #[test]
    fn the_password_is_decoded() {
        let hidden: Vec<u8> =
            "pä".encode_utf16().flat_map(u16::to_le_bytes).map(|byte: u8| byte.rotate_left(4) ^ 0xa5).collect();
        assert_eq!(password(&hidden), "pä");
    }
}
