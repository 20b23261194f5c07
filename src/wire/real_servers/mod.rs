//! Messages of each protocol with real servers on loopback (`tests/support/servers.rs`).

mod domain_services;
mod proxies;
#[path = "../../../tests/support/servers.rs"]
mod servers;
mod verbs_and_roles;

use std::net::SocketAddr;

use crate::wire::tls::servers::{ends, ports};
use servers::{Server, free, written};

/// nginx that logs what each request asks for, and how much it brings.
fn nginx(directives: &str) -> Server {
    Server::nginx("$request_method $request_uri $content_length", directives)
}

/// A new connection to a server, or none.
async fn connect(at: SocketAddr) -> Option<tokio::net::TcpStream> {
    tokio::net::TcpStream::connect(at).await.ok()
}
