//! What is odd about exceptions, as far as plan and day tell: warnings all, because what they do not cover still counts.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::Plan;
use crate::config::Sweep;
use crate::diagnostic::Problem;
use crate::product::Transport;
use crate::site::{Exception, FlowId, IdPort, Site};

/// How many ids that may have been meant are shown.
const SUGGESTIONS: usize = 3;

/// What is odd about the exceptions of a site on a day.
///
/// 1. No flow of the plan has the id, and no sweep of the file can find it.
/// 2. It has lapsed.
/// 3. It holds for more than a year: nobody will look at it again.
pub fn review(site: &Site, plan: &Plan, today: Date) -> Vec<Problem> {
    if site.exceptions.is_empty() {
        return Vec::new();
    }
    let all = site.exceptions.iter();
    let known = plan.known(site, all.clone().map(|it| it.flow.as_str()).collect());
    all.flat_map(|exception| {
        let unplanned = match known.contains(&exception.flow) {
            true => None,
            false => unplanned(site, plan, exception),
        };
        unplanned.into_iter().chain(dated(exception, today))
    })
    .collect()
}

fn unplanned(site: &Site, plan: &Plan, exception: &Exception) -> Option<Problem> {
    let flow = &exception.flow;
    let parts = FlowId::parse(flow)?;
    if may_be_swept(site, &parts) {
        return None;
    }
    let warning =
        |message: String| Problem::warning("exception-without-flow", exception.declared, message);
    if parts.is_to_list() {
        let message = format!(
            "no `crl_urls` leads to `{flow}`: the exception is for nothing unless a certificate \
             names that host"
        );
        return Some(
            warning(message)
                .hint("`portproof check` shows the ids of the lists that certificates name"),
        );
    }
    let near = plan.nearest(site, flow, SUGGESTIONS);
    let near: Vec<String> = near.iter().map(|id| format!("`{id}`")).collect();
    let message = format!("the plan has no flow `{flow}`, so the exception is for nothing");
    Some(warning(message).hint(format!(
        "the nearest are {}; `portproof plan` lists all",
        near.join(", ")
    )))
}

/// Whether a sweep may find it: from a zone, at a port that is swept.
fn may_be_swept(site: &Site, parts: &FlowId<'_>) -> bool {
    let Sweep::Ports(ranges) = &site.probing.sweep.value else {
        return false;
    };
    let from_a_zone = site.zones.iter().any(|zone| zone.name == parts.from);
    let swept = match parts.port {
        IdPort::Swept => true,
        IdPort::Ports(one) => {
            let mut ranges = ranges.iter();
            one.low == one.high && ranges.any(|range| (range.low..=range.high).contains(&one.low))
        }
    };
    from_a_zone && swept && parts.transport == Transport::Tcp
}

fn dated(exception: &Exception, today: Date) -> Option<Problem> {
    let (flow, until) = (&exception.flow, exception.until);
    if until < today {
        return Some(
            Problem::warning(
                "exception-lapsed",
                exception.declared,
                format!("the exception for `{flow}` held through {until}, and no longer does"),
            )
            .hint("take it out, or agree on another date"),
        );
    }
    let latest = today.saturating_add(1.year());
    (until > latest).then(|| {
        Problem::warning(
            "exception-far",
            exception.declared,
            format!("the exception for `{flow}` holds for more than a year, until {until}"),
        )
        .hint(
            "who accepts something should look at it again: agree on a date within a year, or \
             say under `flows` what is needed",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::plan::derive;
    use crate::product::{CONFIGMGR_2007, Catalogue};

    const SITE: &str = r#"
site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: { networks: ["0.0.0.0/0"] }, perimeter: { networks: ["192.0.2.0/24"] } }
firewalls: { front-end: { between: [internet, perimeter] } }
clients: [internet]
systems:
  ibs01:
    zone: perimeter
    names: { default: ibs01.example.com }
    addresses: { default: 192.0.2.10 }
    roles: [management-point, fallback-status-point]
    serves: [internet]
"#;

    /// The warnings about one exception on a day: code and hint.
    fn warnings(rest: &str, flow: &str, until: &str) -> Vec<(&'static str, String)> {
        let text =
            format!("{SITE}{rest}\nexceptions: [{{ flow: \"{flow}\", until: {until}, why: x }}]\n");
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the embedded catalogue");
        let (config, mut problems) = config::read(text.as_bytes());
        let site = Site::new(&config.expect("a file"), &catalogue, &mut problems);
        let site = site.unwrap_or_else(|| panic!("{problems:?}"));
        let today = "2026-11-24".parse().expect("a date");
        let found = review(&site, &derive(&site, &catalogue), today);
        let shown = |problem: Problem| (problem.code, problem.hint.unwrap_or_default());
        found.into_iter().map(shown).collect()
    }

    fn codes(rest: &str, flow: &str, until: &str) -> Vec<&'static str> {
        let found = warnings(rest, flow, until).into_iter();
        found.map(|(code, _)| code).collect()
    }

    #[test]
    fn a_flow_of_the_plan_and_a_date_within_a_year_are_as_they_should_be() {
        let none: [&str; 0] = [];
        for until in ["2026-11-24", "2027-11-24"] {
            assert_eq!(codes("", "internet>ibs01:80/tcp", until), none, "{until}");
        }
    }

    #[test]
    fn the_nearest_ids_are_offered_for_one_that_the_plan_does_not_have() {
        let found = warnings("", "internet>ibs01:444/tcp", "2026-12-24");
        assert_eq!(found[0].0, "exception-without-flow");
        assert!(found[0].1.contains("`internet>ibs01:443/tcp`"), "{found:?}");
        assert!(!found[0].1.contains("53"), "only the nearest: {found:?}");
    }

    #[test]
    fn what_a_sweep_can_find_needs_no_flow_of_the_plan() {
        let none: [&str; 0] = [];
        let swept = "probing: { sweep: \"1-1024\" }";
        for flow in ["internet>ibs01:sweep/tcp", "internet>ibs01:22/tcp"] {
            assert_eq!(codes(swept, flow, "2026-12-24"), none, "{flow}");
            assert_eq!(codes("", flow, "2026-12-24"), ["exception-without-flow"]);
        }
        for flow in [
            "internet>ibs01:2222/tcp",
            "ibs01>ibs01:22/tcp",
            "internet>ibs01:22/udp",
        ] {
            assert_eq!(
                codes(swept, flow, "2026-12-24"),
                ["exception-without-flow"],
                "{flow}"
            );
        }
    }

    #[test]
    fn what_has_lapsed_and_what_never_will_is_said() {
        let flow = "internet>ibs01:80/tcp";
        assert_eq!(codes("", flow, "2026-11-23"), ["exception-lapsed"]);
        assert_eq!(codes("", flow, "2027-11-25"), ["exception-far"]);
        assert_eq!(codes("", flow, "9999-12-31"), ["exception-far"]);
        assert_eq!(
            codes("", "internet>crl.pki.example.com:80/tcp", "2026-11-23"),
            ["exception-without-flow", "exception-lapsed"]
        );
    }
}
