//! What a flow is worth that left through a proxy: the proxy's word for what it refuses, the server's own for the rest.

use super::{Cause, Judgement, Level, Owner, Verdict};
use crate::observation::{Stop, Stopped};
use crate::product::Need;

fn because(verdict: Verdict, cause: Cause, level: Level, owner: Owner) -> Judgement {
    Judgement {
        verdict,
        cause,
        level,
        owner: Some(owner),
    }
}

/// A flow that the proxy did not lead to the server.
///
/// A required one is blocked by the proxy's rules, and by what it says of the way to the server. A forbidden one stays
/// unknown: another way than this proxy may be open.
pub(super) fn stopped(need: Need, stop: &Stop) -> Judgement {
    let (cause, owner) = match stop.why {
        Stopped::Rule => (Cause::ProxyRefused, Owner::Proxy),
        Stopped::Login => (Cause::ProxyLogin, Owner::Proxy),
        Stopped::NoProxy => (Cause::ProxyUnreachable, Owner::Proxy),
        Stopped::HungUp => (Cause::ProxyHungUp, Owner::Proxy),
        Stopped::Waiting => (Cause::ProxySilent, Owner::Proxy),
        Stopped::Server => (Cause::UnreachedByProxy, Owner::Firewall),
        Stopped::Name => (Cause::UnreachedByProxy, Owner::Dns),
    };
    let proves = match stop.why {
        Stopped::Rule | Stopped::Server => Some(Verdict::Blocked),
        Stopped::Name => Some(Verdict::Wrong),
        // Some refuse in this way, and some fail.
        Stopped::Login | Stopped::NoProxy | Stopped::HungUp | Stopped::Waiting => None,
    };
    match (need, proves) {
        (Need::Required, Some(verdict)) => because(verdict, cause, Level::Error, owner),
        (Need::Required, None) => because(Verdict::Unknown, cause, Level::Error, owner),
        (Need::Optional, _) => Judgement {
            owner: None,
            ..because(Verdict::Ok, cause, Level::Note, owner)
        },
        (Need::Forbidden, _) => because(Verdict::Unknown, cause, Level::Note, owner),
    }
}

/// A tunnel that opened where nothing is said inside: it proves the proxy alone.
pub(super) fn only_tunnel() -> Judgement {
    because(
        Verdict::Unknown,
        Cause::OnlyTunnel,
        Level::Warning,
        Owner::Prober,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(need: Need, why: Stopped) -> Verdict {
        let said = String::new();
        stopped(need, &Stop { why, said }).verdict
    }

    #[test]
    fn the_proxys_rules_block_and_its_own_trouble_proves_nothing() {
        for (why, expected) in [
            (Stopped::Rule, Verdict::Blocked),
            (Stopped::Server, Verdict::Blocked),
            (Stopped::Name, Verdict::Wrong),
            (Stopped::Login, Verdict::Unknown),
            (Stopped::NoProxy, Verdict::Unknown),
            (Stopped::HungUp, Verdict::Unknown),
            (Stopped::Waiting, Verdict::Unknown),
        ] {
            assert_eq!(verdict(Need::Required, why), expected, "{why:?}");
            assert_eq!(verdict(Need::Forbidden, why), Verdict::Unknown, "{why:?}");
            assert_eq!(verdict(Need::Optional, why), Verdict::Ok, "{why:?}");
        }
    }
}
