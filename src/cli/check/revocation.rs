//! Revocation lists as flows of their own: what clients of this zone need to check the certificates that were seen.
//!
//! Only in client zones: the site's setting makes clients check, not servers. When the flows have been tried, every
//! certificate on the way of a chain to a trusted root names lists and responders; with the file's `crl_urls` each is
//! fetched from here, over HTTP and with the rate of the run. Lists of one host and port are one flow: that of the plan
//! where it has one, else a new one, whose port is tried like any other, but from one source port and without walks,
//! because its host may be a stranger's. What a list says of a certificate is a matter of the flow that showed it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use jiff::Timestamp;
use url::Url;

use super::{Bench, aim};
use crate::catalogue::Need;
use crate::conversation::revocation::certified::{Certified, certified};
use crate::conversation::revocation::fetch::destination;
use crate::conversation::revocation::pointers::{Reach, Scheme, Unfit, unfit};
use crate::conversation::revocation::worth::{self, Worth};
use crate::conversation::revocation::{LARGEST_LIST, ocsp};
use crate::diagnostic::Place;
use crate::observation::{
    CertificateFault, ListSeen, NotTried, Observation, Service, State, Unresolved,
};
use crate::plan::{self, Flow, Owner, Target};
use crate::probe::{self, Ladder, Landing, Question, Turn};
use crate::site::{Crl, Site};
use crate::verdict::Seen;

/// The most certificates whose revocation is looked into, and the most addresses that are fetched.
const MOST: usize = 64;
/// The most addresses of one host that are asked for a list.
const MOST_ADDRESSES: usize = 4;

/// What is fetched.
struct Wanted {
    url: Url,
    /// The certificates that name it, by their places; none: the site file does.
    named_by: Vec<usize>,
    kind: Kind,
    place: Place,
    /// Whether it served at every address that was asked.
    good: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    /// A responder's answer for one certificate.
    Answer(usize),
}

/// Fetches every list that clients of this zone need, and adds what was seen; the site comes back with the hosts that
/// only certificates name.
pub(super) async fn examine(bench: &Bench, all: &mut Vec<Seen>) -> Site {
    let mut site = bench.loaded.site.clone();
    let checks = site.crl_check && site.clients.contains(&bench.place.zone);
    // Nothing goes past a proxy, and lists are not fetched through one.
    if !checks || bench.lab.is_some() || bench.via.is_some() {
        return site;
    }
    let certificates = certificates(bench, all);
    note_unfit(bench, &certificates, all);
    let mut wanted = wanted(&site, &certificates);
    let hosts: BTreeSet<(String, u16)> = wanted
        .iter()
        .filter_map(|wanted| destination(&wanted.url))
        .collect();
    let mut by_flow: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for host in &hosts {
        let of_host: Vec<usize> = (0..wanted.len())
            .filter(|number| destination(&wanted[*number].url).as_ref() == Some(host))
            .collect();
        let place = wanted[of_host[0]].place;
        let flow = flow_to(bench, &mut site, all, host, place).await;
        by_flow.insert(flow, of_host);
    }
    let allows = |host: &str, port: u16| hosts.contains(&(host.to_string(), port));
    let mut revoked = BTreeSet::new();
    for (flow, numbers) in &by_flow {
        let of_flow = fetch_all(
            bench,
            &mut all[*flow],
            numbers,
            &mut wanted,
            &certificates,
            allows,
        );
        revoked.extend(of_flow.await);
    }
    spare_alternatives(all, &by_flow, &wanted);
    let revoked: Vec<&Certified> = revoked.iter().map(|place| &certificates[*place]).collect();
    mark(all, &revoked, &CertificateFault::Revoked);
    site
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
        for one in certified(&chain.der, &bench.roots) {
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
        let fault = match unfit(&one.pointers, reach).first() {
            Some(Unfit::LdapOnly) => CertificateFault::ListByLdapOnly,
            Some(Unfit::NoHttp) => CertificateFault::ListByHttpsOnly,
            // Clients pass over a certificate that names no list, and over addresses beside one that serves.
            Some(Unfit::NoPointer | Unfit::Https { .. }) | None => continue,
        };
        mark(all, &[one], &fault);
    }
}

/// Gives a fault to the flows that showed one of these certificates, unless they have a worse one.
fn mark(all: &mut [Seen], certificates: &[&Certified], fault: &CertificateFault) {
    let own = all
        .iter_mut()
        .filter(|seen| seen.owner == Owner::Vantage && seen.flow.need != Need::Forbidden);
    for observation in own.flat_map(|seen| &mut seen.observations) {
        let shows = observation.tls.as_ref().is_some_and(|tls| {
            let mut chain = tls.der.iter();
            chain.any(|der| {
                certificates
                    .iter()
                    .any(|one| one.der.as_ref() == der.as_slice())
            })
        });
        let lighter = match &observation.service {
            Some(Service::Spoke | Service::TlsTooOld) => true,
            Some(Service::Certificate(CertificateFault::Weak { .. })) => true,
            Some(Service::Certificate(
                CertificateFault::ListByLdapOnly | CertificateFault::ListByHttpsOnly,
            )) => *fault == CertificateFault::Revoked,
            _ => false,
        };
        if shows && lighter {
            observation.service = Some(Service::Certificate(fault.clone()));
        }
    }
}

/// What the file and the certificates name, each address once.
fn wanted(site: &Site, certificates: &[Certified]) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    let mut add = |url: Url, by: Option<usize>, kind: Kind, place: Place| {
        let known = all.iter().position(|it| it.url == url && it.kind == kind);
        if let Some(known) = known {
            all[known].named_by.extend(by);
        } else if all.len() < MOST && destination(&url).is_some() {
            all.push(Wanted {
                url,
                named_by: by.into_iter().collect(),
                kind,
                place,
                good: false,
            });
        }
    };
    for crl in &site.crls {
        if let Ok(url) = Url::parse(&crl.url) {
            add(url, None, Kind::List, crl.declared);
        }
    }
    for (place, one) in certificates.iter().enumerate() {
        let parsed = |pointer: &crate::conversation::revocation::pointers::Pointer| {
            let is_http = pointer.scheme == Scheme::Http;
            is_http.then(|| Url::parse(&pointer.url).ok()).flatten()
        };
        for url in one.pointers.lists.iter().filter_map(parsed) {
            add(url, Some(place), Kind::List, Place::default());
        }
        let question = ocsp::question(&one.der, &one.issuer);
        for url in one.pointers.responders.iter().filter_map(parsed) {
            if let Some(question) = &question {
                let url = ocsp::address(&url, question);
                add(url, Some(place), Kind::Answer(place), Place::default());
            }
        }
    }
    all
}

/// The flow that leads to a host and port from this zone, by its place among all: one of the plan, or a new one.
async fn flow_to(
    bench: &Bench,
    site: &mut Site,
    all: &mut Vec<Seen>,
    (host, port): &(String, u16),
    place: Place,
) -> usize {
    let known = site
        .crls
        .iter()
        .position(|crl| crl.host == *host && crl.port == *port);
    let target = match (site.system_at(host), known) {
        (Some(system), _) => Target::System(system),
        (None, Some(number)) => Target::Crl(number),
        (None, None) => {
            site.crls.push(Crl {
                url: format!("http://{host}:{port}/"),
                host: host.clone(),
                port: *port,
                system: None,
                declared: place,
            });
            Target::Crl(site.crls.len() - 1)
        }
    };
    let flow = plan::flow_to_list(
        &bench.loaded.catalogue,
        bench.place.zone,
        target,
        *port,
        place,
    );
    let there = all.iter().position(|seen| {
        (seen.flow.from, seen.flow.to) == (flow.from, flow.to)
            && (seen.flow.port, seen.flow.transport) == (flow.port, flow.transport)
    });
    if let Some(there) = there {
        if all[there].flow.need != Need::Required {
            all[there].flow = flow;
        }
        return there;
    }
    let observations = try_port(bench, site, &flow, host).await;
    all.push(Seen {
        flow,
        owner: Owner::Vantage,
        observations,
    });
    all.len() - 1
}

/// Tries the port of a flow that the plan did not have.
async fn try_port(bench: &Bench, site: &Site, flow: &Flow, host: &str) -> Vec<Observation> {
    let aimed = match flow.to {
        Target::System(_) => aim::aim(site, bench.place.zone, flow),
        Target::Crl(_) => aim::Aim::Name(host.to_string()),
    };
    let found = match aimed {
        aim::Aim::Addresses(addresses) => Ok(addresses),
        aim::Aim::Name(name) => probe::lookup(&name, bench.timeout).await,
        aim::Aim::Nowhere => Err(Unresolved::NoNameHere),
    };
    let targets: Vec<probe::Target> = match found {
        Ok(addresses) => addresses.into_iter().map(probe::Target::Address).collect(),
        Err(why) => vec![probe::Target::Nowhere(why)],
    };
    let question = |target| Question {
        target,
        port: flow.port.low,
        name: None,
        ladder: Ladder::Tcp,
        turn: Turn::Needed,
        spread: false,
        landing: Landing::Itself,
        web: None,
        via: None,
    };
    let questions: Vec<Question> = targets.into_iter().map(question).collect();
    let mut answers = bench.prober.ask_all(questions.clone(), || {}).await;
    bench.prober.prove_silence(&questions, &mut answers).await;
    answers
}

/// Fetches the lists of one flow from each of its addresses that is open; the places of the certificates that are
/// revoked come back.
async fn fetch_all(
    bench: &Bench,
    seen: &mut Seen,
    numbers: &[usize],
    wanted: &mut [Wanted],
    certificates: &[Certified],
    allows: impl Fn(&str, u16) -> bool + Copy,
) -> BTreeSet<usize> {
    let only_lists = seen
        .flow
        .reason
        .rules
        .iter()
        .all(|rule| *rule == plan::LIST);
    let port = seen.flow.port.low;
    let open = |seen: &&mut Observation| seen.state == State::Open;
    let mut revoked = BTreeSet::new();
    let mut asked = 0;
    for observation in seen
        .observations
        .iter_mut()
        .filter(open)
        .take(MOST_ADDRESSES)
    {
        let Some(address) = observation.address else {
            continue;
        };
        let mut worst = Service::Spoke;
        for number in numbers {
            if *bench.stop.borrow() {
                observation.state = State::NotTried(NotTried::Interrupted);
                return revoked;
            }
            let it = &mut wanted[*number];
            let at = SocketAddr::new(address, port);
            let (service, list, found) = fetch_one(bench, it, at, certificates, allows).await;
            it.good = service == Service::Spoke && (it.good || asked == 0);
            observation.lists.push(list);
            revoked.extend(found);
            if worst == Service::Spoke {
                worst = service;
            }
        }
        asked += 1;
        if worst != Service::Spoke || only_lists {
            observation.service = Some(worst);
        }
    }
    revoked
}

/// Fetches one list: what it is worth, what is written down, and which certificates it revokes.
async fn fetch_one(
    bench: &Bench,
    wanted: &Wanted,
    at: SocketAddr,
    certificates: &[Certified],
    allows: impl Fn(&str, u16) -> bool,
) -> (Service, ListSeen, Vec<usize>) {
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
    };
    let fetched = match bench.prober.fetch(&wanted.url, at, most, allows).await {
        Ok(fetched) => fetched,
        Err(why) => {
            let (service, words) = worth::of_failure(&why);
            list.faults.push(words);
            return (service, list, Vec::new());
        }
    };
    let now = Timestamp::now();
    let Worth {
        content,
        fault,
        words,
        revoked,
    } = match wanted.kind {
        Kind::List => worth::of_list(&fetched.body, &wanted.named_by, certificates, now),
        Kind::Answer(place) => worth::of_answer(&fetched.body, place, &certificates[place], now),
    };
    list.list = content;
    list.faults = words;
    (fault.map_or(Service::Spoke, Service::List), list, revoked)
}

/// A client needs one address of those that a certificate names: a flow to another than serves is optional.
fn spare_alternatives(all: &mut [Seen], by_flow: &BTreeMap<usize, Vec<usize>>, wanted: &[Wanted]) {
    for (flow, numbers) in by_flow {
        let elsewhere = |place: &usize| {
            let mut others = (0..wanted.len()).filter(|other| !numbers.contains(other));
            others.any(|other| wanted[other].good && wanted[other].named_by.contains(place))
        };
        let spare = |number: &usize| {
            let by = &wanted[*number].named_by;
            !by.is_empty() && by.iter().all(elsewhere)
        };
        let seen = &mut all[*flow];
        let only_lists = seen
            .flow
            .reason
            .rules
            .iter()
            .all(|rule| *rule == plan::LIST);
        if only_lists && numbers.iter().all(spare) {
            seen.flow.need = Need::Optional;
        }
    }
}
