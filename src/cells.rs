//! Text from outside as a cell of a table: for spreadsheets, and for Markdown.

use crate::diagnostic::visible;

/// A cell of a table for spreadsheets, which run what begins like a formula.
pub(crate) fn of_csv(text: &str) -> String {
    let safe = visible(text);
    let starts = |mark: char| safe.trim_start().starts_with(mark);
    if [
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]
    .into_iter()
    .any(starts)
    {
        return format!("'{safe}");
    }
    safe
}

/// Text in Markdown, in a cell of a table too: what means something to Markdown, or to HTML in it, is escaped. Nothing
/// in it becomes a link either, which many readers make of bare addresses.
pub(crate) fn of_markdown(text: &str) -> String {
    let shown = visible(text);
    let mut escaped = String::with_capacity(shown.len() + 8);
    for (at, c) in shown.char_indices() {
        let rest = &shown[at..];
        let begins_link = rest.starts_with("://");
        // The dot of `www.` is what makes a link of it.
        let ends_www = c == '.' && ends_with_www(&shown[..at]);
        // Within a text it ends nothing, because nothing begins; flows have it in their names.
        let begins_quote = c == '>' && at == 0;
        if begins_link || ends_www || begins_quote || "\\`*_[]<|&!#~$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn ends_with_www(text: &str) -> bool {
    let mut last = text.chars().rev();
    (0..3).all(|_| last.next().is_some_and(|c| c.eq_ignore_ascii_case(&'w')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\u{ff1d}1"] {
            let cell = of_csv(text);
            assert!(cell.starts_with('\'') || cell.starts_with('\\'), "{cell}");
        }
        assert_eq!(of_csv("a=1"), "a=1");
        assert_eq!(of_csv("a\nb"), "a\\u{a}b");
    }

    #[test]
    fn no_text_ends_a_cell_of_markdown() {
        assert_eq!(of_markdown("a|b\n<i>`x`"), "a\\|b\\\\u{a}\\<i>\\`x\\`");
        assert_eq!(of_markdown("> a>b"), "\\> a>b");
    }

    #[test]
    fn no_text_becomes_a_link_in_markdown() {
        assert_eq!(
            of_markdown("[a](http://b) WWW.b"),
            "\\[a\\](http\\://b) WWW\\.b"
        );
        assert_eq!(of_markdown("a:b w.c"), "a:b w.c");
    }
}
