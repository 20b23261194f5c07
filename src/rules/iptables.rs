//! iptables: one file that both `iptables-restore` and `ip6tables-restore` take; each leaves out the other's rules.

use super::dialect::{Kind, Sheet};
use super::heading::{label, reasons, short_reason};
use super::object::Objects;
use super::{Family, Permit, Range};

pub(super) const ASSUMPTIONS: &[&str] = &[
    "Load it with both: iptables-restore --noflush FILE, ip6tables-restore --noflush FILE. Each \
     takes its own rules.",
    "It owns the chain FORWARD of the table filter and replaces it each time; INPUT and OUTPUT are \
     left as they are.",
    "Nothing else passes: FORWARD drops what no rule accepts.",
    "Sources are matched by address: keep reverse path filtering on, so that no zone can borrow \
     another's addresses.",
    "Destinations are matched behind translation, where FORWARD sees them. Translation itself is \
     not written here.",
];

pub(super) const ADDING: &[&str] = &[
    "Load it with both: iptables-restore --noflush FILE, ip6tables-restore --noflush FILE. Each \
     takes its own rules.",
    "It adds rules at the head of the chain FORWARD and removes nothing. Loading it twice adds \
     them twice.",
    "Destinations are matched behind translation, where FORWARD sees them. Translation itself is \
     not written here.",
];

/// The longest comment of a rule, in bytes.
const LONGEST_COMMENT: usize = 255;
/// The longest name of a chain.
const LONGEST_CHAIN: usize = 28;

pub(super) fn text(sheet: &Sheet<'_>, head: &str) -> String {
    match sheet.kind {
        Kind::Whole => whole(sheet, head),
        Kind::Added => added(sheet, head),
    }
}

fn whole(sheet: &Sheet<'_>, head: &str) -> String {
    let mut chains = sheet.objects(LONGEST_CHAIN);
    let rules: String = sheet
        .rules
        .permits
        .iter()
        .map(|permit| {
            let start = start(&mut chains, permit);
            lines(sheet, permit, &[format!("-A {start}")])
        })
        .collect();
    let declared: String = chains
        .all
        .iter()
        .map(|(name, _)| format!(":{name} - [0:0]\n"))
        .collect();
    let jumps: String = chains
        .all
        .iter()
        .flat_map(|(name, ranges)| ranges.iter().map(move |range| jump(name, range)))
        .collect();
    format!(
        "{head}*filter\n:FORWARD DROP [0:0]\n{declared}-F FORWARD\n\
         # Answers, and the ICMP errors that belong to a connection.\n\
         -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
         -A FORWARD -m conntrack --ctstate INVALID -j DROP\n\
         {jumps}{rules}COMMIT\n"
    )
}

/// Each range has a rule of its own: to name a chain here would empty one of that name.
fn added(sheet: &Sheet<'_>, head: &str) -> String {
    let rules = sheet.rules.permits.iter().map(|permit| {
        let ranges = permit.source.ranges.iter();
        let starts: Vec<String> = ranges
            .map(|range| format!("-I FORWARD {} {}", family(&[*range]), source(range)))
            .collect();
        lines(sheet, permit, &starts)
    });
    format!("{head}*filter\n{}COMMIT\n", rules.collect::<String>())
}

/// The start of a rule that only its own family's tool takes.
fn family(ranges: &[Range]) -> &'static str {
    match ranges.first().map(Range::family) {
        Some(Family::V6) => "-6",
        Some(Family::V4) | None => "-4",
    }
}

/// A source of several ranges has a chain of its own, which each range leads to.
fn jump(chain: &str, range: &Range) -> String {
    let source = source(range);
    format!("-A FORWARD {} {source} -j {chain}\n", family(&[*range]))
}

fn source(range: &Range) -> String {
    match range.network() {
        Some(network) => format!("-s {network}"),
        None => format!("-m iprange --src-range {}-{}", range.first(), range.last()),
    }
}

/// Where the rule of a permit stands in a whole set, and its source.
fn start(chains: &mut Objects, permit: &Permit) -> String {
    let ranges = &permit.source.ranges;
    match ranges.as_slice() {
        [one] => format!("FORWARD {} {}", family(ranges), source(one)),
        several => {
            let label = label(&permit.source.name, permit.family());
            let chain = chains.name(&format!("pp-{label}"), several);
            format!("{chain} {}", family(ranges))
        }
    }
}

/// The rules of a permit, one for each start and each destination.
fn lines(sheet: &Sheet<'_>, permit: &Permit, starts: &[String]) -> String {
    let comment = sheet.dialect.plain(&short_reason(permit), LONGEST_COMMENT);
    let number = |ports: crate::yaml::Ports| ports.to_string().replace('-', ":");
    let mut port = String::new();
    if permit.has_ports() {
        port += &format!(" --dport {}", number(permit.port_behind));
    }
    // What was asked at the own port has not been translated, and is not in the plan.
    if permit.port_before != permit.port_behind {
        let asked = number(permit.port_before);
        port += &format!(" -m conntrack --ctorigdstport {asked}");
    }
    let mut text = sheet.comments(&reasons(permit));
    for start in starts {
        for address in &permit.destination.behind {
            text += &format!(
                "{start} -d {address} -p {}{port} -m comment --comment \"{comment}\" -j ACCEPT\n",
                permit.transport
            );
        }
    }
    text
}
