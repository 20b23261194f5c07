//! Real TLS servers on loopback, openssl's and GnuTLS's, for the tests of this folder.

#[path = "../../../tests/support/ends.rs"]
pub(crate) mod ends;
#[path = "../../../tests/support/ports.rs"]
pub(crate) mod ports;

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::wire::trust::certificate::sample::{openssl_leaf, openssl_root};

/// The name in the certificate.
pub(super) const NAME: &str = "ibs01.example.com";
/// More than any handshake on loopback takes, on a busy machine too.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// A server that ends with the test.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }
}

/// `root.pem`, and `leaf.pem` with `leaf.key` signed by it: RSA with 2,048 bits.
pub(super) fn certificates(folder: &Path) {
    openssl_root(folder, "Site Root", 2_048, "sha256");
    openssl_leaf(folder, NAME, 2_048, "sha256");
}

/// `openssl s_server` on a free port, with words parted by blanks.
pub(super) fn openssl_server(folder: &Path, words: &str) -> Server {
    let port = free_port();
    start(
        folder,
        "openssl",
        &format!(
            "s_server -accept 127.0.0.1:{port} -cert leaf.pem -key leaf.key -www -naccept 50 {words}"
        ),
        port,
    )
}

/// `gnutls-serv` on a free port: it still has RC4 and 3DES.
pub(super) fn gnutls_server(folder: &Path, priority: &str) -> Server {
    let port = free_port();
    start(
        folder,
        "gnutls-serv",
        &format!(
            "--http --port {port} --x509certfile leaf.pem --x509keyfile leaf.key --priority \
             {priority}"
        ),
        port,
    )
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    ports::free(Ipv4Addr::UNSPECIFIED).port()
}

fn start(folder: &Path, program: &str, words: &str, port: u16) -> Server {
    let mut child = Command::new(program)
        .args(words.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed, scripts/test installs it: {error}"));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(address).is_err() {
        if Instant::now() > deadline || child.try_wait().is_ok_and(|ended| ended.is_some()) {
            let _ = child.kill();
            let mut said = String::new();
            let _ = child
                .stderr
                .take()
                .map(|mut out| out.read_to_string(&mut said));
            panic!("{program} {words} did not start: {said}");
        }
        thread::sleep(Duration::from_millis(20));
    }
    // Nobody reads what it says from here on: a full pipe must not stop it.
    drop(child.stderr.take());
    Server { child, address }
}
