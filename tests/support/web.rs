//! A web server at the end of a row.

use std::process::{Child, Command, Stdio};

use super::row::Row;

const LISTEN: &str = "import http.server, socket
class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
server = Server(('::', 1000), Web)
print('ready', flush=True)
server.serve_forever()
";

/// A web server on port 1000 of the last namespace.
pub(crate) struct Web(Child);

impl Web {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(row: &Row) -> Self {
        let mut child = Command::new("ip")
            .args(["netns", "exec", &row.names[2], "/usr/bin/python3", "-c"])
            .arg(LISTEN)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut ready = [0_u8; 6];
        let output = child.stdout.as_mut().expect("its output");
        std::io::Read::read_exact(output, &mut ready).expect("the server listens");
        Self(child)
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
