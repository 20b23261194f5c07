//! What a web server that answers is worth, by what else was asked of it: the role first, then what is done to requests.

use super::{Cause, Judgement, Level, Owner, Verdict};
use crate::observation::{HttpSeen, Meddled, Meddler, Meddling, RoleProof};

/// The finding that outweighs a good answer of the root page; `None`: there is none.
///
/// 1. Another site answers: whatever is done to requests is done to the wrong ones.
/// 2. What a device does is an error; what the server may do itself is a warning.
/// 3. What could not be compared is said, and proves nothing.
pub(super) fn outweighs(http: &HttpSeen) -> Option<Judgement> {
    let missing = |role: &crate::observation::RoleFound| role.proof == RoleProof::Missing;
    if http.roles.iter().any(missing) {
        return Some(Judgement {
            verdict: Verdict::Wrong,
            cause: Cause::WrongRole,
            level: Level::Error,
            owner: Some(Owner::Server),
        });
    }
    // The first of the worst: `max_by_key` takes the last.
    let all = http.meddling.iter().rev().filter_map(judge);
    all.max_by_key(|it| (it.verdict == Verdict::Wrong, it.level))
}

fn judge(meddling: &Meddling) -> Option<Judgement> {
    let cause = match meddling.what {
        Meddled::Verb(_) => Cause::VerbBlocked,
        Meddled::Header => Cause::HeaderBlocked,
        Meddled::Downgraded => {
            return Some(Judgement {
                verdict: Verdict::Wrong,
                cause: Cause::HttpDowngraded,
                level: Level::Warning,
                owner: Some(Owner::Proxy),
            });
        }
        Meddled::NotCompared => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Role, Verb};
    use crate::observation::RoleFound;

    fn seen(meddling: &[(Meddled, Meddler)], role: RoleProof) -> Option<(Cause, Level)> {
        let one = |(what, by): &(Meddled, Meddler)| Meddling {
            what: *what,
            name: "",
            by: *by,
            ends: None,
            words: String::new(),
        };
        let http = HttpSeen {
            version: "HTTP/1.1".to_string(),
            status: 200,
            reason: String::new(),
            server: None,
            via: None,
            clock: None,
            verbs: Vec::new(),
            meddling: meddling.iter().map(one).collect(),
            roles: vec![RoleFound {
                role: Role::ManagementPoint,
                proof: role,
                words: String::new(),
            }],
        };
        outweighs(&http).map(|it| (it.cause, it.level))
    }

    const POST: Meddled = Meddled::Verb(Verb::CcmPost);

    #[test]
    fn a_good_answer_stands_where_nothing_is_wrong() {
        for proof in [
            RoleProof::Proved,
            RoleProof::Unproved,
            RoleProof::CertificateWanted,
        ] {
            assert_eq!(seen(&[(Meddled::Announced, Meddler::Device)], proof), None);
        }
    }

    #[test]
    fn the_wrong_role_comes_first_then_what_is_surest() {
        let device = (POST, Meddler::Device);
        let wrong = seen(&[device], RoleProof::Missing);
        assert_eq!(wrong, Some((Cause::WrongRole, Level::Error)));
        let either = (Meddled::Header, Meddler::Either);
        let surest = seen(&[either, device], RoleProof::Proved);
        assert_eq!(surest, Some((Cause::VerbBlocked, Level::Error)));
        let unsure = seen(
            &[(Meddled::NotCompared, Meddler::Either), either],
            RoleProof::Proved,
        );
        assert_eq!(unsure, Some((Cause::HeaderBlocked, Level::Warning)));
    }
}
