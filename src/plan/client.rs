//! The flows of one client, with the numbers that it was given.

use super::{Plan, Target, derive};
use crate::product::{Catalogue, End, Setting};
use crate::site::{Origin, Site, ZoneId};

/// The flows that a client of a zone uses, if its numbers are these instead of the site's. None is forbidden: a client
/// starts what it needs, and nothing else.
pub fn of_client(
    site: &Site,
    catalogue: &Catalogue,
    zone: ZoneId,
    http: Option<u16>,
    https: Option<u16>,
) -> Plan {
    let mut seen = site.clone();
    // To a client its own numbers are those in use, whatever the site says of them.
    seen.default_port_clients = true;
    let given = [(Setting::ClientHttp, http), (Setting::ClientHttps, https)];
    let given = given
        .into_iter()
        .filter_map(|(setting, port)| Some((setting, port?)));
    given.for_each(|(setting, port)| seen.settings.put(setting, port));
    let mut plan = derive(&seen, catalogue);
    plan.forbidden.clear();
    plan.flows.retain(|flow| {
        flow.from == Origin::Zone(zone)
            && (matches!(flow.to, Target::Host(_)) || is_of_clients(catalogue, &flow.reason.rules))
    });
    plan
}

/// Whether a rule that made a flow is one of clients.
fn is_of_clients(catalogue: &Catalogue, rules: &[String]) -> bool {
    let made = |id: &String| catalogue.rules.iter().find(|rule| rule.id == *id);
    let mut ends = rules.iter().filter_map(made).flat_map(|rule| &rule.from);
    ends.any(|end| {
        matches!(
            end,
            End::Clients | End::InternetClients | End::IntranetClients
        )
    })
}
