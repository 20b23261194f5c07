//! What a browser, a monitor and Prometheus are shown: the checks, how each stands, and whether this process is well.
//!
//! Everything is made here and read only: no request changes anything. Only this host may ask, or whoever shows a token or a
//! certificate over TLS (`door`, `guard`, `tls`). Pages need no script. Where a browser runs ours, it follows what happens. Their policy
//! forbids all others.
//!
//! | path | is |
//! |---|---|
//! | `/` | the checks |
//! | `/checks/NAME` | how the flows of a check stand, as `check --format html` shows it |
//! | `/api/v1/checks` | the checks as JSON |
//! | `/api/v1/checks/NAME` | its report as JSON |
//! | `/api/v1/events` | what happens, as server-sent events |
//! | `/api/v1/openapi.json` | what the API answers, as OpenAPI |
//! | `/live.js` | our script, which follows them |
//! | `/metrics` | all as metrics |
//! | `/healthz`, `/readyz` | whether runs are kept; whether each check has had a run |

mod api;
mod checks;
mod door;
mod events;
mod guard;
mod metrics;
mod places;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use tokio::net::TcpListener;

pub(super) use api::document as api;

use super::Served;
use super::page::{Page, PageFiles};
use crate::report::live_policy;
use door::Door;
use places::{Life, Places};

/// A page that others may ask for.
pub(super) struct Site {
    places: Places,
    door: Arc<Door>,
}

/// Opens the page.
///
/// # Errors
/// When the address cannot be had, or what its files hold does not fit together.
pub(super) async fn open(page: &Page, files: &PageFiles) -> anyhow::Result<Site> {
    let door = Arc::new(Door::new(page, files)?);
    let tls = tls::acceptor(files)?;
    let at = page.address;
    let listener = TcpListener::bind(at).await;
    let listener = listener.with_context(|| format!("listening on {at} for the page"))?;
    let places = Places::new(listener, tls);
    Ok(Site { places, door })
}

/// Answers until the process stops.
pub(super) async fn answer(served: Arc<Served>, site: Site) {
    let stop = served.stop.clone();
    let router = Router::new()
        .route("/", get(index))
        .route("/checks/{name}", get(check))
        .route("/api/v1/checks", get(list))
        .route("/api/v1/checks/{name}", get(report))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/openapi.json", get(openapi))
        .route("/live.js", get(script))
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is no such page\n") })
        .layer(middleware::from_fn_with_state(site.door, guard::guard))
        .with_state(Arc::clone(&served));
    let stopped = async move {
        let mut stop = stop;
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let router = router.into_make_service_with_connect_info::<Life>();
    let ended = axum::serve(site.places, router).with_graceful_shutdown(stopped);
    if let Err(fault) = ended.await {
        served.tell(&format!("no page is shown any more: {fault}"));
    }
}

type Shared = State<Arc<Served>>;

async fn index(State(served): Shared) -> Response {
    match checks::page(&served.board.all()) {
        Ok(page) => html(page),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()).into_response(),
    }
}

async fn check(State(served): Shared, Path(name): Path<String>) -> Response {
    let Some(row) = served.board.row(&name) else {
        return nothing();
    };
    let Some(stands) = row.stands else {
        return nothing();
    };
    // A large report takes its time.
    let made = tokio::task::spawn_blocking(move || stands.page(&name, &row.past, Timestamp::now()));
    match made.await {
        Ok(page) => html(page),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()).into_response(),
    }
}

async fn openapi() -> Response {
    json(&api::document())
}

async fn script() -> Response {
    const SCRIPT: &str = include_str!("../../../templates/live.js");
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}

async fn list(State(served): Shared) -> Response {
    json(&checks::ChecksDocument::of(&served.board.all()))
}

async fn report(State(served): Shared, Path(name): Path<String>) -> Response {
    match served.board.row(&name).and_then(|row| row.stands) {
        Some(stands) => json(&stands.report),
        None => nothing(),
    }
}

async fn metrics(State(served): Shared) -> Response {
    let text = metrics::text(&served.board.all());
    ([(CONTENT_TYPE, metrics::CONTENT)], text).into_response()
}

/// Whether runs can be kept: without that nothing is told either.
async fn healthy(State(served): Shared) -> Response {
    const PATIENCE: Duration = Duration::from_secs(5);
    let asked = tokio::time::timeout(PATIENCE, served.keeper.with(|_| Ok(()))).await;
    let board = served.board.all();
    let mut unkept = board.iter().filter(|(_, row)| row.unkept.is_some());
    let trouble = match (asked, unkept.next()) {
        (Ok(Ok(())), None) => return "it lives\n".into_response(),
        (Ok(Ok(())), Some((name, _))) => format!("the last run of {name} is not in the history\n"),
        _ => "the history does not answer\n".to_string(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, trouble).into_response()
}

async fn ready(State(served): Shared) -> Response {
    let waiting = served.board.all();
    let waiting = waiting.iter().filter(|(_, row)| row.last.is_none());
    let names: Vec<&str> = waiting.map(|(name, _)| name.as_str()).collect();
    match names.is_empty() {
        true => "each check has had a run\n".into_response(),
        false => {
            let words = format!("no run yet: {}\n", names.join(", "));
            (StatusCode::SERVICE_UNAVAILABLE, words).into_response()
        }
    }
}

fn nothing() -> Response {
    let words = "there is no check of this name with a report\n";
    (StatusCode::NOT_FOUND, words).into_response()
}

fn html(page: impl Into<Body>) -> Response {
    // In the head of a page this part would mean nothing.
    let policy = format!("{}; frame-ancestors 'none'", live_policy());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy.as_str()),
    ];
    (headers, page.into()).into_response()
}

fn json(document: &impl serde::Serialize) -> Response {
    match serde_json::to_string(document) {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(fault) => (StatusCode::INTERNAL_SERVER_ERROR, fault.to_string()).into_response(),
    }
}
