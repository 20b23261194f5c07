//! Network namespaces, links between them and processes in them; all of it ends with the `Bed`, also in a panic.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::feed::feed;
use super::running::Running;
use serde_json::Value;

/// Only this Python: nobody may not read what a version manager keeps in a home.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
const LISTEN: &str = include_str!("listen.py");

/// How many beds may stand at once; each mostly waits.
static FREE_PLACES: Mutex<Option<usize>> = Mutex::new(None);
static PLACE_FREED: Condvar = Condvar::new();
static BEDS: AtomicU32 = AtomicU32::new(0);

/// Beds at once: `PORTPROOF_MATRIX_BEDS`, or six: two cores keep up with them.
pub(crate) fn beds_at_once() -> usize {
    let asked = std::env::var("PORTPROOF_MATRIX_BEDS").ok();
    asked.map_or(6, |text| {
        text.parse().expect("PORTPROOF_MATRIX_BEDS is a number")
    })
}

/// One end of a link: a namespace and the interface in it.
pub(crate) type End<'a> = (&'a str, &'a str);

/// Namespaces and what runs in them.
pub(crate) struct Bed {
    prefix: String,
    names: Vec<String>,
    running: Vec<Running>,
}

impl Bed {
    /// Makes namespaces of these names, each with loopback up and with forwarding and time-outs set for tests.
    pub(crate) fn new(names: &[String]) -> Self {
        take_place();
        let number = BEDS.fetch_add(1, Ordering::Relaxed);
        let mut bed = Self {
            prefix: format!("pm{}-{number}-", std::process::id()),
            names: Vec::new(),
            running: Vec::new(),
        };
        let adding: String = names
            .iter()
            .map(|name| format!("netns add {}\n", bed.namespace(name)))
            .collect();
        bed.names = names.to_vec();
        {
            // The first `netns add` of a machine mounts the folder: two at once get in each other's way.
            static ADDING: Mutex<()> = Mutex::new(());
            let _alone = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
            feed(Command::new("ip").args(["-batch", "-"]), &adding);
        }
        for name in names {
            // No duplicate address detection: the link-local addresses must serve at once.
            bed.script(
                name,
                "sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 \
                 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0\n\
                 ip link set lo up\n",
            );
        }
        bed
    }

    /// The full name of a namespace.
    pub(crate) fn namespace(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Lays links between namespaces.
    pub(crate) fn links(&self, links: &[(End, End)]) {
        let lines: String = links
            .iter()
            .map(|((here, one), (there, other))| {
                format!(
                    "link add {one} netns {} type veth peer name {other} netns {}\n",
                    self.namespace(here),
                    self.namespace(there)
                )
            })
            .collect();
        feed(Command::new("ip").args(["-batch", "-"]), &lines);
    }

    /// A command in a namespace.
    pub(crate) fn command(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace(name)])
            .args(words);
        command
    }

    /// Runs a shell script in a namespace.
    pub(crate) fn script(&self, name: &str, script: &str) {
        feed(&mut self.command(name, &["sh", "-es"]), script);
    }

    /// Loads nftables rules in a namespace.
    pub(crate) fn rules(&self, name: &str, rules: &str) {
        feed(&mut self.command(name, &["nft", "-f", "-"]), rules);
    }

    /// Starts listeners in a namespace; they accept when this returns.
    pub(crate) fn listen(&mut self, name: &str, listeners: &[Value]) {
        if !listeners.is_empty() {
            let listeners = Value::from(listeners.to_vec()).to_string();
            self.python(name, LISTEN, &[&listeners]);
        }
    }

    /// Starts a Python program in a namespace and waits until it says that it is ready.
    pub(crate) fn python(&mut self, name: &str, program: &str, arguments: &[&str]) {
        let mut command = self.command(name, &[PYTHON, "-c", program]);
        self.running.push(Running::ready(command.args(arguments)));
    }

    /// Runs a Python program in a namespace to its end, with `input`; what it printed.
    pub(crate) fn ask_python(
        &self,
        name: &str,
        program: &str,
        arguments: &[&str],
        input: &str,
    ) -> Value {
        let mut command = self.command(name, &[PYTHON, "-c", program]);
        let output = feed(command.args(arguments), input);
        serde_json::from_slice(&output.stdout).expect("a Python program of the bed prints JSON")
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.running.clear();
        for name in &self.names {
            let _ = Command::new("ip")
                .args(["netns", "del", &self.namespace(name)])
                .stderr(Stdio::null())
                .status();
        }
        let mut free = FREE_PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.map(|free| free + 1);
        PLACE_FREED.notify_one();
    }
}

fn take_place() {
    let mut free = FREE_PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let count = free.get_or_insert_with(beds_at_once);
        if *count > 0 {
            *count -= 1;
            return;
        }
        free = PLACE_FREED
            .wait(free)
            .unwrap_or_else(PoisonError::into_inner);
    }
}
