//! The bytes of a log as text. Clients write UTF-8, with a mark at its beginning or without; UTF-16 with one; and, for
//! accented letters in old versions, Windows-1252.

/// The text. Bytes that mean nothing become the sign for what cannot be read.
pub(super) fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            Err(_) => bytes.iter().copied().map(windows_1252).collect(),
        },
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks();
    let units = pairs.iter().copied().map(unit);
    char::decode_utf16(units)
        .map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// What Windows-1252 has in place of the control characters 0x80 to 0x9F (WHATWG Encoding, index windows-1252).
const UPPER_CONTROLS: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => UPPER_CONTROLS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writing_of_a_text_is_read_alike() {
        let expected = "Größe: 0x80072EE2 – €";
        let utf_16 = |to: fn(u16) -> [u8; 2], mark: [u8; 2]| {
            let units = expected.encode_utf16().flat_map(to);
            mark.into_iter().chain(units).collect::<Vec<u8>>()
        };
        for bytes in [
            expected.as_bytes().to_vec(),
            ["\u{feff}", expected].concat().into_bytes(),
            utf_16(u16::to_le_bytes, [0xff, 0xfe]),
            utf_16(u16::to_be_bytes, [0xfe, 0xff]),
            b"Gr\xf6\xdfe: 0x80072EE2 \x96 \x80".to_vec(),
        ] {
            assert_eq!(text(&bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_broken_is_read_as_far_as_it_goes() {
        assert_eq!(text(b"\xff\xfea\0b"), "a");
        assert_eq!(text(b"\xff\xfe\0\xd8a\0"), "\u{fffd}a");
        assert_eq!(text(b"\xef\xbb\xbfa\xff"), "a\u{fffd}");
        assert_eq!(text(b""), "");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(text(&all).chars().count(), 256);
    }
}
