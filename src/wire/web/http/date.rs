//! What a server says the time is: the `Date` of its answer, in any of the three forms of RFC 9110, section 5.6.7.
//!
//! Read leniently: the day of the week is not looked at, because only the moment matters.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::Offset;

use crate::observation::ServerClock;

/// The longest text that is read as a date.
const LONGEST: usize = 64;

/// The clock behind a `Date` that came at this moment. An answer with an age was kept by a cache: its date is an old one.
pub(crate) fn clock(date: Option<&str>, age: Option<&str>, at: Timestamp) -> Option<ServerClock> {
    let kept = age.is_some_and(|age| age.trim() != "0");
    let says = read(date.filter(|_| !kept)?)?;
    Some(ServerClock { says, at })
}

fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST || !text.is_ascii() {
        return None;
    }
    let moment = |form: &str, text: &str| {
        let civil = DateTime::strptime(form, text).ok()?;
        Offset::UTC.to_timestamp(civil).ok()
    };
    match text.split_once(", ") {
        // `Sunday, 06-Nov-94 08:49:37 GMT`
        Some((_, rest)) if rest.contains('-') => moment("%d-%b-%y %H:%M:%S GMT", rest),
        // `Sun, 06 Nov 1994 08:49:37 GMT`
        Some((_, rest)) => DateTimeParser::new().parse_timestamp(rest).ok(),
        // `Sun Nov  6 08:49:37 1994`
        None => moment("%b %e %H:%M:%S %Y", text.split_once(' ')?.1.trim_start()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(text: &str) -> Option<String> {
        read(text).map(|moment| moment.to_string())
    }

    #[test]
    fn all_three_forms_are_one_moment() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            " Sun, 6 Nov 1994 08:49:37 +0000 ",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let moment = Some("1994-11-06T08:49:37Z".to_string());
            assert_eq!(read_back(text), moment, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let long = format!("Sun, 06 Nov 1994 08:49:37 GMT{}", " (x)".repeat(99));
        for text in [
            "",
            ",",
            ", ",
            " ",
            "now",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            &long,
            "é, -",
        ] {
            assert_eq!(read_back(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_cache_kept_tells_no_time() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let at = Timestamp::UNIX_EPOCH;
        assert!(clock(date, None, at).is_some_and(|clock| clock.at == at));
        assert!(clock(date, Some("0"), at).is_some());
        assert_eq!(clock(date, Some("120"), at), None);
        assert_eq!(clock(None, None, at), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String, digits in "[A-Z][a-z]{2}, [0-9:\\- ]{0,40}") {
            let _ = (read(&text), read(&digits));
        }
    }
}
