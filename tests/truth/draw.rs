//! A scene of a seed. What must come often enough (loss, paths, actions) is dealt in turn; the rest is chance.

use std::net::IpAddr;

use crate::chance::Chance;
use crate::deck::{Card, ORDINARY};
use crate::scene::{
    Action, Behind, Capture, Device, Flow, Hidden, Hook, Host, Icmp, Ill, Kind, Manner, Need,
    Paths, Protocol, Scene, Zone,
};
use crate::trouble::Trouble;

/// The first port of each host; the catalogue forbids none near it.
const FIRST_PORT: u16 = 4_000;
/// How many flows of ordinary hosts one scene has, about: where the next seed's deal begins.
const DEALT: usize = 23;

/// The scene of a seed.
pub(crate) fn scene(seed: u64) -> Scene {
    let mut chance = Chance::new(seed);
    let vantage = if seed % 6 == 4 {
        Zone::Perimeter
    } else {
        Zone::Outer
    };
    let paths = match (vantage, seed % 4) {
        (Zone::Outer, 1) => Paths::Two,
        (Zone::Outer, 3) => Paths::BackElsewhere,
        _ => Paths::One,
    };
    let mut scene = Scene {
        vantage,
        outer: chance.one_of(&["internet", "outside", "outside"]),
        loss: [0, 5, 10, 20, 30][(seed % 5) as usize],
        limited: chance.once_in(2),
        hidden: None,
        paths,
        addresses_given: !chance.once_in(4),
        void: seed % 13 == 12 && vantage == Zone::Outer,
        trouble: Trouble::None,
        patient: false,
        hosts: Vec::new(),
    };
    if chance.once_in(3) {
        let at = chance.one_of(&[Device::FrontEnd, Device::BackEnd]);
        scene.hidden = Some(if chance.once_in(2) {
            Hidden::Own(at)
        } else {
            Hidden::Passing(at)
        });
    }
    let mut deal = Deal {
        deck: ORDINARY,
        fronts: true,
        turn: seed as usize * DEALT,
        first_kind: chance.below(6),
        chance,
    };
    for (number, zone) in places(&scene).iter().enumerate() {
        let host = deal.host(&scene, number, *zone);
        scene.hosts.push(host);
    }
    scene
}

fn places(scene: &Scene) -> &'static [Zone] {
    use Zone::{Intranet, Perimeter};
    match scene.vantage {
        Zone::Perimeter => &[Intranet, Intranet, Intranet, Intranet],
        _ if scene.void => &[Perimeter, Intranet, Perimeter],
        _ => &[
            Perimeter, Intranet, Perimeter, Intranet, Perimeter, Intranet,
        ],
    }
}

/// What remains to be dealt.
pub(crate) struct Deal {
    deck: &'static [Card],
    /// Whether devices answer for dead hosts.
    fronts: bool,
    /// Which card of the deck is next.
    turn: usize,
    /// Which kind the third host has; those after it take the kinds that follow.
    first_kind: usize,
    chance: Chance,
}

impl Deal {
    /// A deal of one deck, in which nothing answers for dead hosts.
    pub(crate) fn plainly(deck: &'static [Card], seed: u64, chance: Chance) -> Self {
        Self {
            deck,
            fronts: false,
            turn: seed as usize * DEALT,
            first_kind: 0,
            chance,
        }
    }

    fn host(&mut self, scene: &Scene, number: usize, zone: Zone) -> Host {
        let mut host = self.bare(number, zone);
        // The first two of a bed are ordinary; the others take turns.
        if number >= 2 {
            let firewalls = firewalls_before(scene, &host);
            host.kind = self.kind(firewalls, self.first_kind + number);
        }
        self.furnish(scene, host)
    }

    /// A host of a kind, with flows.
    pub(crate) fn host_of(&mut self, scene: &Scene, number: usize, zone: Zone, kind: Kind) -> Host {
        let host = Host {
            kind,
            ..self.bare(number, zone)
        };
        self.furnish(scene, host)
    }

    fn bare(&mut self, number: usize, zone: Zone) -> Host {
        Host {
            name: format!("h{number}"),
            zone,
            address: self.address(number, zone),
            kind: Kind::Alive,
            flows: Vec::new(),
        }
    }

    fn furnish(&mut self, scene: &Scene, mut host: Host) -> Host {
        let firewalls = firewalls_before(scene, &host);
        let count = match host.kind {
            Kind::Alive | Kind::Stealth => 7 + self.chance.below(4),
            Kind::Dead => 7,
            Kind::Shut(..) | Kind::Painted { .. } => 6,
        };
        let fronted = self.chance.once_in(2) && self.fronts;
        for index in 0..count {
            let flow = self.flow(scene, &host, (firewalls, fronted), index);
            host.flows.push(flow);
        }
        host
    }

    fn address(&mut self, number: usize, zone: Zone) -> IpAddr {
        let (v4, v6) = match zone {
            Zone::Outer => ("198.51.100", 1),
            Zone::Perimeter => ("192.0.2", 2),
            Zone::Intranet => ("10.0.0", 3),
        };
        let text = if self.chance.once_in(2) {
            format!("{v4}.{}", 10 + number)
        } else {
            format!("2001:db8:{v6}::{:x}", 10 + number)
        };
        text.parse().expect("an address")
    }

    fn kind(&mut self, firewalls: &[Device], turn: usize) -> Kind {
        let at = self.chance.one_of(firewalls);
        let painted = |alive, chance: &mut Chance| Kind::Painted {
            at,
            capture: chance.one_of(&[Capture::Redirect, Capture::Tproxy]),
            manner: chance.one_of(&[Manner::Holds, Manner::Closes]),
            alive,
        };
        match turn % 6 {
            0 => Kind::Dead,
            1 => painted(true, &mut self.chance),
            2 => Kind::Stealth,
            3 => Kind::Shut(at, self.chance.one_of(&[Hook::BeforeTtl, Hook::AfterTtl])),
            4 => painted(false, &mut self.chance),
            _ => Kind::Alive,
        }
    }

    fn flow(
        &mut self,
        scene: &Scene,
        host: &Host,
        (firewalls, fronted): (&[Device], bool),
        index: usize,
    ) -> Flow {
        let need = self
            .chance
            .one_of(&[Need::Required, Need::Required, Need::Forbidden]);
        let mut protocol = self
            .chance
            .one_of(&[Protocol::Tcp, Protocol::Tcp, Protocol::Http]);
        let at = self.chance.one_of(firewalls);
        let action = match host.kind {
            Kind::Shut(..) | Kind::Painted { .. } => Action::AsHost,
            Kind::Dead if fronted => of_the_dead(scene, at, index),
            Kind::Dead => Action::AsHost,
            // Something answers at every ordinary host.
            Kind::Alive | Kind::Stealth if index == 0 => Action::Listens(match protocol {
                Protocol::Tcp => Manner::Holds,
                Protocol::Http => Manner::Http,
            }),
            Kind::Alive | Kind::Stealth => loop {
                let card = self.deck[self.turn % self.deck.len()];
                self.turn += 1;
                match card {
                    Card::Listens(_, asked) => protocol = asked,
                    Card::Members(Ill::Unavailable) | Card::Hole(..) => protocol = Protocol::Http,
                    _ => {}
                }
                if let Some(action) = self.act(scene, card, at, protocol) {
                    break action;
                }
            },
        };
        let forbidden = need == Need::Forbidden;
        Flow {
            port: FIRST_PORT + index as u16,
            need,
            // What a forbidden port speaks is never asked.
            protocol: if forbidden { Protocol::Tcp } else { protocol },
            action,
        }
    }

    /// What a card means here; `None` where the scene has no place for it.
    fn act(&mut self, scene: &Scene, card: Card, at: Device, protocol: Protocol) -> Option<Action> {
        Some(match card {
            Card::Listens(manner, _) => Action::Listens(manner),
            Card::NobodyListens => Action::NobodyListens,
            Card::Drop(hook) => Action::Drop(at, hook),
            Card::DropAtHost => Action::Drop(Device::Host, Hook::AfterTtl),
            Card::Reset(hook) => Action::Reset(at, hook),
            Card::ResetAtHost => Action::Reset(Device::Host, Hook::AfterTtl),
            Card::Reject(hook, icmp) => Action::Reject(at, hook, icmp),
            Card::RejectAtHost => Action::Reject(
                Device::Host,
                Hook::AfterTtl,
                self.chance
                    .one_of(&[Icmp::AdminProhibited, Icmp::PortUnreachable]),
            ),
            Card::Synproxy(behind) if may_synproxy(scene, at) => Action::Synproxy(at, behind),
            Card::Redirect => Action::Redirect(at),
            Card::HttpProxy if protocol == Protocol::Http => {
                Action::HttpProxy(at, self.chance.one_of(&[Behind::Open, Behind::Closed]))
            }
            Card::HttpProxy => Action::HttpProxy(at, Behind::Open),
            Card::Members(ill) => Action::Members(ill),
            Card::Hole(way, drops) => Action::Hole(at, way, drops),
            Card::OneNodeDrops(hook) if scene.paths == Paths::Two => Action::OneNodeDrops(hook),
            Card::Synproxy(_) | Card::OneNodeDrops(_) => return None,
        })
    }
}

/// Three of seven flows to a dead host meet a device that answers for it.
fn of_the_dead(scene: &Scene, at: Device, index: usize) -> Action {
    match index {
        1 if may_synproxy(scene, at) => Action::Synproxy(at, Behind::Dead),
        3 => Action::Redirect(at),
        5 => Action::HttpProxy(at, Behind::Dead),
        _ => Action::AsHost,
    }
}

/// A SYN proxy must see both directions.
fn may_synproxy(scene: &Scene, at: Device) -> bool {
    at == Device::BackEnd || scene.paths == Paths::One
}

fn firewalls_before(scene: &Scene, host: &Host) -> &'static [Device] {
    let way = scene.way_to(host);
    &way[..way.len() - 1]
}
