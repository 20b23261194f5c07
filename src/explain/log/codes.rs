//! The codes in the text of an entry. A number counts as one only where its form or the words before it say so: ports,
//! threads and sizes are numbers too.

use std::collections::BTreeSet;

use crate::product::Code;

/// HRESULTs from here on are failures.
const FAILURE: u32 = 0x8000_0000;

/// Words before a decimal number that say that it is an error.
const BEFORE_ERRORS: [&str; 9] = [
    "code",
    "error",
    "err",
    "errorcode",
    "hr",
    "hresult",
    "result",
    "status",
    "lasterror",
];

/// The codes, each once.
pub(super) fn codes(text: &str) -> BTreeSet<Code> {
    let mut found = BTreeSet::new();
    let mut before = Before::default();
    for (start, token) in tokens(text) {
        let left = &text[..start];
        found.extend(code(token, left, &before));
        before.push(token, start + token.len());
    }
    found
}

/// Runs of letters, digits and underscores, each with its place.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_outside = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let mut at = 0;
    text.split(is_outside).filter_map(move |token| {
        // What parts two tokens is one character, of any length in bytes.
        let start = at;
        let end = start + token.len();
        let next = text[end..].chars().next();
        at = end + next.map_or(0, char::len_utf8);
        (!token.is_empty()).then_some((start, token))
    })
}

/// The tokens before one, the nearest first, in lower case.
#[derive(Default)]
struct Before {
    words: [String; 3],
    /// Where the nearest ends.
    end: usize,
}

impl Before {
    fn push(&mut self, token: &str, end: usize) {
        // Words that matter are short.
        const LONGEST: usize = 16;
        self.words.rotate_right(1);
        let word = &mut self.words[0];
        word.clear();
        word.extend(token.chars().take(LONGEST).map(|c| c.to_ascii_lowercase()));
        self.end = end;
    }

    /// Whether only such signs as stand between a name and its value part the nearest from what follows.
    fn names(&self, left: &str) -> bool {
        let between = left.get(self.end..).unwrap_or_default();
        between.len() <= 8 && between.chars().all(|c| " \t=:\"'(#".contains(c))
    }

    /// One of these words, or `failed with`.
    fn is_error(&self) -> bool {
        let [first, second, _] = self.words.each_ref().map(String::as_str);
        BEFORE_ERRORS.contains(&first) || (first == "with" && second == "failed")
    }

    /// `StatusCode`, `HTTP status`, `status code`, `HTTP`, `HTTP/1.1`, `HTTP/2`.
    fn is_http(&self) -> bool {
        let [first, second, third] = self.words.each_ref().map(String::as_str);
        matches!(
            (first, second, third),
            ("statuscode" | "httpstatus" | "http", ..)
                | ("status", "http" | "https", _)
                | ("code", "status", _)
                | ("0" | "1", "1", "http")
                | ("2", "http", _)
        )
    }
}

fn code(token: &str, left: &str, before: &Before) -> Option<Code> {
    let last = left.chars().next_back();
    if let Some(digits) = hexadecimal(token) {
        let number = u32::from_str_radix(digits, 16).ok()?;
        return (number >= FAILURE).then(|| Code::of_number(number));
    }
    if token.bytes().all(|byte| byte.is_ascii_digit()) {
        return match last {
            Some('-') => negative(token, left),
            _ => decimal(token, left, before),
        };
    }
    let is_part = matches!(last, Some('-' | '{'));
    if token.len() == 8 && !is_part && token.starts_with('8') {
        let code = u32::from_str_radix(token, 16).ok().map(Code::of_number);
        return code.filter(|code| code.meaning().is_some());
    }
    Code::of_symbol(token)
}

fn hexadecimal(token: &str) -> Option<&str> {
    let digits = token
        .strip_prefix("0x")
        .or_else(|| token.strip_prefix("0X"))?;
    (digits.len() == 8).then_some(digits)
}

/// `-2147012894`, where nothing stands before the sign that would make it a part of something else.
fn negative(digits: &str, left: &str) -> Option<Code> {
    let before = left.chars().rev().nth(1);
    let is_part = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-');
    let number: i64 = digits.parse().ok()?;
    let number = i32::try_from(-number).ok()?;
    (!is_part && digits.len() == 10).then(|| Code::of_number(number.cast_unsigned()))
}

fn decimal(digits: &str, left: &str, before: &Before) -> Option<Code> {
    let number: u32 = digits.parse().ok()?;
    match digits.len() {
        3 if before.names(left) && before.is_http() => Code::of_status(u16::try_from(number).ok()?),
        4..=5 if before.names(left) && before.is_error() => Code::of_win32(number),
        8 if digits.starts_with('8') => known(u32::from_str_radix(digits, 16).ok()?),
        10 if number >= FAILURE => known(number),
        _ => None,
    }
}

fn known(number: u32) -> Option<Code> {
    let code = Code::of_number(number);
    code.meaning().is_some().then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        codes(text).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_code_is_found_in_all_its_writings() {
        for text in [
            "failed with 0x80072ee2",
            "(0X80072EE2)",
            "SendRequest failed with hr = 80072ee2. Proxy List used: <(null)>",
            "return code -2147012894",
            "hr=2147954402;",
            "Code=12002, Text=ERROR_WINHTTP_TIMEOUT",
            "HRESULT = \"0x80072ee2\";",
            "failed with 12002",
            "ERROR_INTERNET_TIMEOUT",
            "größer 0x80072EE2 – é",
        ] {
            assert_eq!(found(text), ["0x80072EE2"], "{text}");
        }
    }

    #[test]
    fn a_status_is_found_where_words_say_that_it_is_one() {
        for text in [
            "StatusCode=403 StatusText=Forbidden",
            "StatusCode = 403;",
            "HTTP status code = 403",
            "HTTP status 403",
            "HTTP/1.1 403 Forbidden",
            "HTTP/2 403",
            "http 403",
            "hr = 0x80190193",
        ] {
            assert_eq!(found(text), ["HTTP 403"], "{text}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in [
            "",
            "thread 12002 of process 12029, 403 bytes",
            "a file with 12007 bytes",
            "http://404.example/500",
            "StatusCode=200",
            "0x00000000",
            "0x1f4",
            "{80072ee2-1234-4321-8000-0123456789ab}",
            "2026-11-23 08:52:37:123",
            "1-2147012894",
            "--2147012894",
            "Port=12029",
            "ERROR_OF_NO_TABLE",
            "88888888",
            "9999999999 99999999999999999999",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_failure_that_no_table_has_is_found_by_its_form() {
        assert_eq!(found("failed 0x87D00999"), ["0x87D00999"]);
        assert_eq!(found("failed -2016409191"), ["0x87D00999"]);
    }

    #[test]
    fn a_line_may_have_several() {
        let text = "failed with hr = 0x80244018, HTTP status code = 403, 0x80244018 again";
        assert_eq!(found(text), ["0x80244018", "HTTP 403"]);
    }
}
