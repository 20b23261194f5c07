//! Whose word counts for a flow that several vantages have tried.
//!
//! 1. Proof beats what proves nothing; and whoever may start the flow beats whoever tried it in his stead.
//! 2. Of several proofs the worse counts: what fails, then its level, then the verdict's severity.
//! 3. Of equal ones the better control, then the later report.
//!
//! Two proofs that differ are a contradiction, and both are shown.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::rejudge::is_in_stead;
use crate::observation::FlowState;
use crate::product::Need;
use crate::report::document::ReportFlow;
use crate::report::joined::{Answer, Contradiction};
use crate::report::whole::ReportDocument;
use crate::verdict::{Control, Level, Verdict};

/// Takes the flows out of the reports: each once, with the contradictions among them.
pub(super) fn choose(reports: &mut [ReportDocument]) -> (Vec<ReportFlow>, Vec<Contradiction>) {
    let mut by_id: BTreeMap<String, Vec<Word>> = BTreeMap::new();
    for (vantage, report) in reports.iter_mut().enumerate() {
        for flow in std::mem::take(&mut report.flows) {
            let words = by_id.entry(flow.flow.id.clone()).or_default();
            let word = Word {
                vantage,
                finished: report.vantages[0].finished.parse().ok(),
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
    let mut flows = Vec::with_capacity(by_id.len());
    for (id, mut words) in by_id {
        words.sort_by_cached_key(|word| Reverse(word.worth()));
        let answers: Vec<Answer> = words.iter().map(Word::answer).collect();
        if contradict(&words) {
            let proofs = words.iter().zip(&answers).filter(|(word, _)| word.proves());
            contradictions.push(Contradiction {
                flow: id,
                answers: proofs.map(|(_, answer)| answer.clone()).collect(),
            });
        }
        if let Some(first) = words.into_iter().next() {
            flows.push(ReportFlow {
                vantage: Some(first.vantage),
                also: answers.into_iter().skip(1).collect(),
                ..first.flow
            });
        }
    }
    (flows, contradictions)
}

/// One vantage's word on a flow.
struct Word {
    vantage: usize,
    finished: Option<jiff::Timestamp>,
    flow: ReportFlow,
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

impl Word {
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
            false if is_in_stead(&self.flow) => 0,
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
        let flow = &self.flow;
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

fn contradict(words: &[Word]) -> bool {
    let mut proofs = words.iter().filter(|word| word.proves());
    let first = proofs.next().map(Word::says);
    proofs.any(|word| Some(word.says()) != first)
}
