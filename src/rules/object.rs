//! Names for sets of addresses, in dialects that write rules with names.

use super::heading::{joined, label};
use super::{Family, Range};
use crate::config::sha256;

/// Sets of addresses with their names, each set once and each name once.
pub(super) struct Objects {
    longest: usize,
    /// Whether a name carries a digest of its set: then an object that a device has already under this name is the same.
    by_content: bool,
    /// In the order in which they were first named.
    pub(super) all: Vec<(String, Vec<Range>)>,
}

impl Objects {
    /// Names of at most so many characters.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            by_content: false,
            all: Vec::new(),
        }
    }

    /// The same for what is added to a device that has objects already: no name is that of another set there.
    pub(super) fn added(longest: usize) -> Self {
        Self {
            by_content: true,
            ..Self::new(longest)
        }
    }

    /// The name of a set: its label, with a number where another set has that already.
    pub(super) fn name(&mut self, label: &str, ranges: &[Range]) -> String {
        let label = &match self.by_content {
            true => format!("{label}-{}", digest(&joined(ranges, ","))),
            false => label.to_string(),
        };
        for number in 1.. {
            let name = match number {
                1 => fitting(label, self.longest),
                _ => fitting(&format!("{label}-{number}"), self.longest),
            };
            match self.all.iter().find(|(taken, _)| *taken == name) {
                Some((_, same)) if same == ranges => return name,
                Some(_) => {}
                None => {
                    self.all.push((name.clone(), ranges.to_vec()));
                    return name;
                }
            }
        }
        unreachable!("there are more numbers than sets")
    }
}

/// A name that a device looks up itself, in one family.
#[derive(PartialEq, Eq)]
pub(super) struct Host {
    /// What it is called on the device.
    pub(super) object: String,
    pub(super) family: Family,
    pub(super) name: String,
}

/// Such names, each once.
pub(super) struct Hosts {
    longest: usize,
    /// In the order in which they were first named.
    pub(super) all: Vec<Host>,
}

impl Hosts {
    /// Objects with names of at most so many characters.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            all: Vec::new(),
        }
    }

    /// What it is called on the device. No set of addresses is called so: behind `portproof` they have a hyphen.
    pub(super) fn name(&mut self, name: &str, family: Family) -> String {
        let object = fitting(
            &format!("portproof.name.{}", label(name, family)),
            self.longest,
        );
        let host = Host {
            object: object.clone(),
            family,
            name: name.to_string(),
        };
        if !self.all.contains(&host) {
            self.all.push(host);
        }
        object
    }
}

/// A name, or as much of it as there is room for with a digest of the whole. Hosts outside the site file may have
/// what no device takes in a name.
pub(super) fn fitting(name: &str, longest: usize) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let kept: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    if kept.len() <= longest {
        return kept;
    }
    let digest = digest(name);
    format!("{}-{digest}", &kept[..longest - digest.len() - 1])
}

/// Eight characters that two different texts hardly share.
pub(super) fn digest(text: &str) -> String {
    const CHARACTERS: usize = 8;
    sha256(text.as_bytes())[..CHARACTERS].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Vec<Range> {
        vec![Range::one(text.parse().expect("an address"))]
    }

    #[test]
    fn one_set_has_one_name_and_two_sets_have_two() {
        let mut objects = Objects::new(63);
        assert_eq!(objects.name("cm01", &one("10.0.0.5")), "cm01");
        assert_eq!(objects.name("cm01", &one("10.0.0.6")), "cm01-2");
        assert_eq!(objects.name("cm01", &one("10.0.0.5")), "cm01");
        assert_eq!(objects.all.len(), 2);
    }

    #[test]
    fn what_is_added_never_has_the_name_of_another_set() {
        let (mut one_day, mut another) = (Objects::added(63), Objects::added(63));
        let first = one_day.name("cm01", &one("10.0.0.5"));
        assert_ne!(first, another.name("cm01", &one("10.0.0.6")));
        assert_eq!(first, another.name("cm01", &one("10.0.0.5")));
    }

    #[test]
    fn long_names_that_begin_alike_stay_apart() {
        let (a, b) = ("z".repeat(80) + "a", "z".repeat(80) + "b");
        assert_eq!(fitting(&a, 28).len(), 28);
        assert_ne!(fitting(&a, 28), fitting(&b, 28));
        assert_eq!(fitting("crl.[2001:db8::1]", 63), "crl._2001_db8__1_");
    }
}
