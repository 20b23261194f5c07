//! Accepted deviations: each names a flow between ends that exist. Whether the plan has such a flow, and whether the
//! date has passed, is asked where plan and clock are known (`plan::review`, `report`).

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::FlowId;
use super::names::Names;
use crate::config::Config;
use crate::diagnostic::{Place, Problem};
use crate::yaml::At;

/// A deviation that somebody has accepted for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The id of the flow.
    pub flow: String,
    /// The last day on which it holds; it ends with that day, UTC.
    pub until: Date,
    /// Why it is accepted, or who accepted it.
    pub why: String,
    /// Where the file says so.
    pub declared: Place,
}

impl Exception {
    /// The days from one day to the end; 0 on the last day, negative once it has lapsed.
    pub fn days_left(&self, today: Date) -> i32 {
        today.until(self.until).map_or(0, |span| span.get_days())
    }
}

pub(super) fn exceptions(
    config: &Config,
    names: &Names<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Exception> {
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for exception in &config.exceptions {
        let id = &exception.flow;
        if !known.insert(&id.value) {
            problems.push(
                Problem::error(
                    "duplicate-exception",
                    id.at,
                    format!("two exceptions are for `{}`", id.value),
                )
                .hint("keep the one that holds"),
            );
            continue;
        }
        ends(id, names, problems);
        all.push(Exception {
            flow: id.value.clone(),
            until: exception.until.value,
            why: exception.why.value.clone(),
            declared: id.at,
        });
    }
    all
}

fn ends(id: &At<String>, names: &Names<'_>, problems: &mut Vec<Problem>) {
    let Some(parts) = FlowId::parse(&id.value) else {
        problems.push(
            Problem::error(
                "no-such-flow",
                id.at,
                format!("`{}` is no flow id", id.value),
            )
            .hint(
                "ids are written FROM>TO:PORT/TRANSPORT, as in \"internet>ibs01:80/tcp\"; \
                 `portproof plan` lists them",
            ),
        );
        return;
    };
    let at = |text: &str| At {
        value: text.to_string(),
        at: id.at,
    };
    names.origin(&at(parts.from), "the flow id starts at", problems);
    if !parts.is_outside() {
        names.system(&at(parts.to), "the flow id leads to", problems);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_holds_through_its_last_day() {
        let day = |text: &str| text.parse::<Date>().expect("a date");
        let exception = Exception {
            flow: "internet>ibs01:80/tcp".to_string(),
            until: day("2027-03-01"),
            why: "change 4711".to_string(),
            declared: Place::default(),
        };
        assert_eq!(exception.days_left(day("2027-03-01")), 0);
        assert_eq!(exception.days_left(day("2027-03-02")), -1);
        assert_eq!(exception.days_left(day("2027-02-27")), 2);
        assert_eq!(exception.days_left(day("2026-02-27")), 367);
    }
}
