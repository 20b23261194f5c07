//! The pair of ports of update points: 2007 has it in a component, later versions in the role of each server.

use super::fact::{Fact, Source};
use super::object::{Export, Object};

/// The pair, as far as exports say it.
#[derive(Clone, Debug, Default)]
pub(super) struct UpdatePorts {
    pub(super) http: Fact<u16>,
    pub(super) https: Fact<u16>,
}

impl UpdatePorts {
    /// The properties that are read, in small letters.
    pub(super) const READ: [&str; 2] = ["wsusiisport", "wsusiissslport"];

    /// Takes what an object says of it.
    pub(super) fn take(&mut self, export: &Export, object: &Object) {
        tell_port(&mut self.http, export, object, "WSUSIISPort");
        tell_port(&mut self.https, export, object, "WSUSIISSSLPort");
    }

    pub(super) fn is_said(&self) -> bool {
        self.http.is_said() || self.https.is_said()
    }
}

/// Takes a port from the number of a property, or from its text where the number says nothing.
pub(super) fn tell_port(fact: &mut Fact<u16>, export: &Export, object: &Object, name: &str) {
    let Some(property) = object.property(name) else {
        return;
    };
    let number = property.value.filter(|value| *value != 0);
    let number = number.or_else(|| property.text()?.parse().ok());
    if let Some(port) = number.and_then(|it| u16::try_from(it).ok())
        && port != 0
    {
        fact.tell(port, Source::of(export, object, name));
    }
}
