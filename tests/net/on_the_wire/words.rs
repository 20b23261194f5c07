//! What the prober met, in the words of the page, and where the two differ.

use std::net::IpAddr;
use std::time::Duration;

use nix::errno::Errno;

use super::page::{Answered, Family, Grows, NONE, Network, Row, Seen};
use super::prober::{Ask, Counted, End, Message, Own, Plain};
use super::setup::ROUTER;

/// The classes of time: from, below, name. What is between them is in none, and is shown as it is.
const CLASSES: [(u64, u64, &str); 3] = [
    (0, 800, "at once"),
    (950, 2_400, "1 s"),
    (2_900, 4_700, "3 s"),
];
const NEVER: &str = "never";

/// The line of the page, and the line that would be right; `None`: they are the same.
pub(crate) fn differs(row: &Row<Seen>, ask: &Ask, plain: &Plain, own: &Own) -> Option<String> {
    let seen = seen(row.family, ask, plain, own);
    (seen != row.expected).then(|| {
        let said = line(&row.expected);
        format!(
            "{}, {}, {:?}:\n  the page says {said}\n  and there is  {} ({plain:?} {own:?})",
            row.place,
            row.what,
            row.family,
            line(&seen)
        )
    })
}

fn line(seen: &Seen) -> String {
    let Seen {
        connect,
        queue,
        from,
        when,
        reads,
        heard,
    } = seen;
    let heard = match heard == when {
        true => String::new(),
        false => format!(", {heard}"),
    };
    format!("| {connect} | {queue} | {from} | {when} | {reads}{heard} |")
}

fn seen(family: Family, ask: &Ask, plain: &Plain, own: &Own) -> Seen {
    let message = plain.queue.as_ref();
    Seen {
        connect: match plain.end {
            End::Succeeds => "succeeds".into(),
            End::Fails(number) => format!("{:?}", Errno::from_raw(number)),
            End::Silence => "silence".into(),
        },
        queue: message.map_or(NONE.into(), |it| format!("{}/{}", it.icmp_type, it.code)),
        from: message.map_or(NONE.into(), |it| sender(family, ask, it)),
        when: match plain.end {
            End::Silence => NEVER.into(),
            End::Succeeds | End::Fails(_) => when(plain.took),
        },
        reads: own.reads.clone(),
        heard: match own.reads.as_str() {
            "silent" => NEVER.into(),
            _ => when(own.took),
        },
    }
}

/// Who sent a message, by the addresses of the bed.
fn sender(family: Family, ask: &Ask, message: &Message) -> String {
    let is_at = |by: IpAddr, last: u8| {
        let networks = [Network::Here, Network::Near];
        networks
            .iter()
            .any(|network| by == family.address(*network, last))
    };
    match message.by {
        None => NONE.into(),
        Some(by) if by == ask.to.ip() => "HOST".into(),
        Some(by) if is_at(by, ROUTER) => "router".into(),
        Some(by) if (ROUTER + 1..=u8::MAX).any(|last| is_at(by, last)) => "here".into(),
        Some(by) => by.to_string(),
    }
}

fn when(took: Duration) -> String {
    let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let class = CLASSES
        .iter()
        .find(|(from, below, _)| (*from..*below).contains(&took));
    class.map_or_else(|| format!("{took} ms"), |(_, _, name)| (*name).into())
}

/// The counts of the page, and what was counted; `None`: they fit.
///
/// A burst takes a while to send, and meanwhile the router earns what it spends on it. Who answers "all" or "none" is
/// held to it; a rate may be off by a quarter.
pub(crate) fn counts_otherwise(row: &Row<Answered>, counted: &Counted) -> Option<String> {
    let said = &row.expected;
    let rate = said.then.split_once(" a second");
    let rate: Option<f64> = rate.map(|(rate, _)| rate.parse().expect("a rate is a number"));
    let earned = rate.unwrap_or(0.0) * counted.span.as_secs_f64();
    let (least, met) = (said.at_once.parse().expect("a number"), counted.at_once);
    let most = least + earned.ceil() as usize;
    let measured = counted.then as f64 / counted.lasted.as_secs_f64();
    let follows = match (rate, said.then.as_str()) {
        (Some(rate), _) => (measured - rate).abs() <= rate / 4.0 && counted.then < counted.of,
        (None, "all") => counted.then == counted.of,
        (None, "none") => counted.then == 0,
        (None, other) => panic!("a rate is all, none or a number a second, not {other:?}"),
    };
    let later = counted.later.to_string();
    let fits = (least..=most).contains(&met) && follows && said.later == later;
    (!fits).then(|| {
        format!(
            "{}, {}, {:?}:\n  the page says {said:?}\n  and there is  {met} at once, then \
             {measured:.2} a second, {later} ({counted:?})",
            row.place, row.what, row.family
        )
    })
}

/// What a counter does where the page says otherwise.
pub(crate) fn grows_otherwise(row: &Row<Grows>, grew: bool) -> Option<String> {
    (row.expected != Grows(grew)).then(|| {
        format!(
            "{}, {}, {:?}:\n  the page says {:?}\n  and there is  {grew}",
            row.place, row.what, row.family, row.expected
        )
    })
}
