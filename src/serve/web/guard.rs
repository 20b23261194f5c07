//! What is asked of every request, and what stands in every answer. Whoever asks has to name the page by one of its own
//! names, and to show what its door asks for. So no page of a stranger can have a browser read what is shown.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CACHE_CONTROL, HOST, REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::door::Door;
use super::places::Life;

pub(super) async fn guard(
    State(door): State<Arc<Door>>,
    ConnectInfo(life): ConnectInfo<Life>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(HOST).and_then(|it| it.to_str().ok());
    let mut response = if !host.is_some_and(|it| door.is_named(it)) {
        let words = "ask by a name of the page: one of its certificate, or localhost, 127.0.0.1 or [::1] on its own host\n";
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    } else if !door.opens(request.headers(), life.has_certificate()) {
        stranger(&door)
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

/// Asks who is there. A browser then asks its user for a password: the token is it.
fn stranger(door: &Door) -> Response {
    let words = "show the token, or a certificate\n";
    let mut response = (StatusCode::UNAUTHORIZED, words).into_response();
    if door.takes_tokens() {
        let ways = [
            "Basic realm=\"portproof: the token is the password\", charset=\"UTF-8\"",
            "Bearer realm=\"portproof\"",
        ];
        for way in ways {
            let way = HeaderValue::from_static(way);
            response.headers_mut().append(WWW_AUTHENTICATE, way);
        }
    }
    response
}
