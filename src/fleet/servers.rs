//! The configurations of NATS servers, and the files of both sides, as text.
//!
//! One server is enough: agents and hub connect to it. Where the hub may not reach it, a second server inside connects to
//! the first one as a leaf node. The streams live where the agents connect, because what is published there stays when the
//! link inward is cut. Links are pinged every 3 seconds: without that a cut link would stay dead for long after its repair.

use super::subjects::Subjects;

/// The port for agents and hub.
pub const PORT: u16 = 4222;
/// The port for agents behind a proxy.
pub const WEBSOCKET: u16 = 8443;
/// The port between two servers.
pub const LEAF: u16 = 7422;
/// The JetStream domain of the server that the agents connect to, where there are two.
pub const DOMAIN: &str = "perimeter";

/// Who connects.
pub struct Users<'a> {
    /// The agents: name and public nkey of each.
    pub agents: &'a [(String, String)],
    /// The public nkey of the hub.
    pub hub: &'a str,
    /// The public nkey with which the server inside connects; `None`: there is one server.
    pub leaf: Option<&'a str>,
}

/// The server that agents connect to. Its files stand in its working folder.
pub fn outer(users: &Users<'_>) -> String {
    let list = |subjects: &[String]| {
        let quoted: Vec<String> = subjects.iter().map(|it| format!("\"{it}\"")).collect();
        quoted.join(", ")
    };
    let agents: String = users
        .agents
        .iter()
        .map(|(agent, nkey)| {
            let subjects = Subjects { agent };
            format!(
                "    # Agent {agent}: its own jobs and results, and answers to whoever calls the roll.\n    \
                 {{ nkey: {nkey}, permissions {{\n        publish {{ allow: [{}] }}\n        subscribe {{ allow: [{}] \
                 }}\n        allow_responses: {{ max: 1, expires: \"1m\" }} }} }}\n",
                list(&subjects.may_publish()),
                list(&subjects.may_subscribe()),
            )
        })
        .collect();
    let inside = match users.leaf {
        None => String::new(),
        Some(leaf) => format!("    {{ nkey: {leaf} }}\n"),
    };
    let leaf = match users.leaf {
        None => String::new(),
        Some(_) => format!(
            "# The server inside connects here.\nleafnodes {{\n  port: {LEAF}\n  tls {{ cert_file: \"server.pem\", key_file: \
             \"server.key\", ca_file: \"ca.pem\" }}\n}}\n"
        ),
    };
    let domain = users
        .leaf
        .map_or(String::new(), |_| format!(", domain: {DOMAIN}"));
    format!(
        "# The NATS server that agents of portproof connect to: nats-server -c nats-server.conf\n\
         # Version 2.10 or later. Its files stand in the folder in which it is started.\n\
         port: {PORT}\n\
         server_name: portproof-outer\n\
         # A cut link is noticed within seconds.\n\
         ping_interval: \"3s\"\n\
         ping_max: 2\n\
         tls {{ cert_file: \"server.pem\", key_file: \"server.key\" }}\n\
         # For agents behind an HTTP proxy.\n\
         websocket {{ port: {WEBSOCKET}, tls {{ cert_file: \"server.pem\", key_file: \"server.key\" }} }}\n\
         jetstream {{ store_dir: \"jetstream\"{domain} }}\n\
         {leaf}\
         accounts {{\n  SITE {{ jetstream: enabled, users: [\n    # The hub.\n    {{ nkey: {} }}\n{inside}{agents}  ] }}\n  \
         SYS {{ users: [] }}\n}}\n\
         system_account: SYS\n",
        users.hub
    )
}

/// The server inside, which connects to the outer one. The hub connects to it.
pub fn inner(outer: &str, hub: &str) -> String {
    format!(
        "# The NATS server inside: nats-server -c nats-server.conf\n\
         # It connects to the server that agents connect to; nothing connects inward.\n\
         port: {PORT}\n\
         server_name: portproof-inner\n\
         ping_interval: \"3s\"\n\
         ping_max: 2\n\
         tls {{ cert_file: \"server.pem\", key_file: \"server.key\" }}\n\
         accounts {{ SITE {{ users: [ {{ nkey: {hub} }} ] }} }}\n\
         leafnodes {{\n  reconnect: \"1s\"\n  remotes: [ {{\n    url: \"tls://{}:{LEAF}\"\n    account: SITE\n    \
         # Its nkey, which nobody else may read.\n    include leaf.conf\n    tls {{ ca_file: \"ca.pem\" }}\n  }} ]\n}}\n",
        host(outer)
    )
}

/// A name or an address in a URL.
fn host(name: &str) -> String {
    match name.contains(':') {
        true => format!("[{name}]"),
        false => name.to_string(),
    }
}

/// The file of an agent.
pub fn agent(name: &str, server: &str) -> String {
    format!(
        "# The file of an agent: portproof agent agent.yaml\n\
         # Every key is explained in docs/agents.md.\n\
         name: {name}\n\
         server: tls://{server}:{PORT}\n\
         # Behind an HTTP proxy:\n\
         # server: wss://{server}:{WEBSOCKET}\n\
         # proxy: http://proxy.corp.example:3128\n\
         ca: ca.pem\n\
         credentials: agent.seed\n\
         key: agent.key\n\
         site_key: site.pub\n\
         # What this host may be asked; without it, all that the site has signed:\n\
         # allow: {{ networks: [192.0.2.0/24], ports: [80, 443], rate: 50, hours: 06:00-22:00 }}\n",
        server = host(server),
    )
}

/// The file of the hub. Each agent has its name, its zone, and perhaps its system.
pub fn hub(server: &str, has_domain: bool, agents: &[(String, String, Option<String>)]) -> String {
    let agents: String = agents
        .iter()
        .map(|(name, zone, system)| {
            let system = system
                .as_ref()
                .map_or(String::new(), |it| format!(", system: {it}"));
            format!("  {name}: {{ zone: {zone}{system}, key: {name}.pub }}\n")
        })
        .collect();
    let domain = match has_domain {
        true => format!("domain: {DOMAIN}\n"),
        false => String::new(),
    };
    format!(
        "# The agents of a site: portproof check probes.yaml --agents agents.yaml\n\
         # Every key is explained in docs/agents.md.\n\
         server: tls://{}:{PORT}\n\
         {domain}\
         ca: ca.pem\n\
         credentials: hub.seed\n\
         key: site.key\n\
         agents:\n{agents}",
        host(server)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_both_sides_is_read_without_a_finding() {
        let agents = [
            ("internet".to_string(), "internet".to_string(), None),
            (
                "ibs01".to_string(),
                "perimeter".to_string(),
                Some("ibs01".to_string()),
            ),
        ];
        for server in ["nats.dmz.example", "192.0.2.1", "2001:db8::1"] {
            let (file, problems) = crate::fleet::hub_file(hub(server, true, &agents).as_bytes());
            assert!(problems.is_empty(), "{problems:?}");
            let file = file.expect("a file");
            assert_eq!(file.agents.len(), 2);
            assert_eq!(file.domain.map(|it| it.value).as_deref(), Some(DOMAIN));
            let (file, problems) = crate::fleet::agent_file(agent("ibs01", server).as_bytes());
            assert!(problems.is_empty() && file.is_some(), "{problems:?}");
        }
    }
}
