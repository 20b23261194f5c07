//! Plans of large sites: their size follows that of the site. What is counted here is entries and memory, never time.
//! `tests/counts` counts their bytes.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use portproof::config;
use portproof::plan::{self, Plan};
use portproof::product::{CONFIGMGR_2007, Catalogue};
use portproof::site::Site;

use crate::support::growth::TWICE;
use crate::support::large_site::large_site;
#[cfg(target_os = "linux")]
use crate::support::memory::{Memory, memory};

const ZONES: usize = 20;

fn planned(text: &str) -> (Site, Plan) {
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the embedded catalogue");
    let (config, mut problems) = config::read(text.as_bytes());
    let site = Site::new(&config.expect("a file"), &catalogue, &mut problems);
    let site = site.unwrap_or_else(|| panic!("{problems:#?}"));
    let plan = plan::derive(&site, &catalogue);
    (site, plan)
}

fn at_most_twice(what: &str, one: usize, two: usize) {
    let times = two as f64 / one as f64;
    assert!(times <= TWICE, "{what}: {one} of {times} times that: {two}");
}

#[test]
fn twice_the_systems_have_twice_the_entries_and_the_same_sets_of_ports_and_reasons() {
    let (_, one) = planned(&large_site(400, ZONES));
    let (_, two) = planned(&large_site(800, ZONES));
    at_most_twice("flows", one.flows.len(), two.flows.len());
    at_most_twice("entries", one.forbidden.len(), two.forbidden.len());
    let sets = |plan: &Plan| -> usize {
        let sets = plan.forbidden.iter().map(|it| Arc::as_ptr(&it.ports));
        sets.collect::<HashSet<_>>().len()
    };
    let reasons = |plan: &Plan| -> usize {
        let forbidden = plan.forbidden.iter().map(|it| Arc::as_ptr(&it.reason));
        let flows = plan.flows.iter().map(|it| Arc::as_ptr(&it.reason));
        forbidden.chain(flows).collect::<HashSet<_>>().len()
    };
    assert_eq!(sets(&one), sets(&two));
    assert_eq!(reasons(&one), reasons(&two));
}

#[test]
fn a_watched_system_is_one_entry_for_each_other_zone_and_its_ports_are_a_shared_set() {
    let (site, plan) = planned(&large_site(100, ZONES));
    let branch = site.zones.iter().position(|it| it.name == "branch03");
    let system = site.systems.iter().position(|it| it.name == "server00000");
    let (branch, system) = (branch.expect("a zone"), system.expect("a system"));
    let toward: Vec<_> = plan
        .forbidden
        .iter()
        .filter(|it| it.to == plan::Target::System(system) && it.reason.only_watched)
        .collect();
    assert_eq!(toward.len(), ZONES - 2, "all but its own, and the internet");
    assert!(toward.iter().all(|it| it.start(&site) != branch));
    let shared = toward
        .iter()
        .all(|it| Arc::ptr_eq(&it.ports, &toward[0].ports));
    assert!(
        shared && toward[0].ports.len() > 15,
        "{:?}",
        toward[0].ports
    );
}

/// What a process took to write a plan.
#[cfg(target_os = "linux")]
struct Taken {
    /// After the first MiB was read of what it writes.
    at_first: Memory,
    /// The same later, as long as it wrote.
    at_last: Memory,
    /// How many bytes it wrote.
    bytes: usize,
}

/// Reads the plan of a site as it is written. A pipe holds little, so the program waits for each part to be read.
#[cfg(target_os = "linux")]
fn taken(site: &Path) -> Taken {
    let mut portproof = Command::new(env!("CARGO_BIN_EXE_portproof"))
        .args(["plan", "--format", "json"])
        .arg(site)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut out = portproof.stdout.take().expect("its output");
    let mut part = vec![0; 1 << 20];
    out.read_exact(&mut part).expect("more than 1 MiB");
    let at_first = memory(portproof.id()).expect("it runs");
    let (mut at_last, mut bytes) = (at_first, part.len());
    loop {
        match out.read(&mut part).expect("the rest") {
            0 => break,
            more => bytes += more,
        }
        at_last = memory(portproof.id()).unwrap_or(at_last);
    }
    assert!(portproof.wait().expect("ended").success());
    Taken {
        at_first,
        at_last,
        bytes,
    }
}

#[cfg(target_os = "linux")]
#[test]
fn making_a_plan_takes_little_more_than_it_has_and_writing_it_takes_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site.yaml");
    fs::write(&site, large_site(2_000, ZONES)).expect("written");
    let taken = taken(&site);
    let Memory { now, most } = taken.at_first;
    assert!(
        most < now + now / 4,
        "{most} KiB were needed for a plan of {now} KiB"
    );
    // The kernel's counts are inexact (proc(5), VmHWM): the later one may be a little smaller.
    let grown = taken.at_last.most.saturating_sub(taken.at_first.most);
    assert!(grown < 1_024, "{grown} KiB more for {} bytes", taken.bytes);
}
