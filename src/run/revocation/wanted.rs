//! What is fetched: lists and responders' answers that the file and the certificates name. Then come the lists of what
//! changed since, which certificates and the lists themselves name.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::super::refusals::Refusals;
use super::MOST;
use super::marks::shows;
use crate::diagnostic::Place;
use crate::verdict::Seen;
use crate::wire::trust::revocation::certified::Certified;
use crate::wire::trust::revocation::fetch::destination;
use crate::wire::trust::revocation::gate::Gate;
use crate::wire::trust::revocation::list_value::Base;
use crate::wire::trust::revocation::ocsp;
use crate::wire::trust::revocation::pointers::{Pointer, Scheme};

/// What is fetched.
pub(super) struct Wanted {
    pub(super) url: Url,
    /// Whether the site file names it.
    pub(super) by_file: bool,
    /// The certificates that clients need it for, by their places.
    pub(super) needed_by: BTreeSet<usize>,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// Whether any address was asked for it.
    pub(super) asked: bool,
    /// Whether none of those failed.
    pub(super) good: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    /// A responder's answer for one certificate.
    Answer(usize),
    /// What changed since these lists, by their places among all that is fetched.
    Delta(BTreeSet<usize>),
}

impl Wanted {
    pub(super) fn serves(&self) -> bool {
        self.asked && self.good
    }

    /// Whether a client that has this one can do without the other for a certificate.
    pub(super) fn stands_for(&self, other: &Self, place: usize) -> bool {
        let is_delta = |kind: &Kind| matches!(kind, Kind::Delta(_));
        let is_answer = matches!(self.kind, Kind::Answer(_));
        let alike = is_answer || is_delta(&self.kind) == is_delta(&other.kind);
        alike && self.serves() && self.needed_by.contains(&place)
    }

    /// Whether a certificate itself names it.
    pub(super) fn is_named_by(&self, one: &Certified) -> bool {
        match self.kind {
            Kind::List | Kind::Answer(_) => true,
            Kind::Delta(_) => addresses(&one.pointers.deltas).any(|url| url == self.url),
        }
    }
}

/// What is wanted so far, and what decides who may be asked for more.
pub(super) struct Wish<'a> {
    pub(super) gate: &'a Gate<'a>,
    pub(super) refusals: &'a mut Refusals,
    pub(super) all: &'a mut Vec<Wanted>,
}

/// One address that something names.
struct Named {
    url: Url,
    by_file: bool,
    needed_by: BTreeSet<usize>,
    kind: Kind,
    place: Place,
}

impl Wish<'_> {
    /// Adds what the file and the certificates name, each address once, without the hosts that must not be asked.
    pub(super) fn lists(&mut self, certificates: &[Certified], seen: &[Seen]) {
        for crl in &self.gate.site.crls {
            if let Ok(url) = Url::parse(&crl.url) {
                self.add(Named {
                    url,
                    by_file: true,
                    needed_by: BTreeSet::new(),
                    kind: Kind::List,
                    place: crl.declared,
                });
            }
        }
        for (place, one) in certificates.iter().enumerate() {
            let declared = declared(one, seen);
            let mut add = |url, kind| {
                self.add(Named {
                    url,
                    by_file: false,
                    needed_by: BTreeSet::from([place]),
                    kind,
                    place: declared,
                });
            };
            for url in addresses(&one.pointers.lists) {
                add(url, Kind::List);
            }
            let Some(question) = ocsp::question(&one.der, &one.issuer) else {
                continue;
            };
            for url in addresses(&one.pointers.responders) {
                add(ocsp::address(&url, &question), Kind::Answer(place));
            }
        }
    }

    /// Adds the lists of what changed since, which the lists that came and the certificates name.
    pub(super) fn deltas(
        &mut self,
        bases: &BTreeMap<usize, Base>,
        certificates: &[Certified],
        seen: &[Seen],
    ) {
        for (number, base) in bases {
            let needed_by = needed_for(&self.all[*number], base);
            for url in addresses(&base.facts.deltas) {
                self.add(Named {
                    url,
                    by_file: false,
                    needed_by: needed_by.clone(),
                    kind: Kind::Delta(BTreeSet::from([*number])),
                    place: self.all[*number].place,
                });
            }
        }
        for (place, one) in certificates.iter().enumerate() {
            let own = bases
                .iter()
                .filter(|(_, base)| base.speaks_of.contains(&place));
            let own: BTreeSet<usize> = own.map(|(number, _)| *number).collect();
            for url in addresses(&one.pointers.deltas) {
                self.add(Named {
                    url,
                    by_file: false,
                    needed_by: BTreeSet::from([place]),
                    kind: Kind::Delta(own.clone()),
                    place: declared(one, seen),
                });
            }
        }
    }

    fn add(&mut self, named: Named) {
        let Some((host, port)) = destination(&named.url) else {
            return;
        };
        for known in self.all.iter_mut().filter(|it| it.url == named.url) {
            match (&mut known.kind, &named.kind) {
                (Kind::Delta(known), Kind::Delta(new)) => known.extend(new),
                (one, other) if *one == *other => {}
                _ => continue,
            }
            known.needed_by.extend(&named.needed_by);
            return;
        }
        if let Err(why) = self.gate.host(&host, port) {
            self.refusals.host(&host, port, why);
        } else if self.all.len() < MOST {
            self.all.push(Wanted {
                url: named.url,
                by_file: named.by_file,
                needed_by: named.needed_by,
                kind: named.kind,
                place: named.place,
                asked: false,
                good: true,
            });
        }
    }
}

/// The certificates that clients need a list's changes for: of those that it speaks of the ones that name it. Where only
/// the file names it, any.
fn needed_for(wanted: &Wanted, base: &Base) -> BTreeSet<usize> {
    let speaks_of = base.speaks_of.iter().copied();
    let names = |place: &usize| wanted.needed_by.contains(place) || wanted.needed_by.is_empty();
    speaks_of.filter(names).collect()
}

/// The addresses that are reached over HTTP.
fn addresses(pointers: &[Pointer]) -> impl Iterator<Item = Url> {
    let http = pointers.iter().filter(|it| it.scheme == Scheme::Http);
    http.filter_map(|pointer| Url::parse(&pointer.url).ok())
}

/// Where the file declares whoever showed a certificate first.
fn declared(one: &Certified, all: &[Seen]) -> Place {
    let shows = |seen: &&Seen| {
        let mut chains = seen.observations.iter().filter_map(|it| it.tls.as_ref());
        chains.any(|tls| shows(tls, one))
    };
    all.iter()
        .find(shows)
        .map_or_else(Place::default, |seen| seen.flow.declared)
}
