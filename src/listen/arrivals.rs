//! What arrived, kept within bounds: noise from strangers leaves room for what matters.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::product::Transport;
use crate::report::{Arrival, ArrivalKind};
use crate::wire::challenge::{Id, Request, hexadecimal};

/// The most arrivals that are kept of strangers, and the most of all others.
const MOST_OF_EACH: usize = 50_000;

/// One arrival.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) at: Timestamp,
    pub(super) transport: Transport,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) what: What,
}

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A connection was asked for, and its answer never acknowledged.
    HalfOpen,
    /// Nothing that proved the token.
    Stranger,
    /// Nothing that proved the token, from an address that had proved it.
    Known,
    /// A challenge, answered.
    Proved { run: Id, aimed: SocketAddr },
}

impl What {
    /// A challenge that was answered.
    pub(super) fn proved(request: &Request) -> Self {
        Self::Proved {
            run: request.run,
            aimed: SocketAddr::new(request.aim.address, request.aim.port),
        }
    }

    pub(super) fn kind(self) -> ArrivalKind {
        match self {
            Self::HalfOpen => ArrivalKind::HalfOpen,
            Self::Stranger => ArrivalKind::Stranger,
            Self::Known => ArrivalKind::Known,
            Self::Proved { .. } => ArrivalKind::Proved,
        }
    }
}

/// How many arrivals there were of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections whose answer was never acknowledged.
    pub half_open: u64,
    /// Of strangers.
    pub strangers: u64,
    /// Without proof, from addresses that had proved the token.
    pub known: u64,
    /// Challenges that were answered.
    pub proved: u64,
}

impl Counts {
    /// All together.
    pub fn all(self) -> u64 {
        self.half_open + self.strangers + self.known + self.proved
    }
}

/// The arrivals so far.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    strangers: Vec<Arrived>,
    others: Vec<Arrived>,
    counts: Counts,
}

impl Arrivals {
    pub(super) fn note(&self, arrived: Arrived) {
        let mut inner = self.lock();
        let counts = &mut inner.counts;
        *match arrived.what {
            What::HalfOpen => &mut counts.half_open,
            What::Stranger => &mut counts.strangers,
            What::Known => &mut counts.known,
            What::Proved { .. } => &mut counts.proved,
        } += 1;
        let kept = match arrived.what {
            What::Stranger => &mut inner.strangers,
            What::HalfOpen | What::Known | What::Proved { .. } => &mut inner.others,
        };
        if kept.len() < MOST_OF_EACH {
            kept.push(arrived);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// What is kept, in the order of time, and how many more there were.
    pub(super) fn kept(&self) -> (Vec<Arrival>, u64) {
        let inner = self.lock();
        let mut all: Vec<Arrived> = [&inner.strangers[..], &inner.others].concat();
        let more = inner.counts.all() - all.len() as u64;
        drop(inner);
        all.sort_by_key(|arrived| arrived.at);
        (all.iter().map(entry).collect(), more)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(arrived: &Arrived) -> Arrival {
    let (run, aimed) = match &arrived.what {
        What::Proved { run, aimed } => (Some(hexadecimal(run)), Some(aimed.to_string())),
        What::HalfOpen | What::Stranger | What::Known => (None, None),
    };
    Arrival {
        at: format!("{:.3}", arrived.at),
        transport: arrived.transport,
        local: arrived.local.to_string(),
        remote: arrived.remote.to_string(),
        what: arrived.what.kind(),
        run,
        aimed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(second: i64, what: What) -> Arrived {
        Arrived {
            at: Timestamp::from_second(second).expect("a time"),
            transport: Transport::Tcp,
            local: ([192, 0, 2, 10], 443).into(),
            remote: ([198, 51, 100, 1], 4_000).into(),
            what,
        }
    }

    #[test]
    fn arrivals_stand_in_the_order_of_time_whenever_they_were_noted() {
        let arrivals = Arrivals::default();
        arrivals.note(arrived(7, What::Stranger));
        arrivals.note(arrived(3, What::HalfOpen));
        let words: Vec<ArrivalKind> = arrivals.kept().0.into_iter().map(|it| it.what).collect();
        assert_eq!(words, ["half-open", "stranger"]);
    }

    #[test]
    fn noise_leaves_room_for_proof_and_what_is_not_kept_is_counted() {
        let arrivals = Arrivals::default();
        for second in 0..MOST_OF_EACH as i64 + 5 {
            arrivals.note(arrived(second, What::Stranger));
        }
        let aimed = ([203, 0, 113, 10], 443).into();
        arrivals.note(arrived(
            1,
            What::Proved {
                run: [7; 16],
                aimed,
            },
        ));
        let (kept, more) = arrivals.kept();
        assert_eq!((kept.len(), more), (MOST_OF_EACH + 1, 5));
        let proved = kept.iter().find(|it| it.what == "proved").expect("it");
        assert_eq!(proved.run.as_deref(), Some("07".repeat(16).as_str()));
        assert_eq!(proved.aimed.as_deref(), Some("203.0.113.10:443"));
        assert_eq!(arrivals.counts().strangers, MOST_OF_EACH as u64 + 5);
    }
}
