//! A message as text, for people.

use super::Message;
use super::message::{Entry, MOST};
use crate::report;

/// Where and when: `Site PRI seen from internet, run 812, 2026-11-29T08:57:19Z`.
pub(super) fn place(message: &Message) -> String {
    let about = &message.about;
    let run = about
        .run
        .map_or_else(String::new, |run| format!(", run {run}"));
    format!(
        "Site {} seen from {}{run}, {}",
        about.site, about.place, about.time
    )
}

/// The message as a text of several lines, for a mail.
pub(super) fn text(message: &Message) -> String {
    let mut out = format!("{}\n\n{}\n", place(message), message.headline);
    let raised: Vec<&Entry> = message.raised.iter().collect();
    out += &part("Wrong now", &raised, &message.raised_others);
    let cleared = message.cleared.iter();
    let (accepted, mended): (Vec<&Entry>, Vec<&Entry>) =
        cleared.partition(|it| it.accepted.is_some());
    out += &part("Wrong no more", &mended, &message.cleared_others);
    out += &part(
        "Accepted by the site file",
        &accepted,
        &message.accepted_others,
    );
    if let Some(url) = &message.about.url {
        out += &format!("\nStatus page: {url}\n");
    }
    out
}

fn part(title: &str, entries: &[&Entry], others: &[String]) -> String {
    if entries.is_empty() && others.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{title}\n");
    out.extend(entries.iter().copied().map(entry));
    let (named, left) = others.split_at(others.len().min(MOST - entries.len().min(MOST)));
    out.extend(named.iter().map(|id| format!("{id}\n")));
    if !left.is_empty() {
        out += &format!("{} more are not listed.\n", left.len());
    }
    out
}

fn entry(entry: &Entry) -> String {
    let mut out = format!("{}\n  seen: {}\n", title(entry), entry.evidence);
    if let Some(accepted) = &entry.accepted {
        out += &format!("  accepted: {accepted}\n");
    } else if !entry.advice.is_empty() {
        out += &format!("  do: {}\n", entry.advice);
    }
    out
}

/// `BLOCKED internet>ibs01:8443/tcp (no-answer, firewall team)`.
pub(super) fn title(entry: &Entry) -> String {
    let verdict = entry.verdict.name().to_uppercase();
    let team = entry.owner.map(report::team);
    let team = team.map_or_else(String::new, |team| format!(", {team}"));
    format!("{verdict} {} ({}{team})", entry.flow, entry.cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::sample_about;
    use crate::report::Accepted;
    use crate::report::sample::{flow, judged};

    #[test]
    fn what_the_site_file_accepts_stands_apart_however_much_there_is() {
        let accepted = (1..=60).map(|port| {
            let mut flow = flow(&format!("internet>ibs01:{port}/tcp"));
            flow.accepted = Some(Accepted {
                until: "2027-03-31".to_string(),
                why: "change 4711".to_string(),
                days_left: 90,
            });
            flow
        });
        let mended = (61..=120).map(|port| flow(&format!("internet>ibs01:{port}/tcp")));
        let all: Vec<_> = accepted.chain(mended).collect();
        let message = Message::of(sample_about(), &[], &all.iter().collect::<Vec<_>>());
        assert_eq!(message.cleared_count(), 120);
        let text = text(&message);
        let (_, rest) = text.split_once("Wrong no more").expect("a part");
        let (mended, accepted) = rest
            .split_once("Accepted by the site file")
            .expect("a part");
        let ports = |part: &str| -> Vec<u16> {
            let words = part.split_whitespace();
            let ports = words.filter_map(|word| word.strip_prefix("internet>ibs01:"));
            let ports = ports.filter_map(|port| port.strip_suffix("/tcp")?.parse().ok());
            ports.collect()
        };
        assert!(ports(mended).iter().all(|port| *port > 60), "{mended}");
        assert!(ports(accepted).iter().all(|port| *port <= 60), "{accepted}");
        for part in [mended, accepted] {
            let more = part
                .lines()
                .find(|line| line.ends_with(" more are not listed."));
            assert_eq!(more, Some("10 more are not listed."), "{part}");
        }
    }

    #[test]
    fn the_text_of_a_mail_is_a_page_that_reads_by_itself() {
        let words = ["required", "filtered", "blocked", "no-answer", "error"];
        let mut wrong = judged("internet>ibs01:8443/tcp", words);
        wrong.advice = "Let 8443/tcp through front-end to ibs01.".to_string();
        let message = Message::of(sample_about(), &[&wrong], &[&flow("internet>ibs01:80/tcp")]);
        assert_eq!(
            text(&message),
            "Site PRI seen from internet, run 812, 2026-11-29T08:57:19Z\n\n\
             internet>ibs01:8443/tcp blocked at front-end: firewall team has to act; \
             internet>ibs01:80/tcp cleared\n\n\
             Wrong now\n\
             BLOCKED internet>ibs01:8443/tcp (no-answer, firewall team)\n  \
             seen: silence after 1 tries (192.0.2.10:8443), 0.0000 % confidence\n  \
             do: Let 8443/tcp through front-end to ibs01.\n\n\
             Wrong no more\n\
             OK internet>ibs01:80/tcp (answered)\n  \
             seen: open (192.0.2.10:80)\n\n\
             Status page: https://checks.corp.example/\n"
        );
    }
}
