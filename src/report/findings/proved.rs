//! Where nothing is wrong: the required flows that were proved, and how, in few words.

use std::collections::HashMap;

use crate::observation::RoleProof;
use crate::product::{Need, Protocol};
use crate::report::document::ReportFlow;
use crate::report::folded::folded;
use crate::report::whole::ReportDocument;
use crate::verdict::{Cause, Verdict};

/// Required flows that were proved in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// Their ids, folded where they differ only in the port.
    pub flows: String,
    /// What proved them.
    pub how: String,
}

/// The required flows that were proved, by their ends and by what proved them.
pub(super) fn proved(report: &ReportDocument) -> Vec<Proved> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    let mut places = HashMap::new();
    let flows = report.flows.iter();
    for flow in flows.filter(|it| it.flow.need == Need::Required && it.verdict == Verdict::Ok) {
        let how = how(flow);
        let ends = (&flow.flow.from, &flow.flow.to.system, flow.flow.transport);
        let ends = (&ends.0.zone, &ends.0.system, ends.1, ends.2);
        let place = *places.entry((ends, how.clone())).or_insert(groups.len());
        if place == groups.len() {
            groups.push((how, Vec::new()));
        }
        groups[place].1.push(&flow.flow.id);
    }
    let proved = |(how, ids): (String, Vec<&str>)| Proved {
        flows: folded(ids).join(", "),
        how,
    };
    groups.into_iter().map(proved).collect()
}

fn how(flow: &ReportFlow) -> String {
    let seen = &flow.evidence.seen;
    if flow.cause == Cause::ListenerAnswered {
        return "a listener of portproof answered".to_string();
    }
    let mut parts = vec![answered(flow.flow.protocol)];
    parts.extend(
        seen.tls
            .as_ref()
            .map(|_| "certificate accepted".to_string()),
    );
    let roles = seen.http.iter().flat_map(|http| &http.roles);
    parts.extend(roles.filter_map(|found| match found.proof {
        RoleProof::Proved => Some(format!("{} proved", found.role)),
        RoleProof::Reached => Some(format!("{} reached", found.role)),
        RoleProof::Missing
        | RoleProof::ServerError
        | RoleProof::PartlyServerError
        | RoleProof::Redirected
        | RoleProof::Unproved
        | RoleProof::Forbidden
        | RoleProof::CertificateWanted => None,
    }));
    let ports = seen.spoken.as_ref().map_or(0, |it| it.ports.len());
    if ports > 0 {
        parts.push(format!("{ports} dynamic ports speak"));
    }
    parts.join(", ")
}

/// What the service did, by what is spoken there.
fn answered(protocol: Protocol) -> String {
    let name = match protocol {
        Protocol::Tcp => return "the port is open".to_string(),
        Protocol::Udp => return "a datagram was answered".to_string(),
        Protocol::Esp => return "it passes".to_string(),
        Protocol::Tds => "SQL Server",
        Protocol::Kerberos => "Kerberos",
        Protocol::Tls => "TLS",
        Protocol::Http => "HTTP",
        Protocol::Https => "HTTPS",
        Protocol::Rpc => "RPC",
        Protocol::Smb => "SMB",
        Protocol::Ldap => "LDAP",
        Protocol::Dns => "DNS",
        Protocol::Nats => "NATS",
    };
    format!("{name} answered")
}
