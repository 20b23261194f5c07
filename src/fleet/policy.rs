//! What an agent may be asked, by the file of its own host: where to, which ports, how fast, when.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::civil::Time;

use crate::plan::{Chosen, Plan, Target};
use crate::probe::Allowed;
use crate::site::Site;

/// What an agent may be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Where packets may go.
    pub allowed: Allowed,
    /// The most connection attempts a second; `None`: as the site file says.
    pub rate: Option<u32>,
    /// When; `None`: at any time.
    pub hours: Option<Hours>,
}

/// Hours of a day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    to: Time,
}

impl Hours {
    /// Reads `06:00-22:00`; over midnight is `22:00-06:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        let hours = Self {
            from: time(from)?,
            to: time(to)?,
        };
        (hours.from != hours.to).then_some(hours)
    }

    /// Whether a time lies within.
    pub fn holds(&self, at: Time) -> bool {
        match self.from < self.to {
            true => self.from <= at && at < self.to,
            false => self.from <= at || at < self.to,
        }
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = |at: Time| format!("{:02}:{:02}", at.hour(), at.minute());
        write!(formatter, "{}-{} UTC", time(self.from), time(self.to))
    }
}

/// The most ports outside of a policy that are named.
const NAMED: usize = 3;

impl Policy {
    /// Why some of the flows of a job may not be tried, in words; `None`: all may.
    ///
    /// Names without an address are not known yet. Where they lead is looked at when they are resolved.
    pub fn refuses(&self, site: &Site, plan: &Plan, chosen: &[Chosen]) -> Option<String> {
        let mut outside = Vec::new();
        for chosen in chosen {
            let flow = &plan.flows[chosen.flow];
            let Target::System(system) = flow.to else {
                continue;
            };
            let port = flow.port.low;
            let addresses = site.addresses_at(flow.start(site), system, port);
            let wrong = addresses
                .into_iter()
                .find(|it| !self.allowed.lets(*it, port));
            outside.extend(wrong.map(|address| place(address, port, &site.systems[system].name)));
        }
        outside.sort();
        outside.dedup();
        let first = outside
            .iter()
            .take(NAMED)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = match outside.len().checked_sub(NAMED) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        (!outside.is_empty()).then(|| {
            format!(
                "the file of this agent does not allow packets to {first}{more}; nothing was sent"
            )
        })
    }
}

fn place(address: IpAddr, port: u16, system: &str) -> String {
    match address {
        IpAddr::V4(address) => format!("{address}:{port} ({system})"),
        IpAddr::V6(address) => format!("[{address}]:{port} ({system})"),
    }
}

/// The networks of a list, as the file of an agent has it.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>()
        .ok()
        .map(|it| it.trunc())
        .or_else(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_may_go_over_midnight() {
        let at = |hour, minute| Time::new(hour, minute, 0, 0).expect("a time");
        let day = Hours::parse("06:00-22:00").expect("hours");
        assert!(day.holds(at(6, 0)) && day.holds(at(21, 59)));
        assert!(!day.holds(at(22, 0)) && !day.holds(at(5, 59)));
        let night = Hours::parse("22:00 - 06:00").expect("hours");
        assert!(night.holds(at(23, 0)) && night.holds(at(0, 0)) && !night.holds(at(6, 0)));
        for wrong in ["6-22", "06:00", "06:00-06:00", "25:00-26:00", ""] {
            assert_eq!(Hours::parse(wrong), None, "{wrong}");
        }
        assert_eq!(night.to_string(), "22:00-06:00 UTC");
    }
}
