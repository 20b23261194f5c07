//! Names for sets of addresses, in dialects that write rules with names.

use sha2::{Digest, Sha256};

use super::Range;

/// Sets of addresses with their names, each set once and each name once.
pub(super) struct Objects {
    longest: usize,
    /// In the order in which they were first named.
    pub(super) all: Vec<(String, Vec<Range>)>,
}

impl Objects {
    /// Names of at most so many characters.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            all: Vec::new(),
        }
    }

    /// The name of a set: its label, with a number where another set has that already.
    pub(super) fn name(&mut self, label: &str, ranges: &[Range]) -> String {
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
    let digest: String = Sha256::digest(name.as_bytes())[..4]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{}-{digest}", &kept[..longest - digest.len() - 1])
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
    fn long_names_that_begin_alike_stay_apart() {
        let (a, b) = ("z".repeat(80) + "a", "z".repeat(80) + "b");
        assert_eq!(fitting(&a, 28).len(), 28);
        assert_ne!(fitting(&a, 28), fitting(&b, 28));
        assert_eq!(fitting("crl.[2001:db8::1]", 63), "crl._2001_db8__1_");
    }
}
