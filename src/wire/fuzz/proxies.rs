//! Proxies: what HTTP and SOCKS5 proxies say before the tunnel.

use url::Url;

use super::{LIMIT, at_most, peer, wait_for};
use crate::wire::trust::revocation::fetch::NotFetched;
use crate::wire::web::http::authority::Authority;
use crate::wire::web::proxy::credentials::Credentials;
use crate::wire::web::proxy::forward;
use crate::wire::web::proxy::through::through;
use crate::wire::web::proxy::{Kind, Passage, Refused};

/// Less than the largest list, so that small inputs go beyond it.
const LARGEST_LIST: usize = 2_048;
const PASSWORD: &str = "fuzz-and-tell";
/// `user:fuzz-and-tell` in Base64.
const AUTHORIZATION: &str = "dXNlcjpmdXp6LWFuZC10ZWxs";

/// The answers of a proxy, HTTP or SOCKS5, to somebody and to nobody.
pub fn proxy(bytes: &[u8]) -> bool {
    let kinds = [Kind::HttpConnect, Kind::Socks5];
    let known = kinds.map(|kind| {
        let credentials = Credentials::new("user", PASSWORD);
        let [one, other] = [None, credentials].map(|who| is_proxy(kind, who.as_ref(), bytes));
        one || other
    });
    let credentials = Credentials::new("user", PASSWORD);
    let passed_on = [None, credentials].map(|who| is_passed_on(who.as_ref(), bytes));
    let credentials = Credentials::new("user", PASSWORD);
    let fetched = [None, credentials].map(|who| is_fetched(who.as_ref(), bytes));
    let all = [known, passed_on, fetched];
    all.as_flattened().contains(&true)
}

/// What comes back for a list that a proxy was to pass on.
fn is_fetched(credentials: Option<&Credentials>, bytes: &[u8]) -> bool {
    let Ok(url) = Url::parse("http://pki.example.com/ca.crl") else {
        return false;
    };
    let connect = async |_, _| Ok(peer(bytes));
    let fetching = forward::fetch(&url, LARGEST_LIST, credentials, connect, |_, _| true, LIMIT);
    match wait_for(fetching) {
        Ok(Ok(fetched)) => fetched.body.len() <= LARGEST_LIST,
        Ok(Err(NotFetched::Elsewhere { to })) => {
            let told = credentials.is_some();
            assert!(!told || !to.contains(PASSWORD) && !to.contains(AUTHORIZATION));
            true
        }
        Ok(Err(_)) => false,
        Err(refused) => is_refusal(&refused, credentials),
    }
}

/// What comes back for a request that a proxy was to pass on.
fn is_passed_on(credentials: Option<&Credentials>, bytes: &[u8]) -> bool {
    let Some(target) = Authority::new("mp.example.com", 80) else {
        return false;
    };
    match wait_for(forward::root_page(peer(bytes), &target, credentials, LIMIT)) {
        Ok(_) => true,
        Err(refused) => is_refusal(&refused, credentials),
    }
}

fn is_proxy(kind: Kind, credentials: Option<&Credentials>, bytes: &[u8]) -> bool {
    let Some(target) = Authority::new("mp.example.com", 443) else {
        return false;
    };
    match wait_for(through(peer(bytes), kind, &target, credentials, LIMIT)) {
        Passage::Tunnel(stream) => {
            let said = bytes.len() - stream.into_inner().0.len();
            assert!(said <= 32 << 10);
            true
        }
        Passage::Refused(refused) => is_refusal(&refused, credentials),
    }
}

fn is_refusal(refused: &Refused, credentials: Option<&Credentials>) -> bool {
    let texts = texts(refused);
    let gives_back = |secret: &str| texts.iter().any(|text| text.contains(secret));
    let told = credentials.is_some();
    assert!(!told || !gives_back(PASSWORD) && !gives_back(AUTHORIZATION));
    !matches!(refused, Refused::NotProxy { .. } | Refused::Closed)
}

/// What is kept of a refusal, as short as is promised.
fn texts(refused: &Refused) -> &[String] {
    match refused {
        Refused::Authentication { schemes, .. } => {
            assert!(schemes.len() <= 64);
            schemes.iter().for_each(|scheme| at_most(scheme, 40));
            schemes
        }
        Refused::Forbidden { said }
        | Refused::Unreached { said, .. }
        | Refused::NotProxy { said } => {
            at_most(said, 1_200);
            std::slice::from_ref(said)
        }
        Refused::Silent | Refused::Closed | Refused::Reset => &[],
    }
}
