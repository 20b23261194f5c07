//! Asking the operating system's resolver.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dns_lookup::LookupErrorKind;

use super::resolver;
use crate::observation::Unresolved;

/// The addresses of a name, sorted; bounded by `timeout` even when the resolver hangs, and a second for why it gave none.
///
/// # Errors
/// When the name does not exist, when the resolver gave no answer or an error, or when this host had no thread to ask it.
pub async fn lookup(name: &str, timeout: Duration) -> Result<Vec<IpAddr>, Unresolved> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let owned = name.to_string();
    let started = Instant::now();
    let begun = Arc::new(AtomicBool::new(false));
    let begins = Arc::clone(&begun);
    let asked = tokio::task::spawn_blocking(move || {
        begins.store(true, Ordering::Relaxed);
        ask(&owned)
    });
    let answer = match tokio::time::timeout(timeout, asked).await {
        Ok(Ok(answer)) => answer,
        // Where the system gives no thread, the question waits: that says nothing of the resolver.
        Err(_) if !begun.load(Ordering::Relaxed) => Err(Unresolved::NotAsked),
        Ok(Err(_)) | Err(_) => Err(Unresolved::ResolverSilent),
    };
    // The system's own function calls silence and an error the same.
    let answer = match answer {
        Err(Unresolved::ResolverSilent) => Err(resolver::why(name).await),
        answer => answer,
    };
    let took_ms = super::millis(started.elapsed());
    tracing::debug!(name, took_ms, ?answer, "asked the resolver");
    answer
}

fn ask(name: &str) -> Result<Vec<IpAddr>, Unresolved> {
    let found =
        dns_lookup::getaddrinfo(Some(name), None, None).map_err(|error| match error.kind() {
            LookupErrorKind::NoName | LookupErrorKind::NoData => Unresolved::NoSuchName,
            _ => Unresolved::ResolverSilent,
        })?;
    let mut addresses: Vec<IpAddr> = found
        .filter_map(|info| Some(info.ok()?.sockaddr.ip()))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    if addresses.is_empty() {
        Err(Unresolved::NoSuchName)
    } else {
        Ok(addresses)
    }
}
