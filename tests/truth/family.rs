//! Families of beds: the ordinary ones, and those which one thing each sets apart.
//!
//! A bed has a number: its ten-thousands are the family, the rest is the seed.

use std::net::{IpAddr, Ipv4Addr};

use crate::chance::Chance;
use crate::deck::{self, Card};
use crate::draw::{self, Deal};
use crate::scene::{Action, Device, Host, Kind, Paths, Scene, Zone};
use crate::trouble::{Limit, Lost, Outage, Trouble};

/// What the beds of a family have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ordinary,
    /// Routers limit their ICMP errors as the kernel does by itself.
    FewErrors,
    Translation,
    SetTtl,
    /// What comes back leaves out a firewall.
    ShorterBack,
    ProxyArp,
    Outage,
    Limit,
    /// Slow starts, and members of which one is unwell.
    Unequal,
    /// Data, or large packets, are dropped once a connection is open.
    Holes,
}

/// The families, in the order of their numbers.
pub(crate) const FAMILIES: [Family; 10] = [
    Family::Ordinary,
    Family::FewErrors,
    Family::Translation,
    Family::SetTtl,
    Family::ShorterBack,
    Family::ProxyArp,
    Family::Outage,
    Family::Limit,
    Family::Unequal,
    Family::Holes,
];
/// The seeds of one family.
const SEEDS: u64 = 10_000;

/// The number of a bed.
pub(crate) fn number(family: Family, seed: u64) -> u64 {
    let place = FAMILIES.iter().position(|it| *it == family);
    place.expect("it is among all") as u64 * SEEDS + seed
}

/// The numbers of a long run: every other bed is an ordinary one, the families take turns between them.
pub(crate) fn in_turn(first: u64) -> impl Iterator<Item = u64> {
    let apart = &FAMILIES[1..];
    (0..).flat_map(move |turn: usize| {
        let seed = first + (turn / apart.len()) as u64;
        [first + turn as u64, number(apart[turn % apart.len()], seed)]
    })
}

/// The beds of a day, counted from 1970: two families, and all of these within four days. Few ICMP errors are left to long
/// runs (`docs/matrix.md`).
pub(crate) fn of_day(day: u64) -> [u64; 2] {
    let apart = &FAMILIES[2..];
    let count = apart.len() as u64;
    [2 * day, 2 * day + 1].map(|turn| number(apart[(turn % count) as usize], turn / count % SEEDS))
}

/// The family of a bed.
pub(crate) fn of(bed: u64) -> Family {
    let place = usize::try_from(bed / SEEDS).expect("a number of a bed");
    *FAMILIES
        .get(place)
        .unwrap_or_else(|| panic!("no family {place}, so no bed {bed}"))
}

/// The scene of a bed.
pub(crate) fn scene(bed: u64) -> Scene {
    match of(bed) {
        Family::Ordinary => draw::scene(bed),
        family => apart(family, bed),
    }
}

fn apart(family: Family, bed: u64) -> Scene {
    let mut chance = Chance::new(bed);
    let mut scene = Scene {
        vantage: Zone::Outer,
        outer: "outside",
        loss: losses(family)[(bed % 4) as usize],
        limited: looks_again(family, bed),
        hidden: None,
        paths: match family {
            Family::ShorterBack => Paths::BackShorter,
            _ => Paths::One,
        },
        addresses_given: !chance.once_in(4),
        void: false,
        trouble: Trouble::None,
        // A limit on errors is seen through only by looking again.
        patient: looks_again(family, bed),
        hosts: Vec::new(),
    };
    let mut deal = Deal::plainly(deck_of(family), bed % SEEDS, Chance::new(!bed));
    for (number, (zone, kind)) in hosts(family, bed).into_iter().enumerate() {
        let mut host = deal.host_of(&scene, number, zone, kind);
        if let Some(address) = address(family, &host) {
            host.address = IpAddr::V4(address);
        }
        scene.hosts.push(host);
    }
    scene.trouble = trouble(family, &scene, &mut chance);
    scene
}

/// Whether what fails is looked at again: always where only that tells, in every other bed where it does not matter.
fn looks_again(family: Family, bed: u64) -> bool {
    match family {
        Family::FewErrors | Family::Outage | Family::Limit | Family::Unequal => true,
        Family::Ordinary | Family::Holes => false,
        Family::Translation | Family::SetTtl | Family::ShorterBack | Family::ProxyArp => {
            bed % 2 == 1
        }
    }
}

/// Four seeds take turns.
fn losses(family: Family) -> [u8; 4] {
    match family {
        Family::Outage | Family::Limit | Family::Unequal => [0, 0, 0, 5],
        _ => [0, 5, 0, 10],
    }
}

fn deck_of(family: Family) -> &'static [Card] {
    match family {
        Family::Ordinary => deck::ORDINARY,
        Family::FewErrors => deck::REJECTIONS,
        Family::Translation | Family::SetTtl | Family::ShorterBack | Family::ProxyArp => {
            deck::REFUSALS
        }
        Family::Outage | Family::Limit => deck::SERVICES,
        Family::Unequal => deck::UNEQUAL,
        Family::Holes => deck::HOLES,
    }
}

/// The hosts of a bed; the last may be another kind by the seed.
fn hosts(family: Family, bed: u64) -> Vec<(Zone, Kind)> {
    use Zone::{Intranet, Perimeter};
    let other = if bed % 4 < 2 {
        Kind::Dead
    } else {
        Kind::Stealth
    };
    match family {
        Family::ProxyArp => vec![
            (Perimeter, Kind::Alive),
            (Perimeter, Kind::Alive),
            (Perimeter, other),
        ],
        Family::Outage | Family::Limit | Family::Unequal | Family::Holes => {
            vec![
                (Perimeter, Kind::Alive),
                (Intranet, Kind::Alive),
                (Perimeter, Kind::Alive),
            ]
        }
        _ => vec![
            (Perimeter, Kind::Alive),
            (Intranet, Kind::Alive),
            (if bed % 8 < 4 { Perimeter } else { Intranet }, other),
        ],
    }
}

/// The address of a host, where the family is of IPv4 alone.
fn address(family: Family, host: &Host) -> Option<Ipv4Addr> {
    let last = 10 + host.number();
    match (family, host.zone) {
        (Family::ProxyArp, _) => Some(Ipv4Addr::new(198, 51, 100, 128 + last)),
        (Family::Translation, Zone::Intranet) => Some(Ipv4Addr::new(10, 0, 0, last)),
        (Family::Translation, _) => Some(Ipv4Addr::new(192, 0, 2, last)),
        _ => None,
    }
}

fn trouble(family: Family, scene: &Scene, chance: &mut Chance) -> Trouble {
    match family {
        Family::Ordinary | Family::FewErrors | Family::ShorterBack => Trouble::None,
        Family::Unequal => Trouble::Unequal,
        Family::Holes => Trouble::Holes,
        Family::Translation => Trouble::Translation,
        Family::SetTtl => Trouble::SetTtl(chance.one_of(&[Device::FrontEnd, Device::BackEnd])),
        Family::ProxyArp => Trouble::ProxyArp,
        Family::Outage => Trouble::Outage(Outage {
            lost: lost(scene, chance),
            begins: chance.below(10_000) as u64,
            lasts: 1_000 + chance.below(19_001) as u64,
        }),
        Family::Limit => Trouble::Limit(Limit {
            a_second: chance.one_of(&[10, 20, 50]),
            resets: chance.once_in(2),
        }),
    }
}

fn lost(scene: &Scene, chance: &mut Chance) -> Lost {
    let host = chance.below(scene.hosts.len());
    let served = scene.hosts[host].flows.iter();
    let ports: Vec<u16> = served
        .filter(|flow| matches!(flow.action, Action::Listens(_)))
        .map(|flow| flow.port)
        .collect();
    match chance.below(3) {
        0 => Lost::Path,
        1 => Lost::Host(host),
        _ => Lost::Rule(host, chance.one_of(&ports)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scene::{bed_name, category};

    fn scenes(family: Family) -> Vec<Scene> {
        (0..40).map(|seed| scene(number(family, seed))).collect()
    }

    fn categories(family: Family) -> BTreeSet<String> {
        let scenes = scenes(family);
        let of = |scene: &Scene| -> Vec<String> {
            let flows = scene.flows();
            flows
                .map(|(host, flow)| category(scene, host, flow))
                .collect()
        };
        scenes.iter().flat_map(of).collect()
    }

    #[test]
    fn every_family_is_counted_under_names_of_its_own() {
        let mut had: BTreeSet<String> = BTreeSet::new();
        for family in FAMILIES {
            let scenes = scenes(family);
            let names = |scene: &Scene| -> BTreeSet<String> {
                scene
                    .hosts
                    .iter()
                    .map(|host| bed_name(scene, host))
                    .collect()
            };
            let names: BTreeSet<String> = scenes.iter().flat_map(names).collect();
            assert!(
                !names.is_empty() && names.is_disjoint(&had),
                "{family:?}: {names:?}"
            );
            had.extend(names);
        }
    }

    #[test]
    fn what_refuses_is_in_every_family_that_is_about_refusals() {
        use Family::{ProxyArp, SetTtl, ShorterBack, Translation};
        for family in [Translation, SetTtl, ShorterBack, ProxyArp] {
            let had = categories(family);
            for category in [
                "closed: nobody listens",
                "reset: after it",
                "drop: after it",
                "reject: admin-prohibited",
                "reject: host-unreachable",
                "reject: the host's own firewall",
                "dead host: required",
                "dead host: forbidden",
                "open: HTTP",
            ] {
                assert!(had.contains(category), "{family:?}: no {category:?}");
            }
        }
    }

    #[test]
    fn data_and_large_packets_are_dropped_each_way() {
        let had = categories(Family::Holes);
        let holes = had
            .iter()
            .filter(|it| it.starts_with("data dropped") || it.starts_with("MTU"));
        assert_eq!(holes.count(), 4, "{had:?}");
    }

    #[test]
    fn slow_starts_and_members_that_are_unwell_are_dealt() {
        let had = categories(Family::Unequal);
        for category in [
            "open: starts slowly",
            "one of three members refuses",
            "one of three members answers 503",
        ] {
            assert!(had.contains(category), "no {category:?}");
        }
    }

    #[test]
    fn outages_last_from_one_to_twenty_seconds_and_take_away_paths_hosts_and_rules() {
        let outages: Vec<Outage> = scenes(Family::Outage)
            .iter()
            .filter_map(|scene| match scene.trouble {
                Trouble::Outage(outage) => Some(outage),
                _ => None,
            })
            .collect();
        assert_eq!(outages.len(), 40);
        assert!(
            outages
                .iter()
                .all(|it| (1_000..=20_000).contains(&it.lasts))
        );
        let had = |is: fn(&Lost) -> bool| outages.iter().any(|it| is(&it.lost));
        assert!(had(|lost| matches!(lost, Lost::Path)));
        assert!(had(|lost| matches!(lost, Lost::Host(_))));
        assert!(had(|lost| matches!(lost, Lost::Rule(..))));
    }

    #[test]
    fn a_long_run_has_every_family_and_four_days_all_but_one() {
        let run: BTreeSet<u64> = in_turn(1_000).take(18).map(|bed| bed / SEEDS).collect();
        assert_eq!(run, (0..10).collect());
        let days: BTreeSet<u64> = (20_000..20_004)
            .flat_map(of_day)
            .map(|bed| bed / SEEDS)
            .collect();
        assert_eq!(days, (2..10).collect());
    }
}
