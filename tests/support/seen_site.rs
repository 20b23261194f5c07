//! A large site with what may be seen of it from one zone: for benchmarks and counts of the pure stages.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use portproof::config;
use portproof::observation::{Attempt, AttemptResult, Observation, ResetBy, Service, State};
use portproof::plan::{self, Plan};
use portproof::product::{CONFIGMGR_2007, Catalogue};
use portproof::report::{self, Outcome, ReportDocument, Vantage};
use portproof::site::{Site, ZoneId};
use portproof::vantage::Place;
use portproof::verdict::{self, Judged, Seen};

/// The zone that it is seen from.
const FROM: &str = "intranet";
const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// The rules that it is planned by.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::parse(CONFIGMGR_2007).expect("the embedded catalogue")
}

/// The site of a file without faults.
pub(crate) fn site(text: &str, catalogue: &Catalogue) -> Site {
    let (config, mut problems) = config::read(text.as_bytes());
    Site::new(&config.expect("a file"), catalogue, &mut problems).expect("a site")
}

/// A site with the flows of one vantage.
pub(crate) struct SeenSite {
    pub(crate) catalogue: Catalogue,
    pub(crate) site: Site,
    pub(crate) plan: Plan,
    place: Place,
}

impl SeenSite {
    /// Of a file.
    pub(crate) fn of(text: &str) -> Self {
        let catalogue = catalogue();
        let site = site(text, &catalogue);
        let mut plan = plan::derive(&site, &catalogue);
        let zone = site.zones.iter().position(|it| it.name == FROM);
        let zone: ZoneId = zone.expect("a zone");
        plan.spread(&site, |it| it.start(&site) == zone);
        let place = Place {
            zone,
            also_in: Vec::new(),
            system: None,
            how: String::new(),
        };
        Self {
            catalogue,
            site,
            plan,
            place,
        }
    }

    /// Each flow of the zone with an observation: open, reset and silent in turn.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let (chosen, _) = plan::select(&self.site, &self.plan, &self.place.zones(), None);
        let each = chosen.into_iter().enumerate();
        each.map(|(number, it)| Seen {
            flow: self.plan.flows[it.flow].clone(),
            owner: it.owner,
            observations: vec![observation(number)],
        })
        .collect()
    }

    /// What that means.
    pub(crate) fn judge(&self, seen: &[Seen]) -> Vec<Judged> {
        verdict::judge_all(&self.site, &[], seen, &HashMap::new())
    }

    /// The report of it.
    pub(crate) fn report(&self, seen: Vec<Seen>, judged: Vec<Judged>) -> ReportDocument {
        let (_, elsewhere) = plan::select(&self.site, &self.plan, &self.place.zones(), None);
        report::assemble(Outcome {
            site: &self.site,
            catalogue: &self.catalogue,
            plan: &self.plan,
            file: "probes.yaml",
            vantage: Vantage {
                agent: None,
                zone: FROM.to_string(),
                system: None,
                host: "here".to_string(),
                addresses: Vec::new(),
                started: AT.to_string(),
                finished: AT.to_string(),
                config_sha256: String::new(),
                run: None,
                needed_only: false,
                sent: None,
                forced: None,
                also_in: Vec::new(),
            },
            place: &self.place,
            elsewhere: report::elsewhere(&self.site, &self.plan, &elsewhere),
            seen,
            judged,
            swept: Vec::new(),
            notes: Vec::new(),
            expires_soon: Duration::ZERO,
            now: AT,
            against: None,
            client: None,
        })
    }
}

fn observation(number: usize) -> Observation {
    let host = u32::try_from(number).expect("few");
    let address = IpAddr::from((0x0a00_0000 + host).to_be_bytes());
    let by_the_host = State::Closed {
        reset_by: ResetBy::Host,
    };
    let (state, service, result) = match number % 3 {
        0 => (State::Open, Some(Service::Spoke), AttemptResult::Open),
        1 => (by_the_host, None, AttemptResult::Reset),
        _ => (State::Filtered, None, AttemptResult::Silent),
    };
    Observation {
        address: Some(address),
        state,
        service,
        attempts: vec![Attempt {
            at: AT,
            local: None,
            remote: (address, 443).into(),
            took_ms: 1.0,
            result,
        }],
        ..Observation::default()
    }
}
