//! Comparing what was said with the truth, and showing it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::claims;
use crate::naive::{self, Word};
use crate::program::{Run, Said, id_of};
use crate::scene::{Action, Flow, Host, Manner, Need, Paths, Protocol, Scene};
use crate::trouble::Trouble;
use crate::truth::{self, Fate, Truth};

/// What a verdict was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Decided, and true.
    Right,
    /// Not decided, and nothing else is false.
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
    /// What sets the bed apart.
    pub(crate) bed: String,
    /// Nobody can prove it from where the prober stands.
    pub(crate) beyond_proof: bool,
    /// Of a required port that is reset.
    pub(crate) reset: Option<Reset>,
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

/// Who resets a port, and whether that was said.
#[derive(Debug)]
pub(crate) struct Reset {
    pub(crate) by: &'static str,
    pub(crate) is_decided: bool,
}

fn reset(scene: &Scene, host: &Host, truth: &Truth, said: &Said) -> Option<Reset> {
    let last = scene.last_router(host);
    let one = scene.way_to(host).len() == 2;
    let spoken = has_a_measure(scene, host);
    let by = match (truth.fate, spoken) {
        _ if truth.need != Need::Required => return None,
        (Fate::Closed, true) if one => "the host, directly behind one firewall",
        (Fate::Closed, false) if one => "the host, directly behind one firewall; no measure",
        (Fate::Closed, true) => "the host, behind two firewalls",
        (Fate::Closed, false) => "the host, behind two firewalls; no measure",
        (Fate::Reset(at), true) if at == last => "the last firewall",
        (Fate::Reset(at), false) if at == last => "the last firewall; no measure",
        (Fate::Reset(_), _) => "the first of two firewalls",
        _ => return None,
    };
    Some(Reset {
        by,
        is_decided: ["nobody-listens", "reset-by-device"].contains(&said.cause.as_str()),
    })
}

/// Whether there is anything to measure the distance of a reset by. That is a required port whose service speaks, and a
/// TTL that tells the number of routers.
fn has_a_measure(scene: &Scene, host: &Host) -> bool {
    let speaks = |flow: &Flow| {
        flow.need == Need::Required
            && flow.protocol == Protocol::Http
            && matches!(flow.action, Action::Listens(Manner::Http | Manner::Starts))
    };
    let is_even = scene.paths == Paths::One && !matches!(scene.trouble, Trouble::SetTtl(_));
    is_even && host.flows.iter().any(speaks)
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
        bed: crate::scene::bed_name(scene, host),
        beyond_proof: truth.is_beyond_proof(),
        reset: reset(scene, host, &truth, said),
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
    let word = |attempt: &Value| match &attempt["result"] {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let tries = tries.as_array().into_iter().flatten();
    let results: Vec<String> = tries.map(word).collect();
    evidence["attempts"] = Value::from(results.join(" "));
    evidence.to_string()
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
        "{mark}bed {} (loss {} %) {}: {}, {:?} {:?} {:?} ({}); said: {}",
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
