//! The list of management points that one of them gives (`MPLIST`): the names in it, and whether clients know any.
//!
//! The list is XML with one `MP` element for each management point: `<MP Name="IBS01" FQDN="ibs01.example.com">`. It is
//! searched for these elements within bounds; nothing else of it is understood. A short name, as Windows has it beside the
//! one in DNS, says nothing of where clients find the server: only full names count.

/// The most names that are read of one list.
const MOST_NAMES: usize = 16;
/// The most characters of a name, as DNS has it.
const LONGEST_NAME: usize = 253;

/// The full names of the management points in a list.
pub(in crate::wire) fn names(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list);
    let mut names: Vec<String> = Vec::new();
    for element in text.split("<MP").skip(1) {
        // `MPList` begins in the same way.
        if !element.starts_with(|next: char| next.is_ascii_whitespace()) {
            continue;
        }
        let element = element.split('>').next().unwrap_or_default();
        let mut said = ["FQDN", "Name"]
            .into_iter()
            .filter_map(|name| attribute(element, name));
        let full = said.find(|name| name.contains('.'));
        names.extend(full.filter(|name| !names.contains(name)));
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

/// Whether two names are one.
fn are_one(one: &str, other: &str) -> bool {
    one.trim_end_matches('.')
        .eq_ignore_ascii_case(other.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_names_are_read_and_short_ones_are_left_out() {
        for (list, expected) in [
            (
                "<MPList><MP FQDN='cm01.corp.local'/></MPList>",
                vec!["cm01.corp.local"],
            ),
            (
                "<?xml version=\"1.0\"?><MPList><MP Name=\"IBS01\" FQDN = \"ibs01.example.com\"><Version>4000</Version></MP>\
                 <MP Name=\"IBS02\"></MP><MP Name='x.y' FQDN=''/></MPList>",
                vec!["ibs01.example.com", "x.y"],
            ),
            ("<MPList></MPList>", vec![]),
            ("<MP FQDN='a.b'/><MP FQDN='a.b'/>", vec!["a.b"]),
            ("<MP FQDN=a.b/><MP FQDN='b.c", vec![]),
            ("<MP FQDN=\u{e9}'c'><MP \u{e9}='d' FQDN='e.f'>", vec!["e.f"]),
        ] {
            assert_eq!(names(list.as_bytes()), expected, "{list}");
        }
    }

    #[test]
    fn a_list_is_read_within_bounds() {
        let many: String = (0..100)
            .map(|number| format!("<MP Name='{number}.x'/>"))
            .collect();
        assert_eq!(names(many.as_bytes()).len(), MOST_NAMES);
        let long = format!("<MP FQDN='{}'/>", "a.".repeat(10_000));
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
