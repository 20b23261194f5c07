//! An observation that was written and read is the same, and means the same.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use jiff::Timestamp;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::document::Evidence;
use super::sample;
use crate::observation::{each, *};
use crate::product::{Need, Role, Verb};
use crate::verdict::{Context, Control, DateDoubt, DroppedAt, Elsewhere, ZoneSilence, judge};

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "a word", "\u{1b}[2J\"\\ \u{202e}", "ü 名"]).prop_map(str::to_string)
}

fn address() -> impl Strategy<Value = IpAddr> {
    select(vec!["192.0.2.10", "2001:db8::10", "::ffff:192.0.2.10"])
        .prop_map(|text| text.parse().expect("an address"))
}

fn end() -> impl Strategy<Value = SocketAddr> {
    (address(), any::<u16>()).prop_map(SocketAddr::from)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_i64, 0..1_000_000_000_i32)
        .prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).expect("a time"))
}

fn rejection() -> impl Strategy<Value = Rejection> {
    let bytes = (of(any::<u8>()), of(any::<u8>()), of(any::<u8>()));
    (select(Prohibition::ALL), bytes, of(address())).prop_map(
        |(says, (icmp_type, icmp_code, ttl), by)| Rejection {
            says,
            icmp_type,
            icmp_code,
            by,
            ttl,
        },
    )
}

fn state() -> impl Strategy<Value = State> {
    let why = select(Stopped::ALL);
    prop_oneof![
        4 => Just(State::Open),
        2 => select(ResetBy::ALL).prop_map(|reset_by| State::Closed { reset_by }),
        2 => rejection().prop_map(State::Rejected),
        2 => Just(State::Filtered),
        1 => Just(State::Silent),
        1 => select(each::UNRESOLVED.to_vec()).prop_map(State::Unresolved),
        1 => select(Trouble::ALL).prop_map(State::Unreachable),
        1 => (why, text()).prop_map(|(why, said)| State::Stopped(Stop { why, said })),
        1 => select(NotTried::ALL).prop_map(State::NotTried),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    let list = prop_oneof![
        select(each::LIST_FAULTS.to_vec()),
        any::<u16>().prop_map(ListFault::Missing),
    ];
    let certificate = prop_oneof![
        select(each::CERTIFICATE_FAULTS.to_vec()),
        text().prop_map(CertificateFault::Other),
    ];
    prop_oneof![
        select(each::SERVICES.to_vec()),
        text().prop_map(Service::TlsAlert),
        any::<u16>().prop_map(Service::ServerError),
        list.prop_map(Service::List),
        certificate.prop_map(Service::Certificate),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let result = prop_oneof![
        select(vec![
            AttemptResult::Open,
            AttemptResult::Reset,
            AttemptResult::Silent
        ]),
        rejection().prop_map(AttemptResult::Rejected),
        select(Trouble::ALL).prop_map(AttemptResult::Trouble),
    ];
    (moment(), of(end()), end(), 0.0..1e6, result).prop_map(
        |(at, local, remote, took_ms, result)| Attempt {
            at,
            local,
            remote,
            took_ms,
            result,
        },
    )
}

fn path() -> impl Strategy<Value = Path> {
    let answer = prop_oneof![
        address().prop_map(HopAnswer::Expired),
        rejection().prop_map(HopAnswer::Rejected),
        select(vec![HopAnswer::Open, HopAnswer::Reset, HopAnswer::Silent]),
    ];
    let took = of(0.0..1e4);
    let hop =
        (any::<u8>(), answer, any::<u8>(), took).prop_map(|(number, answer, tries, took_ms)| Hop {
            number,
            answer,
            tries,
            took_ms,
        });
    let before = prop_oneof![
        (any::<u8>(), address()).prop_map(|(hop, by)| Before::Router(hop, by)),
        of(any::<u8>()).prop_map(Before::Host),
    ];
    let after = of((any::<u8>(), address()));
    let dropped = (after, before).prop_map(|(after, before)| Dropped { after, before });
    (
        prop::collection::vec(hop, 0..4),
        prop::collection::vec((any::<u8>(), address()), 0..3),
        any::<bool>(),
        any::<u8>(),
        of(dropped),
    )
        .prop_map(|(hops, working, nearer, enough, dropped)| Path {
            hops,
            working,
            nearer,
            enough,
            dropped,
        })
}

fn painted() -> impl Strategy<Value = Painted> {
    prop_oneof![
        any::<(u8, u8)>().prop_map(|(tried, opened)| Painted::EveryPort { tried, opened }),
        any::<(u8, u8)>().prop_map(|(hop, beyond)| Painted::BeforeHost { hop, beyond }),
        (0.0..9e3, 0.0..9e3).prop_map(|(took_ms, host_ms)| Painted::TooQuick { took_ms, host_ms }),
        select(vec![
            Painted::HostIsDead,
            Painted::ResetAfterAccept,
            Painted::Swept
        ]),
    ]
}

fn tls() -> impl Strategy<Value = TlsSeen> {
    let presented = prop_oneof![
        select(vec![
            Presented::NotAsked,
            Presented::None,
            Presented::Sent,
            Presented::Taken,
            Presented::HungUp,
        ]),
        text().prop_map(Presented::Refused),
    ];
    let is = select(Intercepted::ALL);
    let flags = any::<[bool; 4]>();
    (is, presented, of(text()), flags, text()).prop_map(
        |(is, presented, some, [one, two, three, four], words)| TlsSeen {
            key_proven: one,
            by_old_client: two,
            client_certificate_asked: three,
            asked_late: four,
            refused_clients: some.clone(),
            refused_1_2: some.clone(),
            verifier: some.clone(),
            presented,
            shown: some.clone().map(|subject| Shown {
                subject,
                issuers: vec![words.clone()],
            }),
            authorities: vec![words.clone()],
            more_authorities: usize::from(two),
            missing: some.clone().map(|name| MissingIssuer {
                name,
                fetched: None,
                not_fetched: some.clone(),
                also: Vec::new(),
            }),
            faults: vec![ChainFault {
                weight: Weight::Weak,
                words,
            }],
            ends: some.map(|at| TlsEnd {
                at,
                as_declared: four,
            }),
            ..sample::tls("CN=Root", "aa", is.name(), None)
        },
    )
}

fn http() -> impl Strategy<Value = HttpSeen> {
    let clock = (moment(), moment()).prop_map(|(says, at)| ServerClock { says, at });
    let ends = select(vec![Ends::Status(403), Ends::BrokenOff, Ends::Silent]);
    let proof = (
        select(RoleProof::ALL),
        select(Meddled::ALL),
        select(Meddler::ALL),
        select(Advertised::ALL),
    );
    (any::<u16>(), of(clock), text(), ends, proof).prop_map(
        |(status, clock, words, ends, (proof, what, by, advertised))| HttpSeen {
            version: "HTTP/1.1".to_string(),
            status,
            reason: words.clone(),
            server: Some(words.clone()),
            via: None,
            clock,
            verbs: [(Verb::ALL[0], words.clone())].into(),
            meddling: vec![Meddling {
                what,
                verb: Some(Verb::ALL[0]),
                by,
                ends: Some(ends),
                words: words.clone(),
            }],
            roles: vec![RoleFound {
                role: Role::ManagementPoint,
                proof,
                words: words.clone(),
                listed: vec![ListedPoint {
                    name: Some(words.clone()),
                    build: Some(6487),
                    ..ListedPoint::default()
                }],
                other_names: vec![words.clone()],
                differs: vec![Differs {
                    what: advertised,
                    site: words.clone(),
                    file: words,
                }],
            }],
        },
    )
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let counted = || {
        any::<(u32, u64, u64, u32, Option<u32>)>().prop_map(
            |(unacknowledged, acknowledged, received, sent_again, behind_a_gap)| Counted {
                unacknowledged,
                acknowledged,
                received,
                sent_again,
                behind_a_gap,
            },
        )
    };
    let met = prop_oneof![
        Just(Met::Answer),
        counted().prop_map(Met::NoAnswer),
        Just(Met::Nothing)
    ];
    let repeat = (any::<Option<u16>>(), met).prop_map(|(segment, met)| Repeat { segment, met });
    let what = prop_oneof![Just(Missing::Data), any::<u16>().prop_map(Missing::Large)];
    let lost = (what, select(Way::ALL)).prop_map(|(what, way)| Lost { what, way });
    let repeats = prop::collection::vec(repeat, 0..3);
    (counted(), repeats, of(lost)).prop_map(|(counted, repeats, lost)| Delivery {
        counted,
        repeats,
        lost,
    })
}

fn listener() -> impl Strategy<Value = Listener> {
    (text(), end(), end(), of(end()), of(address()), any::<u16>()).prop_map(
        |(system, seen_from, accepted_at, sent_from, aimed_at, port)| Listener {
            system,
            seen_from,
            accepted_at,
            sent_from,
            aimed_at,
            port,
            run: "0011223344556677".to_string(),
        },
    )
}

fn source_ports() -> impl Strategy<Value = SourcePorts> {
    let alone = any::<(u16, u16, u16)>().prop_map(|(open, refused, busiest)| Alone {
        open,
        refused,
        busiest,
    });
    // As many as there are source ports: they are added up.
    (any::<[u8; 7]>(), of(0.0..9e3), of(alone)).prop_map(|(counts, quickest_ms, alone)| {
        let [
            tried,
            open,
            blocked,
            undecided,
            rested,
            reset,
            refused_first,
        ] = counts.map(u16::from);
        SourcePorts {
            tried,
            open,
            blocked,
            undecided,
            rested,
            reset,
            refused_first,
            quickest_ms,
            alone,
        }
    })
}

fn distance() -> impl Strategy<Value = Distance> {
    let untold = select(Untold::ALL);
    let sender = prop_oneof![
        Just(Farness::Same),
        any::<u8>().prop_map(Farness::Nearer),
        untold.prop_map(Farness::Untold),
    ];
    (any::<u16>(), sender).prop_map(|(port, sender)| Distance { port, sender })
}

fn list() -> impl Strategy<Value = ListSeen> {
    let content = (text(), of(moment())).prop_map(|(issuer, at)| ListContent {
        issuer,
        this_update: at,
        next_update: None,
        entries: 3,
        bytes: 400,
    });
    (text(), of(content)).prop_map(|(url, list)| ListSeen {
        url: url.clone(),
        named_by: vec![url.clone()],
        adds_to: Vec::new(),
        list,
        faults: vec![url],
        clock: None,
    })
}

/// Observations of every state and service, with whatever else may stand beside.
fn observation() -> impl Strategy<Value = Observation> {
    let range = select(RpcRange::ALL);
    let likely = (select(ResetBy::ALL), 0..9_usize).prop_map(|(by, refused)| Likely {
        by,
        refused,
        by_reset: refused / 2,
    });
    let wire = (
        of(address()),
        state(),
        of(service()),
        of(select(Depth::ALL)),
        prop::collection::vec(attempt(), 0..4),
        of(0.0..1.0),
        any::<Option<u16>>(),
        of(moment()),
        any::<[bool; 3]>(),
        of(0..100_000_000_000_u64),
    );
    let told = (
        of(tls()),
        prop::collection::vec(list(), 0..2),
        of(http()),
        of(select(Speaks::ALL)),
        of(range),
        of(source_ports()),
        of(listener()),
        of(delivery()),
        of(text()),
    );
    let way = (
        of(path()),
        of(distance()),
        of(likely),
        of(select(ResetBy::ALL)),
        any::<Option<u8>>(),
        of(painted()),
        of(address()),
        any::<Option<u8>>(),
    );
    (wire, told, way).prop_map(|(wire, told, way)| {
        let (address, state, service, depth, attempts, confidence, witnessed, gone, flags, nanos) =
            wire;
        let (tls, lists, http, speaks, rpc_range, source_ports, listener, delivery, via) = told;
        let (path, distance, likely, rejected_by, translated_at, painted, dead_by, held) = way;
        let [held_back, on_link, slow_rejection] = flags;
        let spoken = via.as_ref().map(|fact| {
            let mut spoken = Spoken::of("rpc", [("zz", fact.clone()), ("aa", fact.clone())]);
            spoken.ports.push(RpcPort {
                port: 49_152,
                services: vec![fact.clone()],
                seen: Observation::without_packets(address, state.clone()),
            });
            spoken
        });
        Observation {
            address,
            state,
            service,
            depth,
            attempts,
            confidence,
            witnessed,
            held_back,
            first_answer: nanos.map(Duration::from_nanos),
            conversations: held.map(|held| Conversations {
                held: held.into(),
                failed: 1,
            }),
            went_silent: gone,
            on_link,
            tls: tls.map(Box::new),
            lists,
            http: http.map(Box::new),
            speaks,
            spoken: spoken.map(Box::new),
            rpc_range,
            source_ports,
            path: path.map(Box::new),
            distance,
            likely,
            rejected_by,
            translated_at,
            painted,
            dead_by,
            slow_rejection,
            via,
            listener: listener.map(Box::new),
            delivery: delivery.map(Box::new),
        }
    })
}

fn context() -> impl Strategy<Value = Context> {
    let zone = select(vec![
        ZoneSilence::No,
        ZoneSilence::OneHost,
        ZoneSilence::SeveralHosts,
    ]);
    let dropped = select(vec![
        DroppedAt::Unknown,
        DroppedAt::Firewall,
        DroppedAt::FirewallOrHost,
        DroppedAt::BehindFirewalls,
    ]);
    let elsewhere = select(vec![Elsewhere::Unseen, Elsewhere::Alive, Elsewhere::Serves]);
    let dates = select(vec![
        DateDoubt::None,
        DateDoubt::OwnClock,
        DateDoubt::Disputed,
    ]);
    let control = of(select(Control::ALL));
    (any::<u16>(), control, zone, dropped, elsewhere, dates).prop_map(
        |(bits, control, zone, dropped, elsewhere, dates)| {
            let bit = |place: u16| bits & (1 << place) != 0;
            Context {
                between_zones: bit(0),
                mildly_forbidden: bit(1),
                control,
                host_answered: bit(2),
                host_alive: bit(3),
                host_dead: bit(4),
                by_the_host: bit(5),
                perhaps_by_the_host: bit(6),
                nothing_answered: bit(7) && bit(8),
                other_address_answered: bit(9),
                family_unanswered: bit(7) && bit(10),
                zone,
                dropped,
                cut_off: bit(11),
                in_stead: bit(12) && bit(13),
                wrong_listener: bit(14),
                request_arrived: bit(15),
                inside_ipsec: bit(10),
                starts_modern: bit(13),
                elsewhere,
                dates,
            }
        },
    )
}

proptest! {
    #[test]
    fn an_observation_that_was_written_and_read_is_the_same_and_means_the_same(
        seen in observation(),
        context in context(),
    ) {
        let written = serde_json::to_string(&seen).expect("JSON");
        let read: Observation = serde_json::from_str(&written).expect("an observation");
        prop_assert_eq!(&read, &seen, "{}", written);

        let evidence = Evidence {
            others: vec![Evidence { seen: seen.clone(), ..Evidence::default() }],
            seen,
            context,
            ..Evidence::default()
        };
        let written = serde_json::to_string(&evidence).expect("JSON");
        let read: Evidence = serde_json::from_str(&written).expect("evidence");
        prop_assert_eq!(&read, &evidence, "{}", written);
        for need in [Need::Required, Need::Optional, Need::Forbidden] {
            prop_assert_eq!(
                judge(need, &read.seen, &read.context),
                judge(need, &evidence.seen, &evidence.context)
            );
        }
    }
}

#[test]
fn evidence_is_read_by_people_too() {
    let flow = sample::judged(
        "internet>ibs01:443/tcp",
        ["required", "filtered", "blocked", "host-silent", "error"],
    );
    let written = serde_json::to_value(&flow.evidence).expect("JSON");
    assert_eq!(
        written,
        serde_json::json!({
            "address": "192.0.2.10",
            "state": "filtered",
            "depth": "tcp",
            "control": null,
            "between_zones": true,
            "attempts": [{
                "at": "2026-11-24T06:00:01.000000000Z",
                "local": "198.51.100.10:50112",
                "remote": "192.0.2.10:443",
                "took_ms": 1.0,
                "result": "silent",
            }],
        })
    );
}
