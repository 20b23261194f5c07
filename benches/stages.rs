//! The pure stages over sites of three sizes, without sockets, files or clocks: `cargo bench`.
//!
//! Each size is twice the one before, so a stage that grows faster than its site shows. Allocations are counted as well.

use std::io;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use portproof::paragraph::Width;
use portproof::plan;
use portproof::report::{self, Detail, ReportDocument};

#[path = "../tests/support/large_site.rs"]
mod large_site;
#[path = "../tests/support/seen_site.rs"]
mod seen_site;

use large_site::large_site;
use seen_site::{SeenSite, catalogue, site};

#[global_allocator]
static COUNTED: AllocProfiler = AllocProfiler::system();

/// Systems; each site has these zones.
const SIZES: [usize; 3] = [250, 500, 1_000];
const ZONES: usize = 20;

fn main() {
    divan::main();
}

/// From bytes to a site in which every name is resolved.
#[divan::bench(args = SIZES)]
fn read(bencher: Bencher, systems: usize) {
    let (text, catalogue) = (large_site(systems, ZONES), catalogue());
    bencher
        .counter(ItemsCount::new(systems))
        .bench_local(|| site(&text, &catalogue));
}

/// From the site to its flows.
#[divan::bench(args = SIZES)]
fn derive(bencher: Bencher, systems: usize) {
    let made = made(systems);
    bencher
        .counter(ItemsCount::new(systems))
        .bench_local(|| plan::derive(&made.site, &made.catalogue));
}

/// The plan as JSON.
#[divan::bench(args = SIZES)]
fn write_plan(bencher: Bencher, systems: usize) {
    let made = made(systems);
    bencher
        .counter(ItemsCount::new(systems))
        .bench_local(|| plan::write_json(&made.site, "probes.yaml", &made.plan, &mut io::sink()));
}

/// From what was seen of each flow of a zone to verdicts.
#[divan::bench(args = SIZES)]
fn judge(bencher: Bencher, systems: usize) {
    let made = made(systems);
    let seen = made.seen();
    bencher
        .counter(ItemsCount::new(seen.len()))
        .bench_local(|| made.judge(&seen));
}

/// From verdicts to the document.
#[divan::bench(args = SIZES)]
fn assemble(bencher: Bencher, systems: usize) {
    let made = made(systems);
    let seen = made.seen();
    let judged = made.judge(&seen);
    bencher
        .counter(ItemsCount::new(seen.len()))
        .with_inputs(|| (seen.clone(), judged.clone()))
        .bench_local_values(|(seen, judged)| made.report(seen, judged));
}

/// The report as JSON.
#[divan::bench(args = SIZES)]
fn write_report(bencher: Bencher, systems: usize) {
    let report = reported(systems);
    bencher
        .counter(ItemsCount::new(report.flows.len()))
        .bench_local(|| serde_json::to_writer(io::sink(), &report));
}

/// The report as text.
#[divan::bench(args = SIZES)]
fn text(bencher: Bencher, systems: usize) {
    let report = reported(systems);
    bencher
        .counter(ItemsCount::new(report.flows.len()))
        .bench_local(|| report::text(&report, Detail::Findings, Width::UNKNOWN));
}

/// The report from JSON.
#[divan::bench(args = SIZES)]
fn read_report(bencher: Bencher, systems: usize) {
    let report = reported(systems);
    let bytes = serde_json::to_vec(&report).expect("a report");
    bencher
        .counter(ItemsCount::new(report.flows.len()))
        .bench_local(|| report::read(&bytes));
}

fn made(systems: usize) -> SeenSite {
    SeenSite::of(&large_site(systems, ZONES))
}

fn reported(systems: usize) -> ReportDocument {
    let made = made(systems);
    let seen = made.seen();
    let judged = made.judge(&seen);
    made.report(seen, judged)
}
