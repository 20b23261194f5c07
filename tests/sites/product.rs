//! The product of a case: `# product: NAME` names a catalogue of `tests/sites/products`, else it is the embedded one.

use portproof::product::{CONFIGMGR_2007, Catalogue};

/// The catalogue of a case.
pub(crate) fn of(text: &str) -> Catalogue {
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("# product: "));
    let bytes = match name {
        Some(name) => {
            std::fs::read(format!("tests/sites/products/{name}.yaml")).expect("a product")
        }
        None => CONFIGMGR_2007.to_vec(),
    };
    Catalogue::parse(&bytes).expect("a catalogue without findings")
}
