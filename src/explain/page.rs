//! `docs/verdicts.md`, read as data: program and page cannot differ, because there is only one text.
//!
//! Under the heading of a cause stands one paragraph: the first sentence says what it means, the next ones how it was
//! known, and behind `**To do:**` what to do. The table under `## Who has to act` names the owners.

use crate::verdict::Cause;

const PAGE: &str = include_str!("../../docs/verdicts.md");

/// What the page says of a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) meaning: String,
    pub(super) known_by: String,
    pub(super) to_do: String,
}

/// What the page says of a cause; a test holds that it says all of every cause.
pub(super) fn words(cause: Cause) -> Option<Words> {
    read(PAGE, cause.name())
}

/// Who has to act about a cause, as words of `Owner` or in words.
pub(super) fn owners(cause: Cause) -> Vec<&'static str> {
    let table = section(PAGE, "## Who has to act").unwrap_or_default();
    let named = format!("`{}`", cause.name());
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?, cells.next()?))
    });
    rows.filter(|(_, causes)| causes.contains(&named))
        .map(|(owner, _)| owner.trim_matches('`'))
        .filter(|owner| *owner != "nobody")
        .collect()
}

fn read(page: &str, cause: &str) -> Option<Words> {
    let text = section(page, &format!("### {cause}"))?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (seen, to_do) = text.split_once("**To do:**")?;
    let (meaning, known_by) = first_sentence(seen.trim())?;
    let whole = |part: &str| (!part.is_empty()).then(|| without_links(part));
    Some(Words {
        meaning: whole(meaning)?,
        known_by: whole(known_by)?,
        to_do: whole(to_do.trim())?,
    })
}

/// `[text](page)` as `text, docs/page`: without the page beside it a link leads nowhere.
fn without_links(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, page, after)) = next_link(rest) {
        let (before, name) = before.rsplit_once('[').unwrap_or((before, ""));
        shown += &format!("{before}{name}, docs/{page}");
        rest = after;
    }
    shown + rest
}

/// What stands before the middle of a link, where it leads, and what stands behind it.
fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("](")?;
    let (page, after) = rest.split_once(')')?;
    before.contains('[').then_some((before, page, after))
}

/// What stands under a heading, up to the next.
fn section<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let (_, after) = page.split_once(&format!("\n{heading}\n"))?;
    let end = after
        .match_indices("\n#")
        .find(|(at, _)| after[at + 1..].trim_start_matches('#').starts_with(' '));
    Some(&after[..end.map_or(after.len(), |(at, _)| at)])
}

/// A sentence ends with a full stop before a space and a capital or a quoted word: `1.0, 1.1` does not end one.
fn first_sentence(text: &str) -> Option<(&str, &str)> {
    let begins = |c: char| c.is_uppercase() || c == '`';
    let end = text
        .match_indices(". ")
        .map(|(at, _)| at)
        .find(|at| text[at + 2..].starts_with(begins))?;
    Some((&text[..=end], text[end + 2..].trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Need;
    use crate::observation::{
        CertificateFault, Delivery, DeltaFault, ListFault, Lost, Missing, NotTried, Observation,
        Prohibition, Rejection, ResetBy, ResolverError, Service, State, Trouble, Unresolved, Way,
    };
    use crate::verdict::{self, Context, DateDoubt, DroppedAt, Owner, ZoneSilence};

    #[test]
    fn the_page_has_every_part_of_every_cause() {
        let lacking: Vec<_> = Cause::ALL
            .iter()
            .filter(|cause| read(PAGE, cause.name()).is_none())
            .collect();
        assert!(
            lacking.is_empty(),
            "meaning, how it was known, or what to do: {lacking:?}"
        );
    }

    #[test]
    fn the_page_says_of_every_cause_who_has_to_act() {
        let table = section(PAGE, "## Who has to act").expect("the table");
        for cause in Cause::ALL {
            assert!(table.contains(&format!("`{cause}`")), "{cause}");
            for owner in owners(*cause) {
                let is_a_word = Owner::ALL.iter().any(|it| it.name() == owner);
                assert!(is_a_word || owner.starts_with("whoever"), "{owner}");
            }
        }
        for word in table.split('`').skip(1).step_by(2) {
            let known = Cause::ALL.iter().any(|cause| cause.name() == word)
                || ["owner", "prober"].contains(&word)
                || Owner::ALL.iter().any(|owner| owner.name() == word);
            assert!(known, "{word} is no cause");
        }
    }

    /// Every state that needs no conversation, and an open port with every word that a service may have said.
    fn observations() -> Vec<Observation> {
        let rejected = [
            Prohibition::AdminProhibited,
            Prohibition::PortUnreachable,
            Prohibition::HostUnreachable,
            Prohibition::NetUnreachable,
            Prohibition::RouteRejects,
            Prohibition::Other,
        ]
        .map(|says| {
            State::Rejected(Rejection {
                says,
                icmp_type: None,
                icmp_code: None,
                by: None,
                ttl: None,
            })
        });
        let closed = [ResetBy::Host, ResetBy::Device, ResetBy::Either];
        let unresolved = [
            Unresolved::NoSuchName,
            Unresolved::ResolverSilent,
            Unresolved::ResolverError(ResolverError::Refused),
            Unresolved::ResolverError(ResolverError::Failed),
            Unresolved::ResolverError(ResolverError::Absent),
            Unresolved::NotAsked,
            Unresolved::NoNameHere,
        ];
        let trouble = [
            Trouble::NoRoute,
            Trouble::GatewaySilent,
            Trouble::NoDescriptors,
            Trouble::Refused,
        ];
        let states = [State::Filtered, State::Silent]
            .into_iter()
            .chain(rejected)
            .chain(closed.map(|reset_by| State::Closed { reset_by }))
            .chain(unresolved.map(State::Unresolved))
            .chain(trouble.map(State::Unreachable))
            .chain([NotTried::Interrupted, NotTried::Unsupported].map(State::NotTried))
            .map(|state| Observation::without_packets(None, state));
        let open = services().into_iter().map(|service| Observation {
            service: Some(service),
            ..Observation::without_packets(None, State::Open)
        });
        let lost = [Missing::Data, Missing::Large(536)].map(|what| Observation {
            service: Some(Service::Mute),
            delivery: Some(Delivery {
                lost: Some(Lost {
                    what,
                    way: Way::There,
                }),
                ..Delivery::default()
            }),
            ..Observation::without_packets(None, State::Open)
        });
        states.chain(open).chain(lost).collect()
    }

    fn services() -> Vec<Service> {
        let certificates = [
            CertificateFault::Name,
            CertificateFault::Expired,
            CertificateFault::NotYetValid,
            CertificateFault::Untrusted,
            CertificateFault::Purpose,
            CertificateFault::RootExpired,
            CertificateFault::NoIssuer,
            CertificateFault::Incomplete,
            CertificateFault::Weak,
            CertificateFault::Undecided,
            CertificateFault::Revoked,
            CertificateFault::ListByLdapOnly,
            CertificateFault::ListByHttpsOnly,
            CertificateFault::TooLarge,
            CertificateFault::Other(String::new()),
        ];
        let lists = [
            ListFault::Invalid,
            ListFault::TooLarge,
            ListFault::Expired,
            ListFault::NotYetValid,
            ListFault::Redirected,
            ListFault::Missing(404),
            ListFault::Delta(DeltaFault::Invalid),
            ListFault::Delta(DeltaFault::Expired),
            ListFault::Delta(DeltaFault::Missing),
        ];
        let others = [
            Service::NotAsked,
            Service::Spoke,
            Service::Mute,
            Service::HungUp,
            Service::ResetAtOnce,
            Service::HungUpInHandshake,
            Service::NotTls,
            Service::TlsAlert(String::new()),
            Service::TlsTooOld,
            Service::TlsOnlyWithoutName,
            Service::Foreign,
            Service::Intercepted,
            Service::NotHttp,
            Service::InterimOnly,
            Service::ServerError(503),
            Service::WantsCertificate,
            Service::ConnectedToItself,
        ];
        let certificates = certificates.map(Service::Certificate).into_iter();
        let known = certificates.chain(lists.map(Service::List));
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
    fn whoever_the_table_of_verdicts_calls_stands_on_the_page() {
        let mut judged = 0;
        for seen in observations() {
            for context in contexts() {
                for need in Need::ALL {
                    let judgement = verdict::judge(*need, &seen, &context);
                    let Some(owner) = judgement.owner else {
                        continue;
                    };
                    let owners = owners(judgement.cause);
                    assert!(
                        owners.contains(&owner.name()),
                        "{need} {:?}: {} is {owner}'s, the page says {owners:?}",
                        seen.state,
                        judgement.cause
                    );
                    judged += 1;
                }
            }
        }
        assert!(judged > 500, "only {judged}");
    }

    #[test]
    fn links_are_shown_as_the_pages_that_they_lead_to() {
        for (page, shown) in [
            ("See ([before](b.md)) it.", "See (before, docs/b.md) it."),
            (
                "[a](a.md) and [b](b.md#c)",
                "a, docs/a.md and b, docs/b.md#c",
            ),
            (
                "[brackets], (parentheses) and [half](one",
                "[brackets], (parentheses) and [half](one",
            ),
            ("no](link", "no](link"),
        ] {
            assert_eq!(without_links(page), shown);
        }
    }

    #[test]
    fn a_paragraph_is_read_as_its_parts() {
        let page = "# P\n\n### tls-too-old\n\nIt speaks only 1.0, 1.1. `evidence` has\nit. More. **To do:** Renew\nit.\n\n### next\n\nNo. **To do:** x\n";
        let expected = Words {
            meaning: "It speaks only 1.0, 1.1.".to_string(),
            known_by: "`evidence` has it. More.".to_string(),
            to_do: "Renew it.".to_string(),
        };
        assert_eq!(read(page, "tls-too-old"), Some(expected));
        assert_eq!(read(page, "next"), None, "how it was known is missing");
        assert_eq!(read(page, "none"), None);
    }
}
