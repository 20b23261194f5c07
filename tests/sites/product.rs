//! The product of a case: `# product: NAME` names a catalogue that is embedded, or one of `tests/sites/products`. Else it
//! is 2007.

use portproof::product::{CONFIGMGR_2007, Catalogue, find};

/// The catalogue of a case.
pub(crate) fn of(text: &str) -> Catalogue {
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("# product: "));
    let own =
        |name: &str| std::fs::read(format!("tests/sites/products/{name}.yaml")).expect("a product");
    let bytes = match name {
        Some(name) => find(name).map_or_else(|| own(name), <[u8]>::to_vec),
        None => CONFIGMGR_2007.to_vec(),
    };
    Catalogue::parse(&bytes).expect("a catalogue without findings")
}
