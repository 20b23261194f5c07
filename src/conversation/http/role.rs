//! Does a role prove itself? The paths that the catalogue knows of it are read, and one that names nothing beside them.
//!
//! A path that exists is the role's only when the path that names nothing is answered otherwise: some servers, and many
//! devices, answer everything alike. What the catalogue has not confirmed neither proves nor disproves.

use super::answer::{Answer, Reading};
use super::passage::differences;
use super::request::Request;
use crate::catalogue::{Confidence, Expected, Fingerprint, Meaning, Role, Verb};
use crate::observation::{RoleFound, RoleProof};

/// What was seen of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoleSeen {
    /// It is there.
    Proved(Evidence),
    /// A web server is there; that it has the role is not proved.
    AliveUnproved {
        /// What keeps it from being proved.
        why: Unproved,
        /// What was answered.
        evidence: Vec<Evidence>,
    },
    /// A web server is there, and every path that the role must have is missing.
    WrongRole(Vec<Evidence>),
    /// Nothing answered in HTTP.
    NoAnswer,
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
    /// No confirmed path of this role is known.
    PathsUnconfirmed,
    /// Answers that say neither.
    Otherwise,
}

impl RoleSeen {
    /// As it stands in an observation.
    pub(crate) fn found(&self, role: Role) -> RoleFound {
        let (proof, words) = match self {
            Self::Proved(evidence) => (RoleProof::Proved, evidence.words()),
            Self::AliveUnproved {
                why: why @ Unproved::ClientCertificateWanted,
                ..
            } => (RoleProof::CertificateWanted, why.words().to_string()),
            Self::AliveUnproved { why, evidence } => {
                let asked: Vec<String> = evidence.iter().map(Evidence::words).collect();
                (
                    RoleProof::Unproved,
                    format!("{} ({})", why.words(), asked.join("; ")),
                )
            }
            Self::WrongRole(evidence) => {
                let missing: Vec<String> = evidence.iter().map(Evidence::words).collect();
                (RoleProof::Missing, missing.join("; "))
            }
            Self::NoAnswer => (
                RoleProof::Unproved,
                "nothing answered for its paths".to_string(),
            ),
        };
        RoleFound { role, proof, words }
    }
}

impl Unproved {
    fn words(self) -> &'static str {
        match self {
            Self::ClientCertificateWanted => {
                "the server wants a client certificate, which is a sign of life and usual in native mode"
            }
            Self::HungUp => {
                "connections end after the request, as with servers that ask for a client certificate only then"
            }
            Self::Forbidden => "the server forbids, or asks for credentials, whatever the path",
            Self::PathsUnconfirmed => "no path is known for certain that would tell",
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
}

impl Evidence {
    fn words(&self) -> String {
        match self.status {
            Some(status) => format!("{}: {status}", self.path),
            None => format!("{}: no answer", self.path),
        }
    }
}

/// The requests, in the order in which [`role_seen`] takes their answers.
pub(crate) fn requests(fingerprints: &[&Fingerprint]) -> Vec<Request> {
    let known = fingerprints
        .iter()
        .map(|fingerprint| match fingerprint.verb {
            Verb::Head => Request::head(&fingerprint.path),
            _ => Request::get(&fingerprint.path),
        });
    std::iter::once(Request::nowhere(Verb::Get))
        .chain(known)
        .collect()
}

/// What the answers to [`requests`] say of a role.
pub(crate) fn role_seen(fingerprints: &[&Fingerprint], answers: &[Reading]) -> RoleSeen {
    let [nowhere, known @ ..] = answers else {
        return RoleSeen::NoAnswer;
    };
    let pairs: Vec<(&Fingerprint, &Reading)> = fingerprints.iter().copied().zip(known).collect();
    let means = |wanted: Meaning| {
        move |(fingerprint, reading): &&(&Fingerprint, &Reading)| {
            meaning(fingerprint, reading) == Some(wanted)
        }
    };
    let proof = pairs.iter().find(means(Meaning::Proves)).or_else(|| {
        let mut exist = pairs.iter().filter(means(Meaning::Exists));
        exist.find(|(_, reading)| is_told_apart(reading, nowhere))
    });
    if let Some(pair) = proof {
        return RoleSeen::Proved(evidence(pair));
    }
    let all: Vec<Evidence> = pairs.iter().map(evidence).collect();
    if nowhere.answer().is_none() && pairs.iter().all(|(_, reading)| reading.answer().is_none()) {
        return match pairs.iter().any(|(_, reading)| is_hang_up(reading)) {
            true => alive(Unproved::HungUp, all),
            false => RoleSeen::NoAnswer,
        };
    }
    let must_exist = pairs
        .iter()
        .filter(|(fingerprint, _)| can_disprove(fingerprint));
    let (missing, others): (Vec<_>, Vec<_>) =
        must_exist.partition(|pair| means(Meaning::Disproves)(pair));
    if !missing.is_empty() && others.is_empty() {
        return RoleSeen::WrongRole(missing.into_iter().map(evidence).collect());
    }
    alive(why(&pairs), all)
}

fn alive(why: Unproved, evidence: Vec<Evidence>) -> RoleSeen {
    RoleSeen::AliveUnproved { why, evidence }
}

fn why(pairs: &[(&Fingerprint, &Reading)]) -> Unproved {
    let any = |wanted: fn(&Reading) -> bool| pairs.iter().any(|(_, reading)| wanted(reading));
    let confirmed = pairs
        .iter()
        .any(|(fingerprint, _)| fingerprint.confidence != Confidence::Unconfirmed);
    if any(|reading| reading.answer().is_some_and(wants_certificate)) {
        Unproved::ClientCertificateWanted
    } else if !confirmed {
        Unproved::PathsUnconfirmed
    } else if any(is_hang_up) {
        Unproved::HungUp
    } else if any(|reading| matches!(reading.status(), Some(401 | 403))) {
        Unproved::Forbidden
    } else {
        Unproved::Otherwise
    }
}

fn evidence((fingerprint, reading): &(&Fingerprint, &Reading)) -> Evidence {
    Evidence {
        path: fingerprint.path.clone(),
        status: reading.status(),
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
        .is_none_or(|text| holds(&answer.body, text));
    body && expected.status.contains(&answer.head.status)
}

fn can_disprove(fingerprint: &Fingerprint) -> bool {
    let disproves = |expected: &Expected| expected.means == Meaning::Disproves;
    fingerprint.confidence != Confidence::Unconfirmed && fingerprint.answers.iter().any(disproves)
}

/// Whether the server tells a path from one that names nothing.
///
/// 1. The statuses differ, and the one for nowhere is not that of a server in trouble.
/// 2. What forbids the path is the same speaker that misses the other: a filter on the way may forbid a path for its
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

/// Whether a 403 says that it is for want of a client certificate (403.7 of IIS, and what stands in for it elsewhere).
fn wants_certificate(answer: &Answer) -> bool {
    const SIGNS: [&str; 3] = ["client certificate", "clientcertificate", "403.7"];
    let reason = answer.head.reason.to_ascii_lowercase();
    let body = answer.body.to_ascii_lowercase();
    answer.head.status == 403
        && SIGNS
            .iter()
            .any(|sign| reason.contains(sign) || holds(&body, sign))
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    !text.is_empty() && bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::super::passage::tests::answered;
    use super::*;
    use crate::catalogue::{CONFIGMGR_2007, Catalogue};
    use crate::conversation::http::answer::Reader;

    fn says(status: u16, body: &str) -> Reading {
        let text = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Reader::new(Verb::Get).feed(text.as_bytes()).expect("whole")
    }

    /// What is seen of a role when the path that names nothing is answered so, and each known path by its id.
    fn seen(role: Role, nowhere: Reading, answer: impl Fn(&str) -> Reading) -> RoleSeen {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let known: Vec<_> = catalogue
            .fingerprints
            .iter()
            .filter(|fingerprint| fingerprint.role == role)
            .collect();
        let answers = known.iter().map(|fingerprint| answer(&fingerprint.id));
        let answers: Vec<_> = std::iter::once(nowhere).chain(answers).collect();
        assert_eq!(requests(&known).len(), answers.len());
        role_seen(&known, &answers)
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
    fn a_server_that_answers_everything_alike_proves_nothing() {
        for status in [200, 401, 403] {
            let seen = seen(Role::SoftwareUpdatePoint, says(status, ""), |_| {
                says(status, "")
            });
            assert!(matches!(seen, RoleSeen::AliveUnproved { .. }), "{status}");
        }
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
    fn unconfirmed_paths_neither_prove_nor_disprove() {
        for role in [Role::FallbackStatusPoint, Role::ServerLocatorPoint] {
            for status in [200, 403, 404] {
                let seen = seen(role, says(404, ""), |_| says(status, ""));
                assert_eq!(unproved(seen), Unproved::PathsUnconfirmed);
            }
        }
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
