//! Asking one address, or the proxy of the zone, for one thing, and what that is worth.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use super::super::Run;
use super::marks;
use super::wanted::{Kind, Wanted};
use crate::observation::{Attempt, Depth, ListSeen, Observation, Service, State, Stop};
use crate::probe::{Gateway, NotByProxy};
use crate::wire::trust::revocation::certified::Certified;
use crate::wire::trust::revocation::fetch::{Fetched, NotFetched};
use crate::wire::trust::revocation::list_value::{self, Base, Worth};
use crate::wire::trust::revocation::pointers::{Reach, Scheme};
use crate::wire::trust::revocation::{LARGEST_LIST, ocsp};

/// The addresses at which hosts and ports may be asked.
pub(super) type Known = BTreeMap<(String, u16), Vec<IpAddr>>;

/// What one address said when it was asked for one list.
#[derive(Clone)]
pub(super) struct Fetch {
    /// What that means for clients.
    pub(super) means: Means,
    /// The tries to reach a proxy.
    attempts: Vec<Attempt>,
    /// What is written down.
    list: ListSeen,
    /// The certificates that it revokes, by their places.
    pub(super) revoked: Vec<usize>,
    /// Those whose revocation it takes back.
    pub(super) restored: Vec<usize>,
    /// What lists of changes are held against.
    pub(super) base: Option<Base>,
    /// Where it sends, and must not be followed to.
    pub(super) sends_to: Option<String>,
}

/// What came of asking means for clients.
#[derive(Clone)]
pub(super) enum Means {
    /// The server answered, or failed.
    Served(Service),
    /// A proxy did not lead to it.
    Stopped(Stop),
}

impl Fetch {
    /// Whether clients can rely on what came.
    pub(super) fn is_good(&self) -> bool {
        matches!(self.means, Means::Served(Service::Spoke))
    }
}

/// What is known when one address is asked.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) run: &'a Run,
    pub(super) certificates: &'a [Certified],
    pub(super) all: &'a [Wanted],
    pub(super) bases: &'a BTreeMap<usize, Base>,
    pub(super) known: &'a Known,
}

impl Asking<'_> {
    /// Fetches one list; `None` when the run was stopped.
    pub(super) async fn fetch(self, number: usize, at: SocketAddr) -> Option<Fetch> {
        let wanted = &self.all[number];
        let addresses = |host: &str, port| self.known.get(&(host.to_string(), port)).cloned();
        let (url, most) = (&wanted.url, most(wanted));
        let fetching = self.run.prober.fetch(url, at, most, addresses);
        Some(match fetching.await? {
            Ok(fetched) => self.weigh(wanted, fetched),
            Err(why) => self.failed(wanted, why),
        })
    }

    /// Fetches one list through the proxy of the zone; `None` when the run was stopped.
    pub(super) async fn fetch_by(self, number: usize, gateway: &Gateway) -> Option<Fetch> {
        let wanted = &self.all[number];
        let allows = |host: &str, port| self.known.contains_key(&(host.to_string(), port));
        let (url, most) = (&wanted.url, most(wanted));
        let fetching = gateway.fetch(&self.run.prober, url, most, allows);
        let by_proxy = fetching.await?;
        let fetch = match by_proxy.came {
            Ok(fetched) => self.weigh(wanted, fetched),
            Err(NotByProxy::NotFetched(why)) => self.failed(wanted, why),
            Err(NotByProxy::Stopped(stop)) => {
                let words = format!("the proxy {}", stop.said);
                self.without(wanted, Means::Stopped(stop), words)
            }
        };
        Some(Fetch {
            attempts: by_proxy.attempts,
            ..fetch
        })
    }

    fn weigh(self, wanted: &Wanted, fetched: Fetched) -> Fetch {
        let now = Timestamp::now();
        let (bytes, all) = (&fetched.body, self.certificates);
        let places: Vec<usize> = wanted.needed_by.iter().copied().collect();
        let mut worth = match &wanted.kind {
            Kind::List => list_value::of_list(bytes, &places, all, now),
            Kind::Answer(place) => list_value::of_answer(bytes, *place, &all[*place], now),
            Kind::Delta(of) => {
                let bases = of.iter().filter_map(|number| self.bases.get(number));
                let bases: Vec<_> = bases.map(|base| &base.facts).collect();
                list_value::of_delta(bytes, &places, &bases, all, now)
            }
        };
        self.note_delta_elsewhere(&mut worth);
        let service = worth.fault.map_or(Service::Spoke, Service::List);
        Fetch {
            means: Means::Served(service),
            attempts: Vec::new(),
            list: ListSeen {
                list: worth.content,
                faults: worth.words,
                // A redirect may have led to another host.
                clock: fetched.clock.filter(|_| fetched.asked.len() == 1),
                ..self.unseen(wanted)
            },
            revoked: worth.revoked,
            restored: worth.restored,
            base: worth.base,
            sends_to: None,
        }
    }

    fn failed(self, wanted: &Wanted, why: NotFetched) -> Fetch {
        let (service, words) = match wanted.kind {
            Kind::List | Kind::Answer(_) => list_value::of_failure(&why),
            Kind::Delta(_) => list_value::of_missing_delta(&why),
        };
        Fetch {
            sends_to: match why {
                NotFetched::Elsewhere { to } => Some(to),
                _ => None,
            },
            ..self.without(wanted, Means::Served(service), words)
        }
    }

    fn without(self, wanted: &Wanted, means: Means, words: String) -> Fetch {
        Fetch {
            means,
            attempts: Vec::new(),
            list: ListSeen {
                faults: vec![words],
                ..self.unseen(wanted)
            },
            revoked: Vec::new(),
            restored: Vec::new(),
            base: None,
            sends_to: None,
        }
    }

    /// Says of a list that its clients on the Internet look for its changes in vain.
    fn note_delta_elsewhere(self, worth: &mut Worth) {
        let Some(base) = &worth.base else { return };
        let deltas = &base.facts.deltas;
        let by_http = deltas.iter().any(|delta| delta.scheme == Scheme::Http);
        if marks::reach(self.run) == Reach::Internet && !deltas.is_empty() && !by_http {
            let words = "it names its delta list by no address over HTTP, so clients on the \
                Internet look for it in vain";
            worth.words.push(words.to_string());
        }
    }

    fn unseen(self, wanted: &Wanted) -> ListSeen {
        let certificates = wanted
            .needed_by
            .iter()
            .map(|place| &self.certificates[*place]);
        let naming = certificates.filter(|one| wanted.is_named_by(one));
        ListSeen {
            url: wanted.url.to_string(),
            named_by: naming.map(|one| one.subject.clone()).collect(),
            adds_to: match &wanted.kind {
                Kind::Delta(of) => of.iter().map(|of| self.all[*of].url.to_string()).collect(),
                Kind::List | Kind::Answer(_) => Vec::new(),
            },
            list: None,
            faults: Vec::new(),
            clock: None,
        }
    }
}

/// The most bytes that are read of it.
fn most(wanted: &Wanted) -> usize {
    match wanted.kind {
        Kind::List | Kind::Delta(_) => LARGEST_LIST,
        Kind::Answer(_) => ocsp::LARGEST_ANSWER,
    }
}

/// Writes down what came; without it the run ended before its turn. What a port said before counts only where it has to
/// serve more than lists.
pub(super) fn write_down(seen: &mut Observation, fetch: Option<Fetch>, only_lists: bool) {
    let Some(fetch) = fetch else {
        seen.service = None;
        return;
    };
    let first = seen.lists.is_empty();
    let good = fetch.is_good();
    seen.lists.push(fetch.list);
    if seen.attempts.is_empty() && !fetch.attempts.is_empty() {
        seen.attempts = fetch.attempts;
        seen.depth = Some(Depth::Tcp);
    }
    let was_good = seen.state == State::Open
        && matches!(seen.service, Some(Service::Spoke | Service::NotAsked));
    if !((first && only_lists) || (was_good && !good)) {
        return;
    }
    match fetch.means {
        Means::Served(service) => {
            seen.state = State::Open;
            seen.service = Some(service);
        }
        Means::Stopped(stop) => {
            seen.state = State::Stopped(stop);
            seen.service = None;
        }
    }
}
