//! Reads a line about a server: its names, addresses and roles.

use std::net::IpAddr;

use super::answers::Server;
use crate::config::is_host_name;
use crate::diagnostic::nearest;
use crate::product::Role;

/// What may stand in the line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// One name, and one address at most.
    Inside,
    /// A name for each side, and an address for each or none.
    FromInternet,
}

/// The words of a line, with commas or blanks between.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| c == ',' || c.is_whitespace());
    words.filter(|word| !word.is_empty())
}

/// Reads the line, with the roles that the server may have.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn read(line: &str, reached: Reached, allowed: &[Role]) -> Result<Server, String> {
    let (mut names, mut addresses, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for word in words(line) {
        match one(word, allowed)? {
            Word::Name(name) => names.push(name),
            Word::Address(address) => addresses.push(address),
            Word::Role(role) if roles.contains(&role) => {}
            Word::Role(role) => roles.push(role),
        }
    }
    let (name, name_inside) = named(names, reached)?;
    let (public, own) = placed(&addresses, reached)?;
    Ok(Server {
        name,
        name_inside,
        public,
        own,
        roles,
    })
}

enum Word {
    Name(String),
    Address(IpAddr),
    Role(Role),
}

fn one(word: &str, allowed: &[Role]) -> Result<Word, String> {
    if let Ok(address) = word.parse() {
        return Ok(Word::Address(address));
    }
    let small = word.to_ascii_lowercase();
    match Role::written(word) {
        Some(role) if allowed.contains(&role) => return Ok(Word::Role(role)),
        Some(role) => {
            return Err(format!(
                "`{role}` is none of the roles that are asked for here: {}",
                list(allowed)
            ));
        }
        None => {}
    }
    if is_full_name(&small) {
        return Ok(Word::Name(small));
    }
    if word.contains('.') || word.contains(':') || word.contains('/') {
        return Err(format!(
            "`{word}` is no address and no name; write them as in 192.0.2.10 and ibs01.example.com"
        ));
    }
    let meant = nearest(&small, allowed.iter().map(|role| role.name()));
    let meant = meant.map_or_else(String::new, |role| format!("; did you mean `{role}`?"));
    Err(format!(
        "`{word}` is no role, and no full name as in {word}.example.com; roles: {}{meant}",
        list(allowed)
    ))
}

/// A name with a dot, so that no role with a fault is taken for one. The last part begins with a letter, as all do.
fn is_full_name(name: &str) -> bool {
    let last = name.rsplit_once('.').map(|(_, last)| last);
    is_host_name(name) && last.is_some_and(|it| it.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn named(names: Vec<String>, reached: Reached) -> Result<(String, Option<String>), String> {
    let most = match reached {
        Reached::Inside => 1,
        Reached::FromInternet => 2,
    };
    if names.len() > most {
        return Err(format!(
            "{} names; there may be {most}, and the servers stand one a line",
            names.len()
        ));
    }
    let mut names = names.into_iter();
    let Some(name) = names.next() else {
        return Err("no name; begin with the full name of the server, as in \
                    cm01.corp.example.com"
            .to_string());
    };
    let inside = names.next().filter(|inside| *inside != name);
    Ok((name, inside))
}

/// The public address and its own.
fn placed(
    addresses: &[IpAddr],
    reached: Reached,
) -> Result<(Option<IpAddr>, Option<IpAddr>), String> {
    match (reached, addresses) {
        (_, []) => Ok((None, None)),
        (Reached::Inside, [own]) => Ok((None, Some(*own))),
        (Reached::FromInternet, [public, own]) => Ok((Some(*public), Some(*own))),
        (Reached::Inside, _) => Err(
            "several addresses; give one, and add the others to the file \
                                     afterwards"
                .to_string(),
        ),
        (Reached::FromInternet, _) => Err("give two addresses: the public one, then its own. \
                                           They are the same where nothing is translated"
            .to_string()),
    }
}

/// Roles as they are best written.
fn list(roles: &[Role]) -> String {
    let short = |role: &Role| {
        let mut all = Role::ABBREVIATIONS.iter();
        let found = all.find(|(_, known)| known == role);
        found.map_or(role.name(), |(short, _)| short)
    };
    roles.iter().map(short).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: [Role; 2] = [Role::ManagementPoint, Role::DistributionPoint];

    #[test]
    fn names_addresses_and_roles_are_told_apart_by_how_they_look() {
        let line = "MP IBS01.example.com, ibs01.corp.example 203.0.113.10,192.0.2.10 mp \
                    distribution-point";
        let server = read(line, Reached::FromInternet, &ALLOWED).expect("a server");
        let expected = Server {
            name: "ibs01.example.com".to_string(),
            name_inside: Some("ibs01.corp.example".to_string()),
            public: Some([203, 0, 113, 10].into()),
            own: Some([192, 0, 2, 10].into()),
            roles: ALLOWED.to_vec(),
        };
        assert_eq!(server, expected);
    }

    #[test]
    fn what_is_wrong_in_a_line_is_said_with_what_would_be_right() {
        for (line, reached, says) in [
            (
                "10.0.0.5 MP",
                Reached::Inside,
                "no name; begin with the full name",
            ),
            (
                "cm01 10.0.0.5",
                Reached::Inside,
                "no full name as in cm01.example.com",
            ),
            (
                "cm01.example managment-point",
                Reached::Inside,
                "did you mean `management-point`?",
            ),
            (
                "cm01.example 10.0.0.256",
                Reached::Inside,
                "`10.0.0.256` is no address",
            ),
            (
                "cm01.example 10.0.0.0/8",
                Reached::Inside,
                "`10.0.0.0/8` is no address",
            ),
            (
                "cm01.example SUP",
                Reached::Inside,
                "`software-update-point` is none of the roles that are asked for here: MP, DP",
            ),
            (
                "a.example b.example",
                Reached::Inside,
                "2 names; there may be 1",
            ),
            (
                "a.example 10.0.0.5 10.0.0.6",
                Reached::Inside,
                "several addresses",
            ),
            (
                "a.example 10.0.0.5",
                Reached::FromInternet,
                "the public one, then its own",
            ),
        ] {
            let why = read(line, reached, &ALLOWED).expect_err(line);
            assert!(why.contains(says), "{line}: {why}");
        }
    }
}
