//! Writing what a fleet needs: keys, certificates, and the files of NATS server, hub and agents. Each folder is taken to
//! its host as it is.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use nkeys::KeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair as TlsKey,
    PKCS_ED25519,
};

use crate::cli::args;
use crate::cli::streams::print;
use crate::fleet::{
    self,
    servers::{self, Users},
};

/// The first year in which certificates of a new fleet are no longer valid, less that of today.
const YEARS: i32 = 10;

/// An agent of the command line.
struct Named {
    name: String,
    zone: String,
    system: Option<String>,
}

impl Named {
    /// Reads `NAME=ZONE:SYSTEM`.
    fn parse(text: &str) -> anyhow::Result<Self> {
        let wrong = || {
            format!(
                "--agent {text}: write NAME=ZONE or NAME=ZONE:SYSTEM, as in ibs01=perimeter:ibs01"
            )
        };
        let (name, place) = text.split_once('=').with_context(wrong)?;
        let (zone, system) = match place.split_once(':') {
            Some((zone, system)) => (zone, Some(system.to_string())),
            None => (place, None),
        };
        let is_word = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        anyhow::ensure!(
            fleet::is_agent_name(name)
                && [Some(zone), system.as_deref()]
                    .into_iter()
                    .flatten()
                    .all(is_word),
            wrong()
        );
        Ok(Self {
            name: name.to_string(),
            zone: zone.to_string(),
            system,
        })
    }
}

/// Writes all of it into a new folder.
pub(super) fn write(arguments: &args::Agent, folder: &Path) -> anyhow::Result<u8> {
    let server = arguments.server.as_deref().unwrap_or_default();
    let agents: Vec<Named> = arguments
        .agent
        .iter()
        .map(|it| Named::parse(it))
        .collect::<Result<_, _>>()?;
    let mut names = BTreeSet::new();
    let twice = agents.iter().find(|it| !names.insert(&it.name));
    if let Some(agent) = twice {
        anyhow::bail!(
            "two agents are called `{}`: give each a name of its own",
            agent.name
        );
    }
    fs::create_dir(folder).with_context(|| {
        format!(
            "making {}: it is a new folder, so that no key is replaced",
            folder.display()
        )
    })?;
    let into = |place: &str| -> anyhow::Result<Folder> {
        let path = folder.join(place);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Folder(path))
    };
    let authority = authority()?;
    let site = signing_pair()?;
    let hub = KeyPair::new_user();
    let leaf = arguments.hub_server.as_ref().map(|_| KeyPair::new_user());

    let outer = into("nats-server")?;
    outer.certificate(server, &authority)?;
    let hub_folder = into("hub")?;
    hub_folder.secret("hub.seed", &seed(&hub)?)?;
    hub_folder.secret("site.key", &site.0)?;
    hub_folder.file("ca.pem", &authority.pem())?;
    let mut nkeys = Vec::new();
    for agent in &agents {
        let of_agent = into(&format!("agent-{}", agent.name))?;
        let (user, pair) = (KeyPair::new_user(), signing_pair()?);
        of_agent.secret("agent.seed", &seed(&user)?)?;
        of_agent.secret("agent.key", &pair.0)?;
        of_agent.file("site.pub", &site.1)?;
        of_agent.file("ca.pem", &authority.pem())?;
        of_agent.file("agent.yaml", &servers::agent(&agent.name, server))?;
        hub_folder.file(&format!("{}.pub", agent.name), &pair.1)?;
        nkeys.push((agent.name.clone(), user.public_key()));
    }
    let leaf_key = leaf.as_ref().map(KeyPair::public_key);
    let users = Users {
        agents: &nkeys,
        hub: &hub.public_key(),
        leaf: leaf_key.as_deref(),
    };
    outer.file("nats-server.conf", &servers::outer(&users))?;
    if let (Some(name), Some(leaf)) = (&arguments.hub_server, &leaf) {
        let inner = into("nats-server-inside")?;
        inner.certificate(name, &authority)?;
        inner.secret("leaf.conf", &format!("nkey: {}", seed(leaf)?))?;
        inner.file(
            "nats-server.conf",
            &servers::inner(server, &hub.public_key()),
        )?;
    }
    let listed: Vec<_> = agents
        .into_iter()
        .map(|it| (it.name, it.zone, it.system))
        .collect();
    let at = arguments.hub_server.as_deref().unwrap_or(server);
    hub_folder.file("agents.yaml", &servers::hub(at, leaf.is_some(), &listed))?;
    print(&told(folder, arguments, &listed))?;
    Ok(0)
}

/// What is where, and what comes next.
fn told(
    folder: &Path,
    arguments: &args::Agent,
    agents: &[(String, String, Option<String>)],
) -> String {
    let folder = folder.display();
    let server = arguments.server.as_deref().unwrap_or_default();
    let mut out =
        format!("{folder}/nats-server    goes to {server}: nats-server -c nats-server.conf\n");
    if let Some(inside) = &arguments.hub_server {
        out += &format!(
            "{folder}/nats-server-inside    goes to {inside}: nats-server -c nats-server.conf\n"
        );
    }
    for (agent, zone, _) in agents {
        out += &format!(
            "{folder}/agent-{agent}    goes to a host in zone {zone}: portproof agent agent.yaml\n"
        );
    }
    out += &format!(
        "{folder}/hub    stays here: portproof check probes.yaml --agents {folder}/hub/agents.yaml\n\n"
    );
    let port = servers::PORT;
    out += &format!("The firewalls have to let through TCP {port} from each agent to {server}");
    out += &match &arguments.hub_server {
        None => ", and from here.\n".to_string(),
        Some(inside) => format!(
            ", TCP {} from {inside} to {server},\nand TCP {port} from here to {inside}.\n",
            servers::LEAF
        ),
    };
    out +=
        "The authority of the certificates is thrown away: for a new server, write a new folder.\n";
    out
}

/// A folder that files are written into.
struct Folder(std::path::PathBuf);

impl Folder {
    fn file(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.0.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    /// A file that nobody else may read.
    fn secret(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.0.join(name);
        let write = || {
            // Nobody else may read what this crate makes.
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            file.write_all(text.as_bytes())?;
            anyhow::Ok(file.persist_noclobber(&path)?)
        };
        write()
            .map(drop)
            .with_context(|| format!("writing {}", path.display()))
    }

    /// A certificate for a server, with its key and its authority.
    fn certificate(
        &self,
        name: &str,
        authority: &CertifiedIssuer<'_, TlsKey>,
    ) -> anyhow::Result<()> {
        let mut parameters =
            CertificateParams::new(vec![name.to_string()]).context("the name of the server")?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        valid(&mut parameters);
        let key = TlsKey::generate().context("making a key")?;
        let certificate = parameters
            .signed_by(&key, authority)
            .context("making a certificate")?;
        self.file("server.pem", &certificate.pem())?;
        self.secret("server.key", &key.serialize_pem())?;
        self.file("ca.pem", &authority.pem())
    }
}

fn authority() -> anyhow::Result<CertifiedIssuer<'static, TlsKey>> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters
        .distinguished_name
        .push(DnType::CommonName, "portproof fleet");
    valid(&mut parameters);
    let key = TlsKey::generate().context("making a key")?;
    CertifiedIssuer::self_signed(parameters, key).context("making an authority")
}

/// From yesterday on, because clocks differ.
fn valid(parameters: &mut CertificateParams) {
    let today = jiff::tz::Offset::UTC
        .to_datetime(jiff::Timestamp::now())
        .date();
    let day = |date: jiff::civil::Date| {
        rcgen::date_time_ymd(i32::from(date.year()), date.month() as u8, date.day() as u8)
    };
    let yesterday = today.yesterday().unwrap_or(today);
    parameters.not_before = day(yesterday);
    parameters.not_after =
        rcgen::date_time_ymd(i32::from(today.year()) + YEARS, today.month() as u8, 1);
}

/// A key that signs, and the one that verifies, in PEM.
fn signing_pair() -> anyhow::Result<(String, String)> {
    let pair = TlsKey::generate_for(&PKCS_ED25519).context("making a key")?;
    Ok((pair.serialize_pem(), pair.public_key_pem()))
}

fn seed(key: &KeyPair) -> anyhow::Result<String> {
    let seed = key
        .seed()
        .map_err(|error| anyhow::anyhow!("making a seed: {error}"))?;
    Ok(seed + "\n")
}
