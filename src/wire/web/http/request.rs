//! Requests that change nothing, as bytes.
//!
//! There is no way here to write one that a service would act on. GET and HEAD read a path, and PROPFIND lists one
//! folder entry. POST and CCM_POST are empty and go to a path that names nothing. BITS_POST is a ping (MC-BUP section
//! 2.2.4.2: it opens no session). Only a stand-in of this program is ever sent a body.

use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::authority::Authority;
use super::multipart;
use crate::product::Verb;

/// A path that no role has: servers answer it all the same.
pub(crate) const NOWHERE: &str = "/portproof-names-nothing";
/// Another path that no role has: a server whose page for it is that of [`NOWHERE`] has one page for nowhere.
pub(super) const NOWHERE_ELSE: &str = "/portproof-names-nothing-either";
/// What a path may not hold as it is.
const NOT_IN_PATHS: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'"').add(b'<').add(b'>');

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    verb: Verb,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Whose name a request goes out under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Nobody's: no client certificate is shown. Whoever shows one may get more.
    Nobody,
    /// Nobody's, over TLS, to a server that asks for no client certificate: nobody else can show one either.
    Unasked,
    /// A client's: its certificate was shown, and what is sent counts as that client's word.
    Client,
}

impl Identity {
    /// Whether a verb may be sent under it.
    pub(crate) fn may_send(self, verb: Verb) -> bool {
        match self {
            Self::Nobody | Self::Unasked => true,
            Self::Client => matches!(verb, Verb::Get | Verb::Head),
        }
    }

    /// Whether a refusal (401 or 403) may turn into an answer for whoever shows a client certificate.
    pub(super) fn may_get_more(self) -> bool {
        match self {
            Self::Nobody => true,
            Self::Unasked | Self::Client => false,
        }
    }
}

impl Request {
    /// Reads a path.
    pub(crate) fn get(path: &str) -> Self {
        Self::reading(Verb::Get, path)
    }

    /// Reads the head of what GET would give.
    pub(crate) fn head(path: &str) -> Self {
        Self::reading(Verb::Head, path)
    }

    /// Sends a verb to the path that names nothing.
    pub(crate) fn nowhere(verb: Verb) -> Self {
        let request = Self::reading(verb, NOWHERE);
        match verb {
            Verb::Get | Verb::Head => request,
            Verb::Propfind => request.with("Depth", "0"),
            Verb::BitsPost => request.with("BITS-Packet-Type", "Ping"),
            Verb::Post => request.with("Content-Type", "application/octet-stream"),
            Verb::CcmPost => request.with("Content-Type", &multipart::content_type()),
        }
    }

    /// Reads another path that names nothing.
    pub(crate) fn nowhere_else() -> Self {
        Self::get(NOWHERE_ELSE)
    }

    /// Sends a stand-in of this program a multipart body. A real server is never sent one.
    #[cfg_attr(not(test), expect(dead_code, reason = "there is no stand-in yet"))]
    pub(crate) fn to_stand_in(verb: Verb, parts: &[multipart::Part]) -> Self {
        Self {
            body: multipart::body(parts),
            ..Self::reading(verb, NOWHERE).with("Content-Type", &multipart::content_type())
        }
    }

    fn reading(verb: Verb, path: &str) -> Self {
        Self {
            verb,
            path: path.to_string(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same, with one more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        self.headers.push((plain(name), plain(value)));
        self
    }

    /// The same, as the last one of its connection.
    #[must_use]
    pub(crate) fn closing(self) -> Self {
        self.with("Connection", "close")
    }

    pub(crate) fn verb(&self) -> Verb {
        self.verb
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The bytes to send.
    pub(crate) fn bytes(&self, to: &Authority) -> Vec<u8> {
        let path = utf8_percent_encode(&self.path, NOT_IN_PATHS);
        let mut head = format!(
            "{} {}{path} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: portproof/{}\r\nAccept: */*\r\n",
            self.verb,
            to.before_path(),
            env!("CARGO_PKG_VERSION")
        );
        if let Some(authorization) = to.authorization() {
            let _ = write!(head, "Proxy-Authorization: {}\r\n", authorization.value());
        }
        for (name, value) in &self.headers {
            // Writing to a string cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !matches!(self.verb, Verb::Get | Verb::Head) {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head += "\r\n";
        [head.into_bytes(), self.body.clone()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::super::authority::Authorization;
    use super::*;

    fn text(request: &Request) -> String {
        let to = Authority::new("mp.example.com", 443).expect("a host");
        String::from_utf8(request.bytes(&to)).expect("text")
    }

    #[test]
    fn a_request_names_path_host_and_who_asks() {
        let text = text(&Request::get("/SMS_MP/.sms_aut?MPLIST"));
        assert!(text.starts_with(
            "GET /SMS_MP/.sms_aut?MPLIST HTTP/1.1\r\nHost: mp.example.com:443\r\nUser-Agent: \
             portproof/"
        ));
        assert!(text.ends_with("\r\n\r\n") && !text.contains("Content-Length"));
    }

    #[test]
    fn a_request_that_a_proxy_passes_on_names_the_whole_url_and_who_asks() {
        let to = Authority::new("2001:db8::1", 8080).expect("a host");
        let secret = Authorization::new("Basic eDp5".to_string());
        let bytes = Request::get("/a").bytes(&to.by_way_of_a_proxy(Some(secret)));
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with(
            "GET http://[2001:db8::1]:8080/a HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n"
        ));
        assert!(text.contains("\r\nProxy-Authorization: Basic eDp5\r\n"));
    }

    #[test]
    fn verbs_that_hand_something_over_hand_over_nothing_to_nowhere() {
        for verb in [Verb::Post, Verb::CcmPost, Verb::BitsPost, Verb::Propfind] {
            let text = text(&Request::nowhere(verb));
            assert!(text.starts_with(&format!("{verb} {NOWHERE} HTTP/1.1\r\n")));
            assert!(text.ends_with("Content-Length: 0\r\n\r\n"), "{text}");
        }
        assert!(text(&Request::nowhere(Verb::BitsPost)).contains("BITS-Packet-Type: Ping\r\n"));
        assert!(text(&Request::nowhere(Verb::CcmPost)).contains("multipart/mixed"));
    }

    #[test]
    fn a_clients_name_is_only_used_to_read() {
        let allowed: Vec<_> = Verb::ALL
            .iter()
            .filter(|verb| Identity::Client.may_send(**verb))
            .collect();
        assert_eq!(allowed, [&Verb::Get, &Verb::Head]);
    }

    #[test]
    fn a_path_or_header_cannot_add_lines() {
        let text = text(&Request::get("/a b\r\nX: 1").with("A\r\nB", "c\r\nD: e"));
        assert!(text.starts_with("GET /a%20b%0D%0AX:%201 HTTP/1.1\r\n"));
        assert!(text.contains("\r\nAB: cD: e\r\n"));
    }

    proptest::proptest! {
        #[test]
        fn any_path_and_header_make_exactly_their_lines(path: String, name: String, value: String) {
            let text = text(&Request::get(&path).with(&name, &value));
            proptest::prop_assert_eq!(text.matches(['\r', '\n']).count(), 2 * 6);
        }
    }
}
