//! What the systems are called in the file.

use std::collections::{HashMap, HashSet};

use super::lines::{INTERNET, INTRANET, OTHER_WORDS, PERIMETER};

/// The names of systems, in the order of their hosts: the first part of each host name, and each once.
pub(crate) fn of<'a>(hosts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let taken = [INTERNET, PERIMETER, INTRANET, "default"].map(str::to_string);
    let mut taken = HashSet::from(taken);
    // Where the count of a name goes on: thousands of hosts may have the same first part.
    let mut next: HashMap<String, usize> = HashMap::new();
    hosts
        .map(|host| {
            let short = short(host);
            let number = next.entry(short.clone()).or_insert(1);
            loop {
                let name = match *number {
                    1 => short.clone(),
                    number => format!("{short}-{number}"),
                };
                *number += 1;
                if taken.insert(name.clone()) {
                    return name;
                }
            }
        })
        .collect()
}

/// The first part of a host name as a name. One that YAML could take for a number or another word gets a letter before it.
fn short(host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    let name = first.to_ascii_lowercase().replace('_', "-");
    let name = name.trim_start_matches('-');
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic());
    match is_plain && !OTHER_WORDS.contains(&name) {
        true => name.to_string(),
        false => format!("host-{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_have_the_first_part_of_their_name_and_no_two_the_same() {
        let hosts = [
            "cm01.a.example",
            "cm01.b.example",
            "internet.example",
            "10.example",
            "_x_y.example",
            "no.example",
        ];
        let expected = ["cm01", "cm01-2", "internet-2", "host-10", "x-y", "host-no"];
        assert_eq!(of(hosts.into_iter()), expected);
    }
}
