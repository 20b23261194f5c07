//! The bytes of a file of Windows as text: a log of a client, an export of a site. It is UTF-8, with a mark at its beginning
//! or without; UTF-16 with one; and, for accented letters in old versions, Windows-1252.

use encoding_rs::WINDOWS_1252;

/// The text. Bytes that mean nothing become the sign for what cannot be read.
pub(crate) fn text(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_string(),
            Err(_) => WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
                .into_owned(),
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
