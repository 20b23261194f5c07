//! The list of management points that one of them gives (`MPLIST`): what it says of each.
//!
//! The list is XML with one `MP` element for each management point:
//!
//! ```xml
//! <MPList><MP Name="IBS01" FQDN="ibs01.example.com" SiteCode="PRI"><Version>6487</Version>
//! <Capabilities SchemaVersion="1.0"><Property Name="SSLState" Value="63"/></Capabilities></MP></MPList>
//! ```
//!
//! It is searched for these elements within bounds; nothing else of it is understood. Each part may be missing. `SiteCode`
//! is there only in some forms of the list.

use crate::observation::ListedPoint;

/// The most management points that are read of one list.
const MOST_POINTS: usize = 16;
/// The most characters of a name, as DNS has it.
const LONGEST_NAME: usize = 253;
/// The characters of a site code.
const SITE_CODE: usize = 3;

/// The management points in a list, each once; those of which it says nothing are left out.
pub(in crate::wire) fn points(list: &[u8]) -> Vec<ListedPoint> {
    let text = String::from_utf8_lossy(list);
    let mut points: Vec<ListedPoint> = Vec::new();
    for element in elements(&text, "<MP") {
        let point = point(element);
        if point != ListedPoint::default() && !points.contains(&point) {
            points.push(point);
        }
        if points.len() == MOST_POINTS {
            break;
        }
    }
    points
}

/// What follows each beginning of an element, up to the next one. `MPList` begins as `MP` does, and is none.
fn elements<'a>(text: &'a str, begins: &str) -> impl Iterator<Item = &'a str> {
    let parts = text.split(begins).skip(1);
    parts.filter(|part| part.starts_with(|next: char| next.is_ascii_whitespace()))
}

fn point(element: &str) -> ListedPoint {
    let (tag, inside) = element.split_once('>').unwrap_or((element, ""));
    let is_code = |code: &String| {
        code.len() == SITE_CODE && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    ListedPoint {
        name: attribute(tag, "Name"),
        fqdn: attribute(tag, "FQDN"),
        site_code: attribute(tag, "SiteCode").filter(is_code),
        build: content(inside, "<Version>").and_then(|text| text.parse().ok()),
        ssl_state: property(inside, "SSLState").and_then(|text| text.parse().ok()),
    }
}

/// The text of an element without attributes.
fn content<'a>(text: &'a str, begins: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(begins)?;
    after.split('<').next().map(str::trim)
}

/// The value of a property.
fn property(text: &str, name: &str) -> Option<String> {
    let mut tags = elements(text, "<Property").filter_map(|it| it.split('>').next());
    let tag = tags.find(|tag| attribute(tag, "Name").is_some_and(|it| it == name))?;
    attribute(tag, "Value")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, fqdn: &str) -> ListedPoint {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_string());
        ListedPoint {
            name: said(name),
            fqdn: said(fqdn),
            ..ListedPoint::default()
        }
    }

    #[test]
    fn a_list_of_2007_has_a_site_code_and_may_say_nothing_of_https() {
        let list = "<MPList><MP Name=\"MSSC1\" FQDN=\"mssc1.corp.example\" SiteCode=\"HVL\"><Version>6487</Version>\
                    <Capabilities SchemaVersion=\"1.0\"/></MP></MPList>";
        let expected = ListedPoint {
            site_code: Some("HVL".to_string()),
            build: Some(6487),
            ..named("MSSC1", "mssc1.corp.example")
        };
        assert_eq!(points(list.as_bytes()), [expected]);
    }

    #[test]
    fn a_list_of_the_current_branch_says_of_each_whether_it_speaks_https() {
        let one = |name: &str, state: u32| {
            format!(
                "<MP Name=\"{name}\" FQDN=\"{name}\">\n <Version> 9128 </Version>\n <Capabilities SchemaVersion=\"1.0\">\
                 <Property Name=\"AuthMethod\" Value=\"1024\"/>\r\n<Property Name=\"SSLState\" Value=\"{state}\"/>\
                 </Capabilities></MP>"
            )
        };
        let list = format!("<MPList>\n{}{}</MPList>", one("a.b", 0), one("c.d", 63));
        let expected = |name: &str, state| ListedPoint {
            build: Some(9128),
            ssl_state: Some(state),
            ..named(name, name)
        };
        let both = [expected("a.b", 0), expected("c.d", 63)];
        assert_eq!(points(list.as_bytes()), both);
    }

    #[test]
    fn what_is_written_otherwise_is_left_out() {
        for (list, expected) in [
            (
                "<MPList><MP FQDN='cm01.corp.local'/></MPList>",
                vec![named("", "cm01.corp.local")],
            ),
            (
                "<?xml version=\"1.0\"?><MPList><MP Name=\"IBS01\" FQDN = \"ibs01.example.com\"><Version>4.0</Version></MP>\
                 <MP Name=\"IBS02\"></MP><MP Name='x.y' FQDN=''/></MPList>",
                vec![
                    named("IBS01", "ibs01.example.com"),
                    named("IBS02", ""),
                    named("x.y", ""),
                ],
            ),
            ("<MPList></MPList>", vec![]),
            ("<MPList><MP><Version>9128</Version></MP></MPList>", vec![]),
            ("<MP FQDN='a.b'/><MP FQDN='a.b'/>", vec![named("", "a.b")]),
            ("<MP FQDN=a.b/><MP FQDN='b.c", vec![]),
            (
                "<MP FQDN=\u{e9}'c'><MP \u{e9}='d' FQDN='e.f'>",
                vec![named("", "e.f")],
            ),
            (
                "<MP Name='a' SiteCode='PRIM'><Version>-1</Version><Property Name='SSLState' Value='all'/></MP>",
                vec![named("a", "")],
            ),
            (
                "<MP Name='a' SiteCode='P-1'><Version>99999999999</Version><Property Name='SSLState'/></MP>",
                vec![named("a", "")],
            ),
            ("<MP Name='a'><Version>", vec![named("a", "")]),
        ] {
            assert_eq!(points(list.as_bytes()), expected, "{list}");
        }
    }

    #[test]
    fn each_has_what_stands_in_its_own_element() {
        let list = "<MPList><MP Name='a'/><MP Name='b' SiteCode='PRI'><Version>6487</Version></MP></MPList>";
        let said: Vec<_> = points(list.as_bytes())
            .into_iter()
            .map(|it| (it.site_code, it.build))
            .collect();
        let of_b = (Some("PRI".to_string()), Some(6487));
        assert_eq!(said, [(None, None), of_b]);
    }

    #[test]
    fn a_list_is_read_within_bounds() {
        let many: String = (0..100)
            .map(|number| format!("<MP Name='{number}.x'/>"))
            .collect();
        assert_eq!(points(many.as_bytes()).len(), MOST_POINTS);
        let long = format!("<MP FQDN='{}'/>", "a.".repeat(10_000));
        let points = points(long.as_bytes());
        let name = points[0].fqdn.as_ref().expect("a name");
        assert_eq!(name.len(), LONGEST_NAME);
    }

    proptest::proptest! {
        #[test]
        fn any_list_is_read_without_panic(list: Vec<u8>) {
            let _ = points(&list);
        }

        #[test]
        fn anything_like_a_list_is_read_without_panic(
            list in "(<MP ?|FQDN|SiteCode|<Version>|<Property |SSLState|Value|=|'|\"|>|a|7|\u{e9}){0,60}"
        ) {
            let _ = points(list.as_bytes());
        }
    }
}
