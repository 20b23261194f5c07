//! Does a role prove itself? The paths that the catalogue knows of it are read, and one that names nothing as well.
//!
//! A path that exists is the role's only when the path that names nothing is answered otherwise: some servers, and many
//! devices, answer everything alike. What the catalogue has not confirmed neither proves nor disproves. Of a role with
//! no confirmed path a normal answer is all that can be had ([`RoleSeen::Reached`]).
//!
//! The paths that decide are the confirmed ones, and of a role that has none, all. Where nothing proves the role, they
//! disprove it when all of them are missing, all fail, or all send elsewhere. They disprove it too when all are the
//! page that the server has for nowhere. A path that clients cannot do without and that sends elsewhere outweighs what
//! another proves.

use super::answer::{Answer, Reading};
use super::page::{self, Nowhere};
use super::pass_through::differences;
use super::request::Request;
use crate::observation::{RoleFound, RoleProof};
use crate::product::{Confidence, Expected, Fingerprint, Meaning, Role, Verb};

/// What was seen of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoleSeen {
    /// It is there.
    Proved(Evidence),
    /// It answers as it should, as far as that can be told of this role.
    Reached(Evidence),
    /// A web server is there; that it has the role is not proved.
    AliveUnproved {
        /// What keeps it from being proved.
        why: Unproved,
        /// What was answered.
        evidence: Vec<Evidence>,
    },
    /// A web server is there, and every path that the role must have is missing, or is the page for nowhere.
    WrongRole(Vec<Evidence>),
    /// The server itself fails.
    Failing {
        /// How much of it.
        how: Failing,
        /// What fails.
        evidence: Vec<Evidence>,
    },
    /// A path that clients cannot do without sends elsewhere, or every path of the role does.
    Redirected(Vec<Evidence>),
    /// Nothing answered in HTTP.
    NoAnswer,
}

/// How much of a role fails with an error of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failing {
    /// All that tells, or what clients cannot do without.
    Wholly,
    /// A path that is there, with an error that hardened servers give as well to whoever only reads it.
    Partly,
}

/// What keeps a role from being proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unproved {
    /// The server says that it wants a client certificate (403.7): a sign of life, and usual in native mode.
    ClientCertificateWanted,
    /// Connections end after the request, as they do with servers that ask for a client certificate only then.
    HungUp,
    /// It forbids, or asks for credentials, whatever the path.
    Forbidden,
    /// A page that asks for a password stands before every path.
    Login,
    /// No confirmed path of this role is known, and the answers are not those of a healthy server.
    PathsUnconfirmed,
    /// Answers that say neither.
    Otherwise,
}

impl RoleSeen {
    /// As it stands in an observation.
    pub(crate) fn found(&self, role: Role) -> RoleFound {
        let (proof, words) = match self {
            Self::Proved(evidence) => (RoleProof::Proved, evidence.words()),
            Self::Reached(evidence) => (
                RoleProof::Reached,
                format!(
                    "{}; no path is known for certain that would tell more",
                    evidence.words()
                ),
            ),
            Self::AliveUnproved { why, evidence } => (
                why.proof(),
                format!("{} ({})", why.words(), all_words(evidence)),
            ),
            Self::WrongRole(evidence) => (RoleProof::Missing, all_words(evidence)),
            Self::Failing { how, evidence } => (how.proof(), all_words(evidence)),
            Self::Redirected(evidence) => (RoleProof::Redirected, all_words(evidence)),
            Self::NoAnswer => (
                RoleProof::Unproved,
                "nothing answered for its paths".to_string(),
            ),
        };
        RoleFound {
            role,
            proof,
            words,
            listed: Vec::new(),
            other_names: Vec::new(),
            differs: Vec::new(),
        }
    }
}

impl Failing {
    fn proof(self) -> RoleProof {
        match self {
            Self::Wholly => RoleProof::ServerError,
            Self::Partly => RoleProof::PartlyServerError,
        }
    }
}

impl Unproved {
    fn proof(self) -> RoleProof {
        match self {
            Self::ClientCertificateWanted | Self::HungUp => RoleProof::CertificateWanted,
            Self::Forbidden => RoleProof::Forbidden,
            Self::Login | Self::PathsUnconfirmed | Self::Otherwise => RoleProof::Unproved,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::ClientCertificateWanted => {
                "the server wants a client certificate, which is a sign of life and usual in \
                 native mode"
            }
            Self::HungUp => {
                "connections end after the request, as with servers that ask for a client \
                 certificate only then"
            }
            Self::Forbidden => "the server forbids, or asks for credentials, whatever the path",
            Self::Login => "a page that asks for a password stands before every path",
            Self::PathsUnconfirmed => {
                "no path is known for certain that would tell, and the root page is not that of a \
                 healthy server"
            }
            Self::Otherwise => "the answers say neither that it is there nor that it is not",
        }
    }
}

/// An answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The path that was asked.
    pub(crate) path: String,
    /// Its status; `None` where the connection ended without one.
    pub(crate) status: Option<u16>,
    /// What the answer says besides its status.
    pub(crate) says: Says,
}

/// What an answer says besides its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// Nothing of weight.
    Nothing,
    /// It is the page that a path which names nothing has as well.
    SameAsNowhere,
    /// It sends to this place.
    Elsewhere(String),
}

impl Evidence {
    fn words(&self) -> String {
        let status = match self.status {
            Some(status) => format!("{}: {status}", self.path),
            None => format!("{}: no answer", self.path),
        };
        match &self.says {
            Says::Nothing => status,
            Says::SameAsNowhere => {
                format!("{status}, the same page as for a path that names nothing")
            }
            Says::Elsewhere(target) => format!("{status} to {target}"),
        }
    }
}

fn all_words(evidence: &[Evidence]) -> String {
    let all: Vec<String> = evidence.iter().map(Evidence::words).collect();
    all.join("; ")
}

/// The requests, in the order in which [`role_seen`] takes their answers.
pub(crate) fn requests(fingerprints: &[&Fingerprint]) -> Vec<Request> {
    let known = fingerprints
        .iter()
        .map(|fingerprint| match fingerprint.verb {
            Verb::Head => Request::head(&fingerprint.path),
            _ => Request::get(&fingerprint.path),
        });
    known.collect()
}

/// What the answers are held against.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    /// The status of the root page.
    pub(crate) root: u16,
    /// Whether a refusal may turn into an answer for whoever shows a client certificate.
    pub(crate) may_get_more: bool,
    /// The pages of paths that name nothing.
    pub(crate) nowhere: Nowhere,
}

/// Whether [`Request::nowhere_else`] is needed to tell what the answers to [`requests`] are worth.
pub(crate) fn is_in_doubt(
    nowhere: &Nowhere,
    fingerprints: &[&Fingerprint],
    answers: &[Reading],
) -> bool {
    let mut pairs = fingerprints.iter().zip(answers);
    pairs.any(|(fingerprint, reading)| nowhere.leaves_in_doubt(reading, &fingerprint.path))
}

/// A known path with its answer, and whether that is the page for nowhere.
struct Asked<'a> {
    fingerprint: &'a Fingerprint,
    reading: &'a Reading,
    same_as_nowhere: bool,
}

impl Asked<'_> {
    fn meaning(&self) -> Option<Meaning> {
        meaning(self.fingerprint, self.reading)
    }

    fn is_confirmed(&self) -> bool {
        self.fingerprint.confidence != Confidence::Unconfirmed
    }

    /// Whether the role must have this path.
    fn must_exist(&self) -> bool {
        let disproves = |expected: &Expected| expected.means == Meaning::Disproves;
        self.is_confirmed() && self.fingerprint.answers.iter().any(disproves)
    }

    fn speaks_against(&self) -> bool {
        self.same_as_nowhere || self.meaning() == Some(Meaning::Disproves)
    }

    /// Whether a page that asks for a password stands before it and before nowhere.
    fn is_login(&self) -> bool {
        self.same_as_nowhere && page::is_login(self.reading)
    }

    /// Whether the server tells it from a path that names nothing: by the status, or by the page.
    fn is_told_apart(&self, nowhere: &Nowhere) -> bool {
        is_told_apart(self.reading, &nowhere.page)
            || nowhere.differs_from(self.reading, &self.fingerprint.path)
    }

    fn is_answered(&self, wanted: impl Fn(u16) -> bool) -> bool {
        self.reading.status().is_some_and(wanted)
    }

    fn fails(&self) -> bool {
        self.is_answered(|status| status >= 500)
    }

    /// Whether its failure keeps clients from being served. Nobody is behind it (502 to 504), or its right answer is
    /// known and this is not it. A page that only describes a service is denied to readers by some with 500.
    fn fails_clients(&self) -> bool {
        self.is_answered(|status| matches!(status, 502..=504)) || self.has_right_answer()
    }

    fn has_right_answer(&self) -> bool {
        let mut answers = self.fingerprint.answers.iter();
        answers.any(|expected| expected.means == Meaning::Proves)
    }

    fn evidence(&self) -> Evidence {
        let says = match self.reading.answer().and_then(page::target) {
            Some(target) => Says::Elsewhere(target),
            None if self.same_as_nowhere => Says::SameAsNowhere,
            None => Says::Nothing,
        };
        Evidence {
            path: self.fingerprint.path.clone(),
            status: self.reading.status(),
            says,
        }
    }
}

/// What the answers to [`requests`] say of a role.
pub(crate) fn role_seen(
    measure: &Measure,
    fingerprints: &[&Fingerprint],
    answers: &[Reading],
) -> RoleSeen {
    let Measure {
        root,
        may_get_more,
        nowhere,
    } = measure;
    let asked: Vec<Asked<'_>> = fingerprints
        .iter()
        .zip(answers)
        .map(|(fingerprint, reading)| Asked {
            fingerprint,
            reading,
            same_as_nowhere: nowhere.has(reading, &fingerprint.path),
        })
        .collect();
    let of_all: Vec<Evidence> = asked.iter().map(Asked::evidence).collect();
    let failing = failing(&asked, nowhere);
    if failing == Some(Failing::Wholly) {
        return failed(Failing::Wholly, &asked);
    }
    if asked.iter().any(|it| it.is_confirmed() && it.is_login()) {
        return alive(Unproved::Login, of_all);
    }
    // Also where another path is there: what every server has that has the role cannot be missing.
    if is_missing(&asked) {
        return RoleSeen::WrongRole(told(deciding(&asked)));
    }
    let elsewhere: Vec<_> = needed(&asked)
        .into_iter()
        .filter(|it| it.is_answered(page::redirects))
        .collect();
    if !elsewhere.is_empty() {
        return RoleSeen::Redirected(told(elsewhere));
    }
    if !may_get_more && is_refused(&asked) {
        return alive(why(&asked), of_all);
    }
    if let Some(proof) = proof(&asked, nowhere) {
        return match failing {
            Some(how) => failed(how, &asked),
            None => RoleSeen::Proved(proof),
        };
    }
    if nowhere.page.answer().is_none() && asked.iter().all(|it| it.reading.answer().is_none()) {
        return match asked.iter().any(|it| is_hang_up(it.reading)) {
            true => alive(Unproved::HungUp, of_all),
            false => RoleSeen::NoAnswer,
        };
    }
    if let Some(sign) = sign_of_life(&asked, nowhere) {
        return RoleSeen::Reached(sign);
    }
    let deciding = deciding(&asked);
    let all = |wanted: fn(&Asked<'_>) -> bool| {
        !deciding.is_empty() && deciding.iter().all(|it| wanted(it))
    };
    if all(|it| it.is_answered(page::redirects)) {
        return RoleSeen::Redirected(told(deciding));
    }
    match asked.iter().any(Asked::is_confirmed) {
        true if all(|it| it.speaks_against()) => RoleSeen::WrongRole(told(deciding)),
        true => alive(why(&asked), of_all),
        false => by_the_root_page(*root, alive(why(&asked), of_all)),
    }
}

/// What the root page says of a role that has no confirmed path. `otherwise`: what is seen where it says nothing.
fn by_the_root_page(root: u16, otherwise: RoleSeen) -> RoleSeen {
    let evidence = || Evidence {
        path: "/".to_string(),
        status: Some(root),
        says: Says::Nothing,
    };
    match root {
        // A page, a word on where it is, or a refusal to show a folder: as a healthy server may have it.
        200..=399 | 401 | 403 | 405 => RoleSeen::Reached(evidence()),
        500.. => RoleSeen::Failing {
            how: Failing::Wholly,
            evidence: vec![evidence()],
        },
        _ => otherwise,
    }
}

fn told(asked: Vec<&Asked<'_>>) -> Vec<Evidence> {
    asked.into_iter().map(Asked::evidence).collect()
}

/// The paths that decide: the confirmed ones, and of a role that has none, all.
fn deciding<'a, 'b>(asked: &'a [Asked<'b>]) -> Vec<&'a Asked<'b>> {
    let confirmed: Vec<_> = asked.iter().filter(|it| it.is_confirmed()).collect();
    match confirmed.is_empty() {
        true => asked.iter().collect(),
        false => confirmed,
    }
}

/// The paths that clients cannot do without: those that the role must have, and of a role that has none of these, the
/// confirmed ones.
fn needed<'a, 'b>(asked: &'a [Asked<'b>]) -> Vec<&'a Asked<'b>> {
    let must_exist: Vec<_> = asked.iter().filter(|it| it.must_exist()).collect();
    match must_exist.is_empty() {
        true => asked.iter().filter(|it| it.is_confirmed()).collect(),
        false => must_exist,
    }
}

/// What proves the role: an answer that nothing else gives, or a path that exists where nowhere does not.
fn proof(asked: &[Asked<'_>], nowhere: &Nowhere) -> Option<Evidence> {
    let means = |wanted: Meaning| move |it: &&Asked<'_>| it.meaning() == Some(wanted);
    let proof = asked.iter().find(means(Meaning::Proves)).or_else(|| {
        let mut exist = asked.iter().filter(means(Meaning::Exists));
        exist.find(|it| it.is_told_apart(nowhere))
    });
    proof.map(Asked::evidence)
}

/// A path that is not confirmed, and that is answered as it would be if it were: no proof, and more than nothing.
fn sign_of_life(asked: &[Asked<'_>], nowhere: &Nowhere) -> Option<Evidence> {
    let mut signs = asked.iter().filter(|it| {
        let alive = !it.is_confirmed() && it.meaning() == Some(Meaning::Alive);
        alive && it.is_told_apart(nowhere)
    });
    signs.next().map(Asked::evidence)
}

/// Whether clients are kept out, who have nothing more to show. Of the paths that the role must have, one whose right
/// answer is known is refused, or all are. That such a path is there serves nobody.
fn is_refused(asked: &[Asked<'_>]) -> bool {
    let refused = |it: &&Asked<'_>| it.is_answered(|status| matches!(status, 401 | 403));
    let must_exist: Vec<_> = asked.iter().filter(|it| it.must_exist()).collect();
    let decides = |it: &&Asked<'_>| refused(it) && it.has_right_answer();
    let all = !must_exist.is_empty() && must_exist.iter().all(refused);
    all || must_exist.iter().any(decides)
}

/// Whether every path that the role must have is missing, or is the page for nowhere.
fn is_missing(asked: &[Asked<'_>]) -> bool {
    let mut must_exist = asked.iter().filter(|it| it.must_exist()).peekable();
    must_exist.peek().is_some() && must_exist.all(Asked::speaks_against)
}

/// How much of the role fails with an error of the server.
///
/// 1. Every path that decides: the role. A path that is not confirmed may have an error by nature. That does not count
///    as one, as long as nowhere is answered otherwise ([`sign_of_life`] comes to that).
/// 2. A path that the role must have, and without which clients are not served.
/// 3. Another path that the role must have.
fn failing(asked: &[Asked<'_>], nowhere: &Nowhere) -> Option<Failing> {
    let deciding = deciding(asked);
    let fails_everywhere = nowhere.page.status().is_none_or(|status| status >= 500);
    let by_nature = |it: &Asked<'_>| {
        !fails_everywhere && !it.is_confirmed() && it.meaning() == Some(Meaning::Alive)
    };
    let fails = |it: &&Asked<'_>| it.fails() && !by_nature(it);
    if !deciding.is_empty() && deciding.iter().all(fails) {
        return Some(Failing::Wholly);
    }
    let must_exist = asked.iter().filter(|it| it.must_exist());
    let failing: Vec<_> = must_exist.filter(fails).collect();
    match failing.iter().any(|it| it.fails_clients()) {
        true => Some(Failing::Wholly),
        false => (!failing.is_empty()).then_some(Failing::Partly),
    }
}

fn failed(how: Failing, asked: &[Asked<'_>]) -> RoleSeen {
    let evidence = asked.iter().filter(|it| it.fails());
    let evidence = evidence.map(Asked::evidence).collect();
    RoleSeen::Failing { how, evidence }
}

fn alive(why: Unproved, evidence: Vec<Evidence>) -> RoleSeen {
    RoleSeen::AliveUnproved { why, evidence }
}

fn why(asked: &[Asked<'_>]) -> Unproved {
    let any = |wanted: fn(&Reading) -> bool| asked.iter().any(|it| wanted(it.reading));
    if any(|reading| reading.answer().is_some_and(wants_certificate)) {
        Unproved::ClientCertificateWanted
    } else if !asked.iter().any(Asked::is_confirmed) {
        Unproved::PathsUnconfirmed
    } else if any(is_hang_up) {
        Unproved::HungUp
    } else if any(|reading| matches!(reading.status(), Some(401 | 403))) {
        Unproved::Forbidden
    } else {
        Unproved::Otherwise
    }
}

/// What an answer means for a fingerprint; `None` where the catalogue does not say.
fn meaning(fingerprint: &Fingerprint, reading: &Reading) -> Option<Meaning> {
    let answer = reading.answer()?;
    let expected = fingerprint
        .answers
        .iter()
        .find(|expected| fits(expected, answer))?;
    match fingerprint.confidence {
        Confidence::Unconfirmed => Some(Meaning::Alive),
        Confidence::Documented | Confidence::LaterVersion | Confidence::Derived => {
            Some(expected.means)
        }
    }
}

fn fits(expected: &Expected, answer: &Answer) -> bool {
    let body = expected
        .body
        .as_deref()
        .is_none_or(|text| page::holds(&answer.body, text));
    body && expected.status.contains(&answer.head.status)
}

/// Whether the server tells a path from one that names nothing by the status.
///
/// 1. The statuses differ, and the one for nowhere is not that of a server in trouble.
/// 2. What forbids the path is the same speaker that misses the other. A filter on the way may forbid a path for its
///    signs, whoever is behind it.
fn is_told_apart(reading: &Reading, nowhere: &Reading) -> bool {
    let (Some(here), Some(nowhere)) = (reading.answer(), nowhere.answer()) else {
        return false;
    };
    let (status, missing) = (here.head.status, nowhere.head.status);
    let one_speaker = status < 300 || differences(nowhere, here).is_empty();
    status != missing && missing < 500 && one_speaker
}

fn is_hang_up(reading: &Reading) -> bool {
    matches!(
        reading,
        Reading::Closed | Reading::Reset | Reading::Alert(_)
    )
}

/// Whether a refusal says that it is about the client certificate (403.7 of IIS, 400 of nginx, and what stands in for
/// them elsewhere).
fn wants_certificate(answer: &Answer) -> bool {
    const SIGNS: [&str; 4] = [
        "client certificate",
        "clientcertificate",
        "ssl certificate",
        "403.7",
    ];
    let reason = answer.head.reason.to_ascii_lowercase();
    let body = answer.body.to_ascii_lowercase();
    matches!(answer.head.status, 400 | 403)
        && SIGNS
            .iter()
            .any(|sign| reason.contains(sign) || page::holds(&body, sign))
}

#[cfg(test)]
mod tests {
    use super::super::pass_through::tests::answered;
    use super::*;
    use crate::product::{CONFIGMGR_2007, Catalogue};
    use crate::wire::web::http::answer::Reader;

    fn says(status: u16, body: &str) -> Reading {
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Reader::new(Verb::Get).feed(text.as_bytes()).expect("whole")
    }

    /// What is seen of a role when the path that names nothing is answered so, and each known path by its id.
    fn seen(role: Role, nowhere: Reading, answer: impl Fn(&str) -> Reading) -> RoleSeen {
        with_root(200, role, nowhere, answer)
    }

    fn with_root(
        root: u16,
        role: Role,
        nowhere: Reading,
        answer: impl Fn(&str) -> Reading,
    ) -> RoleSeen {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let known: Vec<_> = catalogue
            .fingerprints
            .iter()
            .filter(|fingerprint| fingerprint.role == role)
            .flat_map(|fingerprint| fingerprint.on_drives(&[]))
            .collect();
        let known: Vec<_> = known.iter().collect();
        let answers = known.iter().map(|fingerprint| answer(&fingerprint.id));
        let answers: Vec<_> = answers.collect();
        assert_eq!(requests(&known).len(), answers.len());
        let nowhere = Nowhere {
            other: Some(nowhere.clone()),
            page: nowhere,
        };
        role_seen(&measure(root, nowhere), &known, &answers)
    }

    /// Plain HTTP, or TLS to a server that asked for a client certificate and got none.
    fn measure(root: u16, nowhere: Nowhere) -> Measure {
        Measure {
            root,
            may_get_more: true,
            nowhere,
        }
    }

    fn unproved(seen: RoleSeen) -> Unproved {
        let RoleSeen::AliveUnproved { why, .. } = seen else {
            panic!("{seen:?}")
        };
        why
    }

    #[test]
    fn a_list_of_management_points_proves_one() {
        let seen = seen(
            Role::ManagementPoint,
            says(200, "anything"),
            |id| match id {
                "fp-mp-mplist" => says(200, "<MPList><MP Name=\"A\"/></MPList>"),
                _ => says(200, "anything"),
            },
        );
        let RoleSeen::Proved(evidence) = seen else {
            panic!("{seen:?}")
        };
        assert_eq!(
            (evidence.path.as_str(), evidence.status),
            ("/SMS_MP/.sms_aut?MPLIST", Some(200))
        );
    }

    #[test]
    fn a_server_that_forbids_everything_alike_proves_nothing() {
        for status in [401, 403] {
            let seen = seen(Role::SoftwareUpdatePoint, says(status, ""), |_| {
                says(status, "")
            });
            assert!(matches!(seen, RoleSeen::AliveUnproved { .. }), "{status}");
        }
    }

    fn missing(seen: RoleSeen) -> Vec<Evidence> {
        let RoleSeen::WrongRole(evidence) = seen else {
            panic!("{seen:?}")
        };
        evidence
    }

    #[test]
    fn one_page_for_everything_is_another_server() {
        for body in ["", "Welcome! You are offline."] {
            for role in [Role::ManagementPoint, Role::SoftwareUpdatePoint] {
                let seen = seen(role, says(200, body), |_| says(200, body));
                let words = seen.found(role).words;
                assert!(missing(seen).len() >= 3, "{role}");
                assert!(words.contains("the same page as for a path that names nothing"));
            }
        }
    }

    #[test]
    fn one_page_that_repeats_the_path_is_still_one_page() {
        let page = |path: &str| says(200, &format!("<a href='{path}'>go on</a>"));
        let paths = |id: &str| match id {
            "fp-mp-mplist" => page("/SMS_MP/.sms_aut?MPLIST"),
            "fp-mp-mpcert" => page("/SMS_MP/.sms_aut"),
            _ => page("/SMS_MP/.sms_aut?SITESIGNCERT"),
        };
        let nowhere = page("/portproof-names-nothing");
        assert_eq!(
            missing(seen(Role::ManagementPoint, nowhere, paths)).len(),
            3
        );
    }

    #[test]
    fn one_page_is_told_by_its_length_and_kind_where_only_heads_are_asked_for() {
        let page = |kind: &str| {
            let kind = format!("Content-Type: {kind}\r\n");
            let text = format!("HTTP/1.1 200 X\r\n{kind}Content-Length: 5\r\n\r\n");
            let whole = Reader::new(Verb::Get).feed(format!("{text}hello").as_bytes());
            let head = Reader::new(Verb::Head).feed(text.as_bytes());
            (whole.expect("whole"), head.expect("whole"))
        };
        let (html, text) = (page("text/html"), page("text/plain"));
        let role = Role::DistributionPoint;
        assert_eq!(
            missing(seen(role, html.0.clone(), |_| html.1.clone())).len(),
            2
        );
        let other = seen(role, html.0, |_| text.1.clone());
        assert!(matches!(other, RoleSeen::Proved(_)), "{other:?}");
    }

    #[test]
    fn another_page_than_that_of_nowhere_exists_where_nowhere_has_one_page() {
        let wsus = |id: &str| match id {
            "fp-sup-version" => says(200, "wsus"),
            _ => says(200, "iis"),
        };
        let role = Role::SoftwareUpdatePoint;
        let steady = seen(role, says(200, "iis"), wsus);
        assert!(matches!(steady, RoleSeen::Proved(_)), "{steady:?}");
        let of = |other: Option<&str>| {
            let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
            let known = catalogue.fingerprints.iter();
            let known: Vec<_> = known.filter(|it| it.role == role).collect();
            let answers: Vec<_> = known.iter().map(|it| wsus(&it.id)).collect();
            let nowhere = Nowhere {
                page: says(200, "token 1"),
                other: other.map(|page| says(200, page)),
            };
            assert!(is_in_doubt(&nowhere, &known, &answers));
            role_seen(&measure(200, nowhere), &known, &answers)
        };
        assert_eq!(unproved(of(Some("token 2"))), Unproved::Otherwise);
        assert_eq!(unproved(of(None)), Unproved::Otherwise);
    }

    #[test]
    fn a_page_that_asks_for_a_password_may_have_the_role_behind_it() {
        let login = || says(200, "<form><INPUT name=p TYPE=\"password\"></form>");
        for role in [Role::ManagementPoint, Role::SoftwareUpdatePoint] {
            assert_eq!(unproved(seen(role, login(), |_| login())), Unproved::Login);
        }
    }

    #[test]
    fn a_role_whose_every_path_fails_is_failing() {
        for status in [500, 502, 503] {
            for role in [
                Role::ManagementPoint,
                Role::SoftwareUpdatePoint,
                Role::DistributionPoint,
            ] {
                let seen = seen(role, says(404, ""), |_| says(status, ""));
                let found = seen.found(role);
                assert_eq!(found.proof, RoleProof::ServerError);
                assert!(found.words.contains(&format!(": {status}")));
            }
        }
    }

    #[test]
    fn a_management_point_without_its_database_still_gives_its_certificate_and_fails() {
        let seen = seen(Role::ManagementPoint, says(404, ""), |id| match id {
            "fp-mp-mplist" => says(500, ""),
            _ => says(200, "308201"),
        });
        let found = seen.found(Role::ManagementPoint);
        assert_eq!(found.proof, RoleProof::ServerError);
        assert_eq!(found.words, "/SMS_MP/.sms_aut?MPLIST: 500");
    }

    #[test]
    fn update_services_whose_application_pool_is_stopped_fail_though_a_file_of_theirs_is_served() {
        let of = |status| {
            let seen = seen(Role::SoftwareUpdatePoint, says(404, ""), |id| match id {
                "fp-sup-selfupdate" => says(200, "MSCF"),
                "fp-sup-version" => says(200, "<version/>"),
                _ => says(status, ""),
            });
            seen.found(Role::SoftwareUpdatePoint).proof
        };
        assert_eq!(of(503), RoleProof::ServerError);
        // Where descriptions of services are turned off, reading one fails like this.
        assert_eq!(of(500), RoleProof::PartlyServerError);
        assert_eq!(of(404), RoleProof::Proved);
    }

    #[test]
    fn update_services_are_not_where_only_the_update_of_the_agent_is() {
        let seen = seen(Role::SoftwareUpdatePoint, says(404, ""), |id| match id {
            "fp-sup-selfupdate" => says(200, "MSCF"),
            _ => says(404, ""),
        });
        assert!(matches!(seen, RoleSeen::WrongRole(_)), "{seen:?}");
    }

    #[test]
    fn a_role_whose_paths_all_send_elsewhere_is_redirected_and_the_target_is_bounded() {
        let target = format!("https://portal.example.com/{}", "x".repeat(1_000));
        let location = format!("Location: {target}\r\n");
        for status in [301, 302, 303, 307, 308] {
            for role in [
                Role::ManagementPoint,
                Role::SoftwareUpdatePoint,
                Role::DistributionPoint,
                Role::FallbackStatusPoint,
            ] {
                let seen = seen(role, says(404, ""), |_| answered(status, &location));
                let found = seen.found(role);
                assert_eq!(found.proof, RoleProof::Redirected, "{role} {status}");
                let told = format!("{status} to https://portal.example.com/x");
                assert!(found.words.contains(&told) && found.words.len() < 1_200);
            }
        }
    }

    #[test]
    fn a_role_of_which_one_needed_path_sends_elsewhere_is_not_proved_by_the_others() {
        let elsewhere = || answered(302, "Location: https://portal.example.com/\r\n");
        for (role, path) in [
            (Role::ManagementPoint, "fp-mp-mpcert"),
            (Role::ManagementPoint, "fp-mp-mplist"),
            (Role::SoftwareUpdatePoint, "fp-sup-client"),
            (Role::DistributionPoint, "fp-dp-packages"),
        ] {
            let seen = seen(role, says(404, ""), |id| match id {
                "fp-mp-mplist" if path != id => says(200, "<MPList/>"),
                id if id == path => elsewhere(),
                _ => says(200, "there"),
            });
            let found = seen.found(role);
            assert_eq!(found.proof, RoleProof::Redirected, "{path}");
            assert_eq!(found.words.matches("302").count(), 1, "{}", found.words);
        }
        // Clients find the agent's own update on another port too.
        let seen = seen(Role::SoftwareUpdatePoint, says(404, ""), |id| match id {
            "fp-sup-selfupdate" => elsewhere(),
            _ => says(200, "there"),
        });
        assert!(matches!(seen, RoleSeen::Proved(_)), "{seen:?}");
    }

    #[test]
    fn a_forbidden_path_exists_where_an_unknown_one_is_not_found() {
        let seen = seen(Role::DistributionPoint, says(404, ""), |id| match id {
            "fp-dp-packages" => says(401, ""),
            _ => says(404, ""),
        });
        assert!(matches!(seen, RoleSeen::Proved(_)));
    }

    #[test]
    fn a_refusal_proves_nothing_to_whoever_has_nothing_more_to_show() {
        let of = |role, may_get_more, list: u16, rest: u16| {
            let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
            let known = catalogue.fingerprints.iter();
            let known: Vec<_> = known.filter(|it| it.role == role).collect();
            let answer = |it: &&Fingerprint| match it.id.as_str() {
                "fp-mp-mplist" if list == 200 => says(200, "<MPList/>"),
                "fp-mp-mplist" => says(list, ""),
                _ => says(rest, ""),
            };
            let answers: Vec<_> = known.iter().map(answer).collect();
            let nowhere = Nowhere {
                page: says(404, ""),
                other: None,
            };
            let measure = Measure {
                may_get_more,
                ..measure(200, nowhere)
            };
            role_seen(&measure, &known, &answers).found(role).proof
        };
        let (point, updates) = (Role::ManagementPoint, Role::SoftwareUpdatePoint);
        for status in [401, 403] {
            assert_eq!(of(point, true, status, status), RoleProof::Proved);
            assert_eq!(of(point, false, status, 200), RoleProof::Forbidden);
            assert_eq!(of(point, false, 200, status), RoleProof::Proved);
            assert_eq!(of(updates, false, 0, status), RoleProof::Forbidden);
        }
        // A folder that nobody may list is there all the same.
        let folders = of(Role::DistributionPoint, false, 0, 403);
        assert_eq!(folders, RoleProof::Proved);
    }

    #[test]
    fn a_path_that_a_device_forbids_is_no_proof() {
        let iis = || answered(404, "Server: Microsoft-IIS/7.5\r\n");
        let device = || answered(403, "Server: BigIP\r\n");
        let seen = seen(Role::DistributionPoint, iis(), |_| device());
        assert_eq!(unproved(seen), Unproved::Forbidden);
    }

    #[test]
    fn want_of_a_client_certificate_is_a_sign_of_life() {
        let wants = || {
            says(
                403,
                "403.7 - Forbidden: SSL client certificate is required.",
            )
        };
        let seen = seen(Role::ManagementPoint, wants(), |_| wants());
        assert_eq!(unproved(seen), Unproved::ClientCertificateWanted);
        // nginx, without one, and with one that it does not take.
        for title in [
            "No required SSL certificate was sent",
            "The SSL certificate error",
        ] {
            let page = || says(400, &format!("<title>400 {title}</title>"));
            let seen = self::seen(Role::ManagementPoint, page(), |_| page());
            assert_eq!(unproved(seen), Unproved::ClientCertificateWanted);
        }
    }

    #[test]
    fn a_server_that_has_none_of_the_paths_is_another() {
        let seen = seen(Role::ManagementPoint, says(404, ""), |_| says(404, ""));
        let RoleSeen::WrongRole(evidence) = seen else {
            panic!("{seen:?}")
        };
        assert_eq!(evidence.len(), 3);
    }

    #[test]
    fn a_missing_path_of_a_distribution_point_may_be_on_another_drive() {
        let seen = seen(Role::DistributionPoint, says(404, ""), |_| says(404, ""));
        assert_eq!(unproved(seen), Unproved::Otherwise);
    }

    #[test]
    fn a_role_without_a_confirmed_path_is_reached_where_the_root_page_is_a_healthy_servers() {
        for role in [Role::FallbackStatusPoint, Role::ServerLocatorPoint] {
            for root in [200, 302, 401, 403] {
                for status in [200, 403, 404] {
                    let seen = with_root(root, role, says(404, ""), |_| says(status, ""));
                    assert!(matches!(seen, RoleSeen::Reached(_)), "{seen:?}");
                }
                let alike = with_root(root, role, says(200, "iis"), |_| says(200, "iis"));
                assert!(matches!(alike, RoleSeen::Reached(_)), "{alike:?}");
            }
        }
    }

    #[test]
    fn a_role_without_a_confirmed_path_is_not_proved_by_a_server_that_has_nothing() {
        for root in [400, 404] {
            let seen = with_root(root, Role::FallbackStatusPoint, says(root, ""), |_| {
                says(root, "")
            });
            assert_eq!(unproved(seen), Unproved::PathsUnconfirmed);
        }
    }

    #[test]
    fn a_role_without_a_confirmed_path_fails_with_its_path_or_with_all_of_the_server() {
        let role = Role::FallbackStatusPoint;
        for (root, nowhere, path, proof) in [
            (200, 404, 503, RoleProof::ServerError),
            (500, 500, 500, RoleProof::ServerError),
            (500, 404, 404, RoleProof::ServerError),
            // GET is not what its handler is for.
            (200, 404, 500, RoleProof::Reached),
            (503, 404, 405, RoleProof::Reached),
        ] {
            let seen = with_root(root, role, says(nowhere, ""), |_| says(path, ""));
            assert_eq!(seen.found(role).proof, proof, "{root} {nowhere} {path}");
        }
    }

    #[test]
    fn a_folder_of_packages_on_one_of_the_drives_is_as_much_as_2007_shows() {
        let seen = seen(Role::DistributionPoint, says(404, ""), |id| match id {
            "fp-dp-drive-d" => says(403, ""),
            _ => says(404, ""),
        });
        assert!(matches!(seen, RoleSeen::Reached(_)), "{seen:?}");
    }

    #[test]
    fn connections_that_end_after_the_request_are_alive() {
        let seen = seen(Role::ManagementPoint, Reading::Closed, |_| Reading::Reset);
        assert_eq!(unproved(seen), Unproved::HungUp);
    }

    #[test]
    fn silence_is_no_answer() {
        let seen = seen(Role::ManagementPoint, Reading::Silent, |_| {
            Reading::NotAsked
        });
        assert_eq!(seen, RoleSeen::NoAnswer);
    }
}
