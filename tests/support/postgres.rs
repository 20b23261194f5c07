//! A real PostgreSQL of Debian's, with its files in a temporary folder. It never runs as root, and ends with its test,
//! whatever ends that: a shell between the two waits for the end of its input.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::ports;

/// The user that owns everything, and the password that is asked for over TCP.
const USER: &str = "portproof";
pub(crate) const PASSWORD: &str = "s3cret word";
/// The account of a server that root starts.
const NOBODY: u32 = 65_534;
/// Starts a server, and ends it when there is no more input. `$REMOVE` is the folder that nobody needs then.
const HOLDER: &str =
    "\"$@\" & server=$!\ncat >/dev/null\nkill -INT $server\nwait $server\nrm -rf \"$REMOVE\"";

/// A server.
pub(crate) struct Postgres {
    folder: PathBuf,
    pub(crate) port: u16,
    settings: Vec<String>,
    holder: Option<Child>,
}

impl Postgres {
    /// The server that all tests of a process share. Each has a database of its own there.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::new(&[], &[]))
    }

    /// A server of one's own, with these files beside its data, and these settings.
    pub(crate) fn new(files: &[(&str, &str)], settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder").keep();
        // The socket is for all; the data has permissions of its own.
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("open");
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("given away");
        }
        for (name, text) in files.iter().chain(&[("password", PASSWORD)]) {
            let file = folder.join(name);
            fs::write(&file, text).expect("written");
            fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("shut");
            if is_root() {
                chown(&file, Some(NOBODY), Some(NOBODY)).expect("given away");
            }
        }
        let mut server = Self {
            port: ports::free(std::net::Ipv4Addr::LOCALHOST).port(),
            settings: settings.iter().map(|it| it.to_string()).collect(),
            holder: None,
            folder,
        };
        let made = as_nobody(&program("initdb"))
            .arg("--pgdata")
            .arg(server.folder.join("data"))
            .args([
                "--username",
                USER,
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
            ])
            .arg("--pwfile")
            .arg(server.folder.join("password"))
            .args([
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ])
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        server.start();
        server
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn start(&mut self) {
        let socket = self.folder.display();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log"));
        // A killed client is the matter of these tests; a host without power is not.
        let mut settings = vec![
            format!("unix_socket_directories={socket}"),
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_string(),
            "fsync=off".to_string(),
            "shared_buffers=32MB".to_string(),
        ];
        settings.extend(self.settings.clone());
        let mut holder = as_nobody(Path::new("/bin/sh"));
        holder
            .args(["-c", HOLDER, "holder"])
            .arg(program("postgres"));
        holder.arg("-D").arg(self.folder.join("data"));
        holder.args(settings.iter().flat_map(|it| ["-c", it]));
        let holder = holder
            .env("REMOVE", &self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log.expect("a file"))
            .spawn();
        self.holder = Some(holder.expect("it begins"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.asked("postgres", "SELECT 1").is_err() {
            assert!(Instant::now() < deadline, "{}", self.log());
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once, as a host does that loses its power. It can be started again.
    pub(crate) fn ends_by_force(&mut self) {
        let mut holder = self.holder.take().expect("it runs");
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let file = file.expect("it says its number");
        let server = file.lines().next().expect("a number");
        kill("-QUIT", server);
        // Not by the end of its input, after which the folder would go too.
        kill("-KILL", &holder.id().to_string());
        holder.wait().expect("it ends");
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.folder.join("data/postmaster.pid").exists() {
            assert!(Instant::now() < deadline, "{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The folder of its socket.
    pub(crate) fn socket(&self) -> String {
        self.folder.display().to_string()
    }

    /// The name of a database that was not there before.
    pub(crate) fn database(&self) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("history_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The address of a database, over the socket, where no password is asked for.
    pub(crate) fn near(&self, database: &str) -> String {
        let socket = self.socket().replace('/', "%2F");
        format!("postgres://{USER}@{socket}:{}/{database}", self.port)
    }

    /// The same over TCP, where one is.
    pub(crate) fn far(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// What a question comes to, a line for each row.
    pub(crate) fn psql(&self, database: &str, words: &str) -> String {
        self.asked(database, words)
            .unwrap_or_else(|why| panic!("{why}"))
    }

    fn asked(&self, database: &str, words: &str) -> Result<String, String> {
        let psql = Command::new(program("psql"))
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "--quiet",
                "-v",
                "ON_ERROR_STOP=1",
            ])
            .args(["--host", &self.socket(), "--port", &self.port.to_string()])
            .args(["--username", USER, "--dbname", database, "--command", words])
            .output()
            .expect("it runs");
        match psql.status.success() {
            true => Ok(String::from_utf8_lossy(&psql.stdout).trim().to_string()),
            false => Err(String::from_utf8_lossy(&psql.stderr).into_owned()),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut holder) = self.holder.take() {
            drop(holder.stdin.take());
            let _ = holder.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn kill(signal: &str, process: &str) {
    let killed = Command::new("kill").args([signal, process]).status();
    assert!(killed.expect("kill is there").success());
}

fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// A command that does not run as root.
fn as_nobody(program: &Path) -> Command {
    let mut command = match is_root() {
        false => Command::new(program),
        true => {
            let id = NOBODY.to_string();
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
                .arg(program);
            command
        }
    };
    // It looks at where it is.
    command.current_dir("/");
    command
}

/// A program of the newest PostgreSQL that Debian has brought.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .expect("postgresql is needed: scripts/test installs it");
    let versions = versions.filter_map(|it| it.ok()?.file_name().into_string().ok());
    let newest = versions.filter_map(|it| it.parse::<u32>().ok()).max();
    let newest = newest.expect("postgresql is needed: scripts/test installs it");
    PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin/{name}"))
}
