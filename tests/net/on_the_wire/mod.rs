//! What refuses, as a TCP socket without privileges meets it: `docs/on-the-wire.md`, held row by row.
//!
//! The tables of the page say what to put where (`page`). Every row gets addresses of its own (`setup`). A row of
//! network namespaces gets all of it (`bed`). This same program, as nobody, tries each (`prober`). What it met is put
//! into the words of the page (`words`) and compared. A row that the page lacks is not tried; a row that cannot be set
//! up fails.
//!
//! Needs root, `ip`, `nft`, `iptables`, `setpriv` and Python; without them it fails and says so.
#![cfg(target_os = "linux")]

mod bed;
mod page;
mod prober;
mod setup;
mod words;

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use crate::support::executable;
use bed::{Bed, source_port};
use page::{PAGE, Page, Row};
use prober::{Ask, Asks, PROBER, Told};
use setup::{Before, Setup};

#[test]
fn every_row_of_the_page_is_what_a_socket_meets() {
    if prober::is_this_process() {
        return prober::answer();
    }
    let page = Page::read();
    let mut setups = Setups::default();
    let asks = Asks {
        shapes: page.rows.iter().map(|row| setups.ask(row)).collect(),
        limits: page.limits.iter().map(|row| setups.ask(row)).collect(),
        counted: page.counted.iter().map(|row| setups.ask(row)).collect(),
    };
    let setups: Vec<Setup> = setups.0.into_iter().map(|(_, setup)| setup).collect();
    let told = ask(&Bed::lay(&setups), &asks);
    let shapes = page.rows.iter().zip(&asks.shapes);
    let met = told.plain.iter().zip(&told.own);
    let shapes = shapes
        .zip(met)
        .filter_map(|((row, ask), (plain, own))| words::differs(row, ask, plain, own));
    let limits = page.limits.iter().zip(&told.limits);
    let limits = limits.filter_map(|(row, counted)| words::counts_otherwise(row, counted));
    let counters = page.counted.iter().zip(&told.grew);
    let counters = counters.filter_map(|(row, grew)| words::grows_otherwise(row, *grew));
    let wrong: Vec<String> = shapes.chain(limits).chain(counters).collect();
    let system = fs::read_to_string("/proc/sys/kernel/osrelease").expect("Linux");
    assert!(
        wrong.is_empty(),
        "{PAGE} says otherwise than Linux {system}{}",
        wrong.join("\n")
    );
}

/// The codes that nftables has words for, and the places where a rule may stand (nft(8), REJECT STATEMENT).
#[test]
fn no_code_and_no_place_is_left_out() {
    let rows = Page::read().rows;
    let has = |place: &str, what: &str| {
        let found = rows
            .iter()
            .any(|row| row.place == place && row.what == what);
        assert!(found, "{PAGE} has no row of {what} at {place}");
    };
    for place in [
        "here, output",
        "router, ingress",
        "router, prerouting",
        "router, forward",
        "bridge, ingress",
        "host, input",
    ] {
        for code in [
            "icmp net-unreachable",
            "icmp host-unreachable",
            "icmp prot-unreachable",
            "icmp port-unreachable",
            "icmp net-prohibited",
            "icmp host-prohibited",
            "icmp admin-prohibited",
            "icmpv6 no-route",
            "icmpv6 admin-prohibited",
            "icmpv6 addr-unreachable",
            "icmpv6 port-unreachable",
            "icmpv6 policy-fail",
            "icmpv6 reject-route",
            "tcp reset",
        ] {
            has(place, &format!("`reject with {code}`"));
        }
        has(place, "`drop`");
    }
    for place in ["here", "router"] {
        for kind in ["unreachable", "prohibit", "blackhole", "throw"] {
            has(place, &format!("`ip route add {kind} HOST`"));
        }
        has(place, "no route");
    }
}

/// What has been set up so far, by place and thing.
#[derive(Default)]
struct Setups(Vec<(String, Setup)>);

impl Setups {
    /// What a row asks. Rows of one thing at one place share it, but for limits, which packets of others would use up.
    fn ask<T>(&mut self, row: &Row<T>) -> Ask {
        let name = format!("{} {} {}", std::any::type_name::<T>(), row.place, row.what);
        let known = self.0.iter().position(|(it, _)| *it == name);
        let place = known.unwrap_or_else(|| {
            let number = u8::try_from(10 + self.0.len()).expect("fewer rows than addresses");
            let setup = Setup::of(&row.place, &row.what, number);
            self.0.push((name, setup));
            self.0.len() - 1
        });
        let setup = &self.0[place].1;
        let host = row.family.address(setup.network(), setup.number);
        let has_own_port = matches!(setup.before, Before::Forgotten | Before::HalfOpen);
        Ask {
            to: SocketAddr::new(host, setup.port),
            hops: setup.hops,
            local_port: has_own_port.then(|| source_port(setup)),
            half_open: setup.before == Before::HalfOpen,
            expired: setup.before == Before::Expired,
        }
    }
}

/// Has this same program ask, as nobody and where nobody may read it.
fn ask(bed: &Bed, asks: &Asks) -> Told {
    let folder = tempfile::tempdir().expect("a folder");
    let readable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), readable).expect("permissions");
    let copy = folder.path().join("prober");
    let here = std::env::current_exe().expect("this program has a path");
    executable::copy(here, &copy);
    let nobody = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--no-new-privs",
    ];
    let mut prober = bed
        .command("here", &nobody)
        .arg(&copy)
        .args([
            "--exact",
            "on_the_wire::every_row_of_the_page_is_what_a_socket_meets",
        ])
        .env(PROBER, "1")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("setpriv of util-linux is needed: scripts/test installs it");
    let mut questions = prober.stdin.take().expect("its input");
    let asks = serde_json::to_string(asks).expect("JSON");
    questions.write_all(asks.as_bytes()).expect("it reads");
    drop(questions);
    let output = prober.wait_with_output().expect("it ends");
    let printed = String::from_utf8_lossy(&output.stdout);
    prober::read(&printed).unwrap_or_else(|| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        panic!("the prober told nothing:\n{printed}\n{complaint}")
    })
}
