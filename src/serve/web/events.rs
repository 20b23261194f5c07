//! What happens, as server-sent events: a stream that a browser follows. Each event names a check and what happened to it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::places::Life;
use crate::serve::Served;

/// How often something is said, so that a connection to nobody is noticed.
const ALIVE: Duration = Duration::from_secs(15);
/// After how long a browser comes back.
const BACK: Duration = Duration::from_secs(3);

/// The stream. It ends with the daemon, with its connection, and for a reader who falls behind: who comes back sees all.
pub(super) async fn events(
    State(served): State<Arc<Served>>,
    ConnectInfo(life): ConnectInfo<Life>,
) -> Response {
    let Some(listener) = served.board.listen() else {
        let headers = [(RETRY_AFTER, "30")];
        let words = "as many listen as may\n";
        return (StatusCode::SERVICE_UNAVAILABLE, headers, words).into_response();
    };
    life.is_of_a_stream();
    let stop = served.stop.clone();
    let first = Event::default().retry(BACK).comment("what happens");
    let state = (listener, stop, Some(first));
    let events = stream::unfold(state, |(mut listener, mut stop, first)| async move {
        if let Some(first) = first {
            return Some((Ok::<_, Infallible>(first), (listener, stop, None)));
        }
        let news = tokio::select! {
            news = listener.news.recv() => news.ok()?,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        let text = serde_json::to_string(&news).ok()?;
        let event = Event::default().event("check").data(text);
        Some((Ok(event), (listener, stop, None)))
    });
    let alive = KeepAlive::new().interval(ALIVE);
    Sse::new(events).keep_alive(alive).into_response()
}
