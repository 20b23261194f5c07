//! How client request ports and the pairs of update points are changed so that no client is left behind. Also in which
//! order a client goes about its work.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Confidence, Role};
use crate::words::words;

/// What the product says of a change of ports.
#[derive(Clone, Debug, Default)]
pub struct PortChange {
    /// What to do, in this order.
    pub steps: Vec<ChangeStep>,
    /// Clients that do not learn of it by themselves.
    pub cannot_learn: Vec<Deaf>,
    /// What such a client is given.
    pub properties: Vec<Property>,
}

/// One thing to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeStep {
    /// Kebab-case, unique.
    pub id: String,
    /// The settings whose change asks for it.
    pub of: Vec<Changed>,
    /// The part of the change that it belongs to.
    pub stage: Stage,
    /// Where it is done.
    pub at: At,
    /// What to do, with the words of [`ChangeStep::BLANKS`] to be filled in.
    #[serde(rename = "do")]
    pub text: String,
    /// Why.
    pub why: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

impl ChangeStep {
    /// What is filled into a text: numbers that come, that go, from before, from afterwards, and those to move to. The
    /// last is a sentence on those that the site file has to name as retired.
    pub const BLANKS: &'static [&'static str] = &[
        "{added}",
        "{removed}",
        "{before}",
        "{after}",
        "{to}",
        "{retire}",
    ];
}

words! {
    /// A setting that may change.
    Changed {
        /// `client_ports.http`.
        ClientHttp = "client-http",
        /// `client_ports.https`.
        ClientHttps = "client-https",
        /// `software_update_ports`, of the site or of a system.
        UpdatePorts = "update-ports",
    }
}

words! {
    /// The parts of a change, in their order.
    Stage {
        /// The new number passes.
        Open = "open",
        /// Servers listen on both.
        Listen = "listen",
        /// Clients go over.
        Move = "move",
        /// The old number goes.
        Close = "close",
    }
}

words! {
    /// Where a step is done.
    At {
        /// At each firewall that flows of the change cross.
        Firewall = "firewall",
        /// At each proxy that publishes servers of the change.
        Proxy = "proxy",
        /// At each web server whose numbers change.
        WebServer = "web-server",
        /// At each update point.
        UpdatePoint = "update-point",
        /// At each update point that has a number of the change as its own.
        SharedUpdatePoint = "shared-update-point",
        /// In the console, once.
        Console = "console",
        /// At the clients.
        Clients = "clients",
        /// With this program.
        Prober = "prober",
        /// All over the site, once.
        Site = "site",
    }
}

/// Clients that do not learn of new numbers by themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deaf {
    /// Kebab-case, unique.
    pub id: String,
    /// Who they are.
    pub who: String,
    /// Whether only a site with clients in the Internet zone has them.
    #[serde(default)]
    pub on_the_internet: bool,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

/// A property that a client is installed with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// What it gives.
    pub gives: Gives,
    /// Its values by word, where the product has numbers for them.
    #[serde(default)]
    pub values: BTreeMap<Value, String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

words! {
    /// What a property gives a client.
    Gives {
        /// The number for HTTP.
        HttpPort = "http-port",
        /// The number for HTTPS.
        HttpsPort = "https-port",
        /// That it speaks HTTPS only, and whether it checks revocation lists.
        HttpsState = "https-state",
        /// The name of the management point.
        ManagementPoint = "management-point",
        /// The name of the fallback status point.
        FallbackStatusPoint = "fallback-status-point",
        /// That it never is in the intranet.
        InternetOnly = "internet-only",
    }
}

words! {
    /// When a property has a value.
    Value {
        /// In any case.
        Always = "always",
        /// Clients check revocation lists.
        CrlCheck = "crl-check",
        /// Clients check no revocation lists.
        NoCrlCheck = "no-crl-check",
    }
}

/// One part of a client's work, in the order of the catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientStep {
    /// Kebab-case, unique.
    pub id: String,
    /// What the client does.
    pub does: String,
    /// Whom it turns to.
    #[serde(default = "Asks::by_default")]
    pub asks: Asks,
    /// The systems that it turns to: those with one of these roles.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// How sure it is that this is its place in the order.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

words! {
    /// Whom a client turns to.
    Asks {
        /// The resolver, for the names of the systems that it uses.
        Names = "names",
        /// Hosts of revocation lists.
        Lists = "lists",
        /// Systems with certain roles.
        Systems = "systems",
    }
}

impl Asks {
    fn by_default() -> Self {
        Self::Systems
    }
}
