//! The web: HTTP/1.1, and the proxies that stand in between.

pub(crate) mod http;
pub(crate) mod proxy;
