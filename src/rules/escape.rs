//! Text of the site file or of a report, as part of a comment. It cannot end the comment, nor begin a line of its own.

use crate::diagnostic::{cut, visible};

/// The longest comment line, in bytes: readers of rule files split lines that are much longer.
pub(super) const LINE: usize = 600;

/// Text on one line without quotes, backslashes and control characters, of at most `most` bytes.
///
/// nftables has no escape for a quote in a string, so quotes are replaced, not escaped.
pub(super) fn plain(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let safe = visible(&words.join(" ")).replace(['"', '`'], "'");
    cut(&safe.replace('\\', "/"), most)
}

/// The same in ASCII. It is for tools that read files in the code page of the machine, where a letter of another
/// alphabet can become a quote. It is also for command lines at which `?` asks for help.
pub(super) fn ascii(text: &str, most: usize) -> String {
    let kept = |c: char| match c {
        '?' => '.',
        c if c.is_ascii() => c,
        _ => '_',
    };
    plain(&text.chars().map(kept).collect::<String>(), most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_lines_and_commands_of_a_terminal_are_gone() {
        assert_eq!(
            plain("a\"\r\n\tb\u{2028}`c`\\\u{1b}[31m", 99),
            "a' b 'c'//u{1b}[31m"
        );
        assert_eq!(
            ascii("Fernwartung f\u{fc}r \u{2018}x\u{2019}?", 99),
            "Fernwartung f_r _x_."
        );
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_letters() {
        assert_eq!(plain("\u{fc}\u{fc}\u{fc}\u{fc}", 7), "\u{fc}\u{fc}...");
        assert_eq!(plain("abc", 3), "abc");
    }

    proptest! {
        #[test]
        fn any_text_is_one_short_line_without_quotes(text in ".{0,200}", most in 8_usize..200) {
            for line in [plain(&text, most), ascii(&text, most)] {
                prop_assert!(line.len() <= most);
                let breaks_out = ['"', '`', '\\', '\n', '\r', '\u{85}', '\u{2028}', '\u{1b}', '\0'];
                prop_assert!(!line.contains(breaks_out));
            }
            prop_assert!(ascii(&text, most).is_ascii());
        }
    }
}
