//! Whatever an export says: it is refused, or it becomes a file that asks and has no fault.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config;
use crate::diagnostic::Severity;

/// The file with an answer in the place of each `?`.
fn answered(text: &str) -> String {
    let lines = text.lines().filter_map(|line| {
        let answer = match line.trim().split(':').next()? {
            "http" | "https" | "sql_port" | "service_broker_port" => "443",
            "code" => "PRI",
            "product" => "configmgr-2007",
            "mode" => "mixed",
            "crl_check" => "true",
            "zone" | "serves" | "clients" => "intranet",
            "client_connections" => "http",
            "perimeter" | "intranet" => "10.0.0.0/8",
            "name" | "names" => "a.example",
            "database" | "pulls_from" if line.contains("\"?\"") => return None,
            _ => return Some(line.to_string()),
        };
        Some(line.replace("\"?\"", answer))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text that a property may have, the odd ones among them.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._-]{1,12}",
        ".{0,20}",
        Just("?".to_string()),
        Just("null".to_string()),
        Just("80,8080".to_string()),
        Just("5.00.9128.1000".to_string()),
        Just("\"\n# '".to_string()),
    ]
}

/// A property that is read, with anything in it.
fn properties() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = system::READ
        .iter()
        .chain(site_facts::READ)
        .copied()
        .collect();
    let name = prop_oneof![
        proptest::sample::select(names).prop_map(str::to_string),
        texts()
    ];
    let number = prop_oneof![-1_i64..3, 60_i64..70, 1_240_i64..1_250, any::<i64>()];
    (name, number, texts(), texts()).prop_map(|(name, number, one, other)| {
        json!({ "PropertyName": name, "Value": number, "Value1": one, "Value2": other })
    })
}

fn objects() -> impl Strategy<Value = Value> {
    let names = proptest::sample::select(vec![
        "SMS Site Server",
        "SMS Management Point",
        "SMS Distribution Point",
        "SMS Software Update Point",
        "SMS Fallback Status Point",
        "SMS SQL Server",
        "SMS Cloud Proxy Connector",
        "SMS PXE Service Point",
        "SMS_SITE_COMPONENT_MANAGER",
    ]);
    let hosts = prop_oneof!["[a-c]{1,2}(\\.example)?", texts()];
    let classes = proptest::sample::select(vec![
        "SMS_SCI_SysResUse",
        "SMS_SCI_Component",
        "SMS_SCI_SiteDefinition",
        "SMS_Site",
    ]);
    let many = proptest::collection::vec(properties(), 0..6);
    (names, hosts, classes, many).prop_map(|(name, host, class, many)| {
        json!({
            "__CLASS": class, "RoleName": name, "ItemName": name, "NetworkOSPath": format!("\\\\{host}"), "ServerName": host,
            "ParentSiteCode": host, "Version": host, "Props": many
        })
    })
}

#[test]
fn a_distribution_point_with_the_flag_of_a_connected_cache_is_one() {
    let file = |flags: i64, version: &str| {
        let role = |name: &str| {
            json!({
                "__CLASS": "SMS_SCI_SysResUse", "RoleName": name, "NetworkOSPath": "\\\\dp01.corp.example", "SiteCode": "PRI",
                "Props": [{ "PropertyName": "Flags", "Value": flags, "Value1": "", "Value2": "" }]
            })
        };
        let site = json!({ "__CLASS": "SMS_Site", "SiteCode": "PRI", "Version": version });
        let all = json!([
            role("SMS Distribution Point"),
            role("SMS Site System"),
            site
        ]);
        let export = read("x.json", all.to_string().as_bytes()).expect("an export");
        let known = Known::of(&[export], &Asked::default()).expect("a site");
        text(&known).text
    };
    let is_cache = |text: String| text.contains("    connected_cache: true");
    assert!(is_cache(file(6, "5.00.9128.1000")));
    assert!(!is_cache(file(2, "5.00.9128.1000")));
    // 2012 has none, whatever its flags say.
    assert!(!is_cache(file(6, "5.00.7958.1000")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_export_is_refused_or_becomes_a_file_that_asks_and_has_no_fault(
        all in proptest::collection::vec(objects(), 1..8),
        product in proptest::sample::select(
            [None].into_iter().chain(crate::product::all().map(Some)).collect::<Vec<_>>(),
        ),
    ) {
        let export = read("x.json", Value::from(all).to_string().as_bytes());
        let product = product.and_then(|name| {
            let mut products = PRODUCTS.iter();
            products.find(|it| it.product == name).cloned()
        });
        let asked = Asked { product, ..Asked::default() };
        let Ok(known) = export.and_then(|export| Known::of(&[export], &asked)) else {
            return Ok(());
        };
        let written = text(&known);
        let (_, problems) = config::read(written.text.as_bytes());
        let faults: Vec<_> = problems.iter().filter(|it| it.severity != Severity::Question).collect();
        prop_assert!(faults.is_empty(), "{faults:?}\n{}", written.text);
        let open = written.text.matches("\"?\"").count();
        // The sentence at the head names one.
        prop_assert_eq!(problems.len() + 1, open, "{}", written.text);
        let answered = answered(&written.text);
        let (config, problems) = config::read(answered.as_bytes());
        prop_assert!(config.is_some() && problems.is_empty(), "{problems:?}\n{answered}");
    }
}

/// To read a catalogue takes long.
static PRODUCTS: std::sync::LazyLock<Vec<Catalogue>> = std::sync::LazyLock::new(|| {
    let bytes = crate::product::all().filter_map(crate::product::find);
    bytes.filter_map(|it| Catalogue::parse(it).ok()).collect()
});
