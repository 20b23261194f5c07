//! The tries of a run in their order. All questions are asked, silence is made proof, and what failed is looked at
//! again and closer. Lists are fetched, and last comes the sweep.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::controls::{self, Lost};
use super::event::{Event, Stage};
use super::{Run, datagrams, interception, intermediates, look, progress, revocation, sweep};
use crate::attribution;
use crate::observation::Observation;
use crate::os;
use crate::plan::{Chosen, Owner};
use crate::probe::Question;
use crate::product::Need;
use crate::report::{Note, SweptSystem};
use crate::verdict::{self, Seen};

/// What was seen of the flows of a run.
pub(super) struct Tried {
    pub(super) seen: Vec<Seen>,
    /// Hosts that no longer answered at the end, with the time of their last answer.
    pub(super) gone: HashMap<IpAddr, Timestamp>,
    pub(super) swept: Vec<SweptSystem>,
    /// What is said of hosts of lists that were not asked.
    pub(super) refused: Vec<Note>,
}

/// Asks all questions, makes silence proof, looks closer, fetches lists and sweeps, in this order.
pub(super) async fn try_all(
    run: &Run,
    chosen: &[Chosen],
    questions: Vec<Question>,
    by_flow: &[Vec<usize>],
) -> Tried {
    let tell = &run.tell;
    tell(Event::Begun(questions.len()));
    let required = required(run, chosen, by_flow);
    // What is sent from now on is sent for this; what is known by now tells how long the rest takes.
    let begin = |stage: Stage, answers: &[Observation]| {
        run.prober.sends_for(stage.sends_for());
        progress::begins(run, stage, &required, &questions, answers);
        tell(Event::Stage(stage));
    };
    begin(Stage::Asking, &[]);
    let loopback = os::loopback_packets();
    let mut answers = run
        .prober
        .ask_all(questions.clone(), || {
            progress::answered(run);
            tell(Event::Answered);
        })
        .await;
    begin(Stage::ProvingSilence, &answers);
    run.prober.prove_silence(&questions, &mut answers).await;
    begin(Stage::LookingAgain, &answers);
    run.prober
        .look_again(&required, &questions, &mut answers)
        .await;
    run.prober
        .ask_alone(&required, &questions, &mut answers)
        .await;
    intermediates::look_again(run, &questions, &mut answers).await;
    let silent = datagrams::beside(run, chosen, by_flow, &questions, &answers);
    run.prober
        .prove_datagrams(&silent, &questions, &mut answers)
        .await;
    run.prober.follow_data(&questions, &mut answers).await;
    run.prober.settle_ranges(&questions, &mut answers).await;
    begin(Stage::LookingCloser, &answers);
    look::refused_here(run, &questions, &mut answers, loopback).await;
    let crossing = crossing(run, chosen, by_flow);
    let mut doors = look::look_closer(run, &questions, &mut answers, &crossing).await;
    begin(Stage::TryingOnceMore, &answers);
    run.prober
        .look_at_the_end(&required, &questions, &mut answers)
        .await;
    attribution::settle_all(&mut answers);
    run.prober
        .note_held_back(&required, &questions, &mut answers);
    let mut controls = controls::controls(&questions, &answers);
    // Only silence can be that of a device which has shut this host out. What a sweep meets says nothing of the plan's
    // answers, which were had before.
    let silence = answers.iter().any(controls::no_longer_answers);
    let mut seen: Vec<Seen> = chosen
        .iter()
        .zip(by_flow)
        .map(|(chosen, numbers)| Seen {
            flow: run.plan.flows[chosen.flow].clone(),
            owner: chosen.owner,
            observations: numbers
                .iter()
                .map(|number| answers[*number].clone())
                .collect(),
        })
        .collect();
    interception::note(&run.file.site, &run.trust, &mut seen);
    verdict::compare_lists(&run.file.site, &mut seen);
    begin(Stage::FetchingLists, &answers);
    let refused = revocation::examine(run, &mut seen).await;
    begin(Stage::Sweeping, &answers);
    let swept = sweep::sweep(run, &seen, &mut doors).await;
    if !silence {
        let silent = swept.silent();
        controls.retain(|address, _| silent.contains(address));
    }
    begin(Stage::AskingAgain, &answers);
    let mut lost = controls::lost(run, &controls).await;
    let swept = swept.judge(&doors, &lost.hosts);
    if !silence {
        lost = Lost::default();
    }
    controls::note(&lost, &mut seen);
    tell(Event::Done);
    Tried {
        seen,
        gone: lost.hosts,
        swept,
        refused,
    }
}

/// The questions of required flows that start here.
fn required(run: &Run, chosen: &[Chosen], by_flow: &[Vec<usize>]) -> BTreeSet<usize> {
    let wanted = chosen.iter().zip(by_flow).filter(|(chosen, _)| {
        run.plan.flows[chosen.flow].need == Need::Required && chosen.owner != Owner::Another
    });
    wanted
        .flat_map(|(_, numbers)| numbers.iter().copied())
        .collect()
}

/// What packets to each address meet first, where the site file says so.
pub(super) fn behind(
    run: &Run,
    chosen: &[Chosen],
    questions: &[Question],
    by_flow: &[Vec<usize>],
) -> HashMap<IpAddr, String> {
    let mut behind = HashMap::new();
    for (chosen, numbers) in chosen.iter().zip(by_flow) {
        let flow = &run.plan.flows[chosen.flow];
        let Some(first) = verdict::first_firewall(&run.file.site, flow) else {
            continue;
        };
        for number in numbers {
            if let Some(address) = questions[*number].address() {
                behind.entry(address).or_insert_with(|| first.clone());
            }
        }
    }
    behind
}

/// The questions of flows between two zones.
fn crossing(run: &Run, chosen: &[Chosen], by_flow: &[Vec<usize>]) -> HashSet<usize> {
    let site = &run.file.site;
    let crosses = |chosen: &Chosen| {
        let flow = &run.plan.flows[chosen.flow];
        flow.end(site) != Some(flow.start(site))
    };
    let flows = chosen.iter().zip(by_flow);
    flows
        .filter(|(chosen, _)| crosses(chosen))
        .flat_map(|(_, numbers)| numbers.iter().copied())
        .collect()
}
