//! Whose word counts for a flow that several vantages have tried.
//!
//! 1. Proof beats what proves nothing; and whoever may start the flow beats whoever tried it in his stead.
//! 2. Of several proofs the worse counts: what fails, then its level, then the verdict's severity.
//! 3. Of equal ones the better control, then the later report.
//!
//! Two proofs that differ are a contradiction, and both are shown.

use std::cmp::Reverse;

use super::rejudge::is_in_stead;
use crate::observation::FlowState;
use crate::product::Need;
use crate::report::document::ReportFlow;
use crate::report::joined::{Answer, Contradiction};
use crate::report::whole::ReportDocument;
use crate::verdict::{Control, Level, Verdict};

/// Takes the flows out of the reports: each once, with the contradictions among them. No flow is held twice meanwhile: the
/// reports of many agents are large.
pub(super) fn choose(reports: &mut [ReportDocument]) -> (Vec<ReportFlow>, Vec<Contradiction>) {
    let (chosen, contradictions) = chosen(reports);
    let mut flows = Vec::with_capacity(chosen.iter().flatten().flatten().count());
    for (vantage, (report, chosen)) in reports.iter_mut().zip(chosen).enumerate() {
        let all = std::mem::take(&mut report.flows).into_iter().zip(chosen);
        flows.extend(all.filter_map(|(flow, also)| {
            Some(ReportFlow {
                vantage: Some(vantage),
                also: also?,
                ..flow
            })
        }));
    }
    flows.sort_unstable_by(|one, other| one.flow.id.cmp(&other.flow.id));
    (flows, contradictions)
}

/// For each flow of each report, what others say of it; `None`: it is another's word that counts.
type Chosen = Vec<Vec<Option<Vec<Answer>>>>;

fn chosen(reports: &[ReportDocument]) -> (Chosen, Vec<Contradiction>) {
    let mut all: Vec<Word> = reports.iter().enumerate().flat_map(words).collect();
    all.sort_by_key(|word| &word.flow.flow.id);
    let mut contradictions = Vec::new();
    let none = |report: &ReportDocument| vec![None; report.flows.len()];
    let mut chosen: Chosen = reports.iter().map(none).collect();
    for of_one in all.chunk_by(|one, other| one.flow.flow.id == other.flow.flow.id) {
        let mut words = one_of_each_vantage(of_one);
        words.sort_by_cached_key(|word| Reverse(word.worth()));
        if contradict(&words) {
            let proofs = words.iter().filter(|word| word.proves());
            contradictions.push(Contradiction {
                flow: of_one[0].flow.flow.id.clone(),
                answers: proofs.map(|word| word.answer()).collect(),
            });
        }
        if let Some((first, others)) = words.split_first() {
            let also = others.iter().map(|word| word.answer()).collect();
            chosen[first.vantage][first.place] = Some(also);
        }
    }
    (chosen, contradictions)
}

/// The words of a vantage, in the order of its report.
fn words((vantage, report): (usize, &ReportDocument)) -> impl Iterator<Item = Word<'_>> {
    let finished = report.vantages[0].finished.parse().ok();
    let flows = report.flows.iter().enumerate();
    flows.map(move |(place, flow)| Word {
        vantage,
        place,
        finished,
        flow,
    })
}

/// A swept port that is open at two addresses stands twice in a report: the word that is worth more stays.
fn one_of_each_vantage<'a, 'b>(words: &'b [Word<'a>]) -> Vec<&'b Word<'a>> {
    let of_each = words.chunk_by(|one, other| one.vantage == other.vantage);
    let best = of_each.filter_map(|words| {
        let better = |best: &'b Word<'a>, word: &'b Word<'a>| match word.worth() > best.worth() {
            true => word,
            false => best,
        };
        words.iter().reduce(better)
    });
    best.collect()
}

/// One vantage's word on a flow.
struct Word<'a> {
    vantage: usize,
    /// Where the flow stands in its report.
    place: usize,
    finished: Option<jiff::Timestamp>,
    flow: &'a ReportFlow,
}

/// What a word is worth; the greater counts.
type Worth = (
    u8,
    bool,
    Level,
    u8,
    Option<Control>,
    Option<jiff::Timestamp>,
    Reverse<usize>,
);

impl Word<'_> {
    /// Whether it proves anything. An optional flow is `ok` whatever is seen of it.
    fn proves(&self) -> bool {
        match self.flow.verdict {
            Verdict::Unknown => false,
            Verdict::Ok if self.is_optional() => {
                use FlowState::{Closed, Filtered, Open, Rejected};
                matches!(self.flow.state, Open | Closed | Rejected | Filtered)
            }
            Verdict::Ok | Verdict::Blocked | Verdict::Down | Verdict::Wrong | Verdict::Exposed => {
                true
            }
        }
    }

    fn is_optional(&self) -> bool {
        self.flow.flow.need == Need::Optional
    }

    /// What it says: the verdict; of an optional flow, whether it passes.
    fn says(&self) -> (Verdict, bool) {
        let passes = self.is_optional() && self.flow.state == FlowState::Open;
        (self.flow.verdict, passes)
    }

    fn worth(&self) -> Worth {
        let standing = match self.proves() {
            true => 2,
            false if is_in_stead(self.flow) => 0,
            false => 1,
        };
        let verdict = self.flow.verdict;
        (
            standing,
            verdict.fails(),
            self.flow.level,
            verdict.severity(),
            self.flow.evidence.context.control,
            self.finished,
            Reverse(self.vantage),
        )
    }

    fn answer(&self) -> Answer {
        let flow = self.flow;
        let at = flow.evidence.attempts().map(|attempt| attempt.at).max();
        Answer {
            vantage: self.vantage,
            state: flow.state,
            verdict: flow.verdict,
            cause: flow.cause,
            level: flow.level,
            at: at.map(|at| format!("{at:.3}")),
        }
    }
}

fn contradict(words: &[&Word<'_>]) -> bool {
    let mut proofs = words.iter().filter(|word| word.proves());
    let first = proofs.next().map(|word| word.says());
    proofs.any(|word| Some(word.says()) != first)
}
