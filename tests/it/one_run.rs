//! A run as another program asks for it: events while it lasts, the report at the end, and nothing is printed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portproof::lab::{self, Faults};
use portproof::product::{self, Catalogue};
use portproof::report::ReportDocument;
use portproof::run::{self, Event, Progress, Request, Scope, SiteFile, Stage};
use portproof::site::Site;
use portproof::verdict::Verdict;
use portproof::{config, vantage};
use tokio::sync::watch;

fn progress(event: &Event) -> Option<Progress> {
    match event {
        Event::Progress(progress) => Some(*progress),
        _ => None,
    }
}

fn request(stop: watch::Receiver<bool>) -> Request {
    let catalogue = Catalogue::parse(product::CONFIGMGR_2007).expect("no findings");
    let (config, mut problems) = config::read(lab::SITE_FILE.as_bytes());
    let config = config.expect("a site file");
    let site = Site::new(&config, &catalogue, &mut problems).expect("a site");
    let zone = site.internet.map(|zone| site.zones[zone].name.clone());
    Request {
        place: vantage::find(&site, zone.as_deref(), None, &[]).expect("a zone"),
        file: SiteFile {
            name: "probes.yaml".to_string(),
            sha256: String::new(),
            site,
            catalogue,
            expires_soon: config.tls.expires_soon,
        },
        older: None,
        forced: None,
        lab: Some(Faults::Planted),
        client: None,
        resume: None,
        scope: Scope::Whole,
        walks: true,
        gentle: None,
        roots: Vec::new(),
        client_certificate: None,
        via_password: None,
        token: None,
        permission: portproof::probe::Permission::default(),
        stop,
    }
}

fn run(stop: watch::Receiver<bool>) -> (ReportDocument, Vec<Event>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let tell = Arc::new(move |event| heard.lock().expect("whole").push(event));
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let report = runtime.block_on(run::run(request(stop), tell));
    let told = told.lock().expect("whole").clone();
    (report.expect("a report"), told)
}

#[test]
fn a_run_tells_what_it_does_and_reports_the_planted_faults() {
    let (_keep, stop) = watch::channel(false);
    let (report, told) = run(stop);
    let found = |verdict| report.flows.iter().any(|flow| flow.verdict == verdict);
    for verdict in [
        Verdict::Ok,
        Verdict::Blocked,
        Verdict::Down,
        Verdict::Wrong,
        Verdict::Exposed,
    ] {
        assert!(found(verdict), "{verdict}");
    }
    let begun = told.iter().find_map(|event| match event {
        Event::Begun(tries) => Some(*tries),
        _ => None,
    });
    let answered = told.iter().filter(|it| **it == Event::Answered).count();
    assert_eq!(begun, Some(answered));
    assert!(answered > 50, "{answered}");
    assert!(
        matches!(told.first(), Some(Event::LabStands { .. })),
        "{told:?}"
    );
    let place = |wanted: &Event| told.iter().position(|event| event == wanted);
    let proving = place(&Event::Stage(Stage::ProvingSilence));
    let sweeping = place(&Event::Stage(Stage::Sweeping));
    let done = place(&Event::Done);
    assert!(proving.is_some() && proving < sweeping && sweeping < done);
    assert_eq!(done, Some(told.len() - 1), "all phases come before the end");
    let far: Vec<Progress> = told.iter().filter_map(progress).collect();
    assert!(far.len() >= 2, "{far:?}");
    assert!(
        far.windows(2).all(|both| both[0].done <= both[1].done),
        "{far:?}"
    );
    let is_open = |it: &Progress| it.done < 1_000 && it.left >= Duration::from_secs(1);
    assert!(far.iter().all(is_open), "{far:?}");
}

#[test]
fn a_run_that_is_stopped_still_reports() {
    let (stopper, stop) = watch::channel(true);
    let (report, _) = run(stop);
    let unknown = |verdict| verdict == Verdict::Unknown;
    assert!(report.flows.iter().any(|flow| unknown(flow.verdict)));
    drop(stopper);
}
