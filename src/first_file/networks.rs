//! Reads a line of networks.

use ipnet::IpNet;

/// The networks of a line, with commas or blanks between.
///
/// # Errors
/// What is wrong, and what would be right.
pub(super) fn read(line: &str) -> Result<Vec<IpNet>, String> {
    let mut all = Vec::new();
    for word in super::server::words(line) {
        let net = one(word)?;
        if all.contains(&net) {
            return Err(format!("`{net}` stands there twice"));
        }
        all.push(net);
    }
    match all.is_empty() {
        true => Err("no network; write address/prefix, as in 10.0.0.0/8".to_string()),
        false => Ok(all),
    }
}

fn one(word: &str) -> Result<IpNet, String> {
    let net: IpNet = word
        .parse()
        .map_err(|_| format!("`{word}` is no network; write address/prefix, as in 10.0.0.0/8"))?;
    if net.trunc() != net {
        let meant = net.trunc();
        return Err(format!(
            "`{word}` has bits set behind its prefix; did you mean `{meant}`?"
        ));
    }
    if net.prefix_len() == 0 {
        return Err(format!(
            "`{word}` is the whole Internet, which is a zone already; name the networks of this one"
        ));
    }
    Ok(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_or_refused_with_what_would_be_right() {
        let all = read("10.0.0.0/8, 2001:db8::/32 192.0.2.0/24").expect("networks");
        assert_eq!(all.len(), 3);
        for (line, says) in [
            ("", "no network; write address/prefix"),
            ("10.0.0.5", "write address/prefix, as in 10.0.0.0/8"),
            ("10.0.0.5/8", "did you mean `10.0.0.0/8`?"),
            ("0.0.0.0/0", "the whole Internet"),
            ("10.0.0.0/8 10.0.0.0/8", "twice"),
        ] {
            let why = read(line).expect_err(line);
            assert!(why.contains(says), "{line}: {why}");
        }
    }
}
