//! Where an administrator reads in the console what the site file asks for: the steps, as data.

use serde::Deserialize;

use super::{Catalogue, Confidence, Setting};

/// One procedure, explained by `portproof explain`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Kebab-case, unique, and no rule or cause.
    pub id: String,
    /// What is read.
    pub title: String,
    /// The settings that it shows.
    pub settings: Vec<Setting>,
    /// The steps, in order.
    pub steps: Vec<String>,
    /// What to do with what was read.
    #[serde(default)]
    pub then: Vec<String>,
    /// What to be careful about.
    #[serde(default)]
    pub mind: Vec<String>,
    /// How sure the steps are.
    pub confidence: Confidence,
    /// Where they are documented; empty where they are unconfirmed.
    #[serde(default)]
    pub source: String,
}

impl Catalogue {
    /// The topics that show where the ports of some rules come from.
    pub fn topics_of(&self, rules: &[String]) -> Vec<&Topic> {
        let rules = self.rules.iter().filter(|rule| rules.contains(&rule.id));
        let ports = rules.flat_map(|rule| &rule.ports);
        let settings: Vec<Setting> = ports
            .filter_map(|name| self.ports.get(name)?.setting)
            .collect();
        let topics = self.topics.iter();
        topics
            .filter(|topic| topic.settings.iter().any(|it| settings.contains(it)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::CONFIGMGR_2007;

    fn topics_of(rule: &str) -> Vec<String> {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let topics = catalogue.topics_of(&[rule.to_string()]);
        topics.iter().map(|topic| topic.id.clone()).collect()
    }

    #[test]
    fn a_rule_leads_to_where_the_console_shows_its_ports() {
        assert_eq!(topics_of("client-mp-https"), ["client-ports"]);
        assert_eq!(topics_of("client-fsp-http"), ["client-ports"]);
        assert_eq!(topics_of("client-sup-https"), ["software-update-ports"]);
        assert_eq!(topics_of("siteserver-mp-smb"), [""; 0]);
    }

    #[test]
    fn the_steps_are_those_of_the_two_procedures() {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let steps: Vec<usize> = catalogue.topics.iter().map(|it| it.steps.len()).collect();
        assert_eq!(steps, [6, 4]);
        for topic in &catalogue.topics {
            assert_eq!(topic.confidence, Confidence::Documented);
            assert!(topic.source.contains("bb632723"), "{}", topic.source);
        }
    }
}
