//! Judging a whole run: what answered decides what the silence of the rest is worth.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::{
    Clocks, Context, Control, DroppedAt, Elsewhere, Judgement, Seen, ZoneSilence, judge, worst,
};
use crate::attribution::{Translating, has_own_words, suspects};
use crate::config::TlsVersion;
use crate::observation::{
    AttemptResult, NotTried, Observation, Prohibition, ResetBy, State, Trouble,
};
use crate::plan::{Flow, Owner, Target};
use crate::product::Need;
use crate::site::{Origin, Site, System, SystemId, ZoneId};

/// One flow's judgement.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The worst over its addresses.
    pub judgement: Judgement,
    /// The observation that decided.
    pub observation: usize,
    /// What is known beside each observation.
    pub contexts: Vec<Context>,
}

impl Judged {
    /// The proof that this host could have knocked.
    pub fn control(&self) -> Option<Control> {
        self.contexts.get(self.observation)?.control
    }
}

/// Judges every flow of one vantage.
///
/// `own` are the addresses of this host. `gone` are hosts that answered at first and no longer did at the end, with the
/// time of their last answer.
pub fn judge_all(
    site: &Site,
    own: &[IpAddr],
    all: &[Seen],
    gone: &HashMap<IpAddr, Timestamp>,
) -> Vec<Judged> {
    let signs = Signs::of(site, own, all, gone);
    all.iter()
        .map(|seen| judge_one(site, &signs, seen))
        .collect()
}

/// Signs of life of a run.
struct Signs {
    /// Addresses that answered.
    hosts: HashSet<IpAddr>,
    /// Those that surely live: no device in their place can have said what they said.
    alive: HashSet<IpAddr>,
    /// Addresses that answered with the system that each stands for: an address may serve several.
    systems: HashSet<(IpAddr, Target)>,
    /// First firewalls that something answered from beyond, and still did at the end.
    paths: HashSet<String>,
    /// First firewalls that something answered from beyond and nothing does any more, with the time of the last answer.
    lost_paths: HashMap<String, Timestamp>,
    /// Hosts that no longer answered at the end, with the time of the last answer.
    gone: HashMap<IpAddr, Timestamp>,
    /// Something answered: a host, or a router on the way.
    anything: bool,
    /// Families of addresses over which something answered: IPv4, IPv6.
    families: [bool; 2],
    /// Zones in which something answered.
    zones: HashSet<ZoneId>,
    /// What was tried in each zone and stayed silent.
    silent: HashMap<ZoneId, HashSet<Target>>,
    own: HashSet<IpAddr>,
    /// What servers said the time is.
    clocks: Clocks,
}

impl Signs {
    fn of(site: &Site, own: &[IpAddr], all: &[Seen], gone: &HashMap<IpAddr, Timestamp>) -> Self {
        let mut signs = Self {
            hosts: HashSet::new(),
            alive: HashSet::new(),
            systems: HashSet::new(),
            paths: HashSet::new(),
            lost_paths: HashMap::new(),
            gone: gone.clone(),
            anything: false,
            families: [false; 2],
            zones: HashSet::new(),
            silent: HashMap::new(),
            own: own.iter().copied().collect(),
            clocks: Clocks::of(all),
        };
        for (seen, observation) in all.iter().flat_map(|seen| {
            seen.observations
                .iter()
                .map(move |observation| (seen, observation))
        }) {
            let answered = observation.answered() && !signs.is_own_word(observation);
            let came_back = answered || signs.a_hop_answered(observation);
            signs.anything |= came_back;
            if let Some(address) = observation.address {
                signs.families[family(address)] |= came_back;
            }
            if let Some(there) = seen.flow.end(site) {
                signs.note_zone(there, &seen.flow.to, answered, observation.is_silence());
            }
            if let Some(address) = observation.address.filter(|address| {
                let translated = is_translated(site, &seen.flow.to, *address);
                host_answered(observation, *address, translated)
            }) {
                signs.hosts.insert(address);
                if observation.state != State::Open || has_own_words(observation) {
                    signs.alive.insert(address);
                }
                signs.systems.insert((address, seen.flow.to.clone()));
                signs.note_path(first_firewall(site, &seen.flow), address);
            }
        }
        signs
    }

    /// Whether a router on the way said that a packet had come to it.
    fn a_hop_answered(&self, observation: &Observation) -> bool {
        let path = observation.path.iter();
        path.flat_map(|path| path.expired())
            .any(|(_, by)| !self.own.contains(&by))
    }

    /// Whether nothing came back over the family of an address, while over the other something did.
    fn family_unanswered(&self, address: Option<IpAddr>) -> bool {
        let of_it = address.map(family);
        of_it.is_some_and(|it| !self.families[it] && self.families[1 - it])
    }

    /// Whether a system answered at another address than this one.
    fn other_address_answered(&self, to: &Target, address: Option<IpAddr>) -> bool {
        let others = self.systems.iter();
        address.is_some_and(|address| {
            others
                .filter(|(_, system)| system == to)
                .any(|(other, _)| *other != address)
        })
    }

    fn note_zone(&mut self, there: ZoneId, to: &Target, answered: bool, silent: bool) {
        if answered {
            self.zones.insert(there);
        } else if silent {
            self.silent.entry(there).or_default().insert(to.clone());
        }
    }

    /// What the silence of the destination's zone shows.
    fn zone_silence(
        &self,
        (here, there): (ZoneId, Option<ZoneId>),
        observation: &Observation,
    ) -> ZoneSilence {
        let Some(there) = there.filter(|there| *there != here && !self.zones.contains(there))
        else {
            return ZoneSilence::No;
        };
        if !self.a_hop_answered(observation) {
            return ZoneSilence::No;
        }
        let several = self
            .silent
            .get(&there)
            .is_some_and(|silent| silent.len() > 1);
        match several {
            true => ZoneSilence::SeveralHosts,
            false => ZoneSilence::OneHost,
        }
    }

    fn note_path(&mut self, first: Option<String>, address: IpAddr) {
        let Some(first) = first else { return };
        match self.gone.get(&address) {
            None => {
                self.lost_paths.remove(&first);
                self.paths.insert(first);
            }
            Some(last) if !self.paths.contains(&first) => {
                let known = self.lost_paths.entry(first).or_insert(*last);
                *known = (*known).max(*last);
            }
            Some(_) => {}
        }
    }

    /// Whether an observation's tries went on after the last answer of its host, or of all that answered from beyond
    /// its first firewall. Its silence may be that of a device which shut this host out.
    fn is_cut_off(&self, observation: &Observation, first: Option<&String>) -> bool {
        // Silence that witnesses made proof was covered before the host went.
        if observation.state == State::Filtered && observation.witnessed.is_some() {
            return false;
        }
        let of_host = observation
            .address
            .filter(|address| self.hosts.contains(address));
        let last = match of_host {
            Some(address) => self.gone.get(&address),
            None => first.and_then(|first| self.lost_paths.get(first)),
        };
        let last_try = observation
            .attempts
            .iter()
            .filter(|attempt| is_of_no_host(&attempt.result))
            .map(|attempt| attempt.at)
            .max();
        matches!((last, last_try), (Some(last), Some(last_try)) if last_try > *last)
    }

    /// A rejection that this host's own stack made up, as for a neighbour that does not answer, or may have made up.
    fn is_own_word(&self, observation: &Observation) -> bool {
        let State::Rejected(rejection) = &observation.state else {
            return false;
        };
        rejection.may_be_our_own() || rejection.by.is_some_and(|by| self.own.contains(&by))
    }
}

/// Whether a try was silent, or a router said that the host is not there.
fn is_of_no_host(result: &AttemptResult) -> bool {
    match result {
        AttemptResult::Silent => true,
        AttemptResult::Rejected(rejection) => rejection.says == Prohibition::HostUnreachable,
        AttemptResult::Open | AttemptResult::Reset | AttemptResult::Trouble(_) => false,
    }
}

/// The place of an address's family: IPv4, IPv6.
fn family(address: IpAddr) -> usize {
    usize::from(address.to_canonical().is_ipv6())
}

/// Whether the address itself answered, not a device on the way.
///
/// `translated`: a device that translates the address may speak in its name.
pub fn host_answered(observation: &Observation, address: IpAddr, translated: bool) -> bool {
    match &observation.state {
        // A tunnel may open that leads nowhere.
        State::Open if observation.listener.is_some() => true,
        State::Open => observation.painted.is_none() && observation.via.is_none(),
        State::Closed { reset_by } => *reset_by != ResetBy::Device,
        State::Rejected(rejection) => {
            rejection.by == Some(address) && !translated && !may_be_a_devices(observation)
        }
        State::Filtered
        | State::Silent
        | State::Unresolved(_)
        | State::Unreachable(_)
        | State::Stopped(_)
        | State::NotTried(_) => false,
    }
}

/// Whether a device that translates may have rejected in the name of the address that was asked.
fn may_be_a_devices(observation: &Observation) -> bool {
    matches!(
        observation.rejected_by,
        Some(ResetBy::Device | ResetBy::Either)
    )
}

/// What a packet of this flow meets first; a zone's border where the file names no firewall.
pub fn first_firewall(site: &Site, flow: &Flow) -> Option<String> {
    let (here, there) = (flow.start(site), flow.end(site)?);
    let named = site.crosses(here, there);
    let named = named.first().map(|name| (*name).to_string());
    named.or_else(|| (there != here).then(|| format!(">{}", site.zones[there].name)))
}

fn judge_one(site: &Site, signs: &Signs, seen: &Seen) -> Judged {
    let of_one = |observation| context(site, signs, seen, observation);
    let contexts: Vec<Context> = seen.observations.iter().map(of_one).collect();
    let all: Vec<_> = seen.observations.iter().zip(&contexts).collect();
    let (observation, judgement) =
        judge_addresses(seen.flow.need, &all).unwrap_or((0, unanswerable(seen)));
    Judged {
        judgement,
        observation,
        contexts,
    }
}

/// The worst over the addresses of a flow, with its number. A family without a route is left out where another has one.
pub fn judge_addresses(need: Need, all: &[(&Observation, &Context)]) -> Option<(usize, Judgement)> {
    let is_routed = |seen: &Observation| seen.state != State::Unreachable(Trouble::NoRoute);
    let any_routed = all.iter().any(|(seen, _)| is_routed(seen));
    let kept: Vec<(usize, Judgement)> = all
        .iter()
        .enumerate()
        .filter(|(_, (seen, _))| !any_routed || is_routed(seen))
        .map(|(number, (seen, context))| (number, judge(need, seen, context)))
        .collect();
    let judgements: Vec<Judgement> = kept.iter().map(|(_, judgement)| *judgement).collect();
    let (place, judgement) = worst(&judgements)?;
    Some((kept[place].0, judgement))
}

/// A flow without any observation cannot occur; if it does, it is unknown.
fn unanswerable(seen: &Seen) -> Judgement {
    let nothing = Observation::without_packets(None, State::NotTried(NotTried::Interrupted));
    judge(seen.flow.need, &nothing, &Context::default())
}

fn context(site: &Site, signs: &Signs, seen: &Seen, observation: &Observation) -> Context {
    let (zone, there) = (seen.flow.start(site), seen.flow.end(site));
    let address_answered = observation
        .address
        .is_some_and(|address| signs.hosts.contains(&address));
    let host_answered = address_answered && is_of_host(site, zone, signs, seen, observation);
    let first = first_firewall(site, &seen.flow);
    let path = first
        .as_ref()
        .is_some_and(|first| signs.paths.contains(first));
    let control = match &observation.state {
        State::Closed { .. } => Some(Control::Itself),
        State::Rejected(rejection) if !rejection.is_about_the_host() => Some(Control::Itself),
        _ if address_answered => Some(Control::Host),
        State::Rejected(rejection) if !rejection.may_be_our_own() => Some(Control::Path),
        // Inside one zone no firewall stands between: whatever answers there shows that packets go out and come back.
        _ if path || (there == Some(zone) && signs.anything) => Some(Control::Path),
        _ => None,
    };
    Context {
        between_zones: there.is_some_and(|there| there != zone),
        mildly_forbidden: seen.flow.reason.only_watched && there.is_some_and(|there| there <= zone),
        control,
        host_answered,
        host_alive: observation
            .address
            .is_some_and(|address| signs.alive.contains(&address)),
        host_dead: !host_answered && is_dead(site, signs, observation),
        by_the_host: is_the_hosts(site, seen, observation),
        perhaps_by_the_host: is_perhaps_the_hosts(observation),
        nothing_answered: !signs.anything,
        other_address_answered: !host_answered
            && signs.other_address_answered(&seen.flow.to, observation.address),
        family_unanswered: signs.family_unanswered(observation.address),
        zone: signs.zone_silence((zone, there), observation),
        dropped: dropped_at(site, &seen.flow, (zone, there), observation),
        cut_off: signs.is_cut_off(observation, first.as_ref()),
        in_stead: seen.owner == Owner::Another,
        wrong_listener: is_another_listener(site, zone, &seen.flow.to, observation),
        request_arrived: false,
        inside_ipsec: seen.flow.is_inside_ipsec(site),
        starts_modern: starts_modern(site, &seen.flow),
        elsewhere: Elsewhere::Unseen,
        dates: signs.clocks.doubt(observation),
    }
}

/// Whether clients start a flow, and some of them speak TLS 1.3: that came to Windows with 11 and Server 2022.
fn starts_modern(site: &Site, flow: &Flow) -> bool {
    let by_clients = matches!(flow.from, Origin::Zone(zone) if site.clients.contains(&zone));
    by_clients && site.clients_speak == Some(TlsVersion::Tls13)
}

/// Who may have dropped the packets, by the place where they vanish.
fn dropped_at(
    site: &Site,
    flow: &Flow,
    (here, there): (ZoneId, Option<ZoneId>),
    observation: &Observation,
) -> DroppedAt {
    let Some(there) = there else {
        return DroppedAt::Unknown;
    };
    if here == there {
        return DroppedAt::BehindFirewalls;
    }
    let Some((path, place)) = observation
        .path
        .as_ref()
        .and_then(|path| Some((path, path.dropped?)))
    else {
        return DroppedAt::Unknown;
    };
    let crosses: Vec<String> = site
        .crosses(here, there)
        .into_iter()
        .map(str::to_string)
        .collect();
    let translator = observation
        .address
        .and_then(|address| flow.translator(site, address))
        .zip(observation.translated_at)
        .map(|(device, hop)| Translating { device, hop });
    let suspects = suspects(site, &crosses, path, &place, translator);
    match (
        suspects.behind_all,
        suspects.firewalls.is_empty(),
        suspects.host,
    ) {
        (true, _, _) => DroppedAt::BehindFirewalls,
        (false, true, _) => DroppedAt::Unknown,
        (false, false, true) => DroppedAt::FirewallOrHost,
        (false, false, false) => DroppedAt::Firewall,
    }
}

/// Whether a listener answered that stands in for another system than the flow leads to, or at another port.
///
/// The members of a virtual name may answer in its place, and so may the systems that a proxy publishes. Where the file
/// names no system, nobody is another.
fn is_another_listener(site: &Site, zone: ZoneId, to: &Target, observation: &Observation) -> bool {
    let (Some(listener), &Target::System(to)) = (&observation.listener, to) else {
        return false;
    };
    let expected = &site.systems[to];
    let port = site.own_port(zone, to, listener.port);
    let behind = expected.published_ports.own(port);
    let with_members = |system: &SystemId| {
        let members = site.systems[*system].members.iter().copied();
        std::iter::once(*system).chain(members).collect::<Vec<_>>()
    };
    let own = with_members(&to)
        .into_iter()
        .map(|it| (&site.systems[it], port));
    let published = expected.publishes.iter().flat_map(with_members);
    let published = published.map(|it| (&site.systems[it], behind));
    let is_it = |(system, port): (&System, u16)| {
        listener.stands_in_for(&system.name) && listener.accepted_at.port() == port
    };
    !own.chain(published).any(is_it)
}

/// Whether an answer of the address is one of the system's own. Where several share the address, one of them may live
/// and another be dead.
fn is_of_host(
    site: &Site,
    zone: ZoneId,
    signs: &Signs,
    seen: &Seen,
    observation: &Observation,
) -> bool {
    observation.address.is_some_and(|address| {
        let shared = site.owner_of_address(zone, address, seen.flow.port.low);
        shared.is_none() || signs.systems.contains(&(address, seen.flow.to.clone()))
    })
}

/// Whether a rejection came from the host itself, by any of its addresses.
fn is_the_hosts(site: &Site, seen: &Seen, observation: &Observation) -> bool {
    let State::Rejected(rejection) = &observation.state else {
        return false;
    };
    let system = seen.flow.to.system().map(|it| &site.systems[it]);
    let is_known = |by| system.is_some_and(|it| it.speaks_from(by));
    rejection.by.is_some_and(|by| {
        let is_asked = Some(by) == observation.address;
        if is_asked && may_be_a_devices(observation) {
            return false;
        }
        (is_asked && !is_translated(site, &seen.flow.to, by)) || is_known(by)
    })
}

/// Whether a rejection bears the address that was asked, and nothing tells whether the host or a device wrote it there.
fn is_perhaps_the_hosts(observation: &Observation) -> bool {
    let State::Rejected(rejection) = &observation.state else {
        return false;
    };
    let in_its_name = rejection.by.is_some() && rejection.by == observation.address;
    // That it cannot be reached, no host says of itself.
    in_its_name
        && !rejection.is_about_the_host()
        && observation.rejected_by == Some(ResetBy::Either)
}

/// Whether a device that translates the address may speak in its name.
fn is_translated(site: &Site, to: &Target, address: IpAddr) -> bool {
    to.system().is_some_and(|system| {
        let system = &site.systems[system];
        system.has_address(address) && !system.speaks_from(address)
    })
}

/// Whether a router looked for the host and did not find it. A rejection from the destination's own network, or from
/// this host itself, counts too.
fn is_dead(site: &Site, signs: &Signs, observation: &Observation) -> bool {
    if observation.dead_by.is_some() {
        return true;
    }
    let (State::Rejected(rejection), Some(address)) = (&observation.state, observation.address)
    else {
        return false;
    };
    let Some(by) = rejection.by else { return false };
    // A message in the name of the address itself does not come from a router of its network.
    if by == address {
        return false;
    }
    let network = |address| {
        site.zone_of_address(address)
            .filter(|(_, network)| network.prefix_len() > 0)
    };
    signs.own.contains(&by) || (network(by).is_some() && network(by) == network(address))
}
