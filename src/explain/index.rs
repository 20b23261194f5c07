//! What can be explained, and what a word may have meant.

use super::document::{About, Entry, Index};
use super::{cause, code, finding, rule, topic, word as words};
use crate::diagnostic::{is_near, nearest_few};
use crate::product::{Catalogue, Role, all_symbols};
use crate::report::ReportDocument;
use crate::verdict::{Cause, Verdict, said_of};

/// Everything that can be explained without a site file.
pub fn index(catalogue: &Catalogue) -> Index {
    let entry = |word: &str, is: &str| Entry {
        word: word.to_string(),
        is: is.to_string(),
    };
    let topics = catalogue.topics.iter();
    let causes = Cause::ALL.iter();
    let rules = rule::ids(catalogue).into_iter();
    Index {
        topics: topics.map(|it| entry(&it.id, &it.title)).collect(),
        causes: causes
            .map(|cause| entry(cause.name(), &said_of(*cause).meaning))
            .collect(),
        rules: rules
            .filter_map(|id| Some(entry(id, &rule::rule(catalogue, id)?.why)))
            .collect(),
        verdicts: Verdict::ALL
            .iter()
            .map(|verdict| entry(verdict.name(), verdict.said()))
            .collect(),
        roles: Role::ALL
            .iter()
            .map(|role| entry(role.name(), role.said()))
            .collect(),
    }
}

/// Explains a topic, a cause, a rule, a verdict, a role, a finding or a code, in this order. `None`: the word is none of
/// these.
pub fn word(catalogue: &Catalogue, word: &str, report: Option<&ReportDocument>) -> Option<About> {
    let mut topics = catalogue.topics.iter();
    if let Some(found) = topics.find(|topic| topic.id == word) {
        return Some(About::Topic(topic::topic(found)));
    }
    if let Some(found) = Cause::named(word) {
        return Some(About::Cause(cause::cause(found, report)));
    }
    if let Some(rule) = rule::rule(catalogue, word) {
        return Some(About::Rule(rule));
    }
    if let Some(verdict) = Verdict::named(word) {
        return Some(About::Verdict(words::verdict(verdict, report)));
    }
    if let Some(role) = Role::named(word) {
        return Some(About::Role(words::role(role, catalogue)));
    }
    if let Some(finding) = finding::finding(word) {
        return Some(About::Finding(finding));
    }
    let found = code::named(word)?;
    Some(About::Code(Box::new(code::code(found, catalogue))))
}

/// The words nearest to one that cannot be explained; none where none is near.
pub fn suggestions<'a>(catalogue: &'a Catalogue, word: &str) -> Vec<&'a str> {
    const MOST: usize = 3;
    let topics = catalogue.topics.iter().map(|topic| topic.id.as_str());
    let causes = Cause::ALL.iter().map(|cause| cause.name());
    let verdicts = Verdict::ALL.iter().map(|verdict| verdict.name());
    let roles = Role::ALL.iter().map(|role| role.name());
    let mut known: Vec<&str> = topics.chain(causes).chain(rule::ids(catalogue)).collect();
    known.extend(verdicts.chain(roles));
    let for_ever = finding::codes().chain(all_symbols());
    known.extend(for_ever.map(|word: &'static str| -> &str { word }));
    let mut nearest = nearest_few(word, known, MOST);
    nearest.retain(|known| is_near(word, known));
    nearest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::product::CONFIGMGR_2007;

    fn catalogue() -> Catalogue {
        Catalogue::parse(CONFIGMGR_2007).expect("no findings")
    }

    #[test]
    fn no_word_has_two_meanings_and_each_can_be_explained() {
        let catalogue = catalogue();
        let index = index(&catalogue);
        let all = [
            &index.topics,
            &index.causes,
            &index.rules,
            &index.verdicts,
            &index.roles,
        ];
        let mut words = BTreeSet::new();
        for entry in all.into_iter().flatten() {
            assert!(words.insert(&entry.word), "{} twice", entry.word);
            assert!(
                word(&catalogue, &entry.word, None).is_some(),
                "{}",
                entry.word
            );
            assert!(!entry.is.is_empty() && !entry.word.contains('>'));
        }
        assert!(words.len() > 200);
    }

    #[test]
    fn the_nearest_words_are_offered() {
        let catalogue = catalogue();
        assert_eq!(suggestions(&catalogue, "no-anwser")[0], "no-answer");
        assert_eq!(suggestions(&catalogue, "client-port")[0], "client-ports");
        assert!(word(&catalogue, "no-anwser", None).is_none());
    }

    /// The words behind `portproof explain ` in a text.
    fn pointed_to(text: &str) -> Vec<&str> {
        let rest = text.split("portproof explain ").skip(1);
        rest.map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            &rest[..end.unwrap_or(rest.len())]
        })
        .collect()
    }

    #[test]
    fn every_topic_that_a_finding_points_to_exists() {
        let catalogue = catalogue();
        let file = b"site: { code: PRI, product: configmgr-2007, client_ports: { https: [0] }, software_update_ports: { http: 0 } }";
        let (_, problems) = crate::config::read(file);
        let hints: Vec<String> = problems.into_iter().filter_map(|it| it.hint).collect();
        let hints = hints.join(" ");
        assert_eq!(
            pointed_to(&hints),
            ["client-ports", "software-update-ports"]
        );
        for text in [&hints, include_str!("../site/check.rs")] {
            for topic in pointed_to(text) {
                assert!(catalogue.topics.iter().any(|it| it.id == topic), "{topic}");
            }
        }
    }
}
