//! Do the verbs of a role pass? Each is asked of the path that names nothing, between two GETs of the same path.
//!
//! Only what an HTTP-aware device sees can be filtered: over a tunnelled TLS connection the two ends alone see verbs.

use super::answer::Reading;
use super::finding::{Direction, Finding, Refuser};
use super::pass_through::{Passage, passage};
use super::request::{Identity, Request};
use crate::product::Verb;

/// The requests for these verbs, in the order in which [`Readings::of`] takes their answers.
pub(crate) fn requests(verbs: &[Verb], identity: Identity) -> Vec<Request> {
    let asked = asked(verbs, identity);
    let around = || std::iter::once(Request::nowhere(Verb::Get));
    let between = asked.into_iter().map(Request::nowhere);
    around().chain(between).chain(around()).collect()
}

fn asked(verbs: &[Verb], identity: Identity) -> Vec<Verb> {
    let mut asked: Vec<Verb> = Vec::new();
    for verb in verbs.iter().filter(|verb| identity.may_send(**verb)) {
        if *verb != Verb::Get && !asked.contains(verb) {
            asked.push(*verb);
        }
    }
    asked
}

/// What came back to each verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readings {
    /// To GET, first.
    pub(crate) before: Reading,
    /// To each verb.
    pub(crate) each: Vec<(Verb, Reading)>,
    /// To GET, again at the end.
    pub(crate) after: Reading,
}

impl Readings {
    /// The answers to [`requests`]; what is missing was not asked.
    pub(crate) fn of(verbs: &[Verb], identity: Identity, answers: Vec<Reading>) -> Self {
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or(Reading::NotAsked);
        Self {
            before: next(),
            each: asked(verbs, identity)
                .into_iter()
                .map(|verb| (verb, next()))
                .collect(),
            after: next(),
        }
    }
}

/// How each verb came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerbsSeen(pub(crate) Vec<(Verb, Passage)>);

/// How each verb came through, GET first.
pub(crate) fn seen(readings: &Readings) -> VerbsSeen {
    let plain = readings.before.answer();
    let get = (Verb::Get, passage(None, &readings.before));
    let others = readings
        .each
        .iter()
        .map(|(verb, reading)| (*verb, passage(plain, reading)));
    VerbsSeen(std::iter::once(get).chain(others).collect())
}

/// What is wrong with the way, or worth knowing of it.
pub(crate) fn verbs(readings: &Readings) -> Vec<Finding> {
    let (Some(plain), Passage::Passed { .. }) =
        (readings.before.answer(), passage(None, &readings.before))
    else {
        return vec![Finding::NotCompared];
    };
    let mut findings = Vec::new();
    for (verb, reading) in &readings.each {
        let finding = match passage(Some(plain), reading) {
            Passage::Passed { .. } | Passage::Acknowledged { .. } => continue,
            Passage::NotAsked => Finding::CutOff,
            // Without GET's answer at the end it may be all over, and not this verb.
            Passage::Refused(_, Refuser::DeviceLikely) if readings.after.answer().is_none() => {
                Finding::CutOff
            }
            Passage::Refused(how, by) => Finding::VerbBlocked {
                verb: *verb,
                how,
                by,
            },
        };
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings.extend(on_the_way(readings));
    findings
}

/// What the answers that passed tell of proxies.
fn on_the_way(readings: &Readings) -> Vec<Finding> {
    let plain = readings.before.answer();
    let others = readings.each.iter().map(|(_, reading)| reading);
    let passed: Vec<_> = std::iter::once(&readings.before)
        .chain(others.filter(|reading| !matches!(passage(plain, reading), Passage::Refused(..))))
        .filter_map(Reading::answer)
        .collect();
    let mut findings = Vec::new();
    if passed.iter().any(|answer| answer.head.minor == 0) {
        findings.push(Finding::Downgraded(Direction::Answer));
    }
    for via in passed.iter().filter_map(|answer| answer.head.header("via")) {
        let announced = Finding::Announced {
            via: via.to_string(),
        };
        if !findings.contains(&announced) {
            findings.push(announced);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::pass_through::tests::answered;
    use super::*;
    use crate::wire::web::http::finding::Refusal;

    const IIS: &str = "Server: Microsoft-IIS/7.5\r\n";

    fn readings(each: Vec<(Verb, Reading)>, after: Reading) -> Readings {
        Readings {
            before: answered(404, IIS),
            each,
            after,
        }
    }

    #[test]
    fn every_verb_stands_between_two_gets() {
        let verbs = |requests: Vec<Request>| requests.iter().map(Request::verb).collect::<Vec<_>>();
        let asked = [Verb::Head, Verb::CcmPost, Verb::Get, Verb::CcmPost];
        assert_eq!(
            verbs(requests(&asked, Identity::Nobody)),
            [Verb::Get, Verb::Head, Verb::CcmPost, Verb::Get]
        );
        assert_eq!(
            verbs(requests(&asked, Identity::Client)),
            [Verb::Get, Verb::Head, Verb::Get]
        );
    }

    #[test]
    fn a_filtered_verb_is_named_and_the_others_pass() {
        let readings = readings(
            vec![
                (Verb::Head, answered(404, IIS)),
                (Verb::CcmPost, answered(405, "")),
            ],
            answered(404, IIS),
        );
        let findings = verbs(&readings);
        let [Finding::VerbBlocked { verb, how, by }] = &findings[..] else {
            panic!("{findings:?}")
        };
        assert_eq!((*verb, how), (Verb::CcmPost, &Refusal::Status(405)));
        assert!(matches!(by, Refuser::Device(_)));
        let VerbsSeen(seen) = seen(&readings);
        assert_eq!(seen[0], (Verb::Get, Passage::Passed { status: 404 }));
        assert_eq!(seen[1], (Verb::Head, Passage::Passed { status: 404 }));
        assert!(matches!(seen[2], (Verb::CcmPost, Passage::Refused(..))));
    }

    #[test]
    fn silence_of_everything_at_the_end_blames_no_verb() {
        let silent = || {
            vec![
                (Verb::CcmPost, Reading::Silent),
                (Verb::BitsPost, Reading::Reset),
            ]
        };
        let blamed = verbs(&readings(silent(), answered(404, IIS)));
        assert!(matches!(
            blamed[..],
            [Finding::VerbBlocked { .. }, Finding::VerbBlocked { .. }]
        ));
        assert_eq!(
            verbs(&readings(silent(), Reading::Silent)),
            [Finding::CutOff]
        );
    }

    #[test]
    fn without_an_answer_to_get_nothing_is_compared() {
        let silent = Readings {
            before: Reading::Silent,
            each: vec![(Verb::CcmPost, Reading::Silent)],
            after: Reading::Silent,
        };
        assert_eq!(verbs(&silent), [Finding::NotCompared]);
        let portal = || answered(511, "");
        let everything_refused = Readings {
            before: portal(),
            each: vec![(Verb::CcmPost, portal())],
            after: portal(),
        };
        assert_eq!(verbs(&everything_refused), [Finding::NotCompared]);
    }

    #[test]
    fn a_verb_that_could_not_be_asked_did_not_pass() {
        let readings = readings(vec![(Verb::CcmPost, Reading::NotAsked)], Reading::NotAsked);
        assert_eq!(verbs(&readings), [Finding::CutOff]);
    }

    #[test]
    fn a_proxy_that_announces_itself_is_named_once() {
        let via = "Server: Microsoft-IIS/7.5\r\nVia: 1.1 isa01\r\n";
        let readings = Readings {
            before: answered(404, via),
            each: vec![(Verb::Head, answered(404, via))],
            after: answered(404, via),
        };
        assert_eq!(verbs(&readings).len(), 1);
        assert!(matches!(verbs(&readings)[0], Finding::Announced { .. }));
    }
}
