//! Standing in for a system's services before they exist, so that paths can be proved.
//!
//! The plan says which ports needed flows aim at (`ports`); those that are free are opened (`open`), the others left to
//! their owners. Then each connection (`streams`) and datagram (`datagrams`) is read as a challenge. Whoever knows the
//! token gets an answer, everybody else a close without a word. On a mapper's port those who have proved the token may
//! also ask for the dynamic ports. Connections that stay half open are looked for in the system's own tables
//! (`half_open`). All that arrives is noted (`arrivals`), and everything is bounded (`places`).

mod arrivals;
mod datagrams;
mod half_open;
mod open;
mod places;
mod ports;
mod streams;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::product::Transport;
use crate::report::{Arrival, ListenedPort, Listening};
use crate::wire::Token;
use crate::wire::challenge::{self, Asks, Proof, Request, Says};
use arrivals::{Arrivals, Arrived, What};
use places::{Known, Places, Standing};

pub use arrivals::Counts;
pub use open::{Opened, open};
pub use places::{KEPT as KEPT_CONNECTIONS, MOST as MOST_CONNECTIONS, MOST_OF_A_SOURCE};
pub use ports::{Part, Wanted, wanted};
pub use streams::LONGEST as LONGEST_CONNECTION;

/// A listener that stands in for one system.
#[derive(Debug)]
pub struct Listener {
    token: Token,
    system: String,
    /// What is listened on.
    opened: OnceLock<HashSet<(Transport, SocketAddr)>>,
    arrivals: Arrivals,
    places: Arc<Places>,
    known: Known,
}

impl Listener {
    /// A listener for the system of this name; it listens on nothing yet.
    pub fn new(system: &str, token: Token) -> Arc<Self> {
        Arc::new(Self {
            token,
            system: system.to_string(),
            opened: OnceLock::new(),
            arrivals: Arrivals::default(),
            places: Arc::default(),
            known: Known::default(),
        })
    }

    /// Serves what was opened; it never ends. When it is dropped nothing more is accepted.
    pub async fn serve(self: Arc<Self>, opened: Opened) {
        let locals: HashSet<SocketAddr> = opened.streams.iter().map(|it| it.local).collect();
        let _ = self.opened.set(opened.all().collect());
        let mut running = JoinSet::new();
        running.spawn(half_open::watch(Arc::clone(&self), locals));
        for stream in opened.streams {
            running.spawn(streams::serve(Arc::clone(&self), stream));
        }
        for (local, socket) in opened.datagrams {
            running.spawn(datagrams::serve(Arc::clone(&self), local, socket));
        }
        while running.join_next().await.is_some() {}
        std::future::pending().await
    }

    /// What arrived so far, in the order of time, and how many more there were than are kept.
    pub fn arrivals(&self) -> (Vec<Arrival>, u64) {
        self.arrivals.kept()
    }

    /// How many arrivals there were.
    pub fn counts(&self) -> Counts {
        self.arrivals.counts()
    }

    /// The answer to a challenge; `None`: it was answered before, or has lost its way.
    fn answer(&self, request: &Request, met: &Met) -> Option<Vec<u8>> {
        let says = match request.asks {
            Asks::Proof if request.aim.transport != met.transport => return None,
            Asks::Proof => Says::Came,
            Asks::Listening if self.listens(request, met) => Says::Listening,
            Asks::Listening => Says::NotListening,
        };
        if !self.known.admit(met.remote.ip(), request.nonce) {
            return None;
        }
        self.places.know(met.remote.ip());
        let proof = Proof {
            system: self.system.clone(),
            seen_from: met.remote,
            accepted_at: met.local,
        };
        Some(challenge::answer(&self.token, request, says, &proof))
    }

    /// Whether the port that a question names is listened on, at the address that the question came to.
    fn listens(&self, request: &Request, met: &Met) -> bool {
        let asked = SocketAddr::new(met.local.ip(), request.aim.port);
        let opened = self.opened.get();
        opened.is_some_and(|opened| opened.contains(&(request.aim.transport, asked)))
    }

    /// What a new connection from this address counts as.
    fn standing(&self, address: IpAddr) -> Standing {
        match self.known.holds(address) {
            true => Standing::Known,
            false => Standing::Stranger,
        }
    }

    fn note(&self, met: &Met, what: What) {
        tracing::debug!(from = %met.remote, at = %met.local, transport = %met.transport, what = what.kind().name(), "arrived");
        self.arrivals.note(Arrived {
            at: met.at,
            transport: met.transport,
            local: met.local,
            remote: met.remote,
            what,
        });
    }

    /// Notes a challenge that was answered. A question does not count: it asks for no proof of a path.
    fn note_answered(&self, met: &Met, request: &Request) {
        match request.asks {
            Asks::Proof => self.note(met, What::proved(request)),
            Asks::Listening => self.note(met, What::Known),
        }
    }

    /// Notes what proved nothing.
    fn note_unproved(&self, met: &Met) {
        let what = match self.known.holds(met.remote.ip()) {
            true => What::Known,
            false => What::Stranger,
        };
        self.note(met, what);
    }
}

/// A connection or datagram: when it came, and between which ends.
#[derive(Clone, Copy, Debug)]
struct Met {
    at: Timestamp,
    transport: Transport,
    local: SocketAddr,
    remote: SocketAddr,
}

/// A port of the log.
fn listened(
    transport: Transport,
    local: SocketAddr,
    state: Listening,
    why: Option<&str>,
) -> ListenedPort {
    ListenedPort {
        transport,
        local: local.to_string(),
        state,
        why: why.map(str::to_string),
    }
}
