//! A verdict or a role, by its word.

use super::document::{Entry, RoleExplained, VerdictExplained};
use crate::product::{Catalogue, End, Role, Rule};
use crate::report::ReportDocument;
use crate::verdict::Verdict;

pub(super) fn verdict(verdict: Verdict, report: Option<&ReportDocument>) -> VerdictExplained {
    let flows = report.map(|report| report.flows.as_slice());
    let flows = flows.unwrap_or_default().iter();
    VerdictExplained {
        verdict,
        meaning: verdict.said().to_string(),
        seen_at: flows
            .filter(|flow| flow.verdict == verdict)
            .map(|flow| flow.flow.id.clone())
            .collect(),
    }
}

pub(super) fn role(role: Role, catalogue: &Catalogue) -> RoleExplained {
    let entries = |ends: fn(&Rule) -> &[End]| {
        let rules = catalogue.rules.iter();
        let rules = rules.filter(|rule| ends(rule).iter().any(|end| is_role(*end, role)));
        rules
            .map(|rule| Entry {
                word: rule.id.clone(),
                is: rule.why.clone(),
            })
            .collect()
    };
    RoleExplained {
        role: role.name().to_string(),
        does: role.said().to_string(),
        rules_to: entries(|rule| &rule.to),
        rules_from: entries(|rule| &rule.from),
        systems: Vec::new(),
    }
}

fn is_role(end: End, role: Role) -> bool {
    match end {
        End::Role(it) => it == role,
        End::ActiveSoftwareUpdatePoint | End::InternetSoftwareUpdatePoint => {
            role == Role::SoftwareUpdatePoint
        }
        _ => false,
    }
}
