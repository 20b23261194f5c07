//! Address and port translation: at which ports the systems behind an address are asked, and at which they listen.
//!
//! One public address may serve several systems. Each then has exactly the ports that its `ports` names for the asking
//! zone. A port that none of them names is that of the first of them, so that it is tried once.

use std::net::IpAddr;

use super::{Site, System, SystemId, ZoneId};

/// Port numbers that are asked, each with the one that is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translation(Vec<(u16, u16)>);

impl Translation {
    /// From pairs of an asked number and the one that it leads to.
    pub(super) fn new(pairs: impl IntoIterator<Item = (u16, u16)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// Whether it leaves every number as it is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every number, asked or reached.
    pub fn numbers(&self) -> impl Iterator<Item = u16> {
        self.0.iter().flat_map(|(asked, own)| [*asked, *own])
    }

    /// Each asked number with the one that it leads to.
    pub fn pairs(&self) -> impl Iterator<Item = (u16, u16)> {
        self.0.iter().copied()
    }

    /// Whether a number is named as one that is asked.
    pub fn names(&self, asked: u16) -> bool {
        self.0.iter().any(|(number, _)| *number == asked)
    }

    /// Where an asked number leads.
    pub fn own(&self, asked: u16) -> u16 {
        let mut pairs = self.0.iter();
        pairs
            .find(|(number, _)| *number == asked)
            .map_or(asked, |(_, own)| *own)
    }

    /// The numbers that are asked for a port: itself where it is asked, else all that lead to it, else itself.
    pub fn asked(&self, port: u16) -> Vec<u16> {
        let leading: Vec<u16> = self
            .0
            .iter()
            .filter(|(_, own)| *own == port)
            .map(|(number, _)| *number)
            .collect();
        if self.names(port) || leading.is_empty() {
            vec![port]
        } else {
            leading
        }
    }
}

/// A firewall that translates an address: its own messages may bear that address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translator<'a> {
    /// The address that it translates.
    pub address: IpAddr,
    /// Its name in the file.
    pub firewall: &'a str,
}

impl System {
    /// What becomes of the ports that a zone asks for.
    pub fn translation(&self, zone: ZoneId) -> Option<&Translation> {
        let found = self.ports.iter().find(|(asking, _)| *asking == zone);
        found.map(|(_, translation)| translation)
    }

    /// Whether what an address says is surely the system's own word: a device that translates it may speak in its name.
    pub fn speaks_from(&self, address: IpAddr) -> bool {
        let is_translated =
            |(zone, _): &(ZoneId, Translation)| self.addresses_for(*zone).contains(&address);
        self.has_address(address) && !self.ports.iter().any(is_translated)
    }
}

impl Site {
    /// The firewall that translates an address of a system on the way between two zones. It is the first behind which
    /// the system is asked at other addresses. `None`: the file says of none.
    pub fn translator(
        &self,
        from: ZoneId,
        to: ZoneId,
        system: SystemId,
        address: IpAddr,
    ) -> Option<Translator<'_>> {
        let way = self.way(from, to);
        let translates = way.iter().find(|crossing| {
            let behind = self.systems[system].addresses_for(crossing.to);
            !behind.is_empty() && !behind.contains(&address)
        });
        translates.map(|crossing| Translator {
            address,
            firewall: &self.firewalls[crossing.firewall].name,
        })
    }

    /// The firewall that spoke with an address: the one that has it, or the one that translates it.
    pub fn firewall_speaking<'a>(
        &'a self,
        by: IpAddr,
        translator: Option<Translator<'a>>,
    ) -> Option<&'a str> {
        let translates = translator.filter(|it| it.address == by);
        self.firewall_at(by).or(translates.map(|it| it.firewall))
    }

    /// The port at which a system listens, where a zone asks it at another.
    pub fn own_port(&self, zone: ZoneId, system: SystemId, asked: u16) -> u16 {
        self.systems[system]
            .translation(zone)
            .map_or(asked, |translation| translation.own(asked))
    }

    /// The ports at which a zone asks for a port of a system.
    pub fn asked_ports(&self, zone: ZoneId, system: SystemId, port: u16) -> Vec<u16> {
        self.systems[system]
            .translation(zone)
            .map_or(vec![port], |translation| translation.asked(port))
    }

    /// Which of the systems that share an address a zone reaches at a port; `None`: no two share it.
    pub fn owner_of_address(&self, zone: ZoneId, address: IpAddr, port: u16) -> Option<SystemId> {
        self.owner(zone, port, self.sharing_address(zone, address))
    }

    /// The addresses at which a zone reaches a port of a system: all that are not another system's at this port.
    pub fn addresses_at(&self, zone: ZoneId, system: SystemId, port: u16) -> Vec<IpAddr> {
        let is_its = |address: &IpAddr| {
            self.owner_of_address(zone, *address, port)
                .is_none_or(|owner| owner == system)
        };
        let all = self.systems[system].addresses_for(zone).iter();
        all.copied().filter(is_its).collect()
    }

    /// The name by which a zone reaches a port of a system, where it is not another system's at this port.
    pub fn name_at(&self, zone: ZoneId, system: SystemId, port: u16) -> Option<&str> {
        let name = self.systems[system].name_for(zone)?;
        let owner = self.owner(zone, port, self.sharing_name(zone, name));
        owner.is_none_or(|owner| owner == system).then_some(name)
    }

    /// Whether a zone sees another system at an address or by the name of a system, told apart by ports.
    pub fn is_shared(&self, zone: ZoneId, system: SystemId) -> bool {
        let host = &self.systems[system];
        let mut addresses = host.addresses_for(zone).iter();
        let name = host.name_for(zone);
        addresses.any(|address| self.sharing_address(zone, *address).len() > 1)
            || name.is_some_and(|name| self.sharing_name(zone, name).len() > 1)
    }

    /// Whether a zone that asks a system at this port reaches another one, wherever it asks.
    pub fn is_anothers(&self, zone: ZoneId, system: SystemId, port: u16) -> bool {
        let host = &self.systems[system];
        if host.addresses_for(zone).is_empty() {
            host.name_for(zone).is_some() && self.name_at(zone, system, port).is_none()
        } else {
            self.addresses_at(zone, system, port).is_empty()
        }
    }

    /// Of the systems that share an address or a name, the one that is reached at a port; `None`: no two share it.
    fn owner(&self, zone: ZoneId, port: u16, sharing: &[SystemId]) -> Option<SystemId> {
        let [first, _, ..] = sharing else {
            return None;
        };
        let names = |system: &&SystemId| {
            let translation = self.systems[**system].translation(zone);
            translation.is_some_and(|it| it.names(port))
        };
        Some(*sharing.iter().find(names).unwrap_or(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_asked_stays_and_one_that_is_reached_is_asked_by_all_that_lead_to_it() {
        let translation = Translation::new([(443, 8443), (444, 8443), (8443, 80)]);
        assert_eq!(translation.own(443), 8443);
        assert_eq!(translation.own(22), 22);
        assert_eq!(translation.asked(443), [443]);
        assert_eq!(translation.asked(8443), [8443]);
        assert_eq!(translation.asked(80), [8443]);
        assert_eq!(translation.asked(22), [22]);
        let two = Translation::new([(443, 8443), (444, 8443)]);
        assert_eq!(two.asked(8443), [443, 444]);
    }
}
