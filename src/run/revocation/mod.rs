//! Revocation lists as flows of their own: what clients of this zone need to check the certificates that were seen.
//!
//! Only in client zones: the site's setting makes clients check, not servers. When the flows have been tried, every
//! certificate on the way of a chain to a trusted root names lists and responders. The file's `crl_urls` come with
//! them. Each is fetched from here, over HTTP and with the rate of the run, where a gate lets it. `refusals` has the
//! notes on the rest. Lists of one host and port are one flow (`list_hosts`). What a list says of a certificate is a
//! matter of the flow that showed it (`marks`).
//!
//! Two rounds: the lists and answers first, then the delta lists that these and the certificates name. `wanted` says
//! what is fetched in each, `asking` fetches one. Where the zone's flows leave through a proxy, lists are fetched
//! through it as clients do, by the address as it is written. What the proxy refuses is told as of any flow.

mod asking;
mod marks;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::ops::Range;

use futures_util::StreamExt as _;

use super::Run;
use super::event::Event;
use super::list_hosts::{self, Host};
use super::refusals::{self, Refusals};
use crate::config::CrlHosts;
use crate::observation::{CertificateFault, NotTried, State};
use crate::plan;
use crate::probe::Gateway;
use crate::product::Need;
use crate::report::Note;
use crate::verdict::Seen;
use crate::wire::trust::revocation::certified::Certified;
use crate::wire::trust::revocation::fetch::destination;
use crate::wire::trust::revocation::gate::Gate;
use crate::wire::trust::revocation::list_value::Base;
use asking::{Asking, Fetch, Known};
use wanted::{Kind, Wanted, Wish};

/// The most certificates whose revocation is looked into, and the most addresses that are fetched.
const MOST: usize = 64;
/// The most addresses of one host that are asked for a list.
const MOST_ADDRESSES: usize = 4;
/// Lists that are fetched at once: each may take 20 MB of memory.
const AT_ONCE: usize = 4;

/// Fetches every list that clients of this zone need, and adds what was seen. A note on each host that was not asked comes
/// back.
pub(super) async fn examine(run: &Run, all: &mut Vec<Seen>) -> Vec<Note> {
    let site = &run.file.site;
    let checks = site.crl_check && site.clients.contains(&run.place.zone);
    if !checks || run.ways.are_of_the_lab() || *run.stop.borrow() {
        return Vec::new();
    }
    let certificates = marks::certificates(run, all);
    marks::note_unfit(run, &certificates, all);
    if site.crl_hosts == CrlHosts::None {
        return vec![refusals::nothing_fetched()];
    }
    let gate = Gate {
        site,
        own: &run.networks,
    };
    let mut examination = Examination {
        run,
        gate: &gate,
        certificates,
        refusals: Refusals::default(),
        wanted: Vec::new(),
        doors: Vec::new(),
        bases: BTreeMap::new(),
        revoked: BTreeSet::new(),
    };
    examination.lists(all).await;
    if !*run.stop.borrow() {
        examination.deltas(all).await;
    }
    examination.end(all)
}

/// A host and port from which lists are fetched.
struct Door {
    host: (String, u16),
    /// What is fetched from there, by its places.
    numbers: Vec<usize>,
    /// The flow that leads there, by its place.
    flow: usize,
}

/// What is known while lists are fetched.
struct Examination<'a> {
    run: &'a Run,
    gate: &'a Gate<'a>,
    certificates: Vec<Certified>,
    refusals: Refusals,
    wanted: Vec<Wanted>,
    doors: Vec<Door>,
    /// The complete lists that came, by their places among all that is wanted.
    bases: BTreeMap<usize, Base>,
    /// Certificates that are revoked, by their places, each with the place of what revokes it.
    revoked: BTreeSet<(usize, usize)>,
}

impl Examination<'_> {
    /// The first round: what the file and the certificates name.
    async fn lists(&mut self, all: &mut Vec<Seen>) {
        let mut wish = Wish {
            gate: self.gate,
            refusals: &mut self.refusals,
            all: &mut self.wanted,
        };
        wish.lists(&self.certificates, all);
        self.round(
            0,
            "revocation lists and answers that the file or the certificates name",
            all,
        )
        .await;
    }

    /// The second round: what changed since the lists of the first.
    async fn deltas(&mut self, all: &mut Vec<Seen>) {
        let before = self.wanted.len();
        let mut wish = Wish {
            gate: self.gate,
            refusals: &mut self.refusals,
            all: &mut self.wanted,
        };
        wish.deltas(&self.bases, &self.certificates, all);
        self.round(
            before,
            "delta lists that other lists or the certificates name",
            all,
        )
        .await;
    }

    /// Fetches everything wanted from one place on.
    async fn round(&mut self, from: usize, what: &'static str, all: &mut Vec<Seen>) {
        let new = from..self.wanted.len();
        let by_host = self.by_host(new.clone());
        announce(self.run, what, new.len(), &by_host);
        self.open_doors(by_host, all).await;
        for (flow, place, number, fetch) in self.fetch(new, all).await {
            self.take_in(number, fetch.as_ref());
            let only_lists = plan::is_only_of_lists(&self.run.file.catalogue, &all[flow].flow);
            asking::write_down(&mut all[flow].observations[place], fetch, only_lists);
        }
    }

    fn by_host(&self, numbers: Range<usize>) -> BTreeMap<(String, u16), Vec<usize>> {
        let mut by_host: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for number in numbers {
            if let Some(host) = destination(&self.wanted[number].url) {
                by_host.entry(host).or_default().push(number);
            }
        }
        by_host
    }

    /// Finds the flow to each host, and tries its port where nobody has.
    async fn open_doors(
        &mut self,
        by_host: BTreeMap<(String, u16), Vec<usize>>,
        all: &mut Vec<Seen>,
    ) {
        let hosts = by_host.iter().map(|((name, port), numbers)| Host {
            name: name.clone(),
            port: *port,
            place: self.wanted[numbers[0]].place,
        });
        let hosts: Vec<Host> = hosts.collect();
        let flows = match self.run.ways.proxy_of_lists() {
            Some(gateway) => list_hosts::by_proxy(self.run, all, &hosts, gateway.url()),
            None => {
                let refusals = &mut self.refusals;
                list_hosts::flows(self.run, self.gate, all, &hosts, refusals).await
            }
        };
        for ((host, numbers), flow) in by_host.into_iter().zip(flows) {
            let Some(flow) = flow else { continue };
            match self.doors.iter_mut().find(|door| door.host == host) {
                Some(door) => door.numbers.extend(numbers),
                None => self.doors.push(Door {
                    host,
                    numbers,
                    flow,
                }),
            }
        }
    }

    /// Asks each open address for what is wanted there: flow, observation, what, and what came.
    async fn fetch(
        &self,
        new: Range<usize>,
        all: &[Seen],
    ) -> Vec<(usize, usize, usize, Option<Fetch>)> {
        let known = addresses(&self.doors, all);
        let asking = Asking {
            run: self.run,
            certificates: &self.certificates,
            all: &self.wanted,
            bases: &self.bases,
            known: &known,
        };
        if let Some(gateway) = self.run.ways.proxy_of_lists() {
            return self.fetch_by(gateway, asking, new, all).await;
        }
        let mut fetches = Vec::new();
        for door in &self.doors {
            let seen = &all[door.flow];
            let open = seen.observations.iter().enumerate();
            let open = open.filter(|(_, it)| it.state == State::Open && it.listener.is_none());
            for (place, one) in open.take(MOST_ADDRESSES) {
                let Some(address) = one.address else { continue };
                let at = SocketAddr::new(address, seen.flow.port.low);
                for number in door.numbers.iter().filter(|number| new.contains(number)) {
                    let fetch = asking.fetch(*number, at);
                    let (flow, number) = (door.flow, *number);
                    fetches.push(async move { (flow, place, number, fetch.await) });
                }
            }
        }
        futures_util::stream::iter(fetches)
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// The same through a proxy, which is told each address once, and whose word counts for all that the flow tried.
    async fn fetch_by(
        &self,
        gateway: &Gateway,
        asking: Asking<'_>,
        new: Range<usize>,
        all: &[Seen],
    ) -> Vec<(usize, usize, usize, Option<Fetch>)> {
        let mut fetches = Vec::new();
        for door in &self.doors {
            for number in door.numbers.iter().filter(|number| new.contains(number)) {
                let fetch = asking.fetch_by(*number, gateway);
                let (flow, number) = (door.flow, *number);
                fetches.push(async move { (flow, number, fetch.await) });
            }
        }
        let fetched: Vec<_> = futures_util::stream::iter(fetches)
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut each = Vec::new();
        for (flow, number, fetch) in fetched {
            let tried = all[flow].observations.iter().enumerate();
            let tried = tried.filter(|(_, it)| {
                it.listener.is_none() && it.state != State::NotTried(NotTried::Interrupted)
            });
            each.extend(tried.map(|(place, _)| (flow, place, number, fetch.clone())));
        }
        each
    }

    /// Remembers what came for the judging of other lists, of flows and of alternatives.
    fn take_in(&mut self, number: usize, fetch: Option<&Fetch>) {
        let wanted = &mut self.wanted[number];
        wanted.good &= fetch.is_some_and(Fetch::is_good);
        wanted.asked = true;
        let Some(fetch) = fetch else { return };
        if let Some(to) = &fetch.sends_to {
            self.refusals.redirect(self.gate, &wanted.url, to);
        }
        if let Some(base) = &fetch.base {
            // Addresses of one host may hold lists of different age.
            let known = self.bases.get(&number);
            if known.is_none_or(|known| known.facts.number < base.facts.number) {
                self.bases.insert(number, base.clone());
            }
        }
        let revoked = fetch.revoked.iter().map(|place| (*place, number));
        self.revoked.extend(revoked);
        if let Kind::Delta(of) = &wanted.kind {
            for place in &fetch.restored {
                self.revoked
                    .retain(|(whose, by)| whose != place || !of.contains(by));
            }
        }
    }

    /// What everything that came means for the flows.
    fn end(self, all: &mut [Seen]) -> Vec<Note> {
        spare_alternatives(all, &self.doors, &self.wanted);
        let places: BTreeSet<usize> = self.revoked.iter().map(|(place, _)| *place).collect();
        let revoked: Vec<&Certified> = places.iter().map(|it| &self.certificates[*it]).collect();
        marks::mark(all, &revoked, &CertificateFault::Revoked);
        self.refusals.notes(&self.run.file.site)
    }
}

/// The addresses at which hosts and ports may be asked: those at which they were tried.
fn addresses(doors: &[Door], all: &[Seen]) -> Known {
    let of = |door: &Door| {
        let tried = all[door.flow].observations.iter();
        let tried = tried.filter_map(|it| it.address).collect();
        (door.host.clone(), tried)
    };
    doors.iter().map(of).collect()
}

fn announce(
    run: &Run,
    what: &'static str,
    count: usize,
    by_host: &BTreeMap<(String, u16), Vec<usize>>,
) {
    if count == 0 {
        return;
    }
    let hosts: Vec<String> = by_host
        .keys()
        .map(|(host, port)| refusals::host_and_port(host, *port))
        .collect();
    let proxy = run.ways.proxy_of_lists();
    (run.tell)(Event::AboutToFetchLists {
        what,
        count,
        hosts,
        proxy: proxy.map(|gateway| gateway.url().to_string()),
    });
}

/// A client needs one address of those that a certificate names: a flow that fails is optional where another serves. What
/// the site file itself names is needed whatever certificates say.
fn spare_alternatives(all: &mut [Seen], doors: &[Door], wanted: &[Wanted]) {
    for Door { numbers, flow, .. } in doors {
        let elsewhere = |number: usize, place: usize| {
            let mut others = (0..wanted.len()).filter(|other| !numbers.contains(other));
            others.any(|other| wanted[other].stands_for(&wanted[number], place))
        };
        let spare = |number: usize| {
            let by = &wanted[number].needed_by;
            !wanted[number].by_file && by.iter().all(|place| elsewhere(number, *place))
        };
        let seen = &mut all[*flow];
        let only_lists = seen
            .flow
            .reason
            .rules
            .iter()
            .all(|rule| *rule == plan::LIST);
        let failed = numbers.iter().filter(|number| !wanted[**number].serves());
        let failed: Vec<usize> = failed.copied().collect();
        if only_lists && !failed.is_empty() && failed.into_iter().all(spare) {
            seen.flow.need = Need::Optional;
        }
    }
}
