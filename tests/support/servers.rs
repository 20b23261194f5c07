//! Real servers on loopback, each with its files in a temporary folder, on ports that were free, ended by its number.
//!
//! A missing program fails the test and says how to get it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ends::EndsWithTest;
use super::ports;

/// A server that this test started.
pub(crate) struct Server {
    _process: EndsWithTest,
    /// Where it listens.
    pub(crate) at: SocketAddr,
    /// Its files.
    folder: TempDir,
}

impl Server {
    /// Starts a program and waits until it listens; `arguments` are told where, and which folder is its own.
    pub(crate) fn start(
        program: &str,
        arguments: impl FnOnce(SocketAddr, &Path) -> Vec<String>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Servers that give up root write their logs as someone else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("open");
        let at = free();
        let output = fs::File::create(folder.path().join("output")).expect("a file");
        let child = Command::new(program)
            .args(arguments(at, folder.path()))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output)
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("{program} is needed ({error}); scripts/test installs it")
        });
        let server = Self {
            _process: EndsWithTest(child),
            at,
            folder,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(at).is_err() {
            assert!(
                Instant::now() < deadline,
                "{program}: {}",
                server.file("output")
            );
            sleep(Duration::from_millis(20));
        }
        server
    }

    /// nginx that logs these variables of each request, with these `server` directives; `{port}` in them is the port
    /// that it has to listen on.
    pub(crate) fn nginx(log: &str, directives: &str) -> Self {
        Self::start("nginx", |at, here| {
            let directives = directives.replace("{port}", &at.port().to_string());
            let here = here.display();
            let user = if nix::unistd::geteuid().is_root() {
                "user root;"
            } else {
                ""
            };
            let text = format!(
                "daemon off; {user} pid {here}/pid; error_log {here}/errors; events {{}}
                http {{
                    log_format seen '{log}';
                    access_log {here}/seen seen;
                    client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f;
                    uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;
                    server {{ listen {at}; {directives} }}
                }}"
            );
            vec!["-c".to_string(), written(here, &text)]
        })
    }

    /// haproxy with these lines in its frontend, before a server.
    pub(crate) fn haproxy(lines: &str, before: SocketAddr) -> Self {
        Self::start("haproxy", |at, here| {
            let text = format!(
                "defaults\n mode http\n timeout connect 2s\n timeout client 5s\n timeout server 5s\n\
                 frontend front\n bind {at}\n{lines}\n default_backend back\n\
                 backend back\n server one {before}\n"
            );
            vec![
                "-db".to_string(),
                "-f".to_string(),
                written(here.display(), &text),
            ]
        })
    }

    /// squid with these lines; `{at}` in them is where it has to listen, `{here}` its folder.
    pub(crate) fn squid(lines: &str) -> Self {
        Self::start("squid", |at, here| {
            let lines = lines.replace("{at}", &at.to_string());
            let lines = lines.replace("{here}", &here.display().to_string());
            let here = here.display();
            let text = format!(
                "visible_hostname squid01\npid_filename none\nshutdown_lifetime 0 seconds\ncache deny all\n\
                 cache_log {here}/cache_log\ncoredump_dir {here}\nnetdb_filename none\n\
                 logformat seen %>Hs %rm %ru [%{{Proxy-Authorization}}>h]\naccess_log \
                 stdio:{here}/seen seen\n{lines}\n"
            );
            vec!["-N".to_string(), "-f".to_string(), written(here, &text)]
        })
    }

    /// tinyproxy that opens tunnels to these ports alone.
    pub(crate) fn tinyproxy(ports: &[u16]) -> Self {
        Self::start("tinyproxy", |at, here| {
            let tunnels: Vec<String> = ports
                .iter()
                .map(|port| format!("ConnectPort {port}\n"))
                .collect();
            let text = format!(
                "Port {}\nListen {}\nTimeout 30\nLogLevel Error\n{}",
                at.port(),
                at.ip(),
                tunnels.concat()
            );
            vec![
                "-d".to_string(),
                "-c".to_string(),
                written(here.display(), &text),
            ]
        })
    }

    /// microsocks, with a user and a password where they are given.
    pub(crate) fn microsocks(login: Option<(&str, &str)>) -> Self {
        Self::start("microsocks", |at, _| {
            let mut arguments = vec![
                "-i".to_string(),
                at.ip().to_string(),
                "-p".to_string(),
                at.port().to_string(),
            ];
            if let Some((user, password)) = login {
                arguments.extend(["-u", user, "-P", password].map(str::to_string));
            }
            arguments
        })
    }

    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// The requests that it logged, once there are this many: a log is written after the answer was sent.
    pub(crate) fn logged(&self, count: usize) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let text = self.file("seen");
            // squid also logs connections that brought no request, such as the one that waited for its start.
            let lines = text.lines().filter(|line| !line.contains("error:"));
            let lines: Vec<String> = lines.map(str::to_string).collect();
            if lines.len() >= count || Instant::now() > deadline {
                return lines;
            }
            sleep(Duration::from_millis(20));
        }
    }
}

/// Writes a configuration file and gives its path.
pub(crate) fn written(folder: impl std::fmt::Display, text: &str) -> String {
    let path = format!("{folder}/configuration");
    fs::write(&path, text).expect("written");
    path
}

/// A port on loopback where nobody listens.
pub(crate) fn free() -> SocketAddr {
    ports::free(Ipv4Addr::LOCALHOST)
}
