//! Which product and version a build number is: one data file, `builds.yaml`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What a build number is known to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The product, as `site.product` names it.
    pub product: &'static str,
    /// Its version, as `site.version` names it, else in words; `None`: a version that the file does not have.
    pub version: Option<&'static str>,
    /// Where that stands; `None`: it follows from the numbers around it.
    pub source: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sources: HashMap<String, String>,
    builds: Vec<OfProduct>,
}

/// The builds of one product, in their order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfProduct {
    product: String,
    numbers: Vec<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    build: u32,
    version: String,
    source: String,
}

static TABLE: LazyLock<Written> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("builds.yaml")).expect("the embedded file is read by a test")
});

impl OfProduct {
    /// Whether a number lies between its builds; the last product has no end.
    fn has(&self, number: u32, is_last: bool) -> bool {
        let first = self.numbers.first().map(|it| it.build);
        let last = self.numbers.last().map(|it| it.build);
        first.is_some_and(|first| first <= number)
            && (is_last || last.is_some_and(|last| number <= last))
    }
}

/// What a build number is; `None`: nothing is known of it.
pub fn of_build(number: u32) -> Option<Build> {
    let last = TABLE.builds.len().saturating_sub(1);
    let mut all = TABLE.builds.iter().enumerate();
    let (_, of) = all.find(|(place, of)| of.has(number, *place == last))?;
    let known = of.numbers.iter().find(|it| it.build == number);
    Some(Build {
        product: &of.product,
        version: known.map(|it| it.version.as_str()),
        source: known.and_then(|it| Some(TABLE.sources.get(&it.source)?.as_str())),
    })
}

/// Whether the builds of a product are known.
pub fn knows_builds_of(product: &str) -> bool {
    TABLE.builds.iter().any(|it| it.product == product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_rise_and_each_has_a_source_that_the_file_lists() {
        let all = TABLE.builds.iter().flat_map(|it| &it.numbers);
        let numbers: Vec<u32> = all.clone().map(|it| it.build).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        for number in all {
            let build = of_build(number.build).expect("it is of the table");
            assert!(build.source.is_some(), "{}", number.build);
        }
        let named: Vec<_> = TABLE.sources.keys().collect();
        let uses = |key: &String| {
            let mut all = TABLE.builds.iter().flat_map(|it| &it.numbers);
            all.any(|it| it.source == *key)
        };
        assert!(named.iter().all(|key| uses(key)), "{named:?}");
    }

    #[test]
    fn every_product_with_rules_has_builds() {
        for product in crate::product::all() {
            assert!(knows_builds_of(product), "{product}");
        }
        assert!(knows_builds_of("configmgr-2012") && !knows_builds_of("another"));
    }

    #[test]
    fn a_number_is_of_a_version_of_a_product_or_of_nothing() {
        let of = |number| of_build(number).map(|it| (it.product, it.version));
        let branch = "configmgr-current-branch";
        for (number, expected) in [
            (0, None),
            (2726, None),
            (
                5931,
                Some(("configmgr-2007", Some("without service packs"))),
            ),
            (6300, Some(("configmgr-2007", None))),
            (6487, Some(("configmgr-2007", Some("SP2 or R3")))),
            (7000, None),
            (7958, Some(("configmgr-2012", Some("R2")))),
            (8300, None),
            (8325, Some((branch, Some("1511")))),
            (9114, Some((branch, None))),
            (9128, Some((branch, Some("2403")))),
            (9999, Some((branch, None))),
        ] {
            assert_eq!(of(number), expected, "{number}");
        }
    }
}
