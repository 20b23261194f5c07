//! Speaking on several connections to one port: one address may stand for several servers, and one of them be unwell.
//!
//! The connections are those that were made from several source ports anyway. What the port is worth is then what the
//! worst of them said, with how many of them said so. One alone that said nothing, or hung up, is asked about once
//! more: a lost packet and an impatient server look the same. Over TLS the rest of the connections end with a handshake
//! and a goodbye, because servers log one that ends without a word as broken. Their outcome counts for nothing.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;

use super::try_once::again;
use super::{Ladder, OldTls, Prober, Question, converse};
use crate::observation::{Conversations, Observation, Service, State};

/// Connections that are spoken on. One of three servers behind one address is missed by them and by the first
/// connection in 1 of 11 runs. Where servers take turns, none is missed.
const SPOKEN_ON: usize = 5;

/// Further connections to a port that has answered one, and what was said on them.
pub(super) struct Others<'a> {
    prober: &'a Prober,
    question: Question,
    address: Option<IpAddr>,
    begun: AtomicUsize,
    said: Mutex<Vec<Observation>>,
}

impl<'a> Others<'a> {
    /// For a port of which this was seen; `None`: nothing is said on further connections.
    pub(super) fn of(prober: &'a Prober, asked: &Question, seen: &Observation) -> Option<Self> {
        let is_web = matches!(asked.ladder, Ladder::Tls | Ladder::Http | Ladder::Https);
        if !is_web
            || seen.listener.is_some()
            || converse::http::roles_decided(seen)
            || seen.speaks.is_some()
        {
            return None;
        }
        // What lies beyond the root page is asked once, not of each; and so is which of the two TLS clients gets through.
        let by_old_client = seen.tls.as_ref().is_some_and(|tls| tls.by_old_client);
        let question = Question {
            web: None,
            clients_speak: None,
            challenger: None,
            old_tls: match by_old_client {
                true => OldTls::First,
                false => asked.old_tls,
            },
            ..asked.clone()
        };
        Some(Self {
            prober,
            question,
            address: seen.address,
            begun: AtomicUsize::new(0),
            said: Mutex::default(),
        })
    }

    /// Speaks on a connection, and ends it. Those beyond the first few are only greeted.
    pub(super) async fn speak(&self, stream: TcpStream) {
        if self.begun.fetch_add(1, Ordering::Relaxed) >= SPOKEN_ON {
            converse::greet(self.prober, &self.question, self.address, stream).await;
            return;
        }
        let mut other = Observation::without_packets(self.address, State::Open);
        converse::converse(self.prober, &self.question, stream, None, &mut other).await;
        self.all().push(other);
    }

    fn all(&self) -> MutexGuard<'_, Vec<Observation>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes in what was said on the other connections.
pub(super) async fn settle(
    prober: &Prober,
    asked: &Question,
    others: Others<'_>,
    seen: &mut Observation,
) {
    let said = std::mem::take(&mut *others.all());
    take_in(seen, said);
    if may_do_better(seen) && seen.conversations.is_some_and(|all| all.failed == 1) {
        confirm(prober, asked, seen).await;
    }
}

/// Speaks as often again; where all is well now, that counts.
async fn confirm(prober: &Prober, question: &Question, seen: &mut Observation) {
    let mut fine = None;
    for _ in 0..seen.conversations.map_or(0, |all| all.held) {
        let Some(stream) = again(prober, question, seen.address).await else {
            return;
        };
        let mut other = Observation::without_packets(seen.address, State::Open);
        converse::converse(prober, question, stream, None, &mut other).await;
        if !is_fine(&other) {
            return;
        }
        fine = Some(other);
    }
    if let Some(fine) = fine {
        adopt(seen, fine);
        seen.conversations = None;
    }
}

/// Takes the words of a connection that failed in the place of the first one's, where they differ.
pub(super) fn take_in(seen: &mut Observation, others: Vec<Observation>) {
    let others: Vec<Observation> = others
        .into_iter()
        .filter(|other| other.service.is_some())
        .collect();
    let fine = others.iter().filter(|other| is_fine(other)).count();
    let held = others.len() + 1;
    let failed = held - fine - usize::from(is_fine(seen));
    if failed == 0 || failed == held {
        return;
    }
    if is_fine(seen)
        && let Some(worse) = others.into_iter().find(|other| !is_fine(other))
    {
        adopt(seen, worse);
    }
    seen.conversations = Some(Conversations { held, failed });
}

fn adopt(seen: &mut Observation, said: Observation) {
    seen.service = said.service;
    seen.tls = said.tls;
    seen.http = said.http;
    seen.first_answer = said.first_answer;
    seen.depth = said.depth;
}

/// Whether a port opened and may do better later: its service was wordless, or reset at once though nothing was asked.
pub(super) fn may_do_better(seen: &Observation) -> bool {
    let reset_at_once = seen.service == Some(Service::ResetAtOnce);
    seen.is_wordless() || (seen.state == State::Open && reset_at_once)
}

/// Whether a service said what it has to.
pub(super) fn is_fine(seen: &Observation) -> bool {
    matches!(
        seen.service,
        Some(Service::Spoke | Service::NotAsked | Service::Listener)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(service: Service) -> Observation {
        Observation {
            service: Some(service),
            ..Observation::without_packets(None, State::Open)
        }
    }

    #[test]
    fn what_the_worst_of_several_servers_said_counts_with_how_many_said_so() {
        let mut seen = said(Service::Spoke);
        let others = [Service::Spoke, Service::ServerError(503), Service::Spoke];
        take_in(&mut seen, others.map(said).to_vec());
        assert_eq!(seen.service, Some(Service::ServerError(503)));
        let told = seen.conversations;
        assert_eq!(told, Some(Conversations { held: 4, failed: 1 }));
    }

    #[test]
    fn where_all_are_alike_there_is_nothing_to_tell() {
        for service in [Service::Spoke, Service::ServerError(500)] {
            let mut seen = said(service.clone());
            take_in(&mut seen, vec![said(service.clone()), said(service)]);
            assert_eq!(seen.conversations, None);
        }
    }
}
