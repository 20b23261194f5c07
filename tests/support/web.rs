//! A web server at the end of a row.

use super::row::Row;
use super::running::Running;

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

/// Starts a web server on port 1000 of the last namespace.
pub(crate) fn web(row: &Row) -> Running {
    Running::python(&row.names[2], LISTEN, &[])
}
