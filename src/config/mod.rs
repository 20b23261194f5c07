//! The site file `probes.yaml` as it is written: every key read and checked for shape, with its position.
//!
//! Bytes become a tree (`yaml`), the tree becomes `Config`. Nothing is looked up here: whether a zone that is named
//! exists is the business of `site`. Reading goes on after a fault, so that one run shows them all.

mod pin;
mod read;
mod read_system;
mod via;

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::catalogue::{Need, Protocol, Role, Transport};
use crate::yaml::{At, Ports};

pub use pin::Pin;
pub(crate) use pin::sha256;
pub use read::{KEYS, read};
pub use via::{ProxyKind, Route, Via};

/// The whole file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The `site` section.
    pub site: SiteSection,
    /// Zones in the order of the file: from the least to the most trusted.
    pub zones: Vec<Zone>,
    /// Firewalls.
    pub firewalls: Vec<Firewall>,
    /// Zones that managed clients are in.
    pub clients: Vec<At<String>>,
    /// Systems in the order of the file.
    pub systems: Vec<System>,
    /// The user's own flows.
    pub flows: Vec<UserFlow>,
    /// Accepted deviations.
    pub exceptions: Vec<Exception>,
    /// Files with further roots, relative to the site file.
    pub roots: Vec<At<String>>,
    /// The client certificate that this host shows, relative to the site file.
    pub client_certificate: Option<At<String>>,
    /// A file with its password, relative to the site file.
    pub client_password_file: Option<At<String>>,
    /// How soon an end of validity is worth a word.
    pub expires_soon: Duration,
    /// How flows are tried.
    pub probing: Probing,
    /// The proxy through which the flows of a zone leave.
    pub via: Vec<(At<String>, Route)>,
    /// The file with the password for it, relative to the site file.
    pub via_password_file: Option<String>,
}

/// The `site` section.
#[derive(Clone, Debug)]
pub struct SiteSection {
    /// Site code.
    pub code: Option<At<String>>,
    /// Product, as the catalogue names it.
    pub product: Option<At<String>>,
    /// Mode.
    pub mode: Option<At<Mode>>,
    /// Active client request ports.
    pub client_ports: ClientPorts,
    /// Numbers that were in use before a change.
    pub retired_client_ports: ClientPorts,
    /// Whether some clients still use the default number.
    pub default_port_clients: bool,
    /// The software update points' pair.
    pub software_update_ports: PortPair,
    /// How update metadata reach the Internet-based software update point.
    pub update_sync: UpdateSync,
    /// Whether clients check certificate revocation lists.
    pub crl_check: bool,
    /// URLs of the revocation lists.
    pub crl_urls: Vec<At<String>>,
    /// Whose lists are fetched.
    pub crl_hosts: CrlHosts,
    /// The versions of TLS that clients speak.
    pub clients_speak: Vec<TlsVersion>,
}

impl Default for SiteSection {
    fn default() -> Self {
        Self {
            code: None,
            product: None,
            mode: None,
            client_ports: ClientPorts::default(),
            retired_client_ports: ClientPorts::default(),
            default_port_clients: true,
            software_update_ports: PortPair::default(),
            update_sync: UpdateSync::Direct,
            crl_check: true,
            crl_urls: Vec::new(),
            crl_hosts: CrlHosts::default(),
            // What Windows XP to Windows 7 speak, which this product manages.
            clients_speak: vec![TlsVersion::Tls10, TlsVersion::Tls12],
        }
    }
}

crate::words::words! {
    /// A version of TLS.
    TlsVersion {
        /// 1.0, the newest of Windows XP to Vista.
        Tls10 = "tls1.0",
        /// 1.1.
        Tls11 = "tls1.1",
        /// 1.2, the newest of Windows 7 and 8.
        Tls12 = "tls1.2",
        /// 1.3.
        Tls13 = "tls1.3",
    }
}

/// Client request ports by service; empty where the file says nothing.
#[derive(Clone, Debug, Default)]
pub struct ClientPorts {
    /// HTTP numbers.
    pub http: Vec<At<u16>>,
    /// HTTPS numbers.
    pub https: Vec<At<u16>>,
}

/// A software update point's port and SSL port; `None` where the file says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortPair {
    /// Port number.
    pub http: Option<At<u16>>,
    /// SSL port number.
    pub https: Option<At<u16>>,
}

/// The security mode of a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Clients use HTTPS with certificates.
    #[default]
    Native,
    /// Clients use HTTP.
    Mixed,
}

/// The hosts from which revocation lists are fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrlHosts {
    /// Those that the site file names.
    Named,
    /// Those that certificates name too, within limits.
    #[default]
    Certificates,
    /// None: no list is fetched.
    None,
}

impl CrlHosts {
    /// Every word of the key, with what it means.
    pub const WORDS: [(&str, Self); 3] = [
        ("named", Self::Named),
        ("certificates", Self::Certificates),
        ("none", Self::None),
    ];
}

/// How update metadata reach the Internet-based software update point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateSync {
    /// Over the network.
    Direct,
    /// By files that are carried.
    ExportImport,
}

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Name.
    pub name: At<String>,
    /// Networks.
    pub networks: Vec<At<IpNet>>,
}

/// A firewall between two zones.
#[derive(Clone, Debug)]
pub struct Firewall {
    /// Name.
    pub name: At<String>,
    /// The two zones.
    pub between: Vec<At<String>>,
    /// Its interfaces.
    pub addresses: Vec<At<IpAddr>>,
    /// The box that it is a leg of.
    pub device: Option<At<String>>,
}

/// A host.
#[derive(Clone, Debug)]
pub struct System {
    /// Name in the file.
    pub name: At<String>,
    /// Zone.
    pub zone: Option<At<String>>,
    /// Further zones that it has a leg in.
    pub also_in: Vec<At<String>>,
    /// Host names by the zone that asks (`default` for all others).
    pub names: Vec<(At<String>, At<String>)>,
    /// Addresses by the zone that asks.
    pub addresses: Vec<(At<String>, Vec<At<IpAddr>>)>,
    /// Roles.
    pub roles: Vec<At<Role>>,
    /// Client zones that its client-facing roles accept; `None` where the file says nothing.
    pub serves: Option<Vec<At<String>>>,
    /// Whether only the site server may start connections between the two.
    pub initiated_by_site_server: bool,
    /// Its own software update ports.
    pub software_update_ports: PortPair,
    /// The database its management point uses.
    pub database: Option<At<String>>,
    /// Its dynamic RPC ranges; empty where the file says nothing.
    pub rpc_ports: Vec<At<Ports>>,
    /// Its forest.
    pub forest: Option<At<String>>,
    /// Who starts the replication of a database replica.
    pub replication: Option<At<Replication>>,
    /// What a web proxy publishes.
    pub publishes: Option<Publishes>,
    /// The hosts behind a virtual name.
    pub members: Vec<At<String>>,
    /// The SHA-256 of its certificate.
    pub pin: Option<Pin>,
    /// Systems with which it speaks inside IPsec.
    pub ipsec_with: Vec<At<String>>,
    /// Whether the client for TLS of the past may shake hands with it.
    pub old_tls: bool,
    /// The drives on which a distribution point has packages, by their letters; none: the file does not say.
    pub package_drives: Vec<char>,
    /// By the zone that asks: ports that are asked, each with the one at which it listens.
    pub ports: Vec<(At<String>, Vec<Translated>)>,
}

/// Who starts the replication of a database replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// The site database connects.
    Push,
    /// The replica connects.
    Pull,
}

/// A port that is asked, with the one that it leads to.
pub type Translated = (At<u16>, At<u16>);

/// What a web proxy publishes, and how.
#[derive(Clone, Debug)]
pub struct Publishes {
    /// The systems behind it.
    pub systems: Vec<At<String>>,
    /// What it does with TLS.
    pub tls: ProxyTls,
    /// Ports at which it is asked, each with that of the systems behind it.
    pub ports: Vec<Translated>,
}

/// What a web proxy does with TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyTls {
    /// Ends it and opens its own session.
    #[default]
    Bridging,
    /// Passes it through.
    Tunnelling,
}

/// A flow of the user's own.
#[derive(Clone, Debug)]
pub struct UserFlow {
    /// Where it stands.
    pub at: crate::diagnostic::Place,
    /// Zone or system it starts at.
    pub from: At<String>,
    /// System it leads to.
    pub to: At<String>,
    /// Port.
    pub port: At<u16>,
    /// Transport.
    pub transport: Transport,
    /// Protocol; `None` where the file says nothing.
    pub protocol: Option<Protocol>,
    /// Need.
    pub need: Need,
    /// The user's reason.
    pub why: Option<At<String>>,
}

/// An accepted deviation.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Id of the flow.
    pub flow: At<String>,
    /// The last day on which it holds.
    pub until: At<jiff::civil::Date>,
    /// Why it is accepted, or who accepted it.
    pub why: At<String>,
}

/// How flows are tried.
#[derive(Clone, Debug)]
pub struct Probing {
    /// Bounds one step of one attempt.
    pub timeout: Duration,
    /// Tries for a silent port; `None`: until silence is proof.
    pub attempts: Option<u8>,
    /// How long after its first try what fails is tried again; zero: never.
    pub second_look: Duration,
    /// Probes at once.
    pub in_flight: usize,
    /// Probes of one address at once.
    pub per_host: usize,
    /// Connection attempts a second; `None`: as fast as it goes.
    pub rate: Option<u32>,
    /// Whether names are asked where addresses are given.
    pub dns: bool,
    /// Ports tried for being unexpectedly open.
    pub sweep: Sweep,
    /// Where `sweep` stands.
    pub sweep_at: Option<crate::diagnostic::Place>,
    /// Who allowed a large sweep.
    pub authorised: Option<String>,
}

impl Default for Probing {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3),
            attempts: None,
            second_look: Duration::from_secs(20),
            in_flight: 256,
            per_host: 8,
            rate: Some(100),
            dns: true,
            sweep: Sweep::Watchlist,
            sweep_at: None,
            authorised: None,
        }
    }
}

/// Ports tried for being unexpectedly open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// None beside the needed flows.
    None,
    /// The watchlist.
    Watchlist,
    /// The watchlist and these.
    Ports(Vec<Ports>),
}
