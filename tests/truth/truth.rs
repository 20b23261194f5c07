//! What is true of a flow, and so what may be said of it.
//!
//! `of` says what becomes of a connection, from the scene alone. `allowed` is one table: for each fate and need the
//! verdicts with their causes that are true, and what the wire may have shown. Whether the evidence is true is looked
//! at in `claims`. `unknown` is always true; the tally counts it apart.

use crate::scene::{
    Action, Behind, Device, Drops, Flow, Host, Icmp, Ill, Kind, Manner, Need, Protocol, Scene, Way,
};
use crate::trouble::Trouble;

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The host's own listener has it.
    Serves(Manner),
    /// The host itself resets it.
    Closed,
    /// The host's own firewall swallows it.
    HiddenByHost,
    /// A firewall swallows it, or swallows its own rejection.
    Dropped(Device),
    /// A firewall resets it.
    Reset(Device),
    /// A firewall or the host says no with ICMP, and that is heard.
    Rejected(Device, Icmp),
    /// Nobody has the address; `told`: the last router says so, and that is heard.
    Dead { told: bool },
    /// A device accepts it in the host's place.
    Fronted(Device, Behind, Front),
    /// One of two paths swallows it, the other leads to the host's own listener.
    Split,
    /// Three servers take it in turn, of which one is unwell.
    Members(Ill),
    /// The connection opens, and a firewall drops what follows.
    Hole(Device, Way, Drops),
    /// Nothing whatever comes back.
    Void,
}

/// What kind of device accepts in a host's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Takes the handshake and hands the rest on.
    Synproxy,
    /// Ends the connection itself.
    Listener,
    /// Ends it and speaks HTTP for the host.
    HttpProxy,
}

/// A flow's truth, with what else decides which words about it are true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) fate: Fate,
    pub(crate) need: Need,
    pub(crate) protocol: Protocol,
    /// Something answers with the host's address: on this or another flow, the host or a device in its place.
    pub(crate) speaks: bool,
    /// Routers limit their ICMP errors and nothing is looked at again, so that a rejection may look like silence.
    limited: bool,
    /// Tries and resets are lost: a connection that was reset may look held.
    lossy: bool,
    /// Some firewall keeps ICMP errors to itself.
    hides: bool,
    /// A device before the one that refuses resets whatever is too much at once.
    reset_in_company: bool,
    /// Another port of the host is answered for by a device, and nothing on the wire tells it from the host.
    seems_alive: bool,
    /// Nothing on the wire tells this case from another that asks for another verdict.
    twin: bool,
}

/// The truth of a flow.
pub(crate) fn of(scene: &Scene, host: &Host, flow: &Flow) -> Truth {
    let mut fates = host.flows.iter().map(|flow| fate(scene, host, flow));
    Truth {
        fate: fate(scene, host, flow),
        need: flow.need,
        protocol: flow.protocol,
        speaks: fates.any(answers_for_the_host)
            || (host.kind == Kind::Alive && scene.outer == "internet" && !scene.void),
        limited: scene.limited && !scene.patient,
        lossy: scene.loss > 0,
        hides: scene.hidden.is_some(),
        reset_in_company: is_reset_in_company(scene, fate(scene, host, flow)),
        seems_alive: host.flows.iter().any(|flow| has_a_twin(scene, host, flow)),
        twin: has_a_twin(scene, host, flow),
    }
}

fn fate(scene: &Scene, host: &Host, flow: &Flow) -> Fate {
    if scene.void {
        return Fate::Void;
    }
    match flow.action {
        Action::AsHost => of_host(scene, host),
        Action::Listens(manner) => Fate::Serves(manner),
        Action::NobodyListens if host.kind == Kind::Stealth => Fate::HiddenByHost,
        Action::NobodyListens => Fate::Closed,
        Action::Drop(Device::Host, _) => Fate::HiddenByHost,
        Action::Drop(at, _) => Fate::Dropped(at),
        Action::Reset(Device::Host, _) => Fate::Closed,
        Action::Reset(at, _) => Fate::Reset(at),
        Action::Reject(at, _, icmp) if scene.is_heard(at, host) => Fate::Rejected(at, icmp),
        Action::Reject(Device::Host, ..) => Fate::HiddenByHost,
        Action::Reject(at, ..) => Fate::Dropped(at),
        Action::Synproxy(at, behind) => Fate::Fronted(at, behind, Front::Synproxy),
        Action::Redirect(at) => Fate::Fronted(at, if_alive(host, Behind::Closed), Front::Listener),
        Action::HttpProxy(at, behind) => Fate::Fronted(at, behind, Front::HttpProxy),
        Action::OneNodeDrops(_) => Fate::Split,
        Action::Members(ill) => Fate::Members(ill),
        Action::Hole(at, way, drops) => Fate::Hole(at, way, drops),
    }
}

/// Whether the front-end's limit resets some connections of a flow that another refuses behind it. Both are on the wire.
fn is_reset_in_company(scene: &Scene, fate: Fate) -> bool {
    let resets = matches!(scene.trouble, Trouble::Limit(limit) if limit.resets);
    resets
        && match fate {
            Fate::Dropped(at) | Fate::Reset(at) | Fate::Rejected(at, _) => at != Device::FrontEnd,
            Fate::HiddenByHost | Fate::Dead { .. } => true,
            _ => false,
        }
}

fn if_alive(host: &Host, behind: Behind) -> Behind {
    match host.kind {
        Kind::Dead | Kind::Painted { alive: false, .. } => Behind::Dead,
        Kind::Alive | Kind::Stealth | Kind::Shut(..) | Kind::Painted { alive: true, .. } => behind,
    }
}

fn of_host(scene: &Scene, host: &Host) -> Fate {
    match host.kind {
        Kind::Alive => Fate::Closed,
        Kind::Stealth => Fate::HiddenByHost,
        Kind::Dead => Fate::Dead {
            told: scene.is_heard(scene.last_router(host), host),
        },
        Kind::Shut(at, _) => Fate::Dropped(at),
        // What listens at the host is not what answers: no client reaches it.
        Kind::Painted { at, .. } => {
            Fate::Fronted(at, if_alive(host, Behind::Closed), Front::Listener)
        }
    }
}

/// Whether an answer with the host's own address comes back.
fn answers_for_the_host(fate: Fate) -> bool {
    match fate {
        Fate::Serves(_)
        | Fate::Closed
        | Fate::Reset(_)
        | Fate::Rejected(Device::Host, _)
        | Fate::Fronted(..)
        | Fate::Members(_)
        | Fate::Hole(..)
        | Fate::Split => true,
        Fate::HiddenByHost
        | Fate::Dropped(_)
        | Fate::Rejected(..)
        | Fate::Dead { .. }
        | Fate::Void => false,
    }
}

/// Whether the host itself, and not a device, answers on some flow.
fn host_is_seen(scene: &Scene, host: &Host) -> bool {
    host.flows.iter().any(|flow| {
        matches!(
            fate(scene, host, flow),
            Fate::Serves(_)
                | Fate::Closed
                | Fate::Members(_)
                | Fate::Hole(..)
                | Fate::Rejected(Device::Host, _)
        )
    })
}

/// Cases that look on the wire exactly as others do, of which the opposite is true.
///
/// 1. A SYN proxy answers after the TTL check, at the hop where the host would. Of a closed port behind it the reset
///    follows as from a service that accepts and resets. Where that is lost nothing follows at all.
/// 2. Of a dead host behind it only other ports tell, by the last router's word, where that is heard at once.
/// 3. A listener on the back-end stands at a hop where, seen from outside, only the host's own answers show that it
///    is not the host.
/// 4. A host-unreachable by rule says what a router says of a dead host; only another answer of the host tells.
fn has_a_twin(scene: &Scene, host: &Host, flow: &Flow) -> bool {
    match fate(scene, host, flow) {
        Fate::Fronted(_, Behind::Closed, Front::Synproxy) => {
            flow.protocol == Protocol::Tcp && (flow.need == Need::Forbidden || scene.loss > 0)
        }
        Fate::Fronted(_, Behind::Dead, Front::Synproxy) => {
            scene.limited || !scene.is_heard(scene.last_router(host), host)
        }
        Fate::Fronted(at, _, Front::Listener | Front::HttpProxy) => {
            !matches!(host.kind, Kind::Painted { .. })
                && scene.way_to(host).first() != Some(&at)
                && !host_is_seen(scene, host)
        }
        Fate::Rejected(at, Icmp::HostUnreachable) => {
            at == scene.last_router(host) && !host_is_seen(scene, host)
        }
        _ => false,
    }
}

/// What may be said of a flow.
pub(crate) struct Expectation {
    /// States that the wire may have shown; `silent` and this machine's own trouble may always be.
    pub(crate) states: Vec<&'static str>,
    /// Verdicts with their causes that are true.
    pub(crate) said: Vec<(&'static str, &'static str)>,
    /// False, but nothing on the wire tells: counted apart.
    pub(crate) excused: Vec<(&'static str, &'static str)>,
    /// Why, in words.
    pub(crate) because: &'static str,
}

impl Expectation {
    fn new(because: &'static str, states: &[&'static str]) -> Self {
        Self {
            states: states.to_vec(),
            said: Vec::new(),
            excused: Vec::new(),
            because,
        }
    }

    fn say(mut self, said: &[(&'static str, &'static str)]) -> Self {
        self.said.extend(said);
        self
    }

    fn say_if(self, holds: bool, said: &[(&'static str, &'static str)]) -> Self {
        if holds { self.say(said) } else { self }
    }

    fn see_if(mut self, holds: bool, state: &'static str) -> Self {
        self.states.extend(holds.then_some(state));
        self
    }

    fn excuse_if(mut self, holds: bool, said: &[(&'static str, &'static str)]) -> Self {
        if holds {
            self.excused.extend(said);
        }
        self
    }
}

/// What may be said of a flow: the table, one arm for each fate and need.
pub(crate) fn allowed(truth: &Truth) -> Expectation {
    let (expected, reset) = match truth.need {
        Need::Required => (required(truth), ("blocked", "reset")),
        Need::Forbidden => (forbidden(truth), ("ok", "reset")),
    };
    expected
        .see_if(truth.reset_in_company, "closed")
        .say_if(truth.reset_in_company, &[reset])
}

fn required(truth: &Truth) -> Expectation {
    let silence = if truth.speaks {
        "no-answer"
    } else {
        "host-silent"
    };
    match truth.fate {
        Fate::Serves(manner) => served(manner, truth.protocol, truth.lossy),
        Fate::Closed => Expectation::new("the host itself resets", &["closed"])
            .say(&[("down", "nobody-listens"), ("blocked", "reset")]),
        Fate::HiddenByHost => Expectation::new(
            "the host's own firewall swallows it, as the words of silence say that it may",
            &["filtered"],
        )
        .say(&[("blocked", silence), ("down", "nobody-listens")]),
        Fate::Dropped(_) => {
            Expectation::new("a firewall swallows it", &["filtered"]).say(&[("blocked", silence)])
        }
        Fate::Reset(_) => Expectation::new("a firewall resets it", &["closed"])
            .say(&[("blocked", "reset-by-device"), ("blocked", "reset")]),
        Fate::Rejected(by, icmp) => rejected(truth, by, icmp, silence),
        Fate::Dead { told } => Expectation::new(
            "nobody has the address: the last router says so where it may, and no rule forbids it",
            if told {
                &["rejected", "filtered"]
            } else {
                &["filtered"]
            },
        )
        .say(&[("down", "host-dead"), ("blocked", "host-silent")])
        // Where a firewall keeps its errors to itself, who the last router is may stay open.
        .say_if(told && truth.hides, &[("blocked", "host-unreachable")])
        // A living host is one that answered, and a device answers in its place.
        .excuse_if(truth.seems_alive, &[("blocked", "no-answer")]),
        Fate::Fronted(_, behind, front) => fronted(truth, behind, front),
        Fate::Split => Expectation::new("one of two paths swallows it", &["open", "filtered"])
            .say(&[("blocked", "intermittent")]),
        Fate::Members(ill) => members(ill, truth.protocol),
        Fate::Hole(_, way, drops) => hole(way, drops),
        Fate::Void => Expectation::new("nothing whatever answers", &["filtered", "rejected"]),
    }
}

/// What is dropped of a connection that is open. A request fits into one packet, so large ones miss nobody on the way there.
fn hole(way: Way, drops: Drops) -> Expectation {
    match (drops, way) {
        (Drops::Data, _) => Expectation::new("a firewall drops all data", &["open"])
            .say(&[("blocked", "data-dropped")]),
        (Drops::Large, Way::Back) => {
            Expectation::new("a firewall drops large packets of the answer", &["open"])
                .say(&[("blocked", "mtu")])
        }
        (Drops::Large, Way::There) => {
            Expectation::new("requests are no large packets", &["open"]).say(&[("ok", "answered")])
        }
    }
}

/// Which of three servers a connection comes to nobody chooses: what fails on one in three does not serve.
fn members(ill: Ill, protocol: Protocol) -> Expectation {
    match (ill, protocol) {
        (Ill::Refuses, _) => Expectation::new("one of three members refuses", &["open", "closed"])
            .say(&[("blocked", "intermittent")]),
        (Ill::Unavailable, Protocol::Tcp) => {
            Expectation::new("an open port is all that is asked", &["open"])
                .say(&[("ok", "answered")])
        }
        (Ill::Unavailable, Protocol::Http) => {
            Expectation::new("one of three members answers 503", &["open"])
                .say(&[("wrong", "http-server-error")])
        }
    }
}

fn served(manner: Manner, protocol: Protocol, lossy: bool) -> Expectation {
    let open = Expectation::new("the host's own listener has it", &["open"]);
    match (protocol, manner) {
        (
            Protocol::Tcp,
            Manner::Holds | Manner::Http | Manner::Long | Manner::Drips | Manner::Starts,
        )
        | (Protocol::Http, Manner::Http | Manner::Long | Manner::Starts) => {
            open.say(&[("ok", "answered")])
        }
        // An open port is all that is asked; that it resets at once may be said too.
        (Protocol::Tcp, Manner::Resets | Manner::Closes) => {
            open.say(&[("ok", "answered"), ("wrong", "hung-up")])
        }
        (Protocol::Http, Manner::Holds) => open.say(&[("wrong", "mute")]),
        (Protocol::Http, Manner::Drips) => open.say(&[
            ("wrong", "mute"),
            ("wrong", "not-http"),
            ("wrong", "hung-up"),
        ]),
        // Who closes with a request unread resets, and where that is lost nothing follows.
        (Protocol::Http, Manner::Resets | Manner::Closes) => open
            .say(&[("wrong", "hung-up")])
            .say_if(lossy, &[("wrong", "mute")]),
    }
}

fn rejected(truth: &Truth, by: Device, icmp: Icmp, silence: &'static str) -> Expectation {
    let cause: &[(&str, &str)] = match icmp {
        Icmp::AdminProhibited => &[("blocked", "admin-prohibited")],
        Icmp::HostProhibited => &[("blocked", "admin-prohibited"), ("blocked", "rejected")],
        Icmp::PortUnreachable => &[("blocked", "port-unreachable")],
        Icmp::HostUnreachable => &[("blocked", "host-unreachable")],
        Icmp::NetUnreachable => &[("blocked", "net-unreachable")],
        Icmp::Other => &[("blocked", "rejected")],
    };
    Expectation::new(
        "it is rejected with ICMP; a limit of such messages makes it look like silence",
        if truth.limited {
            &["rejected", "filtered"]
        } else {
            &["rejected"]
        },
    )
    .say(cause)
    .say_if(truth.limited, &[("blocked", silence)])
    .say_if(
        by == Device::Host && icmp == Icmp::PortUnreachable,
        &[("down", "nobody-listens")],
    )
    .excuse_if(truth.twin, &[("down", "host-dead")])
}

fn fronted(truth: &Truth, behind: Behind, front: Front) -> Expectation {
    let open = Expectation::new(
        "a device accepts in the host's place",
        &["open", "closed", "rejected"],
    )
    .say(&[
        ("wrong", "answered-by-middlebox"),
        ("blocked", "answered-by-middlebox"),
    ]);
    let speaks_http = front == Front::HttpProxy && truth.protocol == Protocol::Http;
    match behind {
        Behind::Open => open.say(&[("ok", "answered")]),
        Behind::Closed => open
            .say_if(
                front == Front::Synproxy,
                &[("down", "nobody-listens"), ("blocked", "reset")],
            )
            .say_if(!speaks_http, &[("wrong", "mute"), ("wrong", "hung-up")])
            .say_if(speaks_http, &[("wrong", "http-server-error")])
            .excuse_if(truth.twin, &[("ok", "answered")]),
        Behind::Dead => open
            .say(&[("down", "host-dead")])
            .say_if(!speaks_http, &[("wrong", "mute"), ("wrong", "hung-up")])
            .say_if(speaks_http, &[("wrong", "http-server-error")])
            .excuse_if(truth.twin, &[("ok", "answered")]),
    }
}

fn forbidden(truth: &Truth) -> Expectation {
    let kept = ("ok", "kept-closed");
    let unproved = ("ok", "host-unproved");
    // Without an answer of the host, nothing shows that this silence is the door's.
    let silent = |because| {
        Expectation::new(because, &["filtered"])
            .say(&[unproved])
            .say_if(truth.speaks, &[kept])
    };
    match truth.fate {
        Fate::Serves(manner) => Expectation::new("the host's own listener has it", &["open"])
            .say(&[("exposed", "open")])
            .say_if(
                manner == Manner::Resets,
                &[("exposed", "closed-but-reachable")],
            ),
        Fate::Closed => Expectation::new(
            "the firewalls let it through to the host, which resets",
            &["closed"],
        )
        .say(&[("exposed", "closed-but-reachable"), ("ok", "reset")]),
        Fate::HiddenByHost => silent("the host's own firewall swallows it"),
        Fate::Dropped(_) => silent("a firewall swallows it"),
        Fate::Reset(_) => {
            Expectation::new("a firewall resets it", &["closed"]).say(&[kept, ("ok", "reset")])
        }
        Fate::Rejected(_, icmp) => Expectation::new(
            "it is rejected with ICMP",
            if truth.limited {
                &["rejected", "filtered"]
            } else {
                &["rejected"]
            },
        )
        .say_if(truth.limited || icmp == Icmp::HostUnreachable, &[unproved])
        .say_if(truth.speaks || icmp != Icmp::HostUnreachable, &[kept]),
        Fate::Dead { told } => Expectation::new(
            "nobody has the address: its silence proves nothing of the firewalls",
            if told {
                &["rejected", "filtered"]
            } else {
                &["filtered"]
            },
        )
        .say(&[unproved])
        .excuse_if(truth.seems_alive, &[kept]),
        Fate::Fronted(_, Behind::Open, _) => {
            Expectation::new("a device lets it through to the host's service", &["open"])
                .say(&[("exposed", "open")])
        }
        Fate::Fronted(_, behind, front) => Expectation::new(
            "a device accepts in the host's place, and nothing is behind it",
            &["open", "closed", "rejected"],
        )
        .say(&[
            kept,
            unproved,
            ("ok", "reset"),
            ("ok", "answered-by-middlebox"),
        ])
        .say_if(
            front == Front::Synproxy && behind == Behind::Closed,
            &[("exposed", "closed-but-reachable")],
        )
        .excuse_if(truth.twin, &[("exposed", "open")]),
        Fate::Split => Expectation::new(
            "one of two paths leads to the host's own listener",
            &["open", "filtered"],
        )
        .say(&[("exposed", "open"), ("exposed", "intermittent")]),
        Fate::Hole(..) => Expectation::new("the firewalls let the connection open", &["open"])
            .say(&[("exposed", "open")]),
        Fate::Members(_) => Expectation::new(
            "the firewalls let it through to its members",
            &["open", "closed"],
        )
        .say(&[("exposed", "open"), ("exposed", "intermittent")]),
        Fate::Void => Expectation::new("nothing whatever answers", &["filtered", "rejected"]),
    }
}

impl Truth {
    /// Whether no more can be known than that nothing is known. A device answers in the host's place, nothing answers,
    /// or nothing of a dead host tells what the firewalls forbid.
    pub(crate) fn is_beyond_proof(&self) -> bool {
        match self.fate {
            Fate::Fronted(_, _, Front::Listener | Front::HttpProxy) | Fate::Void => true,
            Fate::Dead { .. } => self.need == Need::Forbidden,
            _ => false,
        }
    }

    /// Whether a reset follows at once on a handshake that a device made.
    pub(crate) fn is_reset_behind(&self) -> bool {
        matches!(self.fate, Fate::Fronted(_, Behind::Closed, Front::Synproxy))
    }
}
