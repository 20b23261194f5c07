//! Where silent packets are dropped.
//!
//! Routers look at the hops of a packet before or after they filter it. So a packet that expired at a hop was let
//! through by all before it, and the drop is at that hop or after it. A hop may answer a working flow to the same host
//! and, asked in turn with it, never this one. The packets no longer come there, so the drop is at that hop or before
//! it. Without such a hop the host itself bounds the place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observation::{Before, Dropped, Path};
use crate::site::{Site, Translator};

/// The place, from the walk of the silent flow, that of a working one, and the hop that was silent in turn.
pub fn dropped(own: &Path, reference: Option<&Path>, silent_at: Option<u8>) -> Dropped {
    let after = own.last_expired();
    let router = silent_at
        .filter(|hop| after.is_none_or(|(last, _)| last < *hop))
        .and_then(|hop| Some((hop, reference?.expired_at(hop)?)));
    let distance = reference
        .and_then(Path::first_answered)
        .map(|hop| hop.number);
    Dropped {
        after,
        before: match router {
            Some((hop, by)) => Before::Router(hop, by),
            None => Before::Host(distance),
        },
    }
}

/// The nearest hop that answered the working flow and not the silent one: the one to ask both of, in turn.
pub fn next_to_ask(own: &Path, reference: &Path) -> Option<u8> {
    let last = own.last_expired().map_or(0, |(hop, _)| hop);
    reference
        .expired()
        .map(|(hop, _)| hop)
        .find(|hop| *hop > last)
}

/// Who may have dropped the packets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspects {
    /// Firewalls of the site file, in the order in which a packet meets them; empty where no known address bounds the
    /// place.
    pub firewalls: Vec<String>,
    /// Whether the host's own firewall may have done it too.
    pub host: bool,
    /// Whether the packets went beyond every firewall of the way.
    pub behind_all: bool,
}

/// The device that translates the address that was asked, and the hop from which it speaks with it.
#[derive(Clone, Copy, Debug)]
pub struct Translating<'a> {
    /// The device.
    pub device: Translator<'a>,
    /// After how many hops.
    pub hop: u8,
}

impl<'a> Translating<'a> {
    /// The device, where it is the one at a hop. It writes the asked address into the words of those behind it, too.
    pub fn at(self, hop: u8) -> Option<Translator<'a>> {
        (self.hop == hop).then_some(self.device)
    }
}

/// Who may have dropped the packets of a flow that crosses these firewalls, in the order in which it meets them.
///
/// `translator` is the one that translates the address that was asked. A firewall is left out when its known addresses
/// show that the packets went beyond it, or never came to it.
pub fn suspects(
    site: &Site,
    crosses: &[String],
    path: &Path,
    place: &Dropped,
    translator: Option<Translating<'_>>,
) -> Suspects {
    // The first and the last leg of a box stand for all of it.
    let legs = |hop, address| {
        let here = translator.and_then(|it| it.at(hop));
        let name = site.firewall_speaking(address, here)?;
        let at = crosses.iter().position(|crossed| crossed == name)?;
        Some(legs_of(site, crosses, at))
    };
    let last = place.after.map_or(0, |(hop, _)| hop);
    let low = path
        .expired()
        .filter_map(|(hop, by)| {
            let (first, behind) = legs(hop, by)?;
            Some(if hop < last { behind } else { first })
        })
        .max();
    let high = match place.before {
        Before::Host(_) => None,
        Before::Router(hop, by) if legs(hop, by).is_some() => {
            legs(hop, by).map(|(_, behind)| behind)
        }
        Before::Router(bound, _) => path
            .working
            .iter()
            .filter(|(hop, _)| *hop > bound)
            .find_map(|(hop, by)| legs(*hop, *by).map(|(first, _)| first)),
    };
    let known = low.is_some() || high.is_some();
    let (low, high) = (low.unwrap_or(0), high.unwrap_or(crosses.len()));
    Suspects {
        firewalls: crosses
            .get(low..high)
            .filter(|_| known)
            .map(<[String]>::to_vec)
            .unwrap_or_default(),
        host: matches!(place.before, Before::Host(_)),
        behind_all: low >= crosses.len(),
    }
}

/// The run of firewalls around one that are legs of the same box: its first, and the one behind its last.
fn legs_of(site: &Site, crosses: &[String], at: usize) -> (usize, usize) {
    let device = site.device_of(&crosses[at]);
    let is_leg = |name: &&String| device.is_some() && site.device_of(name) == device;
    let before = crosses[..at].iter().rev().take_while(is_leg).count();
    let after = crosses[at + 1..].iter().take_while(is_leg).count();
    (at - before, at + 1 + after)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::config;
    use crate::observation::{Hop, HopAnswer};
    use crate::product::{CONFIGMGR_2007, Catalogue};

    fn at(number: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, number])
    }

    fn path(answers: &[HopAnswer]) -> Path {
        let hop = |(number, answer): (usize, &HopAnswer)| Hop {
            number: u8::try_from(number + 1).expect("a short path"),
            answer: answer.clone(),
            tries: 1,
            took_ms: None,
        };
        Path {
            hops: answers.iter().enumerate().map(hop).collect(),
            ..Path::default()
        }
    }

    #[test]
    fn the_host_bounds_the_place_where_no_router_was_silent_in_turn() {
        let silent = path(&[HopAnswer::Expired(at(1)), HopAnswer::Silent]);
        let works = path(&[
            HopAnswer::Expired(at(1)),
            HopAnswer::Expired(at(2)),
            HopAnswer::Open,
        ]);
        assert_eq!(next_to_ask(&silent, &works), Some(2));
        let unproved = dropped(&silent, Some(&works), None);
        assert_eq!(
            (unproved.after, unproved.before),
            (Some((1, at(1))), Before::Host(Some(3)))
        );
        let proved = dropped(&silent, Some(&works), Some(2));
        assert_eq!(proved.before, Before::Router(2, at(2)));
    }

    /// Two firewalls in a row, the nearer with the address 192.0.2.1, of the box that it is a leg of.
    fn site(device: &str) -> Site {
        let text = format!(
            "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones: {{ internet: {{}}, perimeter: {{}}, intranet: {{}} }}
firewalls:
  front-end: {{ between: [internet, perimeter], addresses: 192.0.2.1{device} }}
  back-end: {{ between: [perimeter, intranet]{device} }}
systems: {{ cm01: {{ zone: intranet, names: {{ default: cm01.example }}, roles: [console] }} }}"
        );
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
        let (config, mut problems) = config::read(text.as_bytes());
        Site::new(&config.expect("a file"), &catalogue, &mut problems).expect("a site")
    }

    #[test]
    fn a_packet_that_went_beyond_a_box_went_beyond_all_of_its_legs() {
        let crosses = ["front-end", "back-end"].map(str::to_string);
        let silent = path(&[
            HopAnswer::Expired(at(1)),
            HopAnswer::Expired(at(9)),
            HopAnswer::Silent,
        ]);
        let place = dropped(&silent, None, None);
        let own_boxes = suspects(&site(""), &crosses, &silent, &place, None);
        assert_eq!(own_boxes.firewalls, ["back-end"]);
        let one_box = suspects(&site(", device: fw1"), &crosses, &silent, &place, None);
        assert!(one_box.firewalls.is_empty(), "{one_box:?}");
        let at_it = path(&[HopAnswer::Expired(at(1)), HopAnswer::Silent]);
        let place = dropped(&at_it, None, None);
        let one_box = suspects(&site(", device: fw1"), &crosses, &at_it, &place, None);
        assert_eq!(one_box.firewalls, crosses);
    }

    #[test]
    fn a_device_that_answers_with_the_address_asked_is_the_firewall_that_translates_it() {
        let crosses = ["front-end", "back-end"].map(str::to_string);
        let asked = IpAddr::from([203, 0, 113, 10]);
        let silent = path(&[HopAnswer::Expired(asked), HopAnswer::Silent]);
        let place = dropped(&silent, None, None);
        let site = site("");
        let nobody = suspects(&site, &crosses, &silent, &place, None);
        assert!(nobody.firewalls.is_empty(), "{nobody:?}");
        let translator = translating(asked);
        let named = suspects(&site, &crosses, &silent, &place, Some(translator));
        assert_eq!(named.firewalls, crosses);
    }

    fn translating(asked: IpAddr) -> Translating<'static> {
        Translating {
            device: Translator {
                address: asked,
                firewall: "front-end",
            },
            hop: 1,
        }
    }

    #[test]
    fn a_device_behind_the_one_that_translates_is_not_taken_for_it() {
        let crosses = ["front-end", "back-end"].map(str::to_string);
        let asked = IpAddr::from([203, 0, 113, 10]);
        let (first, second) = (HopAnswer::Expired(asked), HopAnswer::Expired(asked));
        // Packets came to the second hop only on the flow that works: the second device, or the first, drops the others.
        let mut silent = path(&[first, HopAnswer::Silent]);
        let works = path(&[second.clone(), second, HopAnswer::Open]);
        silent.working = works.expired().collect();
        let place = dropped(&silent, Some(&works), Some(2));
        assert_eq!(place.before, Before::Router(2, asked));
        let named = suspects(
            &site(""),
            &crosses,
            &silent,
            &place,
            Some(translating(asked)),
        );
        assert_eq!(named.firewalls, crosses);
    }

    #[test]
    fn no_hop_that_answers_leaves_the_whole_way() {
        let place = dropped(&path(&[HopAnswer::Silent]), None, None);
        assert_eq!((place.after, place.before), (None, Before::Host(None)));
    }
}
