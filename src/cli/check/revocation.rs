//! Revocation lists as flows of their own: what clients of this zone need to check the certificates that were seen.
//!
//! Only in client zones: the site's setting makes clients check, not servers. When the flows have been tried, every
//! certificate on the way of a chain to a trusted root names lists and responders; with the file's `crl_urls` each is
//! fetched from here, over HTTP and with the rate of the run, where a gate lets it (`refusals` has the notes on the rest).
//! Lists of one host and port are one flow (`list_hosts`). What a list says of a certificate is a matter of the flow that
//! showed it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use url::Url;

use super::list_hosts::{self, Host};
use super::refusals::{self, Refusals};
use super::{Bench, intermediates};
use crate::catalogue::Need;
use crate::cli::streams::say;
use crate::config::CrlHosts;
use crate::conversation::revocation::certified::{Certified, certified};
use crate::conversation::revocation::fetch::{NotFetched, destination};
use crate::conversation::revocation::gate::Gate;
use crate::conversation::revocation::pointers::{Reach, Scheme, Unfit, is_ldap_first, unfit};
use crate::conversation::revocation::worth;
use crate::conversation::revocation::{LARGEST_LIST, ocsp};
use crate::diagnostic::Place;
use crate::observation::{
    CertificateFault, ChainFault, ListSeen, Observation, Service, State, TlsSeen, Weight,
};
use crate::plan::{self, Owner};
use crate::report::Note;
use crate::site::Site;
use crate::verdict::Seen;

/// The most certificates whose revocation is looked into, and the most addresses that are fetched.
const MOST: usize = 64;
/// The most addresses of one host that are asked for a list.
const MOST_ADDRESSES: usize = 4;
/// Lists that are fetched at once: each may take 20 MB of memory.
const AT_ONCE: usize = 4;

/// What is fetched.
struct Wanted {
    url: Url,
    /// Whether the site file names it.
    by_file: bool,
    /// The certificates that name it, by their places.
    named_by: Vec<usize>,
    kind: Kind,
    place: Place,
    /// Whether any address was asked for it.
    asked: bool,
    /// Whether none of those failed.
    good: bool,
}

impl Wanted {
    fn serves(&self) -> bool {
        self.asked && self.good
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    /// A responder's answer for one certificate.
    Answer(usize),
}

/// Fetches every list that clients of this zone need, and adds what was seen; the site comes back with the hosts that
/// only certificates name, and a note on each host that was not asked.
pub(super) async fn examine(bench: &Bench, all: &mut Vec<Seen>) -> (Site, Vec<Note>) {
    let mut site = bench.loaded.site.clone();
    let checks = site.crl_check && site.clients.contains(&bench.place.zone);
    // Nothing goes past a proxy, and lists are not fetched through one.
    let elsewhere = bench.lab.is_some() || bench.via.is_some();
    if !checks || elsewhere || *bench.stop.borrow() {
        return (site, Vec::new());
    }
    let certificates = certificates(bench, all);
    note_unfit(bench, &certificates, all);
    if site.crl_hosts == CrlHosts::None {
        return (site, vec![refusals::nothing_fetched()]);
    }
    let gate = Gate {
        site: &bench.loaded.site,
        own: &bench.networks,
    };
    let mut refusals = Refusals::default();
    let mut wanted = wanted(&gate, &certificates, all, &mut refusals);
    let by_host = by_host(&wanted);
    announce(&wanted, &by_host);
    let places = by_host.iter().map(|((host, port), numbers)| Host {
        name: host.clone(),
        port: *port,
        place: wanted[numbers[0]].place,
    });
    let places: Vec<Host> = places.collect();
    let flows = list_hosts::flows(bench, &gate, &mut site, all, &places, &mut refusals).await;
    let doors: Vec<Door<'_>> = by_host
        .iter()
        .zip(flows)
        .filter_map(|((host, numbers), flow)| {
            let flow = flow?;
            Some(Door {
                host,
                numbers,
                flow,
            })
        })
        .collect();
    let known = addresses(&doors, all);
    let jobs = doors.iter().flat_map(|door| {
        let open = all[door.flow].observations.iter().enumerate();
        let open = open
            .filter(|(_, it)| it.state == State::Open && it.listener.is_none())
            .take(MOST_ADDRESSES);
        let at = open.filter_map(|(place, it)| {
            let at = SocketAddr::new(it.address?, all[door.flow].flow.port.low);
            Some((door.flow, place, at))
        });
        at.flat_map(|at| door.numbers.iter().map(move |number| (at, *number)))
            .collect::<Vec<_>>()
    });
    let fetches: Vec<_> = jobs
        .map(|((flow, place, at), number)| {
            let one = fetch_one(bench, &wanted[number], at, &certificates, &known);
            async move { (flow, place, number, one.await) }
        })
        .collect();
    let fetched: Vec<_> = futures_util::stream::iter(fetches)
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut revoked = BTreeSet::new();
    for (flow, place, number, one) in fetched {
        wanted[number].good &= one
            .as_ref()
            .is_some_and(|one| one.service == Service::Spoke);
        wanted[number].asked = true;
        if let Some(to) = one.as_ref().and_then(|one| one.sends_to.as_ref()) {
            refusals.redirect(&gate, &wanted[number].url, to);
        }
        let only_lists = plan::is_only_of_lists(&bench.loaded.catalogue, &all[flow].flow);
        revoked.extend(write_down(
            &mut all[flow].observations[place],
            one,
            only_lists,
        ));
    }
    spare_alternatives(all, &doors, &wanted);
    let revoked: Vec<&Certified> = revoked.iter().map(|place| &certificates[*place]).collect();
    mark(all, &revoked, &CertificateFault::Revoked);
    let notes = refusals.notes(&bench.loaded.site);
    (site, notes)
}

type ByHost = BTreeMap<(String, u16), Vec<usize>>;

/// A host and port from which lists are fetched.
struct Door<'a> {
    host: &'a (String, u16),
    /// What is fetched from there, by its places.
    numbers: &'a [usize],
    /// The flow that leads there, by its place.
    flow: usize,
}

fn by_host(wanted: &[Wanted]) -> ByHost {
    let mut all = ByHost::new();
    for (number, wanted) in wanted.iter().enumerate() {
        if let Some(host) = destination(&wanted.url) {
            all.entry(host).or_default().push(number);
        }
    }
    all
}

/// The addresses at which hosts and ports may be asked: those at which they were tried.
fn addresses(doors: &[Door<'_>], all: &[Seen]) -> BTreeMap<(String, u16), Vec<IpAddr>> {
    let of = |door: &Door<'_>| {
        let tried = all[door.flow].observations.iter();
        (
            door.host.clone(),
            tried.filter_map(|it| it.address).collect(),
        )
    };
    doors.iter().map(of).collect()
}

fn announce(wanted: &[Wanted], by_host: &ByHost) {
    if wanted.is_empty() {
        return;
    }
    let hosts: Vec<String> = by_host
        .keys()
        .map(|(host, port)| refusals::host_and_port(host, *port))
        .collect();
    say!(
        "about to fetch revocation lists and answers that the file or the certificates name: {}, from {}",
        wanted.len(),
        hosts.join(", ")
    );
}

/// The certificates that this zone's own flows showed, on chains that lead to a trusted root; each once.
fn certificates(bench: &Bench, all: &[Seen]) -> Vec<Certified> {
    let own = all
        .iter()
        .filter(|seen| seen.owner == Owner::Vantage && seen.flow.need != Need::Forbidden);
    let chains = own
        .flat_map(|seen| &seen.observations)
        .filter_map(|observation| observation.tls.as_ref());
    let mut found: Vec<Certified> = Vec::new();
    for chain in chains {
        let whole = intermediates::chain(chain, bench.trust.fetched());
        let whole: Vec<Vec<u8>> = whole.iter().map(|der| der.to_vec()).collect();
        for one in certified(&whole, &bench.roots) {
            if found.len() < MOST && !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// Marks flows whose certificates name lists that clients of this zone cannot ask for.
fn note_unfit(bench: &Bench, certificates: &[Certified], all: &mut [Seen]) {
    let reach = match Some(bench.place.zone) == bench.loaded.site.internet {
        true => Reach::Internet,
        false => Reach::Intranet,
    };
    for one in certificates {
        if reach == Reach::Internet && is_ldap_first(&one.pointers) {
            note_ldap_first(all, one);
        }
        let fault = match unfit(&one.pointers, reach).first() {
            Some(Unfit::LdapOnly) => CertificateFault::ListByLdapOnly,
            Some(Unfit::NoHttp) => CertificateFault::ListByHttpsOnly,
            // Clients pass over a certificate that names no list, and over addresses beside one that serves.
            Some(Unfit::NoPointer | Unfit::Https { .. }) | None => continue,
        };
        mark(all, &[one], &fault);
    }
}

/// Says of the flows that showed a certificate that its clients wait for a directory first.
fn note_ldap_first(all: &mut [Seen], certificate: &Certified) {
    let words = format!(
        "{}: an LDAP address stands first among those of its revocation list, so clients on the Internet wait for it in \
         vain before they ask the one over HTTP",
        certificate.subject
    );
    let observations = all.iter_mut().flat_map(|seen| &mut seen.observations);
    for tls in observations.filter_map(|seen| seen.tls.as_mut()) {
        let known = tls.faults.iter().any(|fault| fault.words == words);
        if shows(tls, certificate) && !known {
            tls.faults.push(ChainFault {
                weight: Weight::Note,
                words: words.clone(),
            });
        }
    }
}

/// Gives a fault to the flows that showed one of these certificates, unless they have a worse one.
fn mark(all: &mut [Seen], certificates: &[&Certified], fault: &CertificateFault) {
    let own = all
        .iter_mut()
        .filter(|seen| seen.owner == Owner::Vantage && seen.flow.need != Need::Forbidden);
    for observation in own.flat_map(|seen| &mut seen.observations) {
        let shown = observation
            .tls
            .as_ref()
            .is_some_and(|tls| certificates.iter().any(|one| shows(tls, one)));
        let lighter = match &observation.service {
            Some(Service::Spoke | Service::TlsTooOld) => true,
            Some(Service::Certificate(light)) if light.is_light() => true,
            Some(Service::Certificate(
                CertificateFault::ListByLdapOnly | CertificateFault::ListByHttpsOnly,
            )) => *fault == CertificateFault::Revoked,
            _ => false,
        };
        if shown && lighter {
            observation.service = Some(Service::Certificate(fault.clone()));
        }
    }
}

/// What the file and the certificates name, each address once, without the hosts that must not be asked.
fn wanted(
    gate: &Gate<'_>,
    certificates: &[Certified],
    seen: &[Seen],
    refusals: &mut Refusals,
) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    let mut add = |url: Url, by: Option<usize>, kind: Kind, place: Place| {
        let Some((host, port)) = destination(&url) else {
            return;
        };
        let known = all.iter().position(|it| it.url == url && it.kind == kind);
        if let Some(known) = known {
            all[known].named_by.extend(by);
        } else if let Err(why) = gate.host(&host, port) {
            refusals.host(&host, port, why);
        } else if all.len() < MOST {
            all.push(Wanted {
                url,
                by_file: by.is_none(),
                named_by: by.into_iter().collect(),
                kind,
                place,
                asked: false,
                good: true,
            });
        }
    };
    for crl in &gate.site.crls {
        if let Ok(url) = Url::parse(&crl.url) {
            add(url, None, Kind::List, crl.declared);
        }
    }
    for (place, one) in certificates.iter().enumerate() {
        let declared = declared(one, seen);
        let parsed = |pointer: &crate::conversation::revocation::pointers::Pointer| {
            let is_http = pointer.scheme == Scheme::Http;
            is_http.then(|| Url::parse(&pointer.url).ok()).flatten()
        };
        for url in one.pointers.lists.iter().filter_map(parsed) {
            add(url, Some(place), Kind::List, declared);
        }
        let question = ocsp::question(&one.der, &one.issuer);
        for url in one.pointers.responders.iter().filter_map(parsed) {
            if let Some(question) = &question {
                let url = ocsp::address(&url, question);
                add(url, Some(place), Kind::Answer(place), declared);
            }
        }
    }
    all
}

/// Where the file declares whoever showed a certificate first.
fn declared(one: &Certified, all: &[Seen]) -> Place {
    let shows = |seen: &&Seen| {
        let mut chains = seen.observations.iter().filter_map(|it| it.tls.as_ref());
        chains.any(|tls| shows(tls, one))
    };
    all.iter()
        .find(shows)
        .map_or_else(Place::default, |seen| seen.flow.reason.declared)
}

fn shows(tls: &TlsSeen, one: &Certified) -> bool {
    tls.der.iter().any(|der| one.der.as_ref() == der.as_slice())
}

/// What one address said when it was asked for one list.
struct Fetch {
    /// What that means for clients.
    service: Service,
    /// What is written down.
    list: ListSeen,
    /// The certificates that it revokes, by their places.
    revoked: Vec<usize>,
    /// Where it sends, and must not be followed to.
    sends_to: Option<String>,
}

/// Fetches one list; `None` when the run was stopped.
async fn fetch_one(
    bench: &Bench,
    wanted: &Wanted,
    at: SocketAddr,
    certificates: &[Certified],
    known: &BTreeMap<(String, u16), Vec<IpAddr>>,
) -> Option<Fetch> {
    let most = match wanted.kind {
        Kind::List => LARGEST_LIST,
        Kind::Answer(_) => ocsp::LARGEST_ANSWER,
    };
    let subject = |place: &usize| certificates[*place].subject.clone();
    let mut list = ListSeen {
        url: wanted.url.to_string(),
        named_by: wanted.named_by.iter().map(subject).collect(),
        list: None,
        faults: Vec::new(),
        clock: None,
    };
    let addresses = |host: &str, port| known.get(&(host.to_string(), port)).cloned();
    let fetching = bench.prober.fetch(&wanted.url, at, most, addresses);
    let fetched = match fetching.await? {
        Ok(fetched) => fetched,
        Err(why) => {
            let (service, words) = worth::of_failure(&why);
            list.faults.push(words);
            return Some(Fetch {
                service,
                list,
                revoked: Vec::new(),
                sends_to: match why {
                    NotFetched::Elsewhere { to } => Some(to),
                    _ => None,
                },
            });
        }
    };
    let now = Timestamp::now();
    let worth = match wanted.kind {
        Kind::List => worth::of_list(&fetched.body, &wanted.named_by, certificates, now),
        Kind::Answer(place) => worth::of_answer(&fetched.body, place, &certificates[place], now),
    };
    list.list = worth.content;
    // A redirect may have led to another host.
    list.clock = fetched.clock.filter(|_| fetched.asked.len() == 1);
    list.faults = worth.words;
    Some(Fetch {
        service: worth.fault.map_or(Service::Spoke, Service::List),
        list,
        revoked: worth.revoked,
        sends_to: None,
    })
}

/// Writes down what came; the certificates that are revoked come back. What a port said before counts only where it has
/// to serve more than lists.
fn write_down(seen: &mut Observation, fetch: Option<Fetch>, only_lists: bool) -> Vec<usize> {
    let Some(fetch) = fetch else {
        // The run ended before its turn.
        seen.service = None;
        return Vec::new();
    };
    let first = seen.lists.is_empty();
    seen.lists.push(fetch.list);
    let good = fetch.service == Service::Spoke;
    let was_good = matches!(seen.service, Some(Service::Spoke | Service::NotAsked));
    if (first && only_lists) || (was_good && !good) {
        seen.service = Some(fetch.service);
    }
    fetch.revoked
}

/// A client needs one address of those that a certificate names: a flow that fails is optional where another serves. What
/// the site file itself names is needed whatever certificates say.
fn spare_alternatives(all: &mut [Seen], doors: &[Door<'_>], wanted: &[Wanted]) {
    for Door { numbers, flow, .. } in doors {
        let elsewhere = |place: &usize| {
            let mut others = (0..wanted.len()).filter(|other| !numbers.contains(other));
            others.any(|other| wanted[other].serves() && wanted[other].named_by.contains(place))
        };
        let spare = |number: &usize| {
            let by = &wanted[*number].named_by;
            !wanted[*number].by_file && by.iter().all(elsewhere)
        };
        let seen = &mut all[*flow];
        let only_lists = seen
            .flow
            .reason
            .rules
            .iter()
            .all(|rule| *rule == plan::LIST);
        let fails = numbers.iter().any(|number| !wanted[*number].serves());
        if only_lists && fails && numbers.iter().all(spare) {
            seen.flow.need = Need::Optional;
        }
    }
}
