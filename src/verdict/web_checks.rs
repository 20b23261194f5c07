//! What a web server that answers is worth, by what else was asked of it: the role first, then what is done to requests.

use super::{Cause, Judgement, Level, Owner, Verdict};
use crate::observation::{
    Advertised, HttpSeen, Meddled, Meddler, Meddling, Observation, Presented, RoleFound, RoleProof,
};

/// The finding that outweighs a good answer of the root page; `None`: there is none.
///
/// 1. Where a role fails, is missing or sends elsewhere, whatever is done to requests is done to the wrong ones.
/// 2. What a device does to requests is an error.
/// 3. A role that nothing proves is unknown: what may be the server's own way with requests matters less.
/// 4. What the server may do itself is a warning.
/// 5. What could not be compared is said, and proves nothing.
pub(super) fn outweighs(seen: &Observation, http: &HttpSeen) -> Option<Judgement> {
    let roles = http.roles.iter().filter_map(|role| of_role(role, seen));
    let requests = http.meddling.iter().filter_map(judge);
    let all: Vec<Judgement> = roles.chain(requests).collect();
    // The first of the worst: `max_by_key` takes the last.
    all.into_iter().rev().max_by_key(weight)
}

/// What the roles say of a server whose root page fails; `None`: nothing was asked of them.
pub(super) fn by_its_roles(seen: &Observation, http: &HttpSeen) -> Option<Judgement> {
    let roles = http.roles.iter().filter_map(|role| of_role(role, seen));
    let all: Vec<Judgement> = roles.collect();
    all.into_iter().rev().max_by_key(weight)
}

fn weight(judgement: &Judgement) -> u8 {
    match (judgement.verdict, judgement.level) {
        (Verdict::Wrong | Verdict::Blocked | Verdict::Down | Verdict::Exposed, Level::Error) => 4,
        (Verdict::Unknown, _) => 3,
        (Verdict::Wrong | Verdict::Blocked | Verdict::Down | Verdict::Exposed, _) => 2,
        (Verdict::Ok, Level::Error | Level::Warning) => 1,
        (Verdict::Ok, Level::Note) => 0,
    }
}

/// What is known of a role; `None`: it is there, or proved as far as it can be.
fn of_role(found: &RoleFound, seen: &Observation) -> Option<Judgement> {
    let (error, warning) = (Level::Error, Level::Warning);
    let wrong = |cause, level, owner| Judgement {
        verdict: Verdict::Wrong,
        cause,
        level,
        owner: Some(owner),
    };
    match found.proof {
        RoleProof::Proved => contradicts(found),
        RoleProof::Reached => None,
        RoleProof::Missing => Some(wrong(Cause::WrongRole, error, Owner::Server)),
        RoleProof::ServerError => Some(wrong(Cause::HttpServerError, error, Owner::Server)),
        RoleProof::PartlyServerError => Some(wrong(Cause::HttpServerError, warning, Owner::Server)),
        RoleProof::Redirected => Some(wrong(Cause::Redirected, error, Owner::Server)),
        RoleProof::Unproved => {
            let tls = seen.tls.as_ref();
            let other_issuer =
                tls.is_some_and(|tls| tls.presented.is_shown() && tls.takes_no_such_issuer());
            Some(match other_issuer {
                true => refused(),
                false => unproved(Owner::Server),
            })
        }
        RoleProof::Forbidden | RoleProof::CertificateWanted => Some(without_leave(seen)),
    }
}

/// What the list of a management point that is there says against the site file. The role serves all the same. Where the
/// file may be wrong, whoever keeps it looks first.
fn contradicts(found: &RoleFound) -> Option<Judgement> {
    let (cause, owner) = match found.differs.iter().map(|it| it.what).min() {
        Some(Advertised::SiteCode) => (Cause::AdvertisedSite, Owner::Prober),
        Some(Advertised::Product) => (Cause::AdvertisedProduct, Owner::Prober),
        Some(Advertised::Https) => (Cause::AdvertisedHttps, Owner::Server),
        None if found.other_names.is_empty() => return None,
        None => (Cause::AdvertisedName, Owner::Server),
    };
    Some(Judgement {
        verdict: Verdict::Ok,
        cause,
        level: Level::Warning,
        owner: Some(owner),
    })
}

/// A server that keeps what it has from whoever asks: for want of a client certificate, or in spite of one.
pub(super) fn without_leave(seen: &Observation) -> Judgement {
    match &seen.tls {
        Some(tls) if tls.presented.is_shown() => refused(),
        // Nobody was asked for one, so that one would not tell.
        Some(tls) if tls.presented == Presented::NotAsked => unproved(Owner::Server),
        // A client certificate would tell.
        Some(_) => unproved(Owner::Prober),
        // Only the server's own log says more.
        None => unproved(Owner::Server),
    }
}

/// A client certificate that was shown and is not taken.
fn refused() -> Judgement {
    Judgement {
        verdict: Verdict::Wrong,
        cause: Cause::ClientCertificateRefused,
        level: Level::Error,
        owner: Some(Owner::Certificate),
    }
}

fn unproved(owner: Owner) -> Judgement {
    Judgement {
        verdict: Verdict::Unknown,
        cause: Cause::RoleUnproved,
        level: Level::Warning,
        owner: Some(owner),
    }
}

fn judge(meddling: &Meddling) -> Option<Judgement> {
    let cause = match meddling.what {
        Meddled::Verb => Cause::VerbBlocked,
        Meddled::Header => Cause::HeaderBlocked,
        Meddled::Downgraded => return Some(by_a_proxy(Cause::HttpDowngraded)),
        Meddled::Range => return Some(by_a_proxy(Cause::RangeLost)),
        Meddled::NotCompared | Meddled::CutOff => {
            return Some(Judgement {
                verdict: Verdict::Ok,
                cause: Cause::VerbsNotCompared,
                level: Level::Warning,
                owner: Some(Owner::Server),
            });
        }
        Meddled::Announced => return None,
    };
    let (level, owner) = match meddling.by {
        Meddler::Device | Meddler::DeviceLikely => (Level::Error, Owner::Proxy),
        Meddler::Either => (Level::Warning, Owner::Server),
    };
    Some(Judgement {
        verdict: Verdict::Wrong,
        cause,
        level,
        owner: Some(owner),
    })
}

/// What a proxy does to requests, as a rule, and clients may bear.
fn by_a_proxy(cause: Cause) -> Judgement {
    Judgement {
        verdict: Verdict::Wrong,
        cause,
        level: Level::Warning,
        owner: Some(Owner::Proxy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Differs, Shown, State, TlsSeen};
    use crate::product::Role;

    fn http(meddling: &[(Meddled, Meddler)], role: RoleProof) -> HttpSeen {
        let one = |(what, by): &(Meddled, Meddler)| Meddling {
            what: *what,
            verb: None,
            by: *by,
            ends: None,
            words: String::new(),
        };
        HttpSeen {
            version: "HTTP/1.1".to_string(),
            status: 200,
            reason: String::new(),
            server: None,
            via: None,
            clock: None,
            verbs: Default::default(),
            meddling: meddling.iter().map(one).collect(),
            roles: vec![RoleFound {
                role: Role::ManagementPoint,
                proof: role,
                words: String::new(),
                listed: Vec::new(),
                other_names: Vec::new(),
                differs: Vec::new(),
            }],
        }
    }

    fn observation(presented: Option<Presented>) -> Observation {
        let tls = presented.map(|presented| TlsSeen {
            presented,
            ..TlsSeen::default()
        });
        Observation {
            tls: tls.map(Box::new),
            ..Observation::without_packets(None, State::Open)
        }
    }

    fn seen(meddling: &[(Meddled, Meddler)], role: RoleProof) -> Option<(Cause, Level)> {
        let judged = outweighs(&observation(None), &http(meddling, role));
        judged.map(|it| (it.cause, it.level))
    }

    const POST: Meddled = Meddled::Verb;

    #[test]
    fn a_good_answer_stands_where_the_role_is_proved_as_deep_as_it_can_be() {
        for proof in [RoleProof::Proved, RoleProof::Reached] {
            assert_eq!(seen(&[(Meddled::Announced, Meddler::Device)], proof), None);
        }
    }

    #[test]
    fn a_role_that_fails_is_missing_or_sends_elsewhere_is_the_servers() {
        for (proof, cause, level) in [
            (RoleProof::ServerError, Cause::HttpServerError, Level::Error),
            (
                RoleProof::PartlyServerError,
                Cause::HttpServerError,
                Level::Warning,
            ),
            (RoleProof::Missing, Cause::WrongRole, Level::Error),
            (RoleProof::Redirected, Cause::Redirected, Level::Error),
        ] {
            assert_eq!(seen(&[], proof), Some((cause, level)));
        }
    }

    #[test]
    fn a_role_that_nothing_proves_is_unknown_and_whoever_can_prove_it_is_named() {
        let of = |proof, presented| {
            let judged = outweighs(&observation(presented), &http(&[], proof)).expect("a finding");
            (judged.verdict, judged.cause, judged.level, judged.owner)
        };
        let unknown = |owner| {
            let (verdict, cause) = (Verdict::Unknown, Cause::RoleUnproved);
            (verdict, cause, Level::Warning, Some(owner))
        };
        let none = Some(Presented::None);
        for proof in [RoleProof::CertificateWanted, RoleProof::Forbidden] {
            assert_eq!(of(proof, none.clone()), unknown(Owner::Prober));
            assert_eq!(of(proof, None), unknown(Owner::Server), "in the clear");
            let refused = of(proof, Some(Presented::Taken));
            assert_eq!(refused.1, Cause::ClientCertificateRefused);
            assert_eq!(
                (refused.0, refused.3),
                (Verdict::Wrong, Some(Owner::Certificate))
            );
        }
        assert_eq!(of(RoleProof::Unproved, none), unknown(Owner::Server));
    }

    #[test]
    fn where_nobody_is_asked_for_a_client_certificate_the_servers_log_says_more() {
        let seen = observation(Some(Presented::NotAsked));
        let judged = outweighs(&seen, &http(&[], RoleProof::Forbidden)).expect("a finding");
        assert_eq!(
            (judged.cause, judged.owner),
            (Cause::RoleUnproved, Some(Owner::Server))
        );
    }

    #[test]
    fn a_client_certificate_of_another_issuer_is_refused_where_the_role_is_not_proved() {
        let of = |authority: &str, proof| {
            let mut seen = observation(Some(Presented::Taken));
            let tls = seen.tls.as_mut().expect("TLS");
            tls.authorities = vec![authority.to_string()];
            tls.shown = Some(Shown {
                subject: "CN=client".to_string(),
                issuers: vec!["CN=Issuing".to_string(), "CN=Root".to_string()],
            });
            outweighs(&seen, &http(&[], proof)).map(|it| it.cause)
        };
        let refused = Some(Cause::ClientCertificateRefused);
        assert_eq!(of("CN=Other", RoleProof::Unproved), refused);
        let unproved = Some(Cause::RoleUnproved);
        assert_eq!(of("CN=Root", RoleProof::Unproved), unproved);
        assert_eq!(of("CN=Other", RoleProof::Proved), None, "it was taken");
    }

    #[test]
    fn a_list_of_names_that_this_zone_does_not_know_is_a_warning() {
        let mut http = http(&[], RoleProof::Proved);
        http.roles[0].other_names = vec!["cm01.corp.local".to_string()];
        let judged = outweighs(&observation(None), &http).expect("a finding");
        assert_eq!(
            (judged.verdict, judged.cause, judged.level),
            (Verdict::Ok, Cause::AdvertisedName, Level::Warning)
        );
    }

    #[test]
    fn what_a_site_says_against_the_file_is_a_warning_to_whoever_can_tell() {
        let of = |all: &[Advertised]| {
            let mut http = http(&[], RoleProof::Proved);
            let differs = all.iter().map(|what| Differs {
                what: *what,
                site: String::new(),
                file: String::new(),
            });
            http.roles[0].differs = differs.collect();
            http.roles[0].other_names = vec!["cm01.corp.local".to_string()];
            let judged = outweighs(&observation(None), &http).expect("a finding");
            assert_eq!(
                (judged.verdict, judged.level),
                (Verdict::Ok, Level::Warning)
            );
            (judged.cause, judged.owner)
        };
        use Advertised::{Https, Product, SiteCode};
        let prober = Some(Owner::Prober);
        assert_eq!(
            of(&[Https, Product, SiteCode]),
            (Cause::AdvertisedSite, prober)
        );
        assert_eq!(of(&[Https, Product]), (Cause::AdvertisedProduct, prober));
        assert_eq!(of(&[Https]), (Cause::AdvertisedHttps, Some(Owner::Server)));
        assert_eq!(of(&[]), (Cause::AdvertisedName, Some(Owner::Server)));
    }

    #[test]
    fn the_wrong_role_comes_first_then_what_is_surest() {
        let device = (POST, Meddler::Device);
        let wrong = seen(&[device], RoleProof::Missing);
        assert_eq!(wrong, Some((Cause::WrongRole, Level::Error)));
        let either = (Meddled::Header, Meddler::Either);
        let surest = seen(&[either, device], RoleProof::Proved);
        assert_eq!(surest, Some((Cause::VerbBlocked, Level::Error)));
        assert_eq!(seen(&[either, device], RoleProof::Unproved), surest);
        let unsure = seen(
            &[(Meddled::NotCompared, Meddler::Either), either],
            RoleProof::Proved,
        );
        assert_eq!(unsure, Some((Cause::HeaderBlocked, Level::Warning)));
        let unproved = seen(&[either], RoleProof::Unproved);
        assert_eq!(unproved, Some((Cause::RoleUnproved, Level::Warning)));
    }
}
