//! Which rule a finding asks of the firewalls.
//!
//! It follows the cause, never the need alone. What may be the server's own asks for no rule. Neither does what a rule
//! cannot mend: address translation, a route, a proxy. The rows of a report and `plan --missing` both ask here, so that
//! a page and the rules to load say the same.

use super::{Cause, Owner};
use crate::product::Need;

/// What a firewall has to do with a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Let it through.
    Permit,
    /// Stop it.
    Deny,
}

impl Remedy {
    /// The word in the tables of a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        }
    }
}

/// The rule that a finding asks for; `None` where no rule of a firewall is known to help.
pub fn remedy(need: Need, cause: Cause, owner: Option<Owner>) -> Option<Remedy> {
    if owner != Some(Owner::Firewall) {
        return None;
    }
    match need {
        Need::Required => asks_for_passage(cause).then_some(Remedy::Permit),
        Need::Forbidden => asks_for_closing(cause).then_some(Remedy::Deny),
        Need::Optional => None,
    }
}

fn asks_for_closing(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Open | Cause::ClosedButReachable | Cause::AnswerLost
    )
}

/// Whether packets were stopped on their way to the service by what a rule can change.
///
/// A lost answer (`answer-lost`) is not among them: the request passes already. Nor is address translation that leads
/// elsewhere (`wrong-listener`), nor what a proxy could not reach: those packets start at the proxy.
fn asks_for_passage(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::NoAnswer
            | Cause::NothingPasses
            | Cause::HostSilent
            | Cause::AddressSilent
            | Cause::ResetByDevice
            | Cause::AdminProhibited
            | Cause::PortUnreachable
            | Cause::HostUnreachable
            | Cause::NetUnreachable
            | Cause::Rejected
            | Cause::Intermittent
            | Cause::RpcHalfOpen
            | Cause::RpcOutsideRange
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_servers_asks_for_no_rule() {
        for cause in Cause::ALL.iter().copied() {
            for owner in Owner::ALL
                .iter()
                .copied()
                .filter(|it| *it != Owner::Firewall)
            {
                for need in [Need::Required, Need::Optional, Need::Forbidden] {
                    assert_eq!(remedy(need, cause, Some(owner)), None, "{cause} {owner}");
                }
            }
        }
    }

    #[test]
    fn the_rule_follows_the_cause() {
        let of = |need, cause| remedy(need, cause, Some(Owner::Firewall));
        assert_eq!(of(Need::Required, Cause::NoAnswer), Some(Remedy::Permit));
        assert_eq!(of(Need::Required, Cause::AnswerLost), None);
        assert_eq!(of(Need::Required, Cause::WrongListener), None);
        assert_eq!(of(Need::Required, Cause::UnreachedByProxy), None);
        assert_eq!(of(Need::Forbidden, Cause::Open), Some(Remedy::Deny));
        assert_eq!(of(Need::Forbidden, Cause::AnswerLost), Some(Remedy::Deny));
        assert_eq!(of(Need::Forbidden, Cause::AnsweredByMiddlebox), None);
        assert_eq!(of(Need::Optional, Cause::NoAnswer), None);
    }
}
