//! `check --client`: only what one client here uses, with the numbers that it was given.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Run;
use super::event::{Event, Tell};
use super::notes::{Compare, Compared};
use super::request::{ClientNumbers, SiteFile};
use super::targets::Names;
use crate::config::Mode;
use crate::plan::{self, Plan};
use crate::product::Setting;
use crate::report::{ClientNumber, ClientRun, NameAnswer};
use crate::site::Site;
use crate::vantage::Place;

/// The client whose own view a run is.
pub(super) struct Client {
    numbers: Vec<ClientNumber>,
}

/// Puts the flows of the client in the place of the site's.
pub(super) fn client(
    ClientNumbers { http, https }: ClientNumbers,
    file: &SiteFile,
    old: Option<&SiteFile>,
    place: &Place,
    plan: &mut Plan,
    tell: &Tell,
) -> anyhow::Result<Client> {
    let site = &file.site;
    let name = &site.zones[place.zone].name;
    if !site.clients.contains(&place.zone) {
        let zones: Vec<&str> = site
            .clients
            .iter()
            .map(|zone| site.zones[*zone].name.as_str())
            .collect();
        anyhow::bail!(
            "--client shows what a client meets, and the site file has no clients in zone \
             `{name}`: {}",
            match zones.as_slice() {
                [] => "`clients` names none".to_string(),
                zones => format!("run it from {}", zones.join(" or ")),
            }
        );
    }
    are_two(site, http, https)?;
    *plan = plan::of_client(site, &file.catalogue, place.zone, http, https);
    let mut numbers = Vec::new();
    for (setting, protocol, given) in [
        (Setting::ClientHttp, "http", http),
        (Setting::ClientHttps, "https", https),
    ] {
        let of_site = site.client_ports(setting);
        for port in given.map_or(of_site, |port| vec![port]) {
            let of = of(setting, port, site, old.map(|old| &old.site));
            if of == "neither" {
                tell(Event::NumberOfNoFile { port, protocol });
            }
            numbers.push(ClientNumber {
                protocol: protocol.to_string(),
                port,
                of: of.to_string(),
            });
        }
    }
    Ok(Client { numbers })
}

/// Refuses one number for both protocols: what is asked there in one would take the place of what is asked in the other.
fn are_two(site: &Site, http: Option<u16>, https: Option<u16>) -> anyhow::Result<()> {
    const WHY: &str = "a web server speaks one protocol at a number";
    if let Some(port) = http.filter(|_| http == https) {
        anyhow::bail!("--http-port and --https-port are both {port}: {WHY}");
    }
    // In mixed mode clients ask for nothing over HTTPS.
    if site.settings.is(Mode::Mixed) {
        return Ok(());
    }
    for (given, option, other, setting, protocol) in [
        (http, "--http-port", https, Setting::ClientHttps, "HTTPS"),
        (https, "--https-port", http, Setting::ClientHttp, "HTTP"),
    ] {
        let of_site = site.client_ports(setting);
        let taken = given.filter(|port| other.is_none() && of_site.contains(port));
        if let Some(port) = taken {
            anyhow::bail!(
                "{option} is {port}, and that is this client's number for {protocol} too, as the \
                 site file has it: {WHY}"
            );
        }
    }
    Ok(())
}

/// Which file has a number among the client request ports.
fn of(setting: Setting, port: u16, new: &Site, old: Option<&Site>) -> &'static str {
    let has = |site: &Site| site.client_ports(setting).contains(&port);
    match (old.is_some_and(has), has(new)) {
        (true, true) => "both",
        (true, false) => "old",
        (false, true) => "new",
        (false, false) => "neither",
    }
}

impl Client {
    /// The names that it looks up, with what came back: those that were resolved, and those that were compared.
    pub(super) fn seen(
        &self,
        run: &Run,
        names: &Names,
        compared: &Compare,
        differ: &Compared,
    ) -> ClientRun {
        let mut all: BTreeMap<String, NameAnswer> = BTreeMap::new();
        // A host of lists that is named by its address is looked up by nobody.
        let is_name = |name: &&String| name.parse::<IpAddr>().is_err();
        for (name, answer) in names.iter().filter(|(name, _)| is_name(name)) {
            let answer = match answer {
                Ok(addresses) => NameAnswer::Addresses(addresses.clone()),
                Err(why) => NameAnswer::Failed(*why),
            };
            all.insert(name.clone(), answer);
        }
        let was_asked =
            !run.ways.are_all_by_proxy() && run.file.site.probing.dns && !*run.stop.borrow();
        for (_, name, _) in compared {
            let note = differ.iter().find(|(_, other, _)| other == name);
            let answer = match was_asked {
                true => NameAnswer::Beside(note.map(|(.., note)| note.clone())),
                false => NameAnswer::NotAsked,
            };
            all.entry(name.clone()).or_insert(answer);
        }
        ClientRun {
            numbers: self.numbers.clone(),
            names: all.into_iter().collect(),
        }
    }
}
