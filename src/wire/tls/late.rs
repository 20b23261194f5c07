//! What a server asks for after the request: a new handshake, by which it wants a client certificate.
//!
//! Up to TLS 1.2 a server that learns from the path that it needs one asks to renegotiate. IIS asks so wherever a part of
//! a web site needs client certificates and the rest does not. rustls refuses; the second client (`old`) does it. All
//! connections of one flow share what is known of it.
//!
//! In TLS 1.3 there is no new handshake. A server may ask after the request only whoever offered post-handshake
//! authentication, which rustls does not. It then refuses the request, mostly with 403, and nothing tells that from a
//! 403 with another reason. So `converse::tls` asks such a server again below TLS 1.3.

use std::sync::{Arc, Mutex, PoisonError};

use crate::observation::Presented;

/// Whether a server asked for a certificate after a request, and what became of ours; shared by its clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Late(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    is_asked: bool,
    presented: Option<Presented>,
}

impl Late {
    /// A server asked.
    pub(super) fn ask(&self) {
        self.known(|known| known.is_asked = true);
    }

    /// What became of our certificate. One that was taken once counts as taken.
    #[cfg(feature = "old-tls")]
    pub(super) fn note(&self, presented: Presented) {
        self.known(|known| {
            if known.presented != Some(Presented::Taken) {
                known.presented = Some(presented);
            }
        });
    }

    /// Whether a server asked.
    pub(crate) fn is_asked(&self) -> bool {
        self.known(|known| known.is_asked)
    }

    /// What became of our certificate; `None`: nobody was asked who could have shown it.
    pub(crate) fn presented(&self) -> Option<Presented> {
        self.known(|known| known.presented.clone())
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
