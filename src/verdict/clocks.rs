//! Whose clock is wrong, by what web servers say the time is.
//!
//! 1. Clocks within five minutes of each other agree: Kerberos and clients bear no more.
//! 2. The largest group that agrees is right when it outnumbers all others. This host is in the group of the servers that
//!    agree with it. So two servers that agree outvote this host when no server sides with it.
//! 3. A server outside that group has a wrong clock. Without such a group nothing tells who is wrong.
//!
//! Servers at one address are one, and so are the addresses of one system. While this host's clock may be wrong, a date
//! counts only when it means the same by every time that may be the right one.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::observation::{Observation, ServerClock};
use crate::plan::Target;

/// How far apart two clocks may be that agree.
const AGREE: SignedDuration = SignedDuration::from_mins(5);

/// What the clocks of a run show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// What is known of this host's own.
    pub own: OwnClock,
    /// Servers whose clock is wrong, with how far it is ahead of this host's.
    pub wrong: Vec<(Target, SignedDuration)>,
    /// How many servers agree with each other, or with this host.
    pub agreeing: usize,
}

/// What is known of this host's own clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OwnClock {
    /// Nothing speaks against it.
    #[default]
    Right,
    /// Servers that agree with each other say another time.
    Wrong {
        /// How far their clocks are ahead of this host's.
        ahead: SignedDuration,
        /// The servers.
        by: Vec<Target>,
    },
    /// Servers say other times, and nothing tells who is right.
    Disputed(Vec<(Target, SignedDuration)>),
}

/// What is doubtful about a date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DateDoubt {
    /// Nothing.
    #[default]
    None,
    /// This host's clock is wrong, and by the servers' the date means something else.
    OwnClock,
    /// Nothing tells whose clock is right, and the date does not mean the same by all.
    Disputed,
}

impl Clocks {
    /// What the observations of a run show.
    pub fn of(all: &[Seen]) -> Self {
        judge(&servers(all))
    }

    /// The time, by the clocks that are right as far as is known.
    pub fn corrected(&self, now: Timestamp) -> Timestamp {
        match &self.own {
            OwnClock::Wrong { ahead, .. } => now.checked_add(*ahead).unwrap_or(now),
            OwnClock::Right | OwnClock::Disputed(_) => now,
        }
    }

    /// Whether the dates that an observation is judged by are doubtful.
    pub fn doubt(&self, seen: &Observation) -> DateDoubt {
        let (others, doubt) = match &self.own {
            OwnClock::Right => return DateDoubt::None,
            OwnClock::Wrong { ahead, .. } => (vec![*ahead], DateDoubt::OwnClock),
            OwnClock::Disputed(all) => {
                let others = all.iter().map(|(_, ahead)| *ahead).collect();
                (others, DateDoubt::Disputed)
            }
        };
        let now = seen.attempts.last().map(|attempt| attempt.at);
        match now.is_some_and(|now| validities(seen).any(|it| it.depends(now, &others))) {
            true => doubt,
            false => DateDoubt::None,
        }
    }
}

/// From when to when something is valid.
struct Validity(Option<Timestamp>, Option<Timestamp>);

impl Validity {
    fn holds(&self, now: Timestamp) -> bool {
        self.0.is_none_or(|begin| begin <= now) && self.1.is_none_or(|end| now <= end)
    }

    /// Whether another time than this host's makes a difference.
    fn depends(&self, now: Timestamp, others: &[SignedDuration]) -> bool {
        let by = |ahead: &SignedDuration| now.checked_add(*ahead).map(|then| self.holds(then));
        others
            .iter()
            .any(|ahead| by(ahead).is_ok_and(|holds| holds != self.holds(now)))
    }
}

/// Everything with dates that an observation is judged by.
fn validities(seen: &Observation) -> impl Iterator<Item = Validity> {
    let chain = seen.tls.iter().flat_map(|tls| &tls.chain);
    let chain = chain.map(|it| Validity(it.not_before, it.not_after));
    let lists = seen.lists.iter().filter_map(|list| list.list.as_ref());
    chain.chain(lists.map(|it| Validity(it.this_update, it.next_update)))
}

/// A machine that said the time.
#[derive(Debug)]
struct Server {
    target: Target,
    addresses: Vec<IpAddr>,
    ahead: Vec<SignedDuration>,
}

impl Server {
    /// The middle of what it said.
    fn ahead(&self) -> SignedDuration {
        let mut all = self.ahead.clone();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

fn servers(all: &[Seen]) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for (seen, observation) in all
        .iter()
        .flat_map(|seen| seen.observations.iter().map(move |it| (seen, it)))
    {
        // What a device said in the host's place is nobody's clock.
        let said = clocks(observation).filter(|_| observation.painted.is_none());
        let ahead: Vec<SignedDuration> = said.map(ServerClock::ahead).collect();
        let Some(address) = observation.address.filter(|_| !ahead.is_empty()) else {
            continue;
        };
        let known = servers
            .iter_mut()
            .find(|it| it.target == seen.flow.to || it.addresses.contains(&address));
        match known {
            Some(known) => {
                known.addresses.push(address);
                known.ahead.extend(ahead);
            }
            None => servers.push(Server {
                target: seen.flow.to.clone(),
                addresses: vec![address],
                ahead,
            }),
        }
    }
    servers
}

fn clocks(seen: &Observation) -> impl Iterator<Item = ServerClock> {
    let page = seen.http.iter().filter_map(|http| http.clock);
    page.chain(seen.lists.iter().filter_map(|list| list.clock))
}

fn agree(one: SignedDuration, other: SignedDuration) -> bool {
    (one - other).abs() <= AGREE
}

fn judge(servers: &[Server]) -> Clocks {
    let all: Vec<(Target, SignedDuration)> = servers
        .iter()
        .map(|it| (it.target.clone(), it.ahead()))
        .collect();
    let group = |middle: SignedDuration| {
        let with = move |(_, ahead): &&(Target, SignedDuration)| agree(*ahead, middle);
        all.iter().filter(with).cloned().collect::<Vec<_>>()
    };
    let with_this_host = group(SignedDuration::ZERO);
    if with_this_host.len() == all.len() {
        return Clocks {
            agreeing: all.len(),
            ..Clocks::default()
        };
    }
    let against = all
        .iter()
        .filter(|one| !with_this_host.contains(one))
        .map(|(_, ahead)| group(*ahead))
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let outside = |group: &[(Target, SignedDuration)]| {
        let is_out = |one: &&(Target, SignedDuration)| !group.contains(one);
        all.iter().filter(is_out).cloned().collect::<Vec<_>>()
    };
    // This host has a voice of its own.
    let (mine, theirs) = (with_this_host.len() + 1, against.len());
    if mine > theirs {
        return Clocks {
            own: OwnClock::Right,
            wrong: outside(&with_this_host),
            agreeing: with_this_host.len(),
        };
    }
    if theirs > mine {
        return Clocks {
            own: OwnClock::Wrong {
                ahead: middle(&against),
                by: against.iter().map(|(target, _)| target.clone()).collect(),
            },
            wrong: outside(&against),
            agreeing: theirs,
        };
    }
    Clocks {
        own: OwnClock::Disputed(outside(&with_this_host)),
        wrong: Vec::new(),
        agreeing: with_this_host.len(),
    }
}

fn middle(group: &[(Target, SignedDuration)]) -> SignedDuration {
    let mut all: Vec<SignedDuration> = group.iter().map(|(_, ahead)| *ahead).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Attempt, AttemptResult, Certificate, Purpose, State, TlsSeen};

    const DAY: i64 = 86_400;

    fn of(ahead: &[i64]) -> Clocks {
        let server = |(number, seconds): (usize, &i64)| Server {
            target: Target::System(number),
            addresses: Vec::new(),
            ahead: vec![SignedDuration::from_secs(*seconds)],
        };
        let servers: Vec<Server> = ahead.iter().enumerate().map(server).collect();
        judge(&servers)
    }

    fn wrong(clocks: &Clocks) -> Vec<usize> {
        let number = |(target, _): &(Target, SignedDuration)| match target {
            Target::System(number) => *number,
            _ => unreachable!("all servers are systems"),
        };
        clocks.wrong.iter().map(number).collect()
    }

    #[test]
    fn clocks_that_agree_say_nothing() {
        for ahead in [&[][..], &[0], &[200, -200], &[0, 1, 2, 299]] {
            let clocks = of(ahead);
            assert_eq!((&clocks.own, wrong(&clocks)), (&OwnClock::Right, vec![]));
        }
    }

    #[test]
    fn servers_that_agree_with_each_other_outvote_this_host() {
        let ahead = -60 * DAY;
        let clocks = of(&[ahead, ahead + 1, ahead - 1]);
        let OwnClock::Wrong { ahead: by, by: all } = &clocks.own else {
            panic!("{clocks:?}");
        };
        assert_eq!((by.as_secs(), all.len()), (ahead, 3));
        let now = Timestamp::from_second(100 * DAY).expect("a moment");
        assert_eq!(clocks.corrected(now).as_second(), 40 * DAY);
        assert!(matches!(of(&[ahead, ahead]).own, OwnClock::Wrong { .. }));
        let with_another = of(&[ahead, ahead, ahead, 9 * DAY]);
        assert!(matches!(with_another.own, OwnClock::Wrong { .. }));
        assert_eq!(wrong(&with_another), [3]);
    }

    #[test]
    fn one_server_that_differs_from_this_host_and_from_others_is_wrong_itself() {
        let clocks = of(&[3, 60 * DAY, -2]);
        assert_eq!((&clocks.own, wrong(&clocks)), (&OwnClock::Right, vec![1]));
        assert_eq!(clocks.agreeing, 2);
    }

    #[test]
    fn one_server_against_this_host_is_a_dispute_and_so_is_a_draw() {
        assert!(matches!(of(&[60 * DAY]).own, OwnClock::Disputed(all) if all.len() == 1));
        let draw = of(&[60 * DAY, 60 * DAY, 0]);
        assert!(matches!(draw.own, OwnClock::Disputed(all) if all.len() == 2));
        let everybody = of(&[60 * DAY, -60 * DAY, 9 * DAY]);
        assert!(matches!(everybody.own, OwnClock::Disputed(all) if all.len() == 3));
    }

    fn shows(begin: i64, end: i64) -> Observation {
        let moment = |day: i64| Timestamp::from_second(day * DAY).expect("a moment");
        let tls = TlsSeen {
            chain: vec![Certificate {
                subject: String::new(),
                issuer: String::new(),
                serial: String::new(),
                names: Vec::new(),
                not_before: Some(moment(begin)),
                not_after: Some(moment(end)),
                days_left: None,
                key: String::new(),
                signature: String::new(),
                server_authentication: Purpose::Named,
                sha256: String::new(),
            }],
            ..TlsSeen::default()
        };
        Observation {
            attempts: vec![Attempt {
                at: moment(100),
                local: None,
                remote: ([192, 0, 2, 10], 443).into(),
                took_ms: 1.0,
                result: AttemptResult::Open,
            }],
            tls: Some(Box::new(tls)),
            ..Observation::without_packets(None, State::Open)
        }
    }

    #[test]
    fn a_date_is_doubtful_where_the_other_time_makes_a_difference() {
        let ahead = -60 * DAY;
        let clocks = of(&[ahead, ahead]);
        assert_eq!(clocks.doubt(&shows(0, 200)), DateDoubt::None);
        assert_eq!(clocks.doubt(&shows(0, 90)), DateDoubt::OwnClock);
        assert_eq!(clocks.doubt(&shows(50, 200)), DateDoubt::OwnClock);
        assert_eq!(
            clocks.doubt(&shows(0, 20)),
            DateDoubt::None,
            "ended by both"
        );
        assert_eq!(of(&[ahead]).doubt(&shows(0, 90)), DateDoubt::Disputed);
        assert_eq!(of(&[0, ahead]).doubt(&shows(0, 90)), DateDoubt::None);
    }
}
