//! What a run sent, as a line at the end of the text report.

use super::join::text::of_several;
use super::whole::ReportDocument;
use crate::observation::Sent;

/// A line for each vantage that counted; of several, each with its name.
pub(super) fn lines(report: &ReportDocument) -> impl Iterator<Item = String> {
    let vantages = report.vantages.iter().enumerate();
    vantages.filter_map(|(number, of)| {
        let sent = words(of.sent.as_ref()?);
        Some(format!("Sent{}: {sent}", of_several(report, number)))
    })
}

/// `84 SYNs to try 30 ports of 3 addresses (60 needed, 24 silence), 2 datagrams; at most 91 of 100 in one second, 7 of 8
/// sockets at one address`.
fn words(sent: &Sent) -> String {
    let mut parts: Vec<String> = sent
        .syns_for
        .iter()
        .map(|(what, count)| format!("{count} {}", what.name().replace('-', " ")))
        .collect();
    if sent.repeats > 0 {
        parts.push(format!("{} repeated by this host's system", sent.repeats));
    }
    let parts = match parts.is_empty() {
        true => String::new(),
        false => format!(" ({})", parts.join(", ")),
    };
    let announced = &sent.announced;
    let rate = announced
        .rate
        .map_or_else(String::new, |rate| format!(" of {rate}"));
    format!(
        "{} to try {} of {}{parts}, {}; at most {}{rate} in one second, {} of {} sockets at one \
         address",
        counted(sent.syns, "SYN", "s"),
        counted(announced.ports, "port", "s"),
        counted(announced.addresses, "address", "es"),
        counted(sent.datagrams, "datagram", "s"),
        sent.most_in_a_second,
        sent.most_sockets_at_an_address,
        announced.per_host
    )
}

fn counted(count: u64, what: &str, plural: &str) -> String {
    let plural = if count == 1 { "" } else { plural };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Announced, SentFor};
    use crate::report::sample;

    fn lines(report: &ReportDocument) -> String {
        super::lines(report).collect::<Vec<_>>().join("\n")
    }

    fn sent() -> Sent {
        Sent {
            syns: 84,
            syns_for: [
                (SentFor::Needed, 60),
                (SentFor::SecondLooks, 20),
                (SentFor::Sweep, 1),
            ]
            .into(),
            repeats: 3,
            datagrams: 1,
            most_in_a_second: 91,
            most_sockets_at_an_address: 7,
            announced: Announced {
                ports: 30,
                addresses: 1,
                rate: Some(100),
                per_host: 8,
            },
        }
    }

    #[test]
    fn a_run_says_in_one_line_what_it_sent_beside_what_it_may() {
        let mut report = sample::report("internet", "probe7");
        assert_eq!(lines(&report), "", "a build that did not count");
        report.vantages[0].sent = Some(sent());
        assert_eq!(
            lines(&report),
            "Sent: 84 SYNs to try 30 ports of 1 address (60 needed, 20 second looks, 1 sweep, 3 \
             repeated by this host's system), 1 datagram; at most 91 of 100 in one second, 7 of 8 \
             sockets at one address"
        );
    }

    #[test]
    fn of_joined_reports_each_vantage_has_its_line() {
        let mut report = sample::report("internet", "probe7");
        let mut other = report.vantages[0].clone();
        other.zone = "perimeter".to_string();
        other.sent = Some(Sent {
            announced: Announced {
                rate: None,
                ..sent().announced
            },
            ..sent()
        });
        report.vantages.push(other);
        let lines = lines(&report);
        assert!(
            lines.starts_with("Sent from perimeter (host probe7): 84 SYNs"),
            "{lines}"
        );
        assert!(
            lines.contains("at most 91 in one second"),
            "no rate was said: {lines}"
        );
    }
}
