//! Whose word counts for a flow that several vantages have tried.
//!
//! 1. Proof beats what proves nothing; and whoever may start the flow beats whoever tried it in his stead.
//! 2. Of several proofs the worse counts: what fails, then its level, then the verdict's severity.
//! 3. Of equal ones the better control, then the later report.
//!
//! Two proofs that differ are a contradiction, and both are shown.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::rejudge::is_in_stead;
use crate::observation::FlowState;
use crate::product::Need;
use crate::report::document::ReportFlow;
use crate::report::joined::{Answer, Contradiction};
use crate::report::whole::ReportDocument;
use crate::verdict::{Control, Level, Verdict};

/// A flow of a report: the place of the report, and that of the flow in it.
type At = (usize, usize);

/// Takes the flows out of the reports: each once, with the contradictions among them. No flow is held twice meanwhile: the
/// reports of many agents are large.
pub(super) fn choose(reports: &mut [ReportDocument]) -> (Vec<ReportFlow>, Vec<Contradiction>) {
    let (chosen, contradictions) = chosen(reports);
    let mut flows = Vec::with_capacity(chosen.len());
    for (vantage, report) in reports.iter_mut().enumerate() {
        let all = std::mem::take(&mut report.flows).into_iter().enumerate();
        flows.extend(all.filter_map(|(place, flow)| {
            let also = chosen.get(&(vantage, place))?;
            Some(ReportFlow {
                vantage: Some(vantage),
                also: also.clone(),
                ..flow
            })
        }));
    }
    flows.sort_unstable_by(|one, other| one.flow.id.cmp(&other.flow.id));
    (flows, contradictions)
}

/// The flows that count, each with what others say of it.
fn chosen(reports: &[ReportDocument]) -> (HashMap<At, Vec<Answer>>, Vec<Contradiction>) {
    let mut by_id: BTreeMap<&str, Vec<Word<'_>>> = BTreeMap::new();
    for (vantage, report) in reports.iter().enumerate() {
        let finished = report.vantages[0].finished.parse().ok();
        for (place, flow) in report.flows.iter().enumerate() {
            let words = by_id.entry(&flow.flow.id).or_default();
            let word = Word {
                vantage,
                place,
                finished,
                flow,
            };
            // A swept port that is open at two addresses stands there twice.
            match words.last_mut() {
                Some(last) if last.vantage == vantage => {
                    if word.worth() > last.worth() {
                        *last = word;
                    }
                }
                _ => words.push(word),
            }
        }
    }
    let mut contradictions = Vec::new();
    let mut chosen = HashMap::with_capacity(by_id.len());
    for (id, mut words) in by_id {
        words.sort_by_cached_key(|word| Reverse(word.worth()));
        if contradict(&words) {
            let proofs = words.iter().filter(|word| word.proves());
            contradictions.push(Contradiction {
                flow: id.to_string(),
                answers: proofs.map(Word::answer).collect(),
            });
        }
        if let Some((first, others)) = words.split_first() {
            let also = others.iter().map(Word::answer).collect();
            chosen.insert((first.vantage, first.place), also);
        }
    }
    (chosen, contradictions)
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

fn contradict(words: &[Word<'_>]) -> bool {
    let mut proofs = words.iter().filter(|word| word.proves());
    let first = proofs.next().map(Word::says);
    proofs.any(|word| Some(word.says()) != first)
}
