//! What the questions were answered with.

use std::net::IpAddr;

use ipnet::IpNet;

use super::lines::{INTRANET, PERIMETER};
use crate::product::{Catalogue, Role};

/// All answers.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The site code.
    pub code: String,
    /// The rules of the product.
    pub catalogue: Catalogue,
    /// The networks of the intranet; at least one.
    pub intranet: Vec<IpNet>,
    /// The networks of the perimeter; none: there is no perimeter.
    pub perimeter: Vec<IpNet>,
    /// The site server, whose role of that name stands first.
    pub site_server: Server,
    /// Further servers for the inside.
    pub inside: Vec<Server>,
    /// Servers that clients on the Internet reach.
    pub facing: Vec<Server>,
    /// The revocation lists.
    pub lists: Lists,
}

/// A server, as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The name by which it is asked for.
    pub name: String,
    /// Its name inside, where that is another.
    pub name_inside: Option<String>,
    /// The address that the Internet has for it.
    pub public: Option<IpAddr>,
    /// Its own address; without one it is resolved from the name.
    pub own: Option<IpAddr>,
    /// What it does in the site, each role once.
    pub roles: Vec<Role>,
}

/// Where the revocation lists of the certificates are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lists {
    /// Nobody knows yet.
    #[default]
    Unknown,
    /// Clients do not check them.
    Unchecked,
    /// At these addresses.
    At(Vec<String>),
}

impl Answers {
    /// Every server: the site server, those for the inside, those for the Internet.
    pub(super) fn servers(&self) -> impl Iterator<Item = &Server> {
        let first = std::iter::once(&self.site_server);
        first.chain(&self.inside).chain(&self.facing)
    }

    /// The zone where a server stands: that of the most specific network with its own address.
    pub(super) fn zone_of(&self, server: &Server) -> Option<&'static str> {
        let Some(own) = server.own else {
            let is_facing = self.facing.contains(server) && !self.perimeter.is_empty();
            return Some(if is_facing { PERIMETER } else { INTRANET });
        };
        zone_with(own, &self.perimeter, &self.intranet)
    }
}

/// The zone that an address lies in.
pub(super) fn zone_with(
    address: IpAddr,
    perimeter: &[IpNet],
    intranet: &[IpNet],
) -> Option<&'static str> {
    let narrowest = |all: &[IpNet]| {
        let holding = all.iter().filter(|net| net.contains(&address));
        holding.map(IpNet::prefix_len).max()
    };
    match (narrowest(perimeter), narrowest(intranet)) {
        (None, None) => None,
        (outer, inner) if outer > inner => Some(PERIMETER),
        _ => Some(INTRANET),
    }
}
