//! The site file of a scene.

use crate::scene::{Device, Host, Need, Protocol, Scene, firewall_addresses, zone_name};
use crate::trouble::Trouble;

/// What `portproof check` is given.
pub(crate) fn site(scene: &Scene) -> String {
    let (outer, perimeter) = networks(scene);
    let mut text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}\n\
         zones:\n  \
         {}: {{ networks: [{outer}] }}\n  \
         perimeter: {{ networks: [{perimeter}] }}\n  \
         intranet: {{ networks: [\"10.0.0.0/24\", \"2001:db8:3::/64\"] }}\n\
         firewalls:\n  \
         front-end: {{ between: [{}, perimeter]{} }}\n  \
         back-end: {{ between: [perimeter, intranet]{} }}\n\
         systems:\n",
        scene.outer,
        scene.outer,
        addresses(scene, Device::FrontEnd),
        addresses(scene, Device::BackEnd),
    );
    for host in &scene.hosts {
        text += &system(scene, host);
    }
    text += &format!(
        "probing: {{ second_look: {}, rate: max, sweep: none, dns: off }}\nflows:\n",
        if scene.patient { "20s" } else { "off" }
    );
    for (host, flow) in scene.flows() {
        text += &format!(
            "  - {{ from: {}, to: {}, port: {}, protocol: {}, need: {} }}\n",
            scene.vantage_name(),
            host.name,
            flow.port,
            match flow.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Http => "http",
            },
            match flow.need {
                Need::Required => "required",
                Need::Forbidden => "forbidden",
            }
        );
    }
    text
}

/// The networks of the outer zone and of the perimeter.
fn networks(scene: &Scene) -> (&'static str, &'static str) {
    let perimeter = "\"192.0.2.0/24\", \"2001:db8:2::/64\"";
    match scene.trouble {
        Trouble::Translation => (
            "\"198.51.100.0/24\", \"203.0.113.0/24\", \"2001:db8:1::/64\"",
            perimeter,
        ),
        Trouble::ProxyArp => (
            "\"198.51.100.0/25\"",
            "\"198.51.100.128/25\", \"192.0.2.0/24\"",
        ),
        _ => ("\"198.51.100.0/24\", \"2001:db8:1::/64\"", perimeter),
    }
}

fn system(scene: &Scene, host: &Host) -> String {
    let here = match scene.trouble {
        Trouble::Translation => format!("{}: \"{}\", ", scene.outer, scene.asked_at(host)),
        _ => String::new(),
    };
    format!(
        "  {}: {{ zone: {}, addresses: {{ {here}default: \"{}\" }}, roles: [console] }}\n",
        host.name,
        zone_name(scene, host.zone),
        host.address
    )
}

fn addresses(scene: &Scene, device: Device) -> String {
    if !scene.addresses_given {
        return String::new();
    }
    let all: Vec<String> = firewall_addresses(device)
        .iter()
        .map(|address| format!("\"{address}\""))
        .collect();
    format!(", addresses: [{}]", all.join(", "))
}
