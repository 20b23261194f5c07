//! The list of management points that one of them gives (`MPLIST`): the names in it, and whether clients know any.
//!
//! The list is XML with one `MP` element for each management point: `<MP Name="IBS01" FQDN="ibs01.example.com">`. It is
//! searched for these elements within bounds; nothing else of it is understood.

/// The most names that are read of one list.
const MOST_NAMES: usize = 16;
/// The most characters of a name, as DNS has it.
const LONGEST_NAME: usize = 253;

/// The names of the management points in a list: of each its full name, else its short one.
pub(in crate::conversation) fn names(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list);
    let mut names: Vec<String> = Vec::new();
    for element in text.split("<MP").skip(1) {
        // `MPList` begins in the same way.
        if !element.starts_with(|next: char| next.is_ascii_whitespace()) {
            continue;
        }
        let element = element.split('>').next().unwrap_or_default();
        let name = attribute(element, "FQDN").or_else(|| attribute(element, "Name"));
        names.extend(name.filter(|name| !names.contains(name)));
        if names.len() == MOST_NAMES {
            break;
        }
    }
    names
}

/// The value of an attribute that is not empty.
fn attribute(element: &str, name: &str) -> Option<String> {
    let mut rest = element;
    loop {
        let (before, value) = rest.split_once('=')?;
        let quote = value.trim_start();
        let mark = quote.chars().next().filter(|it| matches!(it, '"' | '\''))?;
        let (value, after) = quote[1..].split_once(mark)?;
        let is_it = before.trim().eq_ignore_ascii_case(name);
        if is_it && !value.is_empty() {
            return Some(value.chars().take(LONGEST_NAME).collect());
        }
        rest = after;
    }
}

/// The names of a list, where clients know none of them; empty where they know one, or where nothing is known of names.
pub(super) fn unknown(list: Vec<String>, known: &[String]) -> Vec<String> {
    let is_known = |name: &String| known.iter().any(|known| are_one(name, known));
    match known.is_empty() || list.iter().any(is_known) {
        true => Vec::new(),
        false => list,
    }
}

/// Whether two names are of one host: a short name is that of any host whose full name begins with it.
fn are_one(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_end_matches('.'), other.trim_end_matches('.'));
    let first = |name: &str| {
        name.split('.')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let is_short = !one.contains('.') || !other.contains('.');
    one.eq_ignore_ascii_case(other) || (is_short && first(one) == first(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_are_read_and_short_ones_where_there_is_no_other() {
        for (list, expected) in [
            (
                "<MPList><MP FQDN='cm01.corp.local'/></MPList>",
                vec!["cm01.corp.local"],
            ),
            (
                "<?xml version=\"1.0\"?><MPList><MP Name=\"IBS01\" FQDN = \"ibs01.example.com\"><Version>4000</Version></MP>\
                 <MP Name=\"IBS02\"></MP><MP Name='x' FQDN=''/></MPList>",
                vec!["ibs01.example.com", "IBS02", "x"],
            ),
            ("<MPList></MPList>", vec![]),
            ("<MP FQDN='a'/><MP FQDN='a'/>", vec!["a"]),
            ("<MP FQDN=a/><MP FQDN='b", vec![]),
            ("<MP FQDN=\u{e9}'c'><MP \u{e9}='d' FQDN='e'>", vec!["e"]),
        ] {
            assert_eq!(names(list.as_bytes()), expected, "{list}");
        }
    }

    #[test]
    fn a_list_is_read_within_bounds() {
        let many: String = (0..100)
            .map(|number| format!("<MP Name='{number}'/>"))
            .collect();
        assert_eq!(names(many.as_bytes()).len(), MOST_NAMES);
        let long = format!("<MP FQDN='{}'/>", "a".repeat(10_000));
        assert_eq!(names(long.as_bytes())[0].len(), LONGEST_NAME);
    }

    #[test]
    fn a_list_with_one_known_name_is_a_good_one() {
        let known = ["ibs01.example.com".to_string()];
        let of = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_string()).collect();
            unknown(names, &known)
        };
        assert_eq!(of(&["IBS01.Example.com."]), [""; 0]);
        assert_eq!(of(&["IBS01"]), [""; 0]);
        assert_eq!(of(&["cm01.corp.local", "ibs01.example.com"]), [""; 0]);
        assert_eq!(of(&["ibs01.corp.local"]), ["ibs01.corp.local"]);
        assert_eq!(of(&[]), [""; 0]);
        assert_eq!(unknown(vec!["a".to_string()], &[]), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_list_is_read_without_panic(list: Vec<u8>) {
            let _ = names(&list);
        }

        #[test]
        fn anything_like_a_list_is_read_without_panic(list in "(<MP ?|FQDN|=|'|\"|>|a|\u{e9}){0,40}") {
            let _ = names(list.as_bytes());
        }
    }
}
