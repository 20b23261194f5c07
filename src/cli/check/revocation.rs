//! Revocation lists as flows of their own: what clients of this zone need to check the certificates that were seen.
//!
//! Only in client zones: the site's setting makes clients check, not servers. When the flows have been tried, every
//! certificate on the way of a chain to a trusted root names lists and responders; with the file's `crl_urls` each is
//! fetched from here, over HTTP and with the rate of the run. Lists of one host and port are one flow: that of the plan
//! where it has one, else a new one, whose port is tried like any other, but from one source port and without walks,
//! because its host may be a stranger's. What a list says of a certificate is a matter of the flow that showed it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use url::Url;

use super::{Bench, aim, story};
use crate::catalogue::Need;
use crate::cli::streams::say;
use crate::conversation::revocation::certified::{Certified, certified};
use crate::conversation::revocation::fetch::destination;
use crate::conversation::revocation::pointers::{Reach, Scheme, Unfit, unfit};
use crate::conversation::revocation::worth;
use crate::conversation::revocation::{LARGEST_LIST, ocsp};
use crate::diagnostic::Place;
use crate::observation::{
    CertificateFault, ListSeen, Observation, Service, State, TlsSeen, Unresolved,
};
use crate::plan::{self, Flow, Owner, Target};
use crate::probe::{self, Ladder, Landing, Question, Turn};
use crate::site::{Crl, Site};
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
    /// The certificates that name it, by their places; none: the site file does.
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
/// only certificates name.
pub(super) async fn examine(bench: &Bench, all: &mut Vec<Seen>) -> Site {
    let mut site = bench.loaded.site.clone();
    let checks = site.crl_check && site.clients.contains(&bench.place.zone);
    // Nothing goes past a proxy, and lists are not fetched through one.
    let elsewhere = bench.lab.is_some() || bench.via.is_some();
    if !checks || elsewhere || *bench.stop.borrow() {
        return site;
    }
    let certificates = certificates(bench, all);
    note_unfit(bench, &certificates, all);
    let mut wanted = wanted(&site, &certificates, all);
    let by_host = by_host(&wanted);
    announce(&wanted, &by_host);
    let flows: Vec<usize> = by_host
        .iter()
        .map(|(host, numbers)| flow_to(bench, &mut site, all, host, wanted[numbers[0]].place))
        .collect();
    try_ports(bench, &site, all).await;
    let jobs = flows
        .iter()
        .zip(by_host.values())
        .flat_map(|(flow, numbers)| {
            let open = all[*flow].observations.iter().enumerate();
            let open = open
                .filter(|(_, it)| it.state == State::Open && it.listener.is_none())
                .take(MOST_ADDRESSES);
            let at = open.filter_map(|(place, it)| {
                let at = SocketAddr::new(it.address?, all[*flow].flow.port.low);
                Some((*flow, place, at))
            });
            at.flat_map(|at| numbers.iter().map(move |number| (at, *number)))
                .collect::<Vec<_>>()
        });
    let allows = |host: &str, port: u16| by_host.contains_key(&(host.to_string(), port));
    let fetches: Vec<_> = jobs
        .map(|((flow, place, at), number)| {
            let one = fetch_one(bench, &wanted[number], at, &certificates, allows);
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
        let only_lists = plan::is_only_of_lists(&bench.loaded.catalogue, &all[flow].flow);
        revoked.extend(write_down(
            &mut all[flow].observations[place],
            one,
            only_lists,
        ));
    }
    spare_alternatives(all, flows.iter().zip(by_host.values()), &wanted);
    let revoked: Vec<&Certified> = revoked.iter().map(|place| &certificates[*place]).collect();
    mark(all, &revoked, &CertificateFault::Revoked);
    site
}

type ByHost = BTreeMap<(String, u16), Vec<usize>>;

fn by_host(wanted: &[Wanted]) -> ByHost {
    let mut all = ByHost::new();
    for (number, wanted) in wanted.iter().enumerate() {
        if let Some(host) = destination(&wanted.url) {
            all.entry(host).or_default().push(number);
        }
    }
    all
}

fn announce(wanted: &[Wanted], by_host: &ByHost) {
    if wanted.is_empty() {
        return;
    }
    say!(
        "about to fetch revocation lists and answers that the file or the certificates name: {}, from ports of hosts: {}",
        wanted.len(),
        by_host.len()
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
        let shown = observation
            .tls
            .as_ref()
            .is_some_and(|tls| certificates.iter().any(|one| shows(tls, one)));
        let lighter = match &observation.service {
            Some(Service::Spoke | Service::TlsTooOld) => true,
            Some(Service::Certificate(CertificateFault::Weak { .. })) => true,
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

/// What the file and the certificates name, each address once.
fn wanted(site: &Site, certificates: &[Certified], seen: &[Seen]) -> Vec<Wanted> {
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
                asked: false,
                good: true,
            });
        }
    };
    for crl in &site.crls {
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

/// The flow that leads to a host and port from this zone, by its place among all: one of the plan, or a new one, which
/// nobody has tried yet.
fn flow_to(
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
    let catalogue = &bench.loaded.catalogue;
    let flow = plan::flow_to_list(catalogue, bench.place.zone, target, *port, place);
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
    all.push(Seen {
        flow,
        owner: Owner::Vantage,
        observations: Vec::new(),
    });
    all.len() - 1
}

/// Tries the ports of the flows that the plan did not have, all at once.
async fn try_ports(bench: &Bench, site: &Site, all: &mut [Seen]) {
    let new = (0..all.len()).filter(|number| all[*number].observations.is_empty());
    let targets = new.map(|number| {
        let flow = &all[number].flow;
        async move { (number, targets(bench, site, flow).await) }
    });
    let mut questions = Vec::new();
    let mut of: Vec<usize> = Vec::new();
    for (number, targets) in futures_util::future::join_all(targets).await {
        for target in targets {
            of.push(number);
            questions.push(Question {
                target,
                port: all[number].flow.port.low,
                name: None,
                ladder: Ladder::Tcp,
                turn: Turn::Needed,
                spread: false,
                landing: Landing::Itself,
                web: None,
                via: None,
                challenger: None,
                span: story::span(site, questions.len(), std::iter::once(&all[number].flow)),
            });
        }
    }
    let mut answers = bench.prober.ask_all(questions.clone(), || {}).await;
    bench.prober.prove_silence(&questions, &mut answers).await;
    for (number, answer) in of.into_iter().zip(answers) {
        all[number].observations.push(answer);
    }
}

async fn targets(bench: &Bench, site: &Site, flow: &Flow) -> Vec<probe::Target> {
    let aimed = match flow.to {
        Target::System(_) => aim::aim(site, flow),
        Target::Crl(number) => aim::Aim::Name(site.crls[number].host.clone()),
    };
    let found = match aimed {
        aim::Aim::Addresses(addresses) => Ok(addresses),
        aim::Aim::Nowhere => Err(Unresolved::NoNameHere),
        aim::Aim::Name(name) => {
            let mut stop = bench.stop.clone();
            tokio::select! {
                found = probe::lookup(&name, bench.timeout) => found,
                _ = stop.wait_for(|stop| *stop) => Err(Unresolved::ResolverSilent),
            }
        }
    };
    match found {
        Ok(addresses) => addresses.into_iter().map(probe::Target::Address).collect(),
        Err(why) => vec![probe::Target::Nowhere(why)],
    }
}

/// What one address said when it was asked for one list.
struct Fetch {
    /// What that means for clients.
    service: Service,
    /// What is written down.
    list: ListSeen,
    /// The certificates that it revokes, by their places.
    revoked: Vec<usize>,
}

/// Fetches one list; `None` when the run was stopped.
async fn fetch_one(
    bench: &Bench,
    wanted: &Wanted,
    at: SocketAddr,
    certificates: &[Certified],
    allows: impl Fn(&str, u16) -> bool,
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
    };
    let fetched = match bench.prober.fetch(&wanted.url, at, most, allows).await? {
        Ok(fetched) => fetched,
        Err(why) => {
            let (service, words) = worth::of_failure(&why);
            list.faults.push(words);
            return Some(Fetch {
                service,
                list,
                revoked: Vec::new(),
            });
        }
    };
    let now = Timestamp::now();
    let worth = match wanted.kind {
        Kind::List => worth::of_list(&fetched.body, &wanted.named_by, certificates, now),
        Kind::Answer(place) => worth::of_answer(&fetched.body, place, &certificates[place], now),
    };
    list.list = worth.content;
    list.faults = worth.words;
    Some(Fetch {
        service: worth.fault.map_or(Service::Spoke, Service::List),
        list,
        revoked: worth.revoked,
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

/// A client needs one address of those that a certificate names: a flow that fails is optional where another serves.
fn spare_alternatives<'a>(
    all: &mut [Seen],
    by_flow: impl Iterator<Item = (&'a usize, &'a Vec<usize>)>,
    wanted: &[Wanted],
) {
    for (flow, numbers) in by_flow {
        let elsewhere = |place: &usize| {
            let mut others = (0..wanted.len()).filter(|other| !numbers.contains(other));
            others.any(|other| wanted[other].serves() && wanted[other].named_by.contains(place))
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
        let fails = numbers.iter().any(|number| !wanted[*number].serves());
        if only_lists && fails && numbers.iter().all(spare) {
            seen.flow.need = Need::Optional;
        }
    }
}
