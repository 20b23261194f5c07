//! What is known of the agents of a check: when each was last heard, and what it proved then.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::report::{ReportDocument, Summary};

/// All agents of a check by their names.
pub(super) type Fleet = BTreeMap<String, Member>;

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// Where it stands, as in `perimeter as ibs01`.
    pub(super) place: String,
    /// The host that it told.
    pub(super) host: String,
    /// The version of portproof that it runs.
    pub(super) version: Option<String>,
    /// When its last report ended.
    pub(super) heard: Option<Timestamp>,
    /// Whether the last run had no report of it.
    pub(super) is_lost: bool,
    /// What it proved then, by verdict.
    pub(super) proved: Summary,
}

/// The agents after a run. Of one that gave no report, what was known before stays. One that the run does not have is no agent
/// of the check any more.
pub(super) fn after(before: &Fleet, report: &ReportDocument) -> Fleet {
    let mut fleet = Fleet::new();
    for (number, vantage) in report.vantages.iter().enumerate() {
        let Some(agent) = &vantage.agent else {
            continue;
        };
        let member = match &agent.version {
            None => Member {
                place: vantage.place(),
                is_lost: true,
                ..before.get(&agent.name).cloned().unwrap_or_default()
            },
            Some(version) => Member {
                place: vantage.place(),
                host: vantage.host.clone(),
                version: Some(version.clone()),
                heard: vantage.finished.parse().ok(),
                is_lost: false,
                proved: report.summary_of(number),
            },
        };
        fleet.insert(agent.name.clone(), member);
    }
    fleet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{AgentName, sample};

    fn report(version: Option<&str>) -> ReportDocument {
        let mut report = sample::report("perimeter", "web7");
        report.vantages[0].agent = Some(AgentName {
            name: "dmz".to_string(),
            version: version.map(str::to_string),
        });
        report
    }

    #[test]
    fn an_agent_that_is_lost_keeps_what_it_proved_last() {
        let first = after(&Fleet::new(), &report(Some("1.2.0")));
        let known = &first["dmz"];
        assert_eq!((known.is_lost, known.host.as_str()), (false, "web7"));
        assert_eq!(known.version.as_deref(), Some("1.2.0"));
        assert_eq!(known.heard, "2026-11-24T06:00:30Z".parse().ok());
        let lost = &after(&first, &report(None))["dmz"];
        assert!(lost.is_lost);
        assert_eq!((&lost.host, lost.heard), (&known.host, known.heard));
    }

    #[test]
    fn a_report_of_this_host_alone_has_no_agents() {
        let fleet = after(
            &after(&Fleet::new(), &report(None)),
            &sample::report("internet", "a"),
        );
        assert!(fleet.is_empty());
    }
}
