//! The entries of a log, each with its time, as far as it has one.
//!
//! Four formats are told apart line by line, so that a file may mix them:
//! 1. The client's, which CMTrace shows: `<![LOG[` TEXT `]LOG]!><time="..." date="..." ...>`. TEXT may have several lines.
//! 2. The servers': TEXT `$$<COMPONENT><11-23-2026 08:52:37.123+480><thread=...>`.
//! 3. The update agent's: date and time at the beginning, with tabs or blanks behind them.
//! 4. Any other line: it belongs to the time of the one before.
//!
//! Times are the log's own clock. The offset that some formats have is left aside, so that all are of one kind.

use jiff::civil::DateTime;

use super::up_to;

/// The most bytes of an entry that are looked at; the longest of a client have some thousands.
const LONGEST: usize = 64 << 10;

const BEGIN: &str = "<![LOG[";
const END: &str = "]LOG]!>";

/// Tells every entry, in the order of the file.
pub(super) fn each(text: &str, mut tell: impl FnMut(Option<DateTime>, &str)) {
    let mut before = None;
    // Where the text of an entry began that has not ended.
    let mut open = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let indent = line.len() - line.trim_start().len();
        if line[indent..].starts_with(BEGIN) {
            if let Some(open) = open {
                tell(before, short(&text[open..start]));
            }
            open = Some(start + indent + BEGIN.len());
        }
        match (open, line.find(END)) {
            (Some(began), Some(end)) => {
                before = of_client(&line[end..]).or(before);
                tell(before, short(&text[began..start + end]));
                open = None;
            }
            (Some(_), None) => {}
            (None, _) => {
                before = of_server(line).or_else(|| of_agent(line)).or(before);
                tell(before, short(line));
            }
        }
    }
    if let Some(open) = open {
        tell(before, short(&text[open..]));
    }
}

fn short(text: &str) -> &str {
    up_to(LONGEST, text.trim())
}

/// What stands behind the text of a client's entry: `time="08:52:37.123+480" date="11-23-2026"`.
fn of_client(attributes: &str) -> Option<DateTime> {
    let value = |name: &str| {
        let (_, rest) = attributes.split_once(name)?;
        rest.split('"').next()
    };
    moment(value("date=\"")?, value("time=\"")?)
}

fn of_server(line: &str) -> Option<DateTime> {
    let (_, rest) = line.rsplit_once("$$<")?;
    let (_, rest) = rest.split_once("><")?;
    let (date, rest) = rest.split_once(' ')?;
    moment(date, rest)
}

/// `2026-11-23`, or with slashes, a blank or tab, and `08:52:37` with a fraction behind a colon or point.
fn of_agent(line: &str) -> Option<DateTime> {
    let (date, rest) = line.trim_start().split_once([' ', '\t'])?;
    moment(date, rest.trim_start())
}

/// A date in the order year, month, day or month, day, year, and what begins with a time.
fn moment(date: &str, time: &str) -> Option<DateTime> {
    let parts: Vec<i16> = date
        .splitn(4, ['-', '/'])
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (year, month, day) = match parts[..] {
        [year, month, day] if year >= 1900 => (year, month, day),
        [month, day, year] if year >= 1900 => (year, month, day),
        _ => return None,
    };
    let small = |number: i16| i8::try_from(number).ok();
    let digits = |text: &str| {
        let end = text.find(|c: char| !c.is_ascii_digit());
        text[..end.unwrap_or(text.len())].parse::<i8>().ok()
    };
    let mut parts = time.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = digits(parts.next()?)?;
    DateTime::new(year, small(month)?, small(day)?, hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        each(text, |at, text| {
            let at = at.map_or_else(String::new, |at| at.to_string());
            all.push((at, text.to_string()));
        });
        all
    }

    fn one(text: &str) -> (String, String) {
        let all = read(text);
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().expect("one")
    }

    #[test]
    fn each_format_has_its_times() {
        let expected = ("2026-11-23T08:52:37".to_string(), "no answer".to_string());
        for line in [
            "<![LOG[no answer]LOG]!><time=\"08:52:37.123+480\" date=\"11-23-2026\" component=\"x\" \
             context=\"\" type=\"3\" thread=\"1234\" file=\"a.cpp:1\">",
            "<![LOG[no answer]LOG]!><time=\"8:52:37.1-60\" date=\"11-23-2026\">\r\n",
        ] {
            assert_eq!(one(line), expected, "{line}");
        }
        for line in [
            "no answer  $$<SMS_WSUS><11-23-2026 08:52:37.123+480><thread=1234 (0x4D2)>",
            "2026-11-23\t08:52:37:123\t 872\t1f4\tAgent\tno answer",
            "2026/11/23 08:52:37.1234567 872   1234  Agent           no answer",
            "2026-11-23 08:52:37 872 1f4 Agent no answer",
        ] {
            let (at, text) = one(line);
            assert_eq!(at, expected.0, "{line}");
            assert_eq!(text, line);
        }
    }

    #[test]
    fn an_entry_of_several_lines_is_one() {
        let text = "<![LOG[Raising event:\ninstance of CCM_CcmHttp_Status\n{\n};\n]LOG]!><time=\"08:52:37.123+480\" \
                    date=\"11-23-2026\">\n";
        let (at, text) = one(text);
        assert_eq!(at, "2026-11-23T08:52:37");
        assert!(
            text.starts_with("Raising") && text.ends_with("};"),
            "{text}"
        );
    }

    #[test]
    fn an_entry_without_an_end_ends_where_the_next_begins() {
        let all = read(
            "<![LOG[first\nmore\n<![LOG[second]LOG]!><time=\"08:52:37.1+0\" date=\"11-23-2026\">\n<![LOG[third",
        );
        let texts: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["first\nmore", "second", "third"]);
    }

    #[test]
    fn a_line_without_a_time_has_that_of_the_one_before() {
        let all = read("start\n2026-11-23 08:52:37:123 872 1f4 PT one\n  more of it\n");
        let times: Vec<&str> = all.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(times, ["", "2026-11-23T08:52:37", "2026-11-23T08:52:37"]);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for line in [
            "2026-13-45 08:52:37 x",
            "2026-11-23 25:61:61 x",
            "11-23 08:52:37 x",
            "99999-11-23 08:52:37 x",
            "x $$<A><yesterday 8><thread=1>",
            "<![LOG[x]LOG]!><time=\"\" date=\"\">",
            "<![LOG[x]LOG]!><time=\"08:52:37",
        ] {
            assert_eq!(one(line).0, "", "{line}");
        }
    }

    #[test]
    fn a_very_long_entry_is_cut_between_characters() {
        let text = "é".repeat(LONGEST);
        let (_, text) = one(&text);
        assert_eq!(text.len(), LONGEST);
    }
}
