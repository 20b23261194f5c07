//! The flows of the vantage as questions, one for each address; equal questions are asked once.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::Span;

use super::targets::{Names, Targets, targets};
use super::{Run, story};
use crate::observation::Unresolved;
use crate::plan::{self, Chosen, Flow, Target};
use crate::probe::{self, Datagram, Gateway, Ladder, OldTls, Question, Turn, WebNeeds};
use crate::product::{Need, Protocol, Role, Transport};
use crate::site::{Origin, Site, System, ZoneId};

/// A port on a way. Questions of one door differ in what they ask there.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Door {
    target: probe::Target,
    port: u16,
    by_proxy: bool,
}

/// What makes two questions equal.
#[derive(PartialEq, Eq, Hash)]
struct Asked {
    door: Door,
    ladder: Ladder,
    name: Option<String>,
    web: Option<Arc<WebNeeds>>,
}

impl Asked {
    fn by(question: &Question) -> Self {
        Self {
            door: Door {
                target: question.target,
                port: question.port,
                by_proxy: question.way.proxy().is_some(),
            },
            ladder: question.ladder,
            name: question.name.clone(),
            web: question.web.clone(),
        }
    }
}

/// Questions, and for each chosen flow the numbers of its questions; equal questions are asked once.
///
/// From `own` on, the chosen flows are those that clients of another site file need beside. They are asked first: what
/// the site itself needs less of the same door, or forbids, takes their answer.
pub(super) fn questions(
    run: &Run,
    chosen: &[Chosen],
    own: usize,
    names: &Names,
) -> (Vec<Question>, Vec<Vec<usize>>) {
    let mut all: Vec<Question> = Vec::new();
    let mut known: HashMap<Asked, usize> = HashMap::new();
    let mut by_flow = vec![Vec::new(); chosen.len()];
    let mut doors: HashMap<Door, usize> = HashMap::new();
    for place in (own..chosen.len()).chain(0..own) {
        let flow = &run.plan.flows[chosen[place].flow];
        let mut numbers = Vec::new();
        for question in of_flow(run, flow, names) {
            let asked = Asked::by(&question);
            let door = asked.door.clone();
            let asks_less = place < own && flow.need != Need::Required;
            if asks_less
                && flow.transport == Transport::Tcp
                && let Some(number) = doors.get(&door)
            {
                numbers.push(*number);
                continue;
            }
            let number = *known.entry(asked).or_insert_with(|| {
                all.push(question.clone());
                all.len() - 1
            });
            all[number].turn = all[number].turn.min(question.turn);
            all[number].spread |= question.spread;
            if place >= own {
                doors.entry(door).or_insert(number);
            }
            numbers.push(number);
        }
        by_flow[place] = numbers;
    }
    note(run, chosen, &mut all, &by_flow);
    (all, by_flow)
}

/// Gives each question its span in the log, now that all its flows are known.
fn note(run: &Run, chosen: &[Chosen], all: &mut [Question], by_flow: &[Vec<usize>]) {
    let mut flows: Vec<Vec<&Flow>> = vec![Vec::new(); all.len()];
    for (chosen, numbers) in chosen.iter().zip(by_flow) {
        for number in numbers {
            flows[*number].push(&run.plan.flows[chosen.flow]);
        }
    }
    for (number, (question, flows)) in all.iter_mut().zip(flows).enumerate() {
        question.span = story::span(&run.file.site, number, flows.into_iter());
        story::asks(question);
    }
}

fn of_flow(run: &Run, flow: &Flow, names: &Names) -> Vec<Question> {
    let site = &run.file.site;
    let zone = flow.start(site);
    let way = run.ways.of(&run.file, flow);
    let targets: Vec<probe::Target> = match targets(site, flow) {
        Targets::Addresses(addresses) => {
            addresses.into_iter().map(probe::Target::Address).collect()
        }
        Targets::Nowhere => vec![probe::Target::Nowhere(Unresolved::NoNameHere)],
        Targets::Many => vec![probe::Target::ByName],
        Targets::Name(_) if way.proxy().is_some() => vec![probe::Target::ByName],
        Targets::Name(name) => {
            story::resolved(site, flow, &name, names);
            match names.get(&name) {
                Some(Ok(addresses)) => addresses
                    .iter()
                    .copied()
                    .map(probe::Target::Address)
                    .collect(),
                Some(Err(why)) => vec![probe::Target::Nowhere(*why)],
                None => vec![probe::Target::Nowhere(Unresolved::ResolverSilent)],
            }
        }
    };
    let name = match &flow.to {
        Target::System(system) => site.systems[*system]
            .name_for(zone)
            .map(|name| name.trim_end_matches('.').to_string()),
        Target::Host(host) => Some(host.to_string()),
        Target::Service(it) => it.tries.clone(),
        Target::Clients(_) => None,
    };
    let ladder = match way.proxy() {
        Some(gateway) => through_a_proxy(gateway, flow),
        None if !run.ways.have(flow) => Ladder::None,
        None => ladder(flow),
    };
    let web = web_needs(run, flow).map(Arc::new);
    // What a role serves to clients; the user's own flows may be for other programs.
    let is_for_clients = flow.need == Need::Required
        && web.is_some()
        && matches!(flow.from, Origin::Zone(zone) if site.clients.contains(&zone));
    let one = |target| Question {
        target,
        port: flow.port.low,
        name: match ladder {
            Ladder::Tls | Ladder::Http | Ladder::Https => name.clone(),
            _ if target == probe::Target::ByName => name.clone(),
            Ladder::Dns | Ladder::Datagram(Datagram::Dns) => name_to_ask(site, zone),
            _ => None,
        },
        ladder,
        turn: if flow.need == Need::Forbidden {
            Turn::Forbidden
        } else {
            Turn::Needed
        },
        spread: flow.need == Need::Required && way.is_direct(),
        tries: None,
        way: way.clone(),
        web: web.clone(),
        segment: None,
        old_tls: match flow.to {
            Target::System(system) if site.systems[system].old_tls => OldTls::Second,
            _ => OldTls::Never,
        },
        clients_speak: site.clients_speak.filter(|_| is_for_clients),
        // Whatever else it leads to may be a stranger's.
        challenger: flow.to.system().and_then(|_| run.challenger.clone()),
        span: Span::none(),
    };
    targets.into_iter().map(one).collect()
}

/// How far a flow is tried.
pub fn ladder(flow: &Flow) -> Ladder {
    let is_range = flow.port.low != flow.port.high;
    if flow.to.is_many() {
        return Ladder::None;
    }
    match (flow.transport, flow.need, flow.protocol) {
        (Transport::Tcp, Need::Required | Need::Optional, Protocol::Rpc) if is_range => {
            Ladder::RpcRange(flow.port.high)
        }
        // What clients need is the list itself, which is fetched when all certificates have been seen. What a server needs
        // is tried as any web server is.
        _ if matches!((&flow.to, flow.from), (Target::Host(_), Origin::Zone(_))) => Ladder::Tcp,
        // That every port of a range is closed cannot be shown by trying some.
        _ if is_range => Ladder::None,
        // Neither packets nor proofs of a transport without ports come by way of a socket that needs no privilege.
        (Transport::Esp, _, _) => Ladder::None,
        (Transport::Udp, _, protocol) => Ladder::Datagram(datagram(protocol)),
        (Transport::Tcp, Need::Forbidden, _) => Ladder::Tcp,
        (Transport::Tcp, Need::Required | Need::Optional, protocol) => over_tcp(protocol),
    }
}

fn datagram(protocol: Protocol) -> Datagram {
    match protocol {
        Protocol::Dns => Datagram::Dns,
        Protocol::Kerberos => Datagram::Kerberos,
        Protocol::Rpc => Datagram::Rpc,
        Protocol::Tcp
        | Protocol::Udp
        | Protocol::Tls
        | Protocol::Http
        | Protocol::Https
        | Protocol::Smb
        | Protocol::Tds
        | Protocol::Ldap
        | Protocol::Nats
        | Protocol::Esp => Datagram::Empty,
    }
}

fn over_tcp(protocol: Protocol) -> Ladder {
    match protocol {
        Protocol::Tcp | Protocol::Udp | Protocol::Esp => Ladder::Tcp,
        Protocol::Tls => Ladder::Tls,
        Protocol::Http => Ladder::Http,
        Protocol::Https => Ladder::Https,
        Protocol::Rpc => Ladder::RpcMapper,
        Protocol::Smb => Ladder::Smb,
        Protocol::Tds => Ladder::Tds,
        Protocol::Ldap => Ladder::Ldap,
        Protocol::Dns => Ladder::Dns,
        Protocol::Kerberos => Ladder::Kerberos,
        Protocol::Nats => Ladder::Nats,
    }
}

/// A name that a name server of the site should know: that of a system which clients of this zone reach, else of any.
fn name_to_ask(site: &Site, zone: ZoneId) -> Option<String> {
    let for_clients = |system: &&System| !system.client_roles.is_empty();
    let named = |system: &System| system.name_for(zone).map(str::to_string);
    let mut clients = site.systems.iter().filter(for_clients).filter_map(named);
    clients
        .next()
        .or_else(|| site.systems.iter().find_map(named))
}

/// What goes through a proxy: TCP, to single ports, that has to pass. What a proxy opens of a forbidden flow would say
/// nothing of the firewalls.
fn through_a_proxy(gateway: &Gateway, flow: &Flow) -> Ladder {
    // The list itself is fetched when all certificates have been seen: here a client's request for a page says whether the
    // way is open.
    let is_list = matches!(flow.to, Target::Host(_));
    match ladder(flow) {
        _ if flow.need == Need::Forbidden => Ladder::None,
        Ladder::Tcp if is_list && gateway.passes_on(Ladder::Http) => Ladder::Http,
        Ladder::None | Ladder::Datagram(_) => Ladder::None,
        ladder @ (Ladder::Tcp
        | Ladder::Tls
        | Ladder::Http
        | Ladder::Https
        | Ladder::Smb
        | Ladder::Tds
        | Ladder::Ldap
        | Ladder::Dns
        | Ladder::Kerberos
        | Ladder::Nats
        | Ladder::RpcMapper
        | Ladder::RpcPort
        | Ladder::RpcRange(_)) => ladder,
    }
}

/// What the web server at the end of a required flow has to show: its roles by their fingerprints. Where something
/// between the ends can see verbs and headers, it also has to show those that the roles need. The stand-ins of the lab
/// play no roles.
fn web_needs(run: &Run, flow: &Flow) -> Option<WebNeeds> {
    let seen_between = match flow.protocol {
        Protocol::Http => true,
        Protocol::Https => plan::is_bridged(&run.file.site, flow),
        _ => return None,
    };
    if flow.need != Need::Required || run.ways.are_of_the_lab() {
        return None;
    }
    let catalogue = &run.file.catalogue;
    let mut needs = WebNeeds::default();
    let drives = plan::package_drives(&run.file.site, flow);
    for role in plan::roles(&run.file.site, catalogue, flow) {
        let known = catalogue.fingerprints.iter();
        let known: Vec<_> = known
            .filter(|it| it.role == role)
            .flat_map(|it| it.on_drives(&drives))
            .collect();
        if !known.is_empty() {
            needs.roles.push((role, known));
        }
        needs.downloads |= seen_between && role == Role::DistributionPoint;
        // What is optional or unconfirmed could decide nothing, and so is not sent.
        let passes = catalogue.passes.iter();
        let passes = passes.filter(|it| it.role == role && it.need == Need::Required);
        for passes in passes.filter(|_| seen_between) {
            needs.verbs.extend(&passes.verbs);
            for header in &passes.headers {
                if !needs.headers.contains(header) {
                    needs.headers.push(header.clone());
                }
            }
        }
    }
    (!needs.is_empty()).then_some(needs)
}
