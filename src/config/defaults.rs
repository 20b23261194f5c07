//! The numbers that hold where the site file says none: the JSON Schema names those of each product beside its key.

use serde_json::Value as Json;

use crate::product::{self, Catalogue, Setting};

/// Adds to each key of port numbers what they are without it, product by product.
pub(super) fn say(schema: &mut Json) {
    let catalogues = product::all().filter_map(product::find);
    let catalogues = catalogues.filter_map(|bytes| Catalogue::parse(bytes).ok());
    let catalogues: Vec<Catalogue> = catalogues.collect();
    for setting in Setting::ALL.iter().filter(|it| is_of_numbers(**it)) {
        let said: String = catalogues.iter().map(|it| numbers(it, *setting)).collect();
        for section in [
            "/properties/site",
            "/properties/systems/additionalProperties",
        ] {
            let way = setting.key().replace('.', "/properties/");
            if let Some(key) = schema.pointer_mut(&format!("{section}/properties/{way}")) {
                let about = key["description"].as_str().unwrap_or_default();
                key["description"] = format!("{about}{said}").into();
            }
        }
    }
}

/// Whether the key of a setting holds the numbers themselves. Those of lists stand in their addresses.
fn is_of_numbers(setting: Setting) -> bool {
    !matches!(setting, Setting::Crl | Setting::Watchlist)
}

/// A sentence with the numbers of a product; empty where it has none.
fn numbers(catalogue: &Catalogue, setting: Setting) -> String {
    let all = catalogue.default_ports(setting);
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" In {}: {}.", catalogue.product, all.join(", ")),
    }
}
