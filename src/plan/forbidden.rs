//! What must not pass, as one entry for all ports between two ends.

use std::sync::Arc;

use super::ids::ends;
use super::{Flow, Reason, Target};
use crate::diagnostic::Place;
use crate::product::{Need, Protocol, Transport};
use crate::site::{Origin, Site, ZoneId};
use crate::yaml::Ports;

/// Forbidden flows that are alike in everything but the port.
#[derive(Clone, Debug)]
pub struct Forbidden {
    /// Who must not start them.
    pub from: Origin,
    /// Where they would lead.
    pub to: Target,
    /// Transport.
    pub transport: Transport,
    /// The ports, each once and in order. Entries with the same ports share them.
    pub ports: Arc<[Ports]>,
    /// What would be spoken.
    pub protocol: Protocol,
    /// Why, and who says so.
    pub reason: Arc<Reason>,
    /// Where the site file asks for it.
    pub declared: Place,
}

impl Forbidden {
    /// The flows, one for each port.
    pub fn flows(&self) -> impl Iterator<Item = Flow> {
        self.ports.iter().map(|port| self.at(*port))
    }

    /// The flow at one port.
    fn at(&self, port: Ports) -> Flow {
        Flow {
            from: self.from,
            to: self.to.clone(),
            transport: self.transport,
            port,
            protocol: self.protocol,
            need: Need::Forbidden,
            reason: Arc::clone(&self.reason),
            declared: self.declared,
        }
    }

    /// The zone in which they start.
    pub fn start(&self, site: &Site) -> ZoneId {
        self.to.start(site, self.from)
    }

    /// The zone in which they would arrive; `None`: no zone of the file.
    pub fn end(&self, site: &Site) -> Option<ZoneId> {
        self.to.end(site, self.from)
    }

    /// What the ids of all of them begin with, up to the colon.
    pub fn ends(&self, site: &Site) -> String {
        ends(site, self.from, &self.to)
    }
}
