//! What the servers are called in the file.

use super::answers::{INTERNET, INTRANET, PERIMETER, Server};

/// The names of systems, in the order of the servers: the first part of each host name, and each once.
pub(super) fn of<'a>(servers: impl Iterator<Item = &'a Server>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for server in servers {
        let short = short(server.name_inside.as_ref().unwrap_or(&server.name));
        let is_free = |name: &String| {
            ![INTERNET, PERIMETER, INTRANET, "default"].contains(&name.as_str())
                && !taken.contains(name)
        };
        let numbered = (2..).map(|number| format!("{short}-{number}"));
        let mut candidates = std::iter::once(short.clone()).chain(numbered);
        let free = candidates.find(is_free);
        taken.push(free.unwrap_or(short));
    }
    taken
}

/// The first part of a host name as a name. One that YAML could take for a number or another word gets a letter before it.
fn short(host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    let name = first.to_ascii_lowercase().replace('_', "-");
    let name = name.trim_start_matches('-');
    let is_other = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "",
    ];
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic());
    match is_plain && !is_other.contains(&name) {
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
        let servers = hosts.map(|name| Server {
            name: name.to_string(),
            name_inside: None,
            public: None,
            own: None,
            roles: Vec::new(),
        });
        let expected = ["cm01", "cm01-2", "internet-2", "host-10", "x-y", "host-no"];
        assert_eq!(of(servers.iter()), expected);
    }
}
