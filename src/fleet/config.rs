//! The files of both sides: `agent.yaml` on the host of an agent, `agents.yaml` where the hub is.

use ipnet::IpNet;
use serde_json::{Value as Json, json};

use super::policy::{Hours, Policy, network};
use crate::config::Named;
use crate::config::keys::{self, Kind, Section as _, keys};
use crate::config::kinds::{filled, list, name, named, number, plain, section, text};
use crate::diagnostic::{Place, Problem};
use crate::probe::Allowed;
use crate::yaml::{self, At, Value};

keys! {
    /// The file of an agent.
    item AgentFile {
        /// The name of the agent, as the file of the hub has it.
        name: At<String> = agent_name(), required("name: dmz");
        /// The NATS server that it connects to: `tls://nats.dmz.example:4222`, or `wss://...` through a websocket.
        server: At<String> = server(), required("server: tls://nats.dmz.example:4222");
        /// A PEM file with the authority of the server's certificate.
        ca: Option<At<String>> = text(), optional("those that the system trusts");
        /// A file with what the server knows this agent by: the seed of an nkey, or a `.creds` file.
        credentials: At<String> = text(), required("credentials: agent.seed");
        /// A proxy that lets the connection through with CONNECT, as in `http://proxy.corp.example:3128`.
        proxy: Option<At<String>> = proxy(), optional("none");
        /// The private key with which it signs results.
        key: At<String> = text(), required("key: agent.key");
        /// The public key of the site: only jobs that it has signed are worked.
        site_key: At<String> = text(), required("site_key: site.pub");
        /// The file in which it notes which jobs were done.
        state: Option<At<String>> = text(), optional("`agent.state` beside this file");
        /// What it may be asked.
        allow: Allow = section::<Allow>(), default("{}");
    }
}

keys! {
    /// What an agent may be asked.
    section Allow {
        /// Networks and addresses that packets may go to.
        networks: Vec<IpNet> = list(networks()), optional("all");
        /// Ports that they may go to, as in `[443, 8530-8531]`.
        ports: Vec<(u16, u16)> = ports(), optional("all");
        /// The most connection attempts a second.
        rate: Option<u32> = number::<u32>(1, 100_000), optional("as the site file says");
        /// Hours in which jobs may begin, in UTC: `06:00-22:00`.
        hours: Option<Hours> = hours(), optional("all");
    }
}

keys! {
    /// The file of the hub.
    item HubFile {
        /// The NATS server that the hub connects to.
        server: At<String> = server(), required("server: tls://nats.corp.example:4222");
        /// A PEM file with the authority of the server's certificate.
        ca: Option<At<String>> = text(), optional("those that the system trusts");
        /// A file with what the server knows the hub by: the seed of an nkey, or a `.creds` file.
        credentials: At<String> = text(), required("credentials: hub.seed");
        /// The JetStream domain of the server that the agents connect to, where it is another one.
        domain: Option<At<String>> = name(), optional("that of `server`");
        /// The private key of the site, with which jobs are signed.
        key: At<String> = text(), required("key: site.key");
        /// The agents by their names.
        agents: Vec<Named<Agent>> = filled("missing-key", "at least one agent is needed", named("agent", section::<Agent>())), required("agents: { dmz: { zone: perimeter, key: dmz.pub } }");
    }
}

keys! {
    /// An agent, as the hub knows it.
    item Agent {
        /// The zone of the site file that it is in.
        zone: At<String> = name(), required("zone: perimeter");
        /// The system of the site file that its host is.
        system: Option<At<String>> = name(), optional("none");
        /// The public key of the agent: only results that it has signed are believed.
        key: At<String> = text(), required("key: dmz.pub");
    }
}

impl Allow {
    /// The same, as it is asked.
    pub fn policy(&self) -> Policy {
        Policy {
            allowed: Allowed {
                networks: self.networks.clone(),
                ports: self.ports.clone(),
            },
            rate: self.rate,
            hours: self.hours,
        }
    }
}

/// A name that may stand in the subject of a message.
fn agent_name() -> Kind<At<String>> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            if is_agent_name(&words.value) {
                return Some(words);
            }
            problems.push(bad_name(words.at, &words.value));
            None
        },
        || json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{1,40}$" }),
    )
}

/// Whether an agent may be called so: 40 letters, digits and `-` at the most, which may stand in the subject of a message.
pub fn is_agent_name(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn bad_name(at: Place, name: &str) -> Problem {
    let says = format!("`{name}` is no name for an agent");
    Problem::error("bad-agent", at, says).hint("up to 40 letters, digits and `-`, as in `ibs01`")
}

fn server() -> Kind<At<String>> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let schemes = ["tls://", "wss://", "nats://127.0.0.1:", "nats://[::1]:"];
            if schemes.iter().any(|it| words.value.starts_with(it))
                && url::Url::parse(&words.value).is_ok()
            {
                return Some(words);
            }
            let says = format!("{what} is `{}`, which is no place of a server", words.value);
            problems.push(Problem::error("bad-server", words.at, says).hint(
                "`tls://NAME:4222`, or `wss://NAME:8443` through a websocket; without TLS only on this host: \
                 `nats://127.0.0.1:4222`",
            ));
            None
        },
        || json!({ "type": "string" }),
    )
}

fn proxy() -> Kind<At<String>> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let url = url::Url::parse(&words.value).ok();
            let is_right = url.is_some_and(|it| {
                it.scheme() == "http"
                    && it.has_host()
                    && it.port().is_some()
                    && it.username().is_empty()
            });
            if is_right {
                return Some(words);
            }
            let says = format!("{what} is `{}`, which is no place of a proxy", words.value);
            problems.push(Problem::error("bad-server", words.at, says).hint(
                "`http://proxy.corp.example:3128`; proxies that ask for a password are not spoken to",
            ));
            None
        },
        || json!({ "type": "string" }),
    )
}

fn networks() -> Kind<IpNet> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let network = network(&words.value);
            if network.is_none() {
                let says = format!("{what} has `{}`, which is no network", words.value);
                problems
                    .push(Problem::error("bad-network", words.at, says).hint("as in `10.0.0.0/8`"));
            }
            network
        },
        || json!({ "type": "string" }),
    )
}

fn ports() -> Kind<Vec<(u16, u16)>> {
    plain(
        |node, what, problems| {
            let items = match &node.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(node),
            };
            let ports = items
                .iter()
                .flat_map(|item| yaml::ports(item, what, problems));
            Some(ports.map(|it| (it.value.low, it.value.high)).collect())
        },
        || json!({ "type": ["array", "integer", "string"] }),
    )
}

fn hours() -> Kind<Hours> {
    plain(
        |node, what, problems| {
            let words = yaml::text(node, what, problems)?;
            let hours = Hours::parse(&words.value);
            if hours.is_none() {
                let says = format!("{what} is `{}`, which are no hours", words.value);
                problems.push(
                    Problem::error("bad-schedule", words.at, says)
                        .hint("as in `06:00-22:00`, in UTC"),
                );
            }
            hours
        },
        || json!({ "type": "string" }),
    )
}

/// Reads the file of an agent; `None` when it cannot be read at all. With errors among the findings it is not to be used.
pub fn agent_file(bytes: &[u8]) -> (Option<AgentFile>, Vec<Problem>) {
    keys::file(bytes)
}

/// Reads the file of the hub, likewise.
pub fn hub_file(bytes: &[u8]) -> (Option<HubFile>, Vec<Problem>) {
    let (file, mut problems) = keys::file::<HubFile>(bytes);
    let agents = file.iter().flat_map(|it| &it.agents);
    let wrong = agents.filter(|it| !is_agent_name(&it.name.value));
    problems.extend(wrong.map(|it| bad_name(it.name.at, &it.name.value)));
    (file, problems)
}

/// The JSON Schema of the file of an agent.
pub fn agent_schema() -> Json {
    keys::schema(&AgentFile::keys())
}

/// The JSON Schema of the file of the hub.
pub fn hub_schema() -> Json {
    keys::schema(&HubFile::keys())
}

/// The tables of `docs/agents.md`, each by the name of its section.
pub fn tables() -> Vec<(&'static str, String)> {
    let sections = [
        ("the file of an agent", AgentFile::keys()),
        ("what an agent may be asked", Allow::keys()),
        ("the file of the hub", HubFile::keys()),
        ("an agent of the hub", Agent::keys()),
    ];
    let table = |(name, keys): (_, Vec<_>)| (name, keys::table(&keys));
    sections.map(table).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(problems: &[Problem]) -> String {
        problems
            .iter()
            .map(|it| format!("{}: {}\n", it.code, it.message))
            .collect()
    }

    #[test]
    fn a_small_file_is_enough_for_an_agent() {
        let text = "{ name: dmz, server: 'tls://n:4222', credentials: a.seed, key: a.key, site_key: s.pub }";
        let (file, problems) = agent_file(text.as_bytes());
        assert!(problems.is_empty(), "{}", said(&problems));
        assert_eq!(file.expect("a file").allow.policy(), Policy::default());
    }

    #[test]
    fn what_an_agent_may_be_asked_is_read() {
        let text = "name: dmz\nserver: wss://n:8443\ncredentials: a.seed\nkey: a.key\nsite_key: s.pub\nallow:\n  networks: [10.0.0.5, 192.0.2.0/24]\n  ports: [443, 8530-8531]\n  rate: 10\n  hours: 06:00-22:00\n";
        let (file, problems) = agent_file(text.as_bytes());
        assert!(problems.is_empty(), "{}", said(&problems));
        let policy = file.expect("a file").allow.policy();
        let lets = |address: &str, port| {
            policy
                .allowed
                .lets(address.parse().expect("an address"), port)
        };
        assert!(
            lets("10.0.0.5", 443)
                && lets("192.0.2.9", 8_531)
                && !lets("10.0.0.6", 443)
                && !lets("10.0.0.5", 80)
        );
        assert_eq!(
            (policy.rate, policy.hours),
            (Some(10), Hours::parse("06:00-22:00"))
        );
    }

    #[test]
    fn every_fault_is_said_at_once() {
        let text = "name: a.b\nserver: nats://n:4222\ncredentials: a\nkey: k\nsite_key: s\nproxy: ftp://x\nallow: { networks: [x], hours: 9-5, rat: 3 }";
        let said = said(&agent_file(text.as_bytes()).1);
        for part in [
            "`a.b` is no name for an agent",
            "no place of a server",
            "no place of a proxy",
            "no network",
            "no hours",
            "rat",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        let text = "server: 'tls://n:4222'\ncredentials: a\nkey: k\nagents: { 'x.y': { zone: dmz, key: k } }";
        assert!(super::tests::said(&hub_file(text.as_bytes()).1).contains("`x.y` is no name"));
    }
}
