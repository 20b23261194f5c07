//! Ports as ranges, `1-79,81`: written, and read again from a report, which may be a stranger's.

use crate::yaml::Ports;

/// Ports as ranges.
pub(super) fn written(ports: &[u16]) -> String {
    let mut sorted = ports.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut all: Vec<Ports> = Vec::new();
    for port in sorted {
        match all.last_mut() {
            Some(last) if last.high.checked_add(1) == Some(port) => last.high = port,
            _ => all.push(Ports::one(port)),
        }
    }
    all.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Ranges as they are written. Each must lie behind the one before, so that there are never more than there are ports.
///
/// # Errors
/// The range that is none, or that does not lie behind.
pub(super) fn read(text: &str) -> Result<Vec<Ports>, &str> {
    let mut all: Vec<Ports> = Vec::new();
    for range in text.split(',').filter(|_| !text.is_empty()) {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let (Ok(low), Ok(high)) = (low.parse::<u16>(), high.parse::<u16>()) else {
            return Err(range);
        };
        let is_behind = all.last().is_none_or(|last| last.high < low);
        if low == 0 || high < low || !is_behind {
            return Err(range);
        }
        all.push(Ports { low, high });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_shown_as_ranges_and_read_again() {
        let ports = [3, 1, 2, 5, 65_534, 65_535, 5];
        assert_eq!(written(&ports), "1-3,5,65534-65535");
        let range = |low, high| Ports { low, high };
        let ranges = vec![range(1, 3), Ports::one(5), range(65_534, 65_535)];
        assert_eq!(read("1-3,5,65534-65535"), Ok(ranges));
        assert_eq!(written(&[]), "");
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn ranges_that_lead_back_or_are_none_are_refused() {
        for (text, fault) in [
            ("1-65535,1-65535", "1-65535"),
            ("5,4", "4"),
            ("5,5", "5"),
            ("9-5", "9-5"),
            ("0-5", "0-5"),
            ("1-65536", "1-65536"),
            ("1,,2", ""),
            (" 1", " 1"),
            ("1-2-3", "1-2-3"),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
    }
}
