//! The line that says what happened and who has to act.
//!
//! Flows of which the same is said are one part of the line: the verdict, the firewall, and who has to act. A flow that
//! stands alone is named.

use crate::report::{self, ReportFlow};
use crate::verdict::Verdict;

/// The most parts of a line.
const PARTS: usize = 3;

/// What happened, in one line: `12 flows blocked at be: firewall team has to act; 3 flows cleared`. What an exception
/// accepts is as it was.
pub(super) fn headline(raised: &[&ReportFlow], cleared: &[&ReportFlow]) -> String {
    let (accepted, cleared): (Vec<_>, Vec<_>) =
        cleared.iter().partition(|flow| flow.accepted.is_some());
    let mut parts = raised_parts(raised);
    parts.extend(counted(&cleared, "cleared"));
    parts.extend(counted(&accepted, "accepted by the site file"));
    match parts.is_empty() {
        true => "nothing changed".to_string(),
        false => parts.join("; "),
    }
}

/// `3 flows cleared`; none of no flows.
fn counted(flows: &[&&ReportFlow], what: &str) -> Option<String> {
    match flows {
        [] => None,
        [one] => Some(format!("{} {what}", one.flow.id)),
        many => Some(format!("{} flows {what}", many.len())),
    }
}

/// Flows of which the same is said.
#[derive(PartialEq, Eq)]
struct Alike {
    verdict: Verdict,
    firewall: Option<String>,
    team: Option<&'static str>,
}

impl Alike {
    fn of(flow: &ReportFlow) -> Self {
        let has_firewall = matches!(flow.verdict, Verdict::Blocked | Verdict::Exposed);
        Self {
            verdict: flow.verdict,
            firewall: flow.firewall().filter(|_| has_firewall),
            team: flow.owner.map(report::team),
        }
    }

    /// `blocked at be: firewall team has to act`.
    fn words(&self) -> String {
        let mut words = self.verdict.to_string();
        if let Some(firewall) = &self.firewall {
            let how = match self.verdict {
                Verdict::Exposed => "through",
                _ => "at",
            };
            words += &format!(" {how} {firewall}");
        }
        if let Some(team) = self.team {
            words += &format!(": {team} has to act");
        }
        words
    }
}

fn raised_parts(flows: &[&ReportFlow]) -> Vec<String> {
    let mut groups: Vec<(Alike, Vec<&str>)> = Vec::new();
    for flow in flows {
        let alike = Alike::of(flow);
        let id = flow.flow.id.as_str();
        match groups.iter_mut().find(|(known, _)| *known == alike) {
            Some((_, ids)) => ids.push(id),
            None => groups.push((alike, vec![id])),
        }
    }
    let words = |(alike, ids): &(Alike, Vec<&str>)| match ids.as_slice() {
        [id] => format!("{id} {}", alike.words()),
        ids => format!("{} flows {}", ids.len(), alike.words()),
    };
    let mut parts: Vec<String> = groups.iter().take(PARTS).map(words).collect();
    let left: usize = groups.iter().skip(PARTS).map(|(_, ids)| ids.len()).sum();
    match left {
        0 => {}
        1 => parts.push("1 flow more".to_string()),
        more => parts.push(format!("{more} flows more")),
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Accepted;
    use crate::report::sample::{flow, judged};
    use crate::verdict::Owner;

    const BLOCKED: [&str; 5] = ["required", "filtered", "blocked", "no-answer", "error"];

    fn blocked(port: u16) -> ReportFlow {
        judged(&format!("internet>ibs01:{port}/tcp"), BLOCKED)
    }

    fn line(raised: &[ReportFlow], cleared: &[ReportFlow]) -> String {
        let (raised, cleared): (Vec<_>, Vec<_>) =
            (raised.iter().collect(), cleared.iter().collect());
        headline(&raised, &cleared)
    }

    #[test]
    fn one_flow_is_named_and_many_are_counted() {
        assert_eq!(
            line(&[blocked(443)], &[]),
            "internet>ibs01:443/tcp blocked at front-end: firewall team has to act"
        );
        let many: Vec<_> = (1..=12).map(blocked).collect();
        assert_eq!(
            line(&many, &[flow("internet>ibs01:80/tcp")]),
            "12 flows blocked at front-end: firewall team has to act; internet>ibs01:80/tcp cleared"
        );
        assert_eq!(line(&[], &many), "12 flows cleared");
        assert_eq!(line(&[], &[]), "nothing changed");
    }

    #[test]
    fn what_an_exception_accepts_is_not_called_cleared() {
        let mut accepted = blocked(443);
        accepted.accepted = Some(Accepted {
            until: "2027-03-31".to_string(),
            why: "the firewall is replaced in March".to_string(),
            days_left: 90,
        });
        assert_eq!(
            line(&[], &[flow("internet>ibs01:80/tcp"), accepted]),
            "internet>ibs01:80/tcp cleared; internet>ibs01:443/tcp accepted by the site file"
        );
    }

    #[test]
    fn no_firewall_is_blamed_where_several_come_into_question() {
        let mut far = blocked(443);
        far.flow_mut().crosses.push("back-end".to_string());
        assert_eq!(
            line(&[far], &[]),
            "internet>ibs01:443/tcp blocked: firewall team has to act"
        );
    }

    #[test]
    fn a_line_has_three_parts_and_counts_the_rest() {
        let owners = [
            Owner::Server,
            Owner::Certificate,
            Owner::Dns,
            Owner::Proxy,
            Owner::Proxy,
        ];
        let of = |(owner, port): (Owner, u16)| {
            let mut flow = blocked(port);
            flow.verdict = Verdict::Wrong;
            flow.owner = Some(owner);
            flow
        };
        let flows: Vec<_> = owners.into_iter().zip(1..).map(of).collect();
        let line = line(&flows, &[]);
        assert!(
            line.ends_with("internet>ibs01:3/tcp wrong: DNS team has to act; 2 flows more"),
            "{line}"
        );
    }
}
