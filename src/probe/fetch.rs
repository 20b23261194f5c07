//! Fetching a revocation list over connections that keep to the limits of the run.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tracing::Instrument as _;
use url::Url;

use super::{Prober, try_once};
use crate::os::{Connection, Manner};
use crate::wire::trust::revocation::fetch::{Fetched, NotConnected, NotFetched, Way, fetch};

/// The longest time for one list, redirects and all: CryptoAPI waits no longer by default.
pub(super) const LONGEST: Duration = Duration::from_secs(15);
/// The most addresses of a redirect's host that are tried.
const MOST_ADDRESSES: usize = 4;

impl Prober {
    /// Fetches a list from one address of its host, with at most `most` bytes. Redirects lead only to hosts and ports
    /// that `addresses` knows, at the addresses that it gives. No name is resolved here, so none can lead elsewhere
    /// than when it was looked at. `None` when the run was stopped.
    pub(crate) async fn fetch(
        &self,
        url: &Url,
        at: SocketAddr,
        most: usize,
        addresses: impl Fn(&str, u16) -> Option<Vec<IpAddr>>,
    ) -> Option<Result<Fetched, NotFetched>> {
        let first = url.host_str().unwrap_or_default();
        let first = first.trim_matches(['[', ']']);
        let connect = async |host: String, port: u16| {
            let all = match host == first && port == at.port() {
                true => vec![at.ip()],
                false => addresses(&host, port).unwrap_or_default(),
            };
            self.connect_any(&all, port).await
        };
        let allows = |host: &str, port: u16| addresses(host, port).is_some();
        let mut stop = self.stop.clone();
        let fetching = async {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => None,
                fetched = fetch(url, most, &Way::Straight, connect, allows, LONGEST) => {
                    let length = fetched.as_ref().map(|fetched| fetched.body.len());
                    tracing::debug!(?length, "fetched");
                    Some(fetched)
                }
            }
        };
        let span = tracing::debug_span!("fetch", url = url.as_str(), %at);
        fetching.instrument(span).await
    }

    /// A connection to the first address that takes one.
    async fn connect_any(&self, all: &[IpAddr], port: u16) -> Result<TcpStream, NotConnected> {
        let mut last = NotConnected::NoSuchName;
        for address in all.iter().take(MOST_ADDRESSES) {
            if self.permission.refuses(Some(*address), port).is_some() {
                continue;
            }
            let remote = SocketAddr::new(*address, port);
            let limit = self.limits.timeout;
            let tried = try_once::once(self, remote, Manner::default(), limit).await;
            last = match tried.map(|once| once.came) {
                Some(Some(Connection::Open(stream))) => return Ok(stream),
                Some(Some(Connection::Reset { .. } | Connection::ResetAfterAccept { .. })) => {
                    NotConnected::Closed
                }
                Some(Some(Connection::Rejected { .. })) => NotConnected::Rejected,
                Some(Some(Connection::Trouble(_))) | None => NotConnected::OwnTrouble,
                Some(None) => NotConnected::Silent,
            };
        }
        Err(last)
    }
}
