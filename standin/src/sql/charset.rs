//! Windows-1252, the code page of char and varchar under SQL Server's default collation.

/// 0x80 to 0x9F; elsewhere the code page is Latin-1. The five bytes without a character keep their control code.
const UPPER: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub fn decode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| if (0x80..0xa0).contains(byte) { UPPER[usize::from(byte - 0x80)] } else { char::from(*byte) })
        .collect()
}

/// Characters outside the code page become question marks.
pub fn encode(text: &str) -> Vec<u8> {
    text.chars().map(encode_char).collect()
}

fn encode_char(c: char) -> u8 {
    match UPPER.iter().position(|upper| *upper == c) {
        Some(at) => 0x80 + at as u8,
        None => u8::try_from(u32::from(c)).ok().filter(|byte| !(0x80..0xa0).contains(byte)).unwrap_or(b'?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(encode(&decode(&all)), all);
        assert_eq!(encode("€ü😀"), b"\x80\xfc?");
    }
}
