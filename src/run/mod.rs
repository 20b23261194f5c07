//! One run: what is asked for goes in, what happens is told while it lasts, and the report comes out.
//!
//! Whoever asks (`request`) has read files, environment and command line, knows where this host is in the site, and says
//! when to stop. Nothing is printed here: `event` has what is told.
//!
//! The flows of the vantage become questions (`questions`), one for each address; equal ones are asked once. Names are
//! resolved first where the file gives no address (`targets`), and beside the probes where it does (`notes`). When all
//! have been asked, silence is made proof, and what the answers leave open is looked into. That is who sent a reset,
//! where packets are dropped, and which doors are painted on. What is silent is tried once more, and at the very end
//! two answered questions of each host are asked again (`controls`). In between certificates are compared with the pins
//! of the file (`interception`). The revocation lists that they name are fetched (`revocation`), from the hosts that
//! may be asked (`list_hosts`).
//!
//! With an older file as well (`against`), the flows that clients of either file use are asked in the same run. With a
//! client's numbers, only what one client uses is asked (`client`). With the report of an interrupted run, only the
//! ports are swept that it had not finished (`sweep`). What is told beforehand is in `announce`, what the log tells in
//! `story`, and `progress` says how far the run is.

mod against;
mod announce;
mod client;
mod clocks;
mod controls;
mod datagrams;
mod event;
mod interception;
mod intermediates;
mod left;
mod limits;
mod list_hosts;
mod look;
mod notes;
mod outcome;
mod passing;
mod progress;
mod questions;
mod refusals;
mod request;
mod revocation;
mod story;
mod sweep;
mod targets;
mod tries;
mod ways;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::lab::{self, Faults, Lab};
use crate::os;
use crate::plan::{self, Plan};
use crate::probe::{Challenger, Prober, Trust};
use crate::report::{self, Elsewhere, ReportDocument, Resumed};
use crate::site::ZoneId;
use crate::vantage::Place;
use crate::wire::trust::certificate::Roots;
use ways::Ways;

pub use event::{AboutToTry, Event, Leaving, Progress, Stage, Tell};
pub use questions::ladder;
pub use request::{ClientNumbers, Request, Scope, SiteFile};

/// What a run works with.
struct Run {
    file: SiteFile,
    /// The flows of the site; behind them those of `against`.
    plan: Plan,
    place: Place,
    /// What this host's addresses say against that place, where the user insists on it.
    forced: Option<String>,
    own: Vec<IpAddr>,
    /// The same with their networks.
    networks: Vec<IpNet>,
    /// Which way packets go.
    ways: Ways,
    prober: Arc<Prober>,
    /// The roots that certificates may lead to.
    roots: Arc<Roots>,
    /// What chains are judged by, the same as the prober's.
    trust: Trust,
    stop: watch::Receiver<bool>,
    timeout: Duration,
    /// The run as listeners know it, where it looks for them.
    challenger: Option<Arc<Challenger>>,
    /// Flows of the site that start in other zones, by their starts.
    elsewhere: Vec<Elsewhere>,
    /// The older site file, when its clients are looked at too.
    against: Option<against::Old>,
    /// The client whose own view this is.
    client: Option<client::Client>,
    /// The interrupted sweep that this one goes on with.
    resumed: Option<Resumed>,
    /// How much is tried.
    scope: Scope,
    /// How far it is.
    course: progress::Course,
    /// Who is told of what happens.
    tell: Tell,
}

/// Plans, tries, judges and reports.
///
/// # Errors
/// When the lab cannot be made. When the client's numbers do not go together, or the zone has no clients. When the proxy
/// cannot be told its password. When the report to go on with does not fit.
pub async fn run(request: Request, tell: Tell) -> anyhow::Result<ReportDocument> {
    let started = Timestamp::now();
    let Request {
        mut file,
        older,
        mut place,
        forced,
        lab,
        client,
        resume,
        scope,
        walks,
        gentle,
        roots,
        client_certificate,
        via_password,
        token,
        permission,
        stop,
    } = request;
    if lab.is_some() {
        lab::prepare(&mut file.site);
    }
    let mut plan = plan::derive(&file.site, &file.catalogue);
    // What must not pass is tried from here flow by flow.
    let zones = place.zones();
    plan.spread(&file.site, |it| zones.contains(&it.start(&file.site)));
    let networks = os::own_addresses().unwrap_or_default();
    let own: Vec<IpAddr> = networks.iter().map(IpNet::addr).collect();
    let (zone, timeout) = (place.zone, file.site.probing.timeout);
    let ways = match lab {
        Some(faults) => Ways::Lab(start_lab(&file, &plan, zone, faults, &tell).await?),
        None => ways::of_zone(&file.site, zone, via_password.as_deref(), timeout).await?,
    };
    let (_, elsewhere) = plan::select(&file.site, &plan, &place.zones(), place.system);
    let elsewhere = report::elsewhere(&file.site, &plan, &elsewhere);
    let client = match client {
        Some(numbers) => Some(client::client(
            numbers,
            &file,
            older.as_ref(),
            &place,
            &mut plan,
            &tell,
        )?),
        None => None,
    };
    let against = match older {
        Some(older) if client.is_none() => Some(against::join(&mut file, &mut plan, older, &place)),
        _ => None,
    };
    let mut limits = limits::limits(&file.site.probing, &ways, walks, &tell);
    if limits::is_gentle(gentle, &file.site, &place, &ways) {
        limits = limits.gentle();
    }
    let trust = match &ways {
        Ways::Lab(lab) => Trust::new(vec![lab.root.clone()], false),
        _ => Trust::new(roots, true).presenting(client_certificate),
    };
    let roots = Arc::clone(&trust.roots);
    let known = trust.clone();
    let challenger = token.map(|token| Arc::new(Challenger::new(token)));
    // A proxy is that of one zone.
    if matches!(ways, Ways::Proxy(_) | Ways::ProxyOfRoles(..)) {
        place.also_in.clear();
    }
    let prober = Prober::with(limits, trust, networks.clone(), stop.clone(), permission);
    let mut run = Run {
        file,
        plan,
        place,
        forced,
        own,
        networks,
        ways,
        prober,
        roots,
        trust: known,
        stop,
        timeout,
        challenger,
        elsewhere,
        against,
        client,
        resumed: None,
        scope,
        course: progress::Course::new(limits),
        tell,
    };
    if let Some(report) = resume {
        run.resumed = Some(outcome::resumed(&run, report, started)?);
    }
    Ok(outcome::examine(&run, &limits, started).await)
}

async fn start_lab(
    file: &SiteFile,
    plan: &Plan,
    zone: ZoneId,
    faults: Faults,
    tell: &Tell,
) -> anyhow::Result<Lab> {
    let lab = Lab::start(&file.site, &file.catalogue, plan, zone, faults).await?;
    tell(Event::LabStands {
        silent: lab.is_silent_for_real(),
    });
    Ok(lab)
}
