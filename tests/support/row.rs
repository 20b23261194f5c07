//! Three network namespaces in a row, with a firewall between prober and server, for tests that need a real one.
//!
//! Needs root and `ip`; without them the test fails and says so. The namespaces end with the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::executable;
use serde_json::Value;

/// How the site file of a row begins; systems follow.
pub(crate) const SITE_OF_A_ROW: &str =
    "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones:
  inside: { networks: [\"198.51.100.0/24\"] }
  outside: { networks: [\"192.0.2.0/24\"] }
firewalls: { wall: { between: [inside, outside] } }
clients: []
systems:
";

/// Three namespaces in a row: prober, firewall, server.
pub(crate) struct Row {
    /// Their names.
    pub(crate) names: [String; 3],
}

impl Row {
    /// Lays them out: 198.51.100.10 – 198.51.100.1 | 192.0.2.254 – 192.0.2.10.
    pub(crate) fn new() -> Self {
        // Several tests of one process may each have their own.
        static LAID_OUT: AtomicUsize = AtomicUsize::new(0);
        let number = LAID_OUT.fetch_add(1, Ordering::Relaxed);
        let names = ["client", "wall", "server"]
            .map(|role| format!("pp-{role}-{}-{number}", std::process::id()));
        let bed = Self { names };
        for name in &bed.names {
            ip(&["netns", "add", name]);
            ip(&["-n", name, "link", "set", "lo", "up"]);
        }
        let [client, wall, server] = &bed.names;
        for (a, b, a_address, b_address, a_link, b_link) in [
            (
                client,
                wall,
                "198.51.100.10/24",
                "198.51.100.1/24",
                "c0",
                "w0",
            ),
            (wall, server, "192.0.2.254/24", "192.0.2.10/24", "w1", "s0"),
        ] {
            ip(&[
                "link", "add", a_link, "netns", a, "type", "veth", "peer", "name", b_link, "netns",
                b,
            ]);
            ip(&["-n", a, "addr", "add", a_address, "dev", a_link]);
            ip(&["-n", b, "addr", "add", b_address, "dev", b_link]);
            ip(&["-n", a, "link", "set", a_link, "up"]);
            ip(&["-n", b, "link", "set", b_link, "up"]);
        }
        ip(&[
            "-n",
            client,
            "route",
            "add",
            "default",
            "via",
            "198.51.100.1",
        ]);
        ip(&[
            "-n",
            server,
            "route",
            "add",
            "default",
            "via",
            "192.0.2.254",
        ]);
        bed.inside(
            1,
            &[
                "sysctl",
                "-qw",
                "net.ipv4.ip_forward=1",
                "net.ipv4.icmp_ratelimit=0",
            ],
        );
        bed
    }

    /// Runs a command in one of them, to a good end.
    pub(crate) fn inside(&self, place: usize, command: &[&str]) {
        let mut all = vec!["netns", "exec", &self.names[place]];
        all.extend(command);
        ip(&all);
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = Command::new("ip")
                .args(["netns", "del", name])
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Runs `ip`, to a good end.
pub(crate) fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status();
    let status = status.expect("iproute2 is needed: scripts/test installs it");
    assert!(
        status.success(),
        "ip {arguments:?} failed: this test needs root, and network namespaces"
    );
}

/// Runs the program without any privilege, as nobody, inside the client's namespace.
pub(crate) fn check_as_nobody(
    row: &Row,
    program: &Path,
    site: &Path,
    place: &[&str],
) -> (Option<i32>, Value) {
    let output = Command::new("ip")
        .args([
            "netns",
            "exec",
            &row.names[0],
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
        ])
        .arg(program)
        .args(["check", "--format", "json"])
        .args(place)
        .arg(site)
        .output()
        .expect("it runs");
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), report)
}

/// The program where nobody may read it.
pub(crate) fn copy_for_nobody(program: &Path, folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let copy = folder.join("portproof");
    executable::copy(program, &copy);
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("permissions");
    copy
}
