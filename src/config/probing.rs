//! The `probing` section: how flows are tried.

use std::time::Duration;

use serde_json::json;

use super::keys::keys;
use super::kinds::*;
use crate::diagnostic::Problem;
use crate::yaml::{self, At, Ports, Value};

keys! {
    /// How flows are tried.
    section Probing {
        /// The longest time for one step of one attempt, `50ms` to `60s`.
        timeout: Duration = span("50ms", "60s"), default("3s");
        /// Tries for a silent port, 1 to 30. `auto`: until silence is proof.
        attempts: Option<u8> = or("auto", None, number::<u8>(1, 30)), default("auto");
        /// How long after its first try a required port that fails is tried again, `1s` to `300s`. Outages that end sooner by
        /// themselves are seen as such; a run with such a failure takes at least so long. `off`: no second look.
        second_look: Duration = or("off", Duration::ZERO, span("1s", "300s")), default("20s");
        /// Probes at once.
        in_flight: usize = number::<usize>(1, 65_535), default("256");
        /// Connections to one address at once.
        per_host: usize = number::<usize>(1, 65_535), default("8");
        /// Packets that begin connections a second, as in `100/s`; or `max`.
        rate: Option<u32> = or("max", None, rate()), default("100/s");
        /// `off`: names are not asked where addresses are given.
        dns: bool = on_off(), default("on");
        /// Ports that are tried because they might be open unexpectedly: `none`, `watchlist`, `all`, or ports as in `"1-1024,8080"`. Flows that a rule
        /// or your file forbids are tried in any case.
        sweep: At<Sweep> = at(sweep()), default("watchlist");
        /// Who allowed more than 1,024 ports of one system outside loopback; printed in the report.
        authorised: Option<At<String>> = text(), optional("nobody");
    }
}

/// Ports tried for being unexpectedly open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// None besides those of needed flows.
    None,
    /// The watchlist.
    Watchlist,
    /// The watchlist and these.
    Ports(Vec<Ports>),
}

/// Connection attempts a second.
fn rate() -> Kind<u32> {
    plain(
        |node, what, problems| {
            let found = yaml::text(node, what, problems)?;
            let number = found.value.strip_suffix("/s").unwrap_or(&found.value);
            let number = number.trim().parse::<u32>().ok();
            let number = number.filter(|number| (1..=1_000_000).contains(number));
            if number.is_none() {
                let says = format!("{what} is `{}`, which is no rate", found.value);
                problems.push(
                    Problem::error("bad-rate", node.at, says)
                        .hint("write connection attempts a second, as in `100/s`"),
                );
            }
            number
        },
        || json!({ "type": ["string", "integer"], "pattern": "^[0-9]+ *(/s)?$", "minimum": 1, "maximum": 1_000_000 }),
    )
}

fn on_off() -> Kind<bool> {
    plain(
        |node, what, problems| match &node.value {
            Value::Bool(value) => Some(*value),
            _ => {
                let words = [("on", true), ("off", false)];
                let word = yaml::word(node, what, "unknown-word", &words, problems)?;
                Some(word.value)
            }
        },
        || json!({ "enum": ["on", "off", true, false] }),
    )
}

fn sweep() -> Kind<Sweep> {
    const ALL: Ports = Ports {
        low: 1,
        high: u16::MAX,
    };
    plain(
        |node, what, problems| {
            match &node.value {
                Value::Text(text) if text == "none" => return Some(Sweep::None),
                Value::Text(text) if text == "watchlist" => return Some(Sweep::Watchlist),
                Value::Text(text) if text == "all" => return Some(Sweep::Ports(vec![ALL])),
                _ => {}
            }
            let before = problems.len();
            let ranges = yaml::ports(node, what, problems);
            for problem in &mut problems[before..] {
                problem.hint =
                    Some("write none, watchlist, all, or ports as in \"1-1024,8080\"".to_string());
            }
            Some(Sweep::Ports(
                ranges.into_iter().map(|range| range.value).collect(),
            ))
        },
        || json!({ "type": ["string", "integer"] }),
    )
}
