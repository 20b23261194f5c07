//! Notes on hosts of revocation lists that were not asked, and why.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::report::Note;
use crate::site::Site;
use crate::verdict::Cause;
use crate::wire::trust::revocation::fetch::destination;
use crate::wire::trust::revocation::gate::{Gate, Refused};

/// The most hosts with a note of their own; the rest is counted.
const MOST_NOTES: usize = 20;

/// Why hosts were not asked.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<Door, Reasons>);

/// A host and port, and who leads there.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Door {
    host: String,
    port: u16,
    led_by: String,
}

#[derive(Debug, Default)]
struct Reasons {
    words: BTreeSet<String>,
    /// Whether the host was asked at other addresses.
    partly: bool,
}

impl Refusals {
    /// A host that certificates name is not asked.
    pub(super) fn host(&mut self, host: &str, port: u16, why: Refused) {
        let reasons = self.door(host, port, "certificates name it".to_string());
        reasons.words.insert(why.to_string());
    }

    /// The same host is asked at other addresses.
    pub(super) fn partly(&mut self, host: &str, port: u16) {
        self.door(host, port, "certificates name it".to_string())
            .partly = true;
    }

    /// A redirect is not followed. Where it does not lead by HTTP, the verdict on the list says so.
    pub(super) fn redirect(&mut self, gate: &Gate<'_>, from: &Url, to: &str) {
        let Some((host, port)) = Url::parse(to).ok().as_ref().and_then(destination) else {
            return;
        };
        let why = match gate.host(&host, port) {
            Err(why) => why.to_string(),
            Ok(()) => "neither the site file nor a certificate names it".to_string(),
        };
        let from = from.host_str().unwrap_or_default();
        let reasons = self.door(&host, port, format!("{from} redirects to it"));
        reasons.words.insert(why);
    }

    fn door(&mut self, host: &str, port: u16, led_by: String) -> &mut Reasons {
        let host = host.to_string();
        self.0.entry(Door { host, port, led_by }).or_default()
    }

    /// A note for each host.
    pub(super) fn notes(self, site: &Site) -> Vec<Note> {
        let more = self.0.len().saturating_sub(MOST_NOTES);
        let of_door = |(door, reasons): (Door, Reasons)| {
            let system = site.system_at(&door.host).map_or_else(
                || format!("crl.{}", door.host),
                |system| site.systems[system].name.clone(),
            );
            note(system, words(&door, &reasons))
        };
        let mut notes: Vec<Note> = self.0.into_iter().take(MOST_NOTES).map(of_door).collect();
        if more > 0 {
            let text = format!("{more} more hosts were not asked for a revocation list");
            notes.push(note(String::new(), text));
        }
        notes
    }
}

fn words(door: &Door, reasons: &Reasons) -> String {
    let asked = match reasons.partly {
        true => "was asked for a revocation list at its other addresses only",
        false => "was not asked for a revocation list",
    };
    let why: Vec<&str> = reasons.words.iter().map(String::as_str).collect();
    format!(
        "{} {asked} ({}): {}",
        host_and_port(&door.host, door.port),
        door.led_by,
        why.join("; ")
    )
}

/// The note where the site file wants no list fetched.
pub(super) fn nothing_fetched() -> Note {
    let text = "no revocation list was fetched: `site.crl_hosts` is `none`";
    note(String::new(), text.to_string())
}

fn note(system: String, text: String) -> Note {
    Note {
        cause: Cause::ListNotFetched,
        system,
        text,
    }
}

/// A host and port in words.
pub(super) fn host_and_port(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::product::{CONFIGMGR_2007, Catalogue};

    fn site() -> Site {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the catalogue");
        let (config, mut problems) = config::read(crate::lab::SITE_FILE.as_bytes());
        let config = config.expect("a file");
        Site::new(&config, &catalogue, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
    }

    #[test]
    fn many_refusals_are_counted_and_each_host_is_told_once() {
        let mut refusals = Refusals::default();
        for number in 0..MOST_NOTES + 5 {
            for _ in 0..2 {
                refusals.host(&format!("h{number:03}"), 80, Refused::NotNamed);
            }
        }
        refusals.host("::1", 81, Refused::Port(81));
        let notes = refusals.notes(&site());
        assert_eq!(notes.len(), MOST_NOTES + 1);
        assert!(
            notes[0].text.starts_with("[::1]:81 was not asked"),
            "{}",
            notes[0].text
        );
        assert_eq!(notes[0].system, "crl.::1");
        let last = &notes[MOST_NOTES].text;
        assert!(last.starts_with("6 more hosts"), "{last}");
    }
}
