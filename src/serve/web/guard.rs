//! Who may ask: this host, by its own names. So no page of a stranger can have a browser here read what is shown.

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::vantage;

pub(super) async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok());
    let mut response = if !host.is_some_and(names_this_host) {
        let words = "ask by a name of this host: localhost, 127.0.0.1 or [::1]\n";
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    } else if ![Method::GET, Method::HEAD].contains(request.method()) {
        (StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n").into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether a header `Host` names this host. A name that leads here could be a stranger's.
fn names_this_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    vantage::is_this_host(name)
}

#[cfg(test)]
mod tests {
    use super::names_this_host;

    #[test]
    fn only_this_hosts_own_names_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:8642",
            "127.0.0.1:8642",
            "127.8.9.1",
            "[::1]:1",
            "[::1",
        ] {
            assert!(names_this_host(host), "{host}");
        }
        for host in [
            "",
            "localhost.evil.example:8642",
            "127.0.0.1.evil.example",
            "192.0.2.1:8642",
            "[2001:db8::1]:8642",
            "evil.example",
        ] {
            assert!(!names_this_host(host), "{host}");
        }
    }
}
