//! From the plan to the report: flows become questions, what was seen of them is judged, and all of it is assembled.

use jiff::Timestamp;

use super::against;
use super::event::Event;
use super::{
    Run, Scope, announce, clocks, notes, passing, progress, questions, story, sweep, targets, tries,
};
use crate::config::Sweep;
use crate::os;
use crate::plan::{self, Chosen, SiteName};
use crate::probe::Limits;
use crate::product::Need;
use crate::report::{self, Here, Named, Outcome, ReportDocument, Resumed, Vantage};
use crate::site::Origin;
use crate::verdict::{self, Seen};

/// The flows of the site, or of the one client, that are tried from here.
fn of_the_site(run: &Run) -> Vec<Chosen> {
    let site = &run.file.site;
    let (mut chosen, _) = plan::select(site, &run.plan, &run.place.zones(), run.place.system);
    if let Some(old) = &run.against {
        chosen.retain(|chosen| !old.asks(chosen.flow));
    }
    // The lab stands for anything in the zone, and for none of its systems.
    if run.ways.are_of_the_lab() {
        chosen.retain(|chosen| matches!(run.plan.flows[chosen.flow].from, Origin::Zone(_)));
    }
    if run.scope == Scope::Needed {
        chosen.retain(|chosen| run.plan.flows[chosen.flow].need != Need::Forbidden);
    }
    if site.probing.sweep.value == Sweep::None {
        chosen.retain(|chosen| !run.plan.flows[chosen.flow].reason.only_watched);
    }
    chosen
}

/// The interrupted sweep of an earlier report, where it fits this run.
pub(super) fn resumed(
    run: &Run,
    report: Named<ReportDocument>,
    started: Timestamp,
) -> anyhow::Result<Resumed> {
    if let Some(why) = sweep::why_not(run) {
        anyhow::bail!("there is no sweep to go on with, because nothing is swept: {why}");
    }
    let site = &run.file.site;
    let chosen = of_the_site(run).into_iter();
    let flows = chosen.map(|chosen| &run.plan.flows[chosen.flow]);
    let here = Here {
        site: SiteName::of(site),
        vantage: vantage_entry(run, started, started),
        flows: flows
            .map(|flow| plan::entry(site, &run.file.name, flow))
            .collect(),
        now: started,
    };
    let resumed = report::resume(report, &here).map_err(anyhow::Error::msg)?;
    (run.tell)(Event::GoesOn {
        file: resumed.file.clone(),
        until: format!("{:.0}", resumed.finished),
        ports: resumed.ports(),
    });
    Ok(resumed)
}

pub(super) async fn examine(run: &Run, limits: &Limits, started: Timestamp) -> ReportDocument {
    let site = &run.file.site;
    let mut chosen = of_the_site(run);
    let own = chosen.len();
    chosen.extend(run.against.iter().flat_map(against::Old::chosen));
    let names = targets::resolve(run, &chosen).await;
    let (questions, by_flow) = questions::questions(run, &chosen, own, &names);
    let about = announce::announce(run, &questions, limits);
    run.prober
        .stand_behind(tries::behind(run, &chosen, &questions, &by_flow));
    let to_compare = notes::names_to_compare(run, &chosen);
    let dns = tokio::spawn(notes::ask_dns(
        run.ways.reach_systems() && site.probing.dns,
        to_compare.clone(),
        verdict::published_names(site, &run.place.zones()),
        run.timeout,
    ));
    let tries = tries::try_all(run, &chosen, questions, &by_flow);
    let mut tried = progress::telling(run, tries).await;
    // What clients of either file use is judged address by address, behind all else.
    let beside: Vec<Seen> = tried.seen.drain(own..chosen.len()).collect();
    let (used, theirs) = match &run.against {
        Some(old) => old.by_address(beside),
        None => Default::default(),
    };
    let kept = tried.seen.len();
    tried.seen.extend(theirs);
    let mut judged = verdict::judge_all(site, &run.own, &tried.seen, &tried.gone);
    for (place, (seen, judged)) in tried.seen.iter().zip(&judged).enumerate() {
        let numbers = by_flow.get(place).filter(|_| place < own);
        let question = numbers.and_then(|numbers| numbers.get(judged.observation));
        story::decided(site, seen, judged, question.copied());
    }
    let clocks = verdict::Clocks::of(&tried.seen);
    let theirs = (tried.seen.split_off(kept), judged.split_off(kept));
    let mut notes = clocks::notes(site, &clocks);
    notes.extend(notes::skipped_families(site, &tried.seen));
    notes.extend(passing::notes(site, &run.prober.gaps(), &tried.seen));
    notes.extend(notes::name_servers(site, &tried.seen));
    notes.extend(tried.refused);
    notes.extend(notes::swept_earlier(site, &tried.swept));
    let mut stop = run.stop.clone();
    let dns = tokio::select! {
        dns = dns => dns.unwrap_or_default(),
        _ = stop.wait_for(|stop| *stop) => notes::Dns::default(),
    };
    notes.extend(notes::published(site, &dns.published));
    let compared = dns.compared;
    notes.extend(
        compared
            .iter()
            .map(|(system, name, note)| notes::dns_note(site, *system, name, note)),
    );
    let against = run.against.as_ref();
    let against = against.map(|old| old.seen(used, theirs.0, theirs.1));
    let client = run.client.as_ref();
    let client = client.map(|client| client.seen(run, &names, &to_compare, &compared));
    let now = Timestamp::now();
    report::assemble(Outcome {
        site,
        catalogue: &run.file.catalogue,
        plan: &run.plan,
        file: &run.file.name,
        vantage: Vantage {
            sent: Some(run.prober.sent(about.ports, about.addresses)),
            ..vantage_entry(run, started, now)
        },
        place: &run.place,
        seen: tried.seen,
        judged,
        elsewhere: run.elsewhere.clone(),
        swept: tried.swept,
        notes,
        expires_soon: run.file.expires_soon,
        now: clocks.corrected(now),
        against,
        client,
    })
}

fn vantage_entry(run: &Run, started: Timestamp, finished: Timestamp) -> Vantage {
    let site = &run.file.site;
    Vantage {
        zone: site.zones[run.place.zone].name.clone(),
        also_in: run
            .place
            .also_in
            .iter()
            .map(|zone| site.zones[*zone].name.clone())
            .collect(),
        system: run
            .place
            .system
            .map(|system| site.systems[system].name.clone()),
        host: os::host_name(),
        agent: None,
        addresses: run
            .own
            .iter()
            .filter(|address| !address.is_loopback())
            .map(ToString::to_string)
            .collect(),
        started: format!("{started:.0}"),
        finished: format!("{finished:.0}"),
        config_sha256: run.file.sha256.clone(),
        run: run.challenger.as_ref().map(|run| run.run()),
        forced: run.forced.clone(),
        needed_only: run.scope == Scope::Needed,
        sent: None,
    }
}
