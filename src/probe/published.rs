//! Asking DNS where a service is published (SRV records). The operating system's own function knows no such question, so
//! its first server is asked, once.

use std::time::Duration;

use super::resolver::{Came, question};
use crate::observation::PublishedPoint;
use crate::os;
use crate::wire::dns::Kind;

/// Where DNS has a service of this name; empty where nothing says so, whatever the reason.
pub async fn published(name: &str, limit: Duration) -> Vec<PublishedPoint> {
    let Some(server) = os::name_servers().into_iter().next() else {
        return Vec::new();
    };
    let services = match question(server, name, Kind::Srv, limit).await {
        Came::Answer(answer) => answer.services,
        Came::Absent | Came::Nothing => Vec::new(),
    };
    tracing::debug!(name, ?services, "asked where it is published");
    services
}
