//! What the product lets a site or a system choose. Words are there for conditions to ask for, port numbers by the
//! setting that the catalogue's ports name. A setting that the product does not know has no value, whatever stands for
//! it in the table of keys.

use std::collections::BTreeMap;

use super::numbers::{self, Written};
use crate::config::{Choice, Config};
use crate::diagnostic::{Problem, choices};
use crate::product::{Catalogue, Setting, has_key};
use crate::words::Word;
use crate::yaml::{At, Ports};

/// The settings of a site or a system.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    choices: Vec<Choice>,
    ports: BTreeMap<Setting, Vec<Ports>>,
}

impl Settings {
    /// The word of a set that holds; `None` where the product has no such key, or nobody chose.
    pub(crate) fn chosen<W: Word>(&self) -> Option<W> {
        let found = self.choices.iter().find(|it| it.set == W::SET);
        found.and_then(|it| W::of(it.word))
    }

    /// Whether this word of its set holds.
    pub(crate) fn is<W: Word + PartialEq>(&self, word: W) -> bool {
        self.chosen() == Some(word)
    }

    /// The ports of a setting.
    pub fn ports(&self, setting: Setting) -> &[Ports] {
        self.ports.get(&setting).map_or(&[], Vec::as_slice)
    }

    /// The numbers of a setting whose ports are single ones.
    pub fn numbers(&self, setting: Setting) -> Vec<u16> {
        self.ports(setting).iter().map(|range| range.low).collect()
    }

    /// The ports of each setting that has some.
    pub fn all_ports(&self) -> impl Iterator<Item = (Setting, &[Ports])> {
        self.ports.iter().map(|(setting, all)| (*setting, &all[..]))
    }

    /// All single numbers.
    pub fn all_numbers(&self) -> impl Iterator<Item = u16> {
        let all = self.ports.values().flatten();
        all.filter(|range| range.low == range.high)
            .map(|range| range.low)
    }

    /// Puts a number in the place of those that a setting has.
    pub fn put(&mut self, setting: Setting, number: u16) {
        self.ports.insert(setting, vec![Ports::one(number)]);
    }
}

/// The settings of the whole site.
pub(super) fn of_site(
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Settings {
    let keys = catalogue.site_keys();
    known("`site`", &config.site.given, keys, catalogue, problems);
    has_ports(numbers::written_of_site(config), keys, catalogue, problems);
    Settings {
        choices: of_product(&config.site.choices, keys),
        ports: numbers::of_site(config, catalogue, problems),
    }
}

/// The settings of a system; those of the site's numbers that it does not have itself among them.
pub(super) fn of_system(
    system: &crate::config::System,
    config: &Config,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) -> Settings {
    let keys = catalogue.system_keys();
    let what = format!("system `{}`", system.name.value);
    known(&what, &system.given, keys, catalogue, problems);
    let written = numbers::written_of_system(system);
    has_ports(written, keys, catalogue, problems);
    Settings {
        choices: of_product(&system.choices, keys),
        ports: numbers::of_system(system, config, catalogue, problems),
    }
}

/// Refuses the keys that the product does not have.
fn known(
    owner: &str,
    given: &[At<&'static str>],
    keys: Option<&[String]>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) {
    for key in given.iter().filter(|key| !has_key(keys, key.value)) {
        let text = format!(
            "the product `{}` does not know the key `{}` of {owner}",
            catalogue.product, key.value
        );
        let known = keys.unwrap_or_default().iter().map(String::as_str);
        let known = choices(key.value, known);
        let hint = format!("take it out; {known}");
        problems.push(Problem::error("unknown-setting", key.at, text).hint(hint));
    }
}

/// Refuses numbers of keys that the product has and gives no port.
fn has_ports(
    written: Vec<Written>,
    keys: Option<&[String]>,
    catalogue: &Catalogue,
    problems: &mut Vec<Problem>,
) {
    let top = |setting: Setting| setting.key().split('.').next().unwrap_or_default();
    let written = written.into_iter();
    for (setting, at) in written.filter(|(setting, _)| has_key(keys, top(*setting))) {
        if at.is_some() && !catalogue.has(setting) {
            let (product, key) = (&catalogue.product, setting.key());
            let says = format!("the product `{product}` has no ports for `{key}`");
            problems.push(
                Problem::error("unknown-setting", at, says)
                    .hint("take these numbers out: no rule of the product has a use for them"),
            );
        }
    }
}

fn of_product(choices: &[Choice], keys: Option<&[String]>) -> Vec<Choice> {
    let choices = choices.iter().copied();
    choices.filter(|it| has_key(keys, it.key)).collect()
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
