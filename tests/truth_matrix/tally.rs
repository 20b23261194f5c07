//! Comparing what was said with the truth, counting it, and showing it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::claims;
use crate::naive::{self, Word};
use crate::program::{Run, Said, id_of};
use crate::scene::{Flow, Host, Scene};
use crate::truth::{self, Truth};

/// What a verdict was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Decided, and true.
    Right,
    /// Not decided, and nothing false beside.
    Unknown,
    /// False, where nothing on the wire tells it from a case of which it is true.
    Indistinguishable,
    /// False: in words, how.
    Wrong(String),
}

/// One flow, compared.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) id: String,
    pub(crate) category: String,
    pub(crate) loss: u8,
    /// A plain network: no loss, no limits, nothing hidden, one path.
    pub(crate) plain: bool,
    pub(crate) truth: Truth,
    pub(crate) said: String,
    /// The evidence in full, for whoever looks into a wrong one.
    evidence: String,
    pub(crate) because: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) naive_right: bool,
}

/// Holds a report against the truth of its scene; `words` is the naive reading, where there is one.
pub(crate) fn hold(seed: u64, scene: &Scene, run: &Run, words: Option<&[Word]>) -> Vec<Case> {
    let said: BTreeMap<&str, &Said> = run
        .report
        .flows
        .iter()
        .map(|said| (said.id.as_str(), said))
        .collect();
    let one = |(number, (host, flow)): (usize, (&Host, &Flow))| {
        let id = id_of(scene, host, flow);
        let said = said
            .get(id.as_str())
            .unwrap_or_else(|| panic!("seed {seed}: no {id}"));
        let word = words.map_or(Word::Other, |words| words[number]);
        compare(seed, scene, (host, flow), said, word)
    };
    scene.flows().enumerate().map(one).collect()
}

/// Holds one flow's report against its truth.
fn compare(
    seed: u64,
    scene: &Scene,
    (host, flow): (&Host, &Flow),
    said: &Said,
    word: Word,
) -> Case {
    let truth = truth::of(scene, host, flow);
    let expected = truth::allowed(&truth);
    let pair = (said.verdict.as_str(), said.cause.as_str());
    let mut faults = claims::false_ones(scene, (host, flow), &truth, said);
    let always = ["silent", "unreachable", "not-tried"];
    if !expected.states.contains(&said.state.as_str()) && !always.contains(&said.state.as_str()) {
        faults.push(format!("state {}", said.state));
    }
    let excused = expected.excused.contains(&pair);
    let decided = said.verdict != "unknown";
    if decided && !excused && !expected.said.contains(&pair) {
        faults.insert(0, format!("{} {}", said.verdict, said.cause));
    }
    let outcome = match (faults.is_empty(), decided, excused) {
        (false, _, _) => Outcome::Wrong(faults.join("; ")),
        (true, false, _) => Outcome::Unknown,
        (true, true, true) => Outcome::Indistinguishable,
        (true, true, false) => Outcome::Right,
    };
    Case {
        seed,
        id: said.id.clone(),
        category: crate::scene::category(scene, host, flow),
        loss: scene.loss,
        plain: scene.is_plain(),
        truth,
        said: format!("{} {} {}", said.state, said.verdict, said.cause),
        evidence: shown(said.raw.clone()),
        because: expected.because,
        outcome,
        naive_right: naive::is_right(&truth, word),
    }
}

/// Evidence on one line, its tries by their results only.
fn shown(mut evidence: Value) -> String {
    let tries = evidence["attempts"].take();
    let results: Vec<&str> = tries
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|attempt| attempt["result"].as_str())
        .collect();
    evidence["attempts"] = Value::from(results.join(" "));
    evidence.to_string()
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) cases: usize,
    pub(crate) right: usize,
    pub(crate) unknown: usize,
    pub(crate) indistinguishable: usize,
    pub(crate) wrong: usize,
    pub(crate) naive_wrong: usize,
}

impl Count {
    fn add(&mut self, case: &Case) {
        self.cases += 1;
        self.naive_wrong += usize::from(!case.naive_right);
        match case.outcome {
            Outcome::Right => self.right += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Indistinguishable => self.indistinguishable += 1,
            Outcome::Wrong(_) => self.wrong += 1,
        }
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} |\n",
            self.cases,
            self.right,
            self.unknown,
            self.indistinguishable,
            self.wrong,
            self.naive_wrong
        )
    }
}

/// Counts cases by a name of theirs.
pub(crate) fn count(cases: &[Case], name: impl Fn(&Case) -> String) -> BTreeMap<String, Count> {
    let mut all: BTreeMap<String, Count> = BTreeMap::new();
    for case in cases {
        all.entry(name(case)).or_default().add(case);
    }
    all
}

/// The tables of `docs/matrix.md`: by category, and by loss.
pub(crate) fn markdown(cases: &[Case], beds: usize) -> String {
    let head = |first: &str| {
        format!(
            "| {first} | flows | right | unknown | indistinguishable | wrong | naive wrong |\n\
             |---|---:|---:|---:|---:|---:|---:|\n"
        )
    };
    let mut text = format!("{} flows in {beds} beds.\n\n", cases.len());
    text += &head("what is true");
    for (name, count) in count(cases, |case| case.category.clone()) {
        text += &count.row(&name);
    }
    for count in count(cases, |_| String::new()).values() {
        text += &count.row("**all**");
    }
    text.push('\n');
    text += &head("tries lost");
    for (name, count) in count(cases, |case| format!("{:>2} %", case.loss)) {
        text += &count.row(&name);
    }
    text
}

/// The cases that were wrong, one a line.
pub(crate) fn wrong_ones(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        if let Outcome::Wrong(how) = &case.outcome {
            let _ = writeln!(
                text,
                "{}\n    wrong: {how}\n    {}",
                line(case),
                case.evidence
            );
        }
    }
    text
}

/// One case on a line.
pub(crate) fn line(case: &Case) -> String {
    let mark = match case.outcome {
        Outcome::Right => "  ",
        Outcome::Unknown => "? ",
        Outcome::Indistinguishable => "~ ",
        Outcome::Wrong(_) => "! ",
    };
    format!(
        "{mark}seed {} (loss {} %) {}: {}, {:?} {:?} {:?} ({}); said: {}",
        case.seed,
        case.loss,
        case.id,
        case.category,
        case.truth.need,
        case.truth.protocol,
        case.truth.fate,
        case.because,
        case.said
    )
}
