//! Remarks that change no verdict: DNS beside the addresses of the file, and addresses that were left out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;

use super::Run;
use crate::observation::{DnsNote, Observation, PublishedPoint, State, Unresolved};
use crate::plan::{Chosen, Target};
use crate::probe;
use crate::product::{Need, Protocol};
use crate::report::{self, Note, SweptSystem};
use crate::site::{Site, SystemId, ZoneId};
use crate::verdict::{self, Cause, PublishedOtherwise, Seen};

pub(super) type Compare = Vec<(SystemId, String, Vec<IpAddr>)>;

/// Names of which DNS and the file differ.
pub(super) type Compared = Vec<(SystemId, String, DnsNote)>;

/// Names whose address the file gives too.
pub(super) fn names_to_compare(run: &Run, chosen: &[Chosen]) -> Compare {
    let site = &run.file.site;
    let systems: BTreeSet<(SystemId, ZoneId)> = chosen
        .iter()
        .map(|chosen| &run.plan.flows[chosen.flow])
        .filter_map(|flow| match flow.to {
            Target::System(system) if flow.need != Need::Forbidden => {
                Some((system, flow.start(site)))
            }
            _ => None,
        })
        .collect();
    let with_both = |(system, zone): &(SystemId, ZoneId)| {
        let host = &site.systems[*system];
        let addresses = host.addresses_for(*zone).to_vec();
        host.name_for(*zone)
            .filter(|_| !addresses.is_empty())
            .map(|name| (*system, name.to_string(), addresses.clone()))
    };
    systems.iter().filter_map(with_both).collect()
}

/// That ports of systems were swept by earlier runs, and when.
pub(super) fn swept_earlier(site: &Site, swept: &[SweptSystem]) -> Option<Note> {
    let swept = swept.iter().filter(|it| !it.earlier.is_empty());
    let names: Vec<&str> = swept
        .clone()
        .map(|it| site.systems[it.system].name.as_str())
        .collect();
    let runs = swept.flat_map(|it| &it.earlier);
    let from = runs.clone().map(|run| run.started.as_str()).min()?;
    let until = runs.map(|run| run.finished.as_str()).max()?;
    let of = match names[..] {
        [name] => name.to_string(),
        _ => format!("{} systems", names.len()),
    };
    Some(Note {
        cause: Cause::SweptEarlier,
        system: String::new(),
        text: format!(
            "Some ports of {of} were swept by an earlier run, between {from} and {until}. A firewall \
             may have changed since. `earlier` in each sweep of the JSON report has these ports."
        ),
    })
}

/// What DNS said beside the probes.
#[derive(Default)]
pub(super) struct Dns {
    /// Names of which it and the file differ.
    pub(super) compared: Compared,
    /// Where it has the management points of the site, by the name that was asked for.
    pub(super) published: Vec<(String, Vec<PublishedPoint>)>,
}

/// DNS beside the probes: no flow waits for it, and no verdict on a port changes.
pub(super) async fn ask_dns(
    wanted: bool,
    to_compare: Compare,
    published: Vec<String>,
    timeout: Duration,
) -> Dns {
    if !wanted {
        return Dns::default();
    }
    let ask = async |name: String| {
        let records = probe::published(&name, timeout).await;
        (name, records)
    };
    let (compared, published) = tokio::join!(
        compare_names(to_compare, timeout),
        join_all(published.into_iter().map(ask))
    );
    Dns {
        compared,
        published,
    }
}

/// What DNS says of the site's management points against the file.
pub(super) fn published(site: &Site, published: &[(String, Vec<PublishedPoint>)]) -> Vec<Note> {
    let all = published
        .iter()
        .flat_map(|(name, records)| verdict::compare_published(site, name, records));
    let note = |it: PublishedOtherwise| Note {
        cause: it.cause,
        system: it
            .system
            .map_or_else(String::new, |system| site.systems[system].name.clone()),
        text: it.text,
    };
    all.map(note).collect()
}

async fn compare_names(all: Compare, timeout: Duration) -> Compared {
    let mut running = JoinSet::new();
    for (system, name, given) in all {
        running.spawn(async move {
            let note = match probe::lookup(&name, timeout).await {
                Ok(said) if said.iter().all(|address| given.contains(address)) => None,
                Ok(said) => Some(DnsNote::Differs { said }),
                Err(Unresolved::NotAsked) => None,
                Err(Unresolved::NoSuchName) => Some(DnsNote::NoSuchName),
                Err(Unresolved::ResolverError(error)) => Some(DnsNote::Error(error)),
                Err(_) => Some(DnsNote::NoAnswer),
            };
            note.map(|note| (system, name, note))
        });
    }
    let mut notes: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    notes.sort_by_key(|a| a.0);
    notes
}

pub(super) fn dns_note(site: &Site, system: SystemId, name: &str, note: &DnsNote) -> Note {
    let (cause, text) = match note {
        DnsNote::Differs { said } => {
            let said: Vec<String> = said.iter().map(ToString::to_string).collect();
            (
                Cause::DnsDiffers,
                format!(
                    "DNS says that {name} is {}, the site file gives another address; the file's \
                     was tried",
                    said.join(", ")
                ),
            )
        }
        DnsNote::NoSuchName => (
            Cause::DnsNoAnswer,
            format!("DNS does not know {name}; the address of the site file was tried"),
        ),
        DnsNote::Error(error) => (
            Cause::DnsNoAnswer,
            format!(
                "DNS gave no answer for {name}: the resolver of this host {}; the address of the \
                 site file was tried",
                report::resolver_words(*error)
            ),
        ),
        DnsNote::NoAnswer => (
            Cause::DnsNoAnswer,
            format!("DNS did not answer for {name}; the address of the site file was tried"),
        ),
    };
    Note {
        cause,
        system: site.systems[system].name.clone(),
        text,
    }
}

/// Whether the name servers that were asked know the name of the site, and lead where the file says.
pub(super) fn name_servers(site: &Site, all: &[Seen]) -> Vec<Note> {
    let mut notes = BTreeMap::new();
    for seen in all
        .iter()
        .filter(|seen| seen.flow.protocol == Protocol::Dns)
    {
        let Target::System(server) = seen.flow.to else {
            continue;
        };
        let (server, zone) = (&site.systems[server].name, seen.flow.start(site));
        for spoken in seen.observations.iter().filter_map(|it| it.spoken.as_ref()) {
            let fact = |name| spoken.facts.iter().find(|(key, _)| *key == name);
            let Some((_, name)) = fact("name") else {
                continue;
            };
            let Some(named) = site
                .systems
                .iter()
                .find(|it| it.name_for(zone) == Some(name))
            else {
                continue;
            };
            let said = fact("addresses").map_or("", |(_, addresses)| addresses);
            let answer = fact("answer").map_or("", |(_, answer)| answer);
            let odd =
                gave_an_error(answer).or_else(|| led_elsewhere(named.addresses_for(zone), said));
            if let Some((cause, words)) = odd {
                let text = format!("the name server {server} {words} {name}");
                notes.insert(
                    (server.clone(), name.clone()),
                    Note {
                        cause,
                        system: named.name.clone(),
                        text,
                    },
                );
            }
        }
    }
    notes.into_values().collect()
}

/// A name server that speaks DNS and answers nobody here, or knows nothing today. Its answer begins with its code, and
/// what the code means follows.
fn gave_an_error(answer: &str) -> Option<(Cause, String)> {
    let words = match answer.split(' ').next().unwrap_or_default() {
        "REFUSED" => "refuses to serve this host (REFUSED), asked for",
        "SERVFAIL" => "could not find out (SERVFAIL), asked for",
        "none" => "had no answer in time for",
        _ => return None,
    };
    Some((Cause::DnsNoAnswer, words.to_string()))
}

/// What is odd about the addresses that a name server gave, compared with those of the file. A family that was not
/// asked for is not missed.
fn led_elsewhere(given: &[IpAddr], said: &str) -> Option<(Cause, String)> {
    let said: Vec<IpAddr> = said
        .split(", ")
        .filter_map(|one| one.parse().ok())
        .collect();
    if given.is_empty() || said.iter().any(|address| given.contains(address)) {
        return None;
    }
    if said.is_empty() {
        return Some((Cause::DnsNoAnswer, "has no address for".to_string()));
    }
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    let words = format!(
        "says {}, which the site file does not give, of",
        said.join(", ")
    );
    Some((Cause::DnsDiffers, words))
}

/// Addresses that were left out because this host has no route of their family, while others have one.
pub(super) fn skipped_families(site: &Site, seen: &[Seen]) -> Vec<Note> {
    let mut notes: BTreeMap<(String, IpAddr), Note> = BTreeMap::new();
    for seen in seen {
        let is_without =
            |it: &Observation| it.state == State::Unreachable(crate::observation::Trouble::NoRoute);
        let Target::System(system) = seen.flow.to else {
            continue;
        };
        if seen.observations.iter().all(is_without) {
            continue;
        }
        for address in seen
            .observations
            .iter()
            .filter(|it| is_without(it))
            .filter_map(|it| it.address)
        {
            let name = site.systems[system].name.clone();
            let text = format!("{address} of {name} was left out: this host has no route to it");
            notes.insert(
                (name.clone(), address),
                Note {
                    cause: Cause::FamilySkipped,
                    system: name,
                    text,
                },
            );
        }
    }
    notes.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_told_on_when_it_leads_elsewhere_or_nowhere() {
        let given = [IpAddr::from([192, 0, 2, 10])];
        assert_eq!(led_elsewhere(&given, "192.0.2.10, 192.0.2.11"), None);
        assert_eq!(
            led_elsewhere(&[], "192.0.2.11"),
            None,
            "the file says nothing"
        );
        let differs = led_elsewhere(&given, "192.0.2.11").map(|(cause, _)| cause);
        assert_eq!(differs, Some(Cause::DnsDiffers));
        let refused = gave_an_error("REFUSED (it does not serve this host)").expect("an error");
        assert!(refused.1.starts_with("refuses to serve this host"));
        assert_eq!(gave_an_error("NOERROR"), None);
        let nothing = led_elsewhere(&given, "").map(|(cause, _)| cause);
        assert_eq!(nothing, Some(Cause::DnsNoAnswer));
    }
}
