//! `portproof listen`: which ports, on which addresses, for how long; what arrived goes into a log.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ipnet::IpNet;
use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::WRONG;
use super::args::Listen;
use super::credentials::Use;
use super::files::{self, Loaded};
use super::named::{self, Kind};
use super::output::{or_print, replace};
use super::runtime::runtime;
use super::streams::say;
use super::token::{HOW, VARIABLE, token as read_token};
use crate::listen::{
    Counts, KEPT_CONNECTIONS, LONGEST_CONNECTION, Listener, MOST_CONNECTIONS, MOST_OF_A_SOURCE,
    Opened, open, wanted,
};
use crate::os;
use crate::plan::{self, SiteName, ToolName};
use crate::report::{self, ARRIVALS_SCHEMA, ArrivalsDocument, ListenedPort, Listening};
use crate::site::{Site, SystemId};
use crate::vantage;

/// How often the log is written, when something has arrived.
const LOG_EVERY: Duration = Duration::from_secs(5);
/// The exit status when this host refused some of the ports.
const SOME_REFUSED: u8 = 1;

pub(super) fn run(arguments: &Listen) -> anyhow::Result<u8> {
    let Some(loaded) = files::load(&arguments.file, arguments.catalogue.as_deref(), Use::None)?
    else {
        return Ok(WRONG);
    };
    let token = read_token(arguments.token_file.as_deref())?.with_context(|| {
        format!(
            "a token keeps strangers out: give one with --token-file or in {VARIABLE}, here and to \
             `portproof check`; {HOW}"
        )
    })?;
    let site = &loaded.site;
    let networks = os::own_addresses().unwrap_or_default();
    let own: Vec<IpAddr> = networks.iter().map(IpNet::addr).collect();
    let system = system(site, arguments.system.as_deref(), &own)?;
    let addresses = addresses(arguments, site, system, &own)?;
    for address in &addresses {
        must_be_of_one_host(*address, &networks)?;
    }
    let wanted = wanted(site, &plan::derive(site, &loaded.catalogue), system);
    let name = site.systems[system].name.clone();
    anyhow::ensure!(!wanted.is_empty(), "no flow of the plan leads to `{name}`");
    if let Some(log) = &arguments.log {
        put_aside(log)?;
    }
    os::raise_descriptor_limit();
    let runtime = runtime()?;
    let status = runtime.block_on(async {
        let opened = open(&addresses, &wanted);
        let listener = Listener::new(&name, token);
        let log = Log::new(arguments, &loaded, &name, &opened.ports);
        listen(arguments, site, system, listener, opened, log).await
    });
    // Connections that are still held must not hold up the end.
    runtime.shutdown_background();
    status
}

async fn listen(
    arguments: &Listen,
    site: &Site,
    system: SystemId,
    listener: Arc<Listener>,
    opened: Opened,
    mut log: Log,
) -> anyhow::Result<u8> {
    let interrupt = os::interrupted().context("listening for Ctrl-C")?;
    let count = opened.listening();
    let refused = opened
        .ports
        .iter()
        .any(|port| port.state == Listening::Refused);
    say!("{}", table(&opened.ports));
    if count == 0 {
        say!(
            "portproof: there is no port left to listen on{}",
            hint(&opened.ports)
        );
        log.write(&listener)?;
        return Ok(WRONG);
    }
    log.write(&listener)?;
    say!(
        "{}",
        beginning(arguments, site, system, count, &opened.ports)
    );
    let begun = Instant::now();
    let serving = tokio::spawn(Arc::clone(&listener).serve(opened));
    let end = sleep(arguments.time);
    tokio::pin!(end, interrupt);
    let mut due = interval(LOG_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut end => break,
            () = &mut interrupt => break,
            _ = due.tick() => if let Err(error) = log.write_news(&listener) {
                // What is seen later may yet be written.
                say!("portproof: {error:#}");
            },
        }
    }
    serving.abort();
    log.write_last(&listener)?;
    say!("{}", ending(begun.elapsed(), listener.counts()));
    Ok(if refused { SOME_REFUSED } else { 0 })
}

/// The system to stand in for.
fn system(site: &Site, named: Option<&str>, own: &[IpAddr]) -> anyhow::Result<SystemId> {
    let place = vantage::find(site, None, named, own).ok();
    if let (Some(name), None) = (named, &place) {
        vantage::find(site, None, Some(name), own).map_err(anyhow::Error::msg)?;
    }
    place.and_then(|place| place.system).context(
        "cannot tell which system of the site file to stand in for: say it with --as SYSTEM",
    )
}

/// The addresses to listen on.
fn addresses(
    arguments: &Listen,
    site: &Site,
    system: SystemId,
    own: &[IpAddr],
) -> anyhow::Result<Vec<IpAddr>> {
    if arguments.any_address {
        let all = own.iter().copied().filter(|it| !it.is_loopback());
        let all: Vec<IpAddr> = all.filter(|it| !is_link_local(*it)).collect();
        anyhow::ensure!(!all.is_empty(), "this host has no address but loopback");
        return Ok(all);
    }
    // IPv4 written as IPv6 is IPv4.
    let asked: Vec<IpAddr> = arguments.address.iter().map(IpAddr::to_canonical).collect();
    if let Some(wildcard) = asked.iter().find(|it| it.is_unspecified()) {
        anyhow::bail!(
            "{wildcard} is every address of this host, the outer ones too; name one, or say \
             --any-address"
        );
    }
    if !asked.is_empty() {
        return Ok(asked);
    }
    addresses_of(site, system, own)
}

/// The addresses of a system that this host has.
pub(super) fn addresses_of(
    site: &Site,
    system: SystemId,
    own: &[IpAddr],
) -> anyhow::Result<Vec<IpAddr>> {
    let is_here = |it: &IpAddr| it.is_loopback() || own.contains(it);
    let given = site.systems[system]
        .addresses
        .iter()
        .flat_map(|(_, all)| all);
    let mut all: Vec<IpAddr> = given.copied().filter(is_here).collect();
    all.sort_unstable();
    all.dedup();
    let name = &site.systems[system].name;
    anyhow::ensure!(
        !all.is_empty(),
        "this host has none of the addresses that the site file gives `{name}`; say --address \
         ADDR, or --any-address"
    );
    Ok(all)
}

/// What is sent to such an address reaches many hosts: a port there proves no path to this one.
fn must_be_of_one_host(address: IpAddr, networks: &[IpNet]) -> anyhow::Result<()> {
    let is_broadcast = |network: &IpNet| match network {
        // Networks of two hosts have none.
        IpNet::V4(v4) => v4.prefix_len() < 31 && IpAddr::V4(v4.broadcast()) == address,
        IpNet::V6(_) => false,
    };
    let what = if address.is_multicast() {
        "a multicast address".to_string()
    } else if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        "the broadcast address".to_string()
    } else if let Some(network) = networks.iter().find(|it| is_broadcast(it)) {
        format!("the broadcast address of {}", network.trunc())
    } else {
        return Ok(());
    };
    anyhow::bail!("{address} is {what}, which no host has for itself; name one of this host's own")
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Every port, and why one is not listened on.
fn table(ports: &[ListenedPort]) -> String {
    let name = |port: &ListenedPort| format!("{}/{}", port.local, port.transport);
    let width = ports.iter().map(|port| name(port).len()).max().unwrap_or(0);
    let mut out = String::new();
    for port in ports {
        let state = match (port.state, &port.why) {
            (Listening::Refused, Some(why)) => format!("refused: {why}"),
            (_, Some(why)) => why.clone(),
            (state, None) => state.to_string(),
        };
        let _ = writeln!(out, "  {:<width$}  {state}", name(port));
    }
    out
}

/// How ports below 1024 can be had, where this host refused some.
fn hint(ports: &[ListenedPort]) -> &'static str {
    let privileged = |port: &ListenedPort| {
        let why = port.why.as_deref().unwrap_or_default();
        port.state == Listening::Refused && why.contains("below 1024")
    };
    if !ports.iter().any(privileged) {
        return "";
    }
    "\nfor ports below 1024 run it as root, or give the program that one right: setcap \
     cap_net_bind_service=+ep portproof"
}

fn beginning(
    arguments: &Listen,
    site: &Site,
    system: SystemId,
    count: usize,
    ports: &[ListenedPort],
) -> String {
    let host = &site.systems[system];
    format!(
        "standing in for {} ({}) on {count} of {} ports for {}; Ctrl-C ends it\n\
         only holders of the token get an answer; at most {MOST_CONNECTIONS} connections at once, \
         {KEPT_CONNECTIONS} of \
         them kept for those who have proved it; {MOST_OF_A_SOURCE} of a source, {} seconds each{}",
        host.name,
        site.zones[host.zone].name,
        ports.len(),
        span(arguments.time),
        LONGEST_CONNECTION.as_secs(),
        hint(ports)
    )
}

fn ending(listened: Duration, counts: Counts) -> String {
    format!(
        "listened for {}; {} arrivals: {} proved, {} half open, {} of strangers, {} of known \
         sources without proof",
        span(listened),
        counts.all(),
        counts.proved,
        counts.half_open,
        counts.strangers,
        counts.known
    )
}

/// A time as people say it.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [
        (seconds / 3_600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() {
        "less than 1s".to_string()
    } else {
        text
    }
}

/// The log of arrivals.
struct Log {
    file: Option<PathBuf>,
    /// What does not change while it listens.
    head: ArrivalsDocument,
    /// How many arrivals have been written.
    written: u64,
}

impl Log {
    fn new(arguments: &Listen, loaded: &Loaded, system: &str, ports: &[ListenedPort]) -> Self {
        Self {
            file: arguments.log.clone(),
            head: document(loaded, system, ports),
            written: 0,
        }
    }

    /// Writes it, when something has arrived since the last time.
    fn write_news(&mut self, listener: &Listener) -> anyhow::Result<()> {
        if listener.counts().all() == self.written {
            return Ok(());
        }
        self.write(listener)
    }

    fn write(&mut self, listener: &Listener) -> anyhow::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let count = listener.counts().all();
        replace(file, &self.text(listener)?)?;
        self.written = count;
        Ok(())
    }

    /// Writes all that has arrived; where the file cannot be written, it goes to standard output.
    fn write_last(&self, listener: &Listener) -> anyhow::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let text = self.text(listener)?;
        or_print(replace(file, &text), &text)
    }

    fn text(&self, listener: &Listener) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(&filled(&self.head, listener))? + "\n")
    }
}

/// A log of a listener that begins now.
pub(super) fn document(loaded: &Loaded, system: &str, ports: &[ListenedPort]) -> ArrivalsDocument {
    let now = format!("{:.0}", Timestamp::now());
    ArrivalsDocument {
        schema: ARRIVALS_SCHEMA.to_string(),
        tool: ToolName::this(),
        site: SiteName::of(&loaded.site),
        config_sha256: loaded.sha256.clone(),
        system: system.to_string(),
        host: os::host_name(),
        started: now.clone(),
        finished: now,
        sees_half_open: os::half_open().is_some(),
        ports: ports.to_vec(),
        arrivals: Vec::new(),
        more: 0,
    }
}

/// The same with what has arrived by now.
pub(super) fn filled(head: &ArrivalsDocument, listener: &Listener) -> ArrivalsDocument {
    let (arrivals, more) = listener.arrivals();
    ArrivalsDocument {
        finished: format!("{:.0}", Timestamp::now()),
        arrivals,
        more,
        ..head.clone()
    }
}

/// Makes room for a log: an earlier one is put aside under the time of its start, and nothing else is ever replaced.
fn put_aside(file: &Path) -> anyhow::Result<()> {
    let Ok(there) = fs::symlink_metadata(file) else {
        return Ok(());
    };
    let shown = file.display();
    anyhow::ensure!(
        there.is_file(),
        "--log {shown} is no regular file, and would be replaced by one: give another path"
    );
    let earlier =
        report::read_arrivals(&named::read(file, Kind::Arrivals)?.bytes).map_err(|why| {
            anyhow::anyhow!("--log {shown} would be replaced, and {why}; give another path")
        })?;
    let started: String = earlier
        .started
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let mut aside = file.as_os_str().to_owned();
    aside.push(format!(".{started}"));
    let aside = PathBuf::from(aside);
    anyhow::ensure!(
        fs::symlink_metadata(&aside).is_err(),
        "--log {shown} holds an earlier log, and so does {}: give another path",
        aside.display()
    );
    fs::rename(file, &aside).with_context(|| format!("putting the earlier log {shown} aside"))?;
    say!("note: the earlier log {shown} is now {}", aside.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let said = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(said(7_200), "2h");
        assert_eq!(said(5_430), "1h30m30s");
        assert_eq!(said(0), "less than 1s");
    }

    #[test]
    fn an_address_of_many_hosts_is_refused_and_one_of_this_host_is_not() {
        let networks = ["192.0.2.10/24", "198.51.100.1/31", "2001:db8::10/64"];
        let networks = networks.map(|it| it.parse().expect("a network"));
        let refused = |text: &str| {
            let address = text.parse().expect("an address");
            must_be_of_one_host(address, &networks)
                .err()
                .map(|error| error.to_string())
        };
        for (address, what) in [
            ("224.0.0.251", "a multicast address"),
            ("ff02::1", "a multicast address"),
            ("255.255.255.255", "the broadcast address,"),
            ("192.0.2.255", "the broadcast address of 192.0.2.0/24"),
        ] {
            let said = refused(address).expect("refused");
            assert!(said.contains(what), "{said}");
        }
        for address in ["192.0.2.10", "198.51.100.1", "2001:db8::10", "127.0.0.1"] {
            assert_eq!(refused(address), None);
        }
    }

    #[test]
    fn only_a_log_makes_room_for_a_log_and_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("arrivals.json");
        put_aside(&file).expect("nothing is there");
        fs::write(&file, "site: {}\n").expect("written");
        let refused = put_aside(&file).expect_err("a site file");
        assert!(
            refused.to_string().contains("give another path"),
            "{refused}"
        );
        assert_eq!(
            fs::read_to_string(&file).expect("still there"),
            "site: {}\n"
        );
        assert!(put_aside(folder.path()).is_err());
        let log = serde_json::json!({
            "schema": "portproof.arrivals/1", "tool": { "name": "portproof", "version": "0.1.0" },
            "site": { "code": "PRI", "product": "configmgr-2007" }, "config_sha256": "aa".repeat(32),
            "system": "ibs01", "host": "ibs01", "started": "2026-11-24T06:00:00Z",
            "finished": "2026-11-24T08:00:00Z", "sees_half_open": true, "ports": [], "arrivals": [], "more": 0,
        });
        fs::write(&file, log.to_string()).expect("written");
        put_aside(&file).expect("a log");
        assert!(!file.exists());
        assert!(
            folder
                .path()
                .join("arrivals.json.20261124T060000Z")
                .is_file()
        );
        fs::write(&file, log.to_string()).expect("written");
        assert!(put_aside(&file).is_err(), "the same once more");
    }
}
