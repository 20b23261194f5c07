//! Asking DNS where a service is published (SRV records). The operating system's own function knows no such question, so
//! its first server is asked, once.

use std::time::Duration;

use tokio::time::timeout;

use crate::observation::PublishedPoint;
use crate::os::{self, Datagram};
use crate::wire::dns::{Kind, Query};

/// Where DNS has a service of this name; empty where nothing says so, whatever the reason.
pub async fn published(name: &str, limit: Duration) -> Vec<PublishedPoint> {
    let server = os::name_servers().into_iter().next();
    let (Some(server), Some(query)) = (server, Query::new(name, Kind::Srv)) else {
        return Vec::new();
    };
    let bytes = query.bytes();
    let came = timeout(limit, os::ask_datagram(server, &bytes, |_| {})).await;
    let answer = match came {
        Ok(Datagram::Answer(bytes)) => query.read(&bytes).ok(),
        Ok(Datagram::Rejected(_) | Datagram::Trouble(_)) | Err(_) => None,
    };
    tracing::debug!(name, ?answer, "asked where it is published");
    answer.map(|answer| answer.services).unwrap_or_default()
}
