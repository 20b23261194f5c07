//! What is said of each cause: one data file. The page of verdicts is written from it. `explain` and the advice in
//! reports are taken from it.

use std::sync::LazyLock;

use serde::Deserialize;

use super::Cause;
use crate::yaml;

/// What is said of a cause. Other pages are named in it as `docs/PAGE.md`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The word.
    pub cause: Cause,
    /// Who has to act, as words of `Owner` or in words; none: nobody.
    pub owners: Vec<String>,
    /// What it means, in a sentence or two.
    pub meaning: String,
    /// How it was known.
    pub known_by: String,
    /// What to do.
    pub to_do: String,
    /// What to do about one flow, with blanks to be filled in; empty where nothing is to be done, or where only the
    /// evidence tells.
    #[serde(default)]
    pub advice: String,
}

/// What is said of every cause, in the order of the page.
pub static SAID: LazyLock<Vec<Said>> = LazyLock::new(|| {
    yaml::embedded(include_str!("causes.yaml")).expect("the embedded file is read by a test")
});

/// What is said of one cause.
pub fn said_of(cause: Cause) -> &'static Said {
    let mut all = SAID.iter();
    all.find(|said| said.cause == cause)
        .expect("a test holds that every cause has an entry")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{
        CertificateFault, Delivery, ListFault, Lost, Missing, NotTried, Observation, Prohibition,
        Rejection, ResetBy, Service, State, Trouble, Way, each,
    };
    use crate::product::Need;
    use crate::verdict::{Context, DateDoubt, DroppedAt, Owner, ZoneSilence, judge};

    #[test]
    fn every_cause_has_one_entry_with_every_part() {
        assert_eq!(SAID.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            let said = said_of(*cause);
            for part in [&said.meaning, &said.known_by, &said.to_do] {
                assert!(part.ends_with('.'), "{cause}: {part:?}");
            }
            for owner in &said.owners {
                let is_a_word = Owner::named(owner).is_some();
                assert!(is_a_word || owner.starts_with("whoever"), "{owner}");
            }
        }
    }

    #[test]
    fn a_word_of_an_earlier_version_is_read_and_the_new_one_is_written() {
        let earlier: Cause = serde_json::from_str("\"mplist-differs\"").expect("a word");
        assert_eq!(earlier, Cause::AdvertisedName);
        assert_eq!(Cause::named("mplist-differs"), Some(earlier));
        let written = serde_json::to_string(&earlier).expect("JSON");
        assert_eq!(written, "\"advertised-name\"");
        assert_eq!(Cause::named("mplist"), None);
    }

    /// Every state that needs no conversation, and an open port with every word that a service may have said.
    fn observations() -> Vec<Observation> {
        let rejected = Prohibition::ALL.iter().copied().map(|says| {
            State::Rejected(Rejection {
                says,
                icmp_type: None,
                icmp_code: None,
                by: None,
                ttl: None,
            })
        });
        let closed = ResetBy::ALL.iter();
        let closed = closed.map(|&reset_by| State::Closed { reset_by });
        let states = [State::Filtered, State::Silent]
            .into_iter()
            .chain(rejected)
            .chain(closed)
            .chain(each::UNRESOLVED.map(State::Unresolved))
            .chain(Trouble::ALL.iter().copied().map(State::Unreachable))
            .chain(NotTried::ALL.iter().copied().map(State::NotTried))
            .map(|state| Observation::without_packets(None, state));
        let open = services().into_iter().map(|service| Observation {
            service: Some(service),
            ..Observation::without_packets(None, State::Open)
        });
        let lost = [Missing::Data, Missing::Large(536)].map(|what| Observation {
            service: Some(Service::Mute),
            delivery: Some(Box::new(Delivery {
                lost: Some(Lost {
                    what,
                    way: Way::There,
                }),
                ..Delivery::default()
            })),
            ..Observation::without_packets(None, State::Open)
        });
        states.chain(open).chain(lost).collect()
    }

    fn services() -> Vec<Service> {
        let certificates = each::CERTIFICATE_FAULTS
            .into_iter()
            .chain([CertificateFault::Other(String::new())])
            .map(Service::Certificate);
        let lists = each::LIST_FAULTS
            .into_iter()
            .chain([ListFault::Missing(404)])
            .map(Service::List);
        let others = [Service::TlsAlert(String::new()), Service::ServerError(503)];
        let known = certificates.chain(lists).chain(each::SERVICES);
        known.chain(others).collect()
    }

    fn contexts() -> Vec<Context> {
        let none = Context::default();
        let places = [
            DroppedAt::Unknown,
            DroppedAt::Firewall,
            DroppedAt::FirewallOrHost,
            DroppedAt::BehindFirewalls,
        ];
        let silences = [
            ZoneSilence::No,
            ZoneSilence::OneHost,
            ZoneSilence::SeveralHosts,
        ];
        let vanishing = places.into_iter().flat_map(|dropped| {
            let of = move |(zone, host_answered)| Context {
                zone,
                dropped,
                host_answered,
                ..none
            };
            silences
                .map(|zone| (zone, false))
                .into_iter()
                .chain([(ZoneSilence::No, true)])
                .map(of)
        });
        let mut all = vec![
            none,
            Context {
                between_zones: true,
                ..none
            },
            Context {
                by_the_host: true,
                ..none
            },
            Context {
                host_dead: true,
                ..none
            },
            Context {
                cut_off: true,
                ..none
            },
            Context {
                nothing_answered: true,
                ..none
            },
            Context {
                in_stead: true,
                ..none
            },
            Context {
                other_address_answered: true,
                ..none
            },
            Context {
                other_address_answered: true,
                dropped: DroppedAt::Firewall,
                ..none
            },
            Context {
                other_address_answered: true,
                host_dead: true,
                ..none
            },
            Context {
                family_unanswered: true,
                ..none
            },
            Context {
                dates: DateDoubt::OwnClock,
                ..none
            },
            Context {
                dates: DateDoubt::Disputed,
                ..none
            },
        ];
        all.extend(vanishing);
        all
    }

    #[test]
    fn whoever_the_table_of_verdicts_calls_stands_in_the_file() {
        let mut judged = 0;
        for seen in observations() {
            for context in contexts() {
                for need in Need::ALL {
                    let judgement = judge(*need, &seen, &context);
                    let Some(owner) = judgement.owner else {
                        continue;
                    };
                    let owners = &said_of(judgement.cause).owners;
                    assert!(
                        owners.iter().any(|it| it == owner.name()),
                        "{need} {:?}: {} is {owner}'s, the file says {owners:?}",
                        seen.state,
                        judgement.cause
                    );
                    judged += 1;
                }
            }
        }
        assert!(judged > 500, "only {judged}");
    }
}
