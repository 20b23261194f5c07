//! The port numbers of the whole site, by the setting of the product that they are for.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::diagnostic::{Place, Problem};
use crate::product::{Catalogue, Setting};
use crate::yaml::At;

/// The console offers two services for each protocol.
const MOST_CLIENT_PORTS: usize = 2;

pub(super) fn settings(
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Setting, Vec<u16>> {
    known_to_the_product(config, catalogue, problems);
    let [http, https, retired_http, retired_https] = of_clients(config);
    let mut all = BTreeMap::new();
    for (active, retired) in [(http, retired_http), (https, retired_https)] {
        let ports = client_ports(active.ports, catalogue, active.setting, problems);
        let gone = retired_ports(retired.ports, &ports, problems);
        all.insert(retired.setting, gone);
        all.insert(active.setting, ports);
    }
    all
}

/// Numbers that the file gives to a setting.
struct Given<'a> {
    setting: Setting,
    key: &'static str,
    ports: &'a [At<u16>],
}

/// The numbers of clients: those in use, then the retired ones.
fn of_clients(config: &Config) -> [Given<'_>; 4] {
    let (active, retired) = (&config.site.client_ports, &config.site.retired_client_ports);
    let given = |setting, key, ports| Given {
        setting,
        key,
        ports,
    };
    [
        given(Setting::ClientHttp, "client_ports.http", &active.http[..]),
        given(
            Setting::ClientHttps,
            "client_ports.https",
            &active.https[..],
        ),
        given(
            Setting::RetiredHttp,
            "retired_client_ports.http",
            &retired.http[..],
        ),
        given(
            Setting::RetiredHttps,
            "retired_client_ports.https",
            &retired.https[..],
        ),
    ]
}

/// A key whose numbers the product has no port for would change nothing.
fn known_to_the_product(config: &Config, catalogue: &Catalogue, problems: &mut Vec<Problem>) {
    for (setting, key, at) in written(config) {
        if !catalogue.has(setting) {
            let product = &catalogue.product;
            let says = format!("the product `{product}` has no ports for `{key}`");
            problems.push(
                Problem::error("unknown-setting", at, says)
                    .hint("take these numbers out: no rule of the product has a use for them"),
            );
        }
    }
}

/// The settings that the file gives numbers for, each with its key and place.
fn written(config: &Config) -> Vec<(Setting, &'static str, Place)> {
    let mut all = Vec::new();
    let mut add = |setting, key, at: Option<Place>| all.extend(at.map(|at| (setting, key, at)));
    for Given {
        setting,
        key,
        ports,
    } in of_clients(config)
    {
        add(setting, key, ports.first().map(|port| port.at));
    }
    let own = config.systems.iter().map(|it| &it.software_update_ports);
    for pair in own.chain([&config.site.software_update_ports]) {
        let (http, https) = (pair.http.map(|it| it.at), pair.https.map(|it| it.at));
        add(
            Setting::SoftwareUpdateHttp,
            "software_update_ports.http",
            http,
        );
        add(
            Setting::SoftwareUpdateHttps,
            "software_update_ports.https",
            https,
        );
    }
    for system in &config.systems {
        let at = system.rpc_ports.first().map(|it| it.at);
        add(Setting::RpcDynamic, "rpc_ports", at);
    }
    all
}

fn client_ports(
    found: &[At<u16>],
    catalogue: &Catalogue,
    setting: Setting,
    problems: &mut Vec<Problem>,
) -> Vec<u16> {
    if let Some(third) = found.get(MOST_CLIENT_PORTS) {
        let says = "a client request service has at most two port numbers";
        problems.push(Problem::error("too-many-ports", third.at, says).hint(
            "Site Properties > Ports has two services for each; numbers no longer in use go under \
             `retired_client_ports`; portproof explain client-ports says where the console shows \
             them",
        ));
    }
    let mut ports: Vec<u16> = found.iter().map(|port| port.value).collect();
    if ports.is_empty() {
        let usual = catalogue.default_ports(setting);
        ports = usual.iter().map(|range| range.low).collect();
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn retired_ports(found: &[At<u16>], active: &[u16], problems: &mut Vec<Problem>) -> Vec<u16> {
    for port in found.iter().filter(|port| active.contains(&port.value)) {
        problems.push(
            Problem::error(
                "retired-in-use",
                port.at,
                format!("port {} is retired and in use", port.value),
            )
            .hint(
                "a number is either in `client_ports` or in `retired_client_ports`; portproof \
                 explain client-ports says where the console shows those in use",
            ),
        );
    }
    found.iter().map(|port| port.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::product::CONFIGMGR_2007;
    use crate::site::Site;

    const FILE: &str = "
site: { code: PRI, product: configmgr-2007, crl_check: false, retired_client_ports: { http: 8080 } }
zones: { intranet: {} }
systems: { cm01: { zone: intranet, names: { default: cm01.corp.example }, roles: [console], rpc_ports: 50000-50100 } }
";

    fn codes(catalogue: &Catalogue) -> Vec<(&'static str, usize)> {
        let (config, mut problems) = config::read(FILE.as_bytes());
        let site = Site::new(&config.expect("a mapping"), catalogue, &mut problems);
        assert_eq!(site.is_none(), !problems.is_empty());
        let found = problems.iter();
        found
            .map(|it| (it.code, it.at.unwrap_or_default().line))
            .collect()
    }

    #[test]
    fn numbers_that_the_product_has_no_ports_for_are_refused() {
        let mut catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        assert_eq!(codes(&catalogue), []);
        let unknown = [Some(Setting::RetiredHttp), Some(Setting::RpcDynamic)];
        catalogue
            .ports
            .retain(|_, port| !unknown.contains(&port.setting));
        let refused = [("unknown-setting", 2), ("unknown-setting", 4)];
        assert_eq!(codes(&catalogue), refused);
    }
}
