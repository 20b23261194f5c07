//! Many connection attempts at once where the system has no way to use a socket again: each has a socket of its own.

use std::io;
use std::net::SocketAddr;

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{Connection, Manner, connect};

/// Connection attempts that are under way, each at its place. It lives within a runtime.
pub(crate) struct Connecting {
    places: Vec<Option<AbortHandle>>,
    running: FuturesUnordered<Abortable<BoxFuture<'static, (usize, Connection)>>>,
    ended: Vec<(usize, Connection)>,
}

impl Connecting {
    /// Room for so many attempts at once.
    ///
    /// # Errors
    /// Never where each attempt has a socket of its own.
    pub(crate) fn new(places: usize) -> io::Result<Self> {
        Ok(Self {
            places: vec![None; places],
            running: FuturesUnordered::new(),
            ended: Vec::new(),
        })
    }

    /// Begins an attempt at a free place; `None`: it is under way.
    pub(crate) fn begin(&mut self, number: usize, remote: SocketAddr) -> Option<Connection> {
        let place = self.places.get_mut(number)?;
        let attempt = async move { (number, connect(remote, Manner::default(), |_| {}).await) };
        let (handle, registration) = AbortHandle::new_pair();
        *place = Some(handle);
        self.running
            .push(Abortable::new(attempt.boxed(), registration));
        // An attempt leaves when it is polled.
        self.poll();
        None
    }

    /// Gives an attempt up: its socket is closed.
    pub(crate) fn give_up(&mut self, number: usize) {
        if let Some(handle) = self.places.get_mut(number).and_then(Option::take) {
            handle.abort();
        }
        self.ended.retain(|(place, _)| *place != number);
        self.poll();
    }

    /// Waits until an attempt may have ended.
    pub(crate) async fn wait(&mut self) {
        if !self.ended.is_empty() {
            return;
        }
        match self.running.next().await {
            Some(Ok(ended)) => self.ended.push(ended),
            Some(Err(_)) => {}
            None => std::future::pending().await,
        }
    }

    /// Takes what has ended, by the numbers of the places, which are free again.
    pub(crate) fn take(&mut self, ended: &mut Vec<(usize, Connection)>) {
        self.poll();
        for (number, met) in self.ended.drain(..) {
            if let Some(place) = self.places.get_mut(number) {
                *place = None;
            }
            ended.push((number, met));
        }
    }

    fn poll(&mut self) {
        while let Some(Some(ended)) = self.running.next().now_or_never() {
            self.ended.extend(ended.ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn each_attempt_ends_at_its_place_and_one_that_is_given_up_never() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let open = listener.local_addr().expect("an address");
        let shut = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback");
        let closed = shut.local_addr().expect("an address");
        drop(shut);
        let silent = super::super::silent_listener()
            .expect("loopback")
            .expect("linux");
        let mut connecting = Connecting::new(3).expect("places");
        for (place, remote) in [(0, open), (1, closed), (2, silent.address)] {
            assert!(connecting.begin(place, remote).is_none());
        }
        let mut ended = Vec::new();
        while ended.len() < 2 {
            let wait = tokio::time::timeout(Duration::from_secs(5), connecting.wait());
            wait.await.expect("two of them answer");
            connecting.take(&mut ended);
        }
        connecting.give_up(2);
        ended.sort_by_key(|(place, _)| *place);
        assert!(matches!(ended[0], (0, Connection::Open(_))));
        assert!(matches!(ended[1], (1, Connection::Reset { .. })));
        let more = tokio::time::timeout(Duration::from_millis(300), connecting.wait());
        assert!(more.await.is_err());
    }
}
