//! How often memory is asked for: by the pure stages for each system of a site, and by a sweep for each port. And how much
//! a plan takes.

use std::io;
use std::sync::Arc;

use portproof::paragraph::Width;
use portproof::plan::Plan;
use portproof::product::Catalogue;
use portproof::report::{self, Detail, ReportDocument};
use portproof::run::{self, Request, Scope, SiteFile};
use portproof::site::Site;
use portproof::{config, plan, vantage};
use stats_alloc::Region;
use tokio::sync::watch;

use crate::support::large_site::large_site;
use crate::support::seen_site::{SeenSite, catalogue, site};
use crate::{COUNTED, alone, each, grows_with_its_size};

/// Systems of a site, each twice as many as the one before.
const SIZES: [usize; 3] = [100, 200, 400];
const ZONES: usize = 20;

/// How often something asks for memory, a growing buffer at each growth.
fn asked<T>(what: impl FnOnce() -> T) -> (u64, T) {
    let region = Region::new(COUNTED);
    let made = what();
    let counted = region.change();
    let times = counted.allocations + counted.reallocations;
    (times as u64, made)
}

/// How many bytes of memory something takes and keeps.
fn kept<T>(what: impl FnOnce() -> T) -> (u64, T) {
    let region = Region::new(COUNTED);
    let made = what();
    let counted = region.change();
    let bytes = counted.bytes_allocated - counted.bytes_deallocated;
    (bytes as u64, made)
}

/// Holds a stage to a number for each system, and to twice that for twice the systems.
fn costs_at_most(most: f64, stage: &str, of: impl Fn(&str) -> u64) {
    let _alone = alone();
    let costs = SIZES.map(|systems| of(&large_site(systems, ZONES)));
    let [_, one, two] = costs;
    let each = each((SIZES[1] as u64, one), (SIZES[2] as u64, two));
    assert!(each <= most, "{stage}: {each} for each system, {costs:?}");
    grows_with_its_size(stage, costs);
}

#[test]
fn reading_a_site_file_keeps_to_its_allocations() {
    let catalogue = catalogue();
    costs_at_most(1_500.0, "reading", |text| {
        asked(|| site(text, &catalogue)).0
    });
}

#[test]
fn deriving_a_plan_keeps_to_its_allocations() {
    costs_at_most(410.0, "deriving", |text| {
        let made = SeenSite::of(text);
        asked(|| plan::derive(&made.site, &made.catalogue)).0
    });
}

#[test]
fn a_site_and_its_plan_keep_to_their_memory() {
    costs_at_most(9_400.0, "bytes in memory", |text| kept(|| planned(text)).0);
}

#[test]
fn the_json_of_a_plan_keeps_to_its_size() {
    costs_at_most(22_600.0, "bytes of JSON", |text| {
        let (site, plan) = planned(text);
        let mut json = Vec::new();
        plan::write_json(&site, "probes.yaml", &plan, &mut json).expect("JSON");
        json.len() as u64
    });
}

#[test]
fn writing_a_plan_keeps_to_its_allocations() {
    costs_at_most(1_240.0, "writing", |text| {
        let made = SeenSite::of(text);
        asked(|| plan::write_json(&made.site, "probes.yaml", &made.plan, &mut io::sink())).0
    });
}

#[test]
fn judging_what_was_seen_keeps_to_its_allocations() {
    costs_at_most(310.0, "judging", |text| {
        let made = SeenSite::of(text);
        let seen = made.seen();
        asked(|| made.judge(&seen)).0
    });
}

#[test]
fn making_a_report_keeps_to_its_allocations() {
    costs_at_most(1_670.0, "reporting", |text| reported(text).0);
}

#[test]
fn writing_a_report_as_json_allocates_nothing() {
    let _alone = alone();
    let (_, report) = reported(&large_site(SIZES[0], ZONES));
    let (times, written) = asked(|| serde_json::to_writer(io::sink(), &report));
    written.expect("JSON");
    assert_eq!(times, 0);
}

#[test]
fn a_report_that_was_read_keeps_to_its_memory() {
    costs_at_most(66_000.0, "bytes of a report in memory", |text| {
        let (_, report) = reported(text);
        let json = serde_json::to_vec(&report).expect("JSON");
        drop(report);
        kept(|| report::read(&json).expect("a report")).0
    });
}

#[test]
fn writing_a_report_as_text_keeps_to_its_allocations() {
    costs_at_most(5_520.0, "writing text", |text| {
        let (_, report) = reported(text);
        asked(|| report::text(&report, Detail::Findings, Width::UNKNOWN)).0
    });
}

/// A site and its plan, with ports and reasons shared.
fn planned(text: &str) -> (Site, Plan) {
    let catalogue = catalogue();
    let site = site(text, &catalogue);
    let plan = plan::derive(&site, &catalogue);
    (site, plan)
}

/// A report of what was judged, and how often that asked for memory.
fn reported(text: &str) -> (u64, ReportDocument) {
    let made = SeenSite::of(text);
    let seen = made.seen();
    let judged = made.judge(&seen);
    asked(|| made.report(seen, judged))
}

/// Sweeps so many ports of loopback, which reset.
fn swept(ports: u16) -> u64 {
    let last = 20_000 + ports - 1;
    let text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ there: {{ networks: [\"127.0.0.0/8\"] }}, here: {{ networks: [\"192.0.2.0/24\"] }} }}
firewalls: {{ wall: {{ between: [there, here] }} }}
systems: {{ h0: {{ zone: there, names: {{ default: h0.example.com }}, addresses: {{ default: 127.0.0.77 }}, roles: [console] }} }}
probing: {{ second_look: off, dns: off, rate: max, sweep: \"20000-{last}\", per_host: 256 }}
"
    );
    let catalogue: Catalogue = catalogue();
    let (config, _) = config::read(text.as_bytes());
    let site = site(&text, &catalogue);
    let request = Request {
        place: vantage::find(&site, Some("here"), None, &[]).expect("a zone"),
        file: SiteFile {
            name: "probes.yaml".to_string(),
            sha256: String::new(),
            site,
            catalogue,
            expires_soon: config.expect("a file").tls.expires_soon,
        },
        older: None,
        forced: Some("a test".to_string()),
        lab: None,
        client: None,
        walks: false,
        gentle: None,
        roots: Vec::new(),
        client_certificate: None,
        via_password: None,
        token: None,
        resume: None,
        scope: Scope::Whole,
        permission: portproof::probe::Permission::default(),
        stop: watch::channel(false).1,
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let (times, report) = asked(|| runtime.block_on(run::run(request, Arc::new(|_| ()))));
    let swept = &report.expect("a report").sweeps[0];
    let closed = serde_json::to_value(swept).expect("JSON")["states"]["closed"].to_string();
    assert!(closed.contains(&format!("20000-{last}")), "{closed}");
    times
}

#[test]
fn a_swept_port_that_resets_keeps_to_its_allocations() {
    let _alone = alone();
    let each = each((2_000, swept(2_000)), (8_000, swept(8_000)));
    assert!(each <= 2.2, "{each} for each port");
}
