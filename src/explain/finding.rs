//! A finding about a file of the user: the words of its page.

use super::document::FindingExplained;

/// The page that has a heading for every finding; a test holds that.
const PAGE: &str = include_str!("../../docs/findings.md");

/// The finding with this code; `None` where there is none.
pub(super) fn finding(code: &str) -> Option<FindingExplained> {
    let mut sections = PAGE.split("\n### ").skip(1);
    let section = sections.find(|section| section.lines().next() == Some(code))?;
    let (_, body) = section.split_once('\n')?;
    let body = body.split("\n## ").next().unwrap_or_default();
    let paragraphs = body.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    Some(FindingExplained {
        finding: code.to_string(),
        says: paragraphs.filter(|it| !it.is_empty()).collect(),
    })
}

/// The codes of all findings.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    let sections = PAGE.split("\n### ").skip(1);
    sections.filter_map(|section| section.lines().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_explained_by_its_page() {
        assert!(codes().count() > 50);
        for code in codes() {
            let finding = finding(code).expect(code);
            assert!(!finding.says.is_empty(), "{code}");
            assert!(finding.says.iter().all(|it| !it.contains('\n')), "{code}");
        }
        assert!(finding("no-such-finding").is_none());
    }
}
