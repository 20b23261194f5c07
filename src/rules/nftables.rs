//! nftables: a table of its own that drops what no rule accepts, replaced as a whole each time it is loaded. What is
//! missing goes into that table and leaves the rest as it is.

use std::net::IpAddr;

use super::dialect::{Kind, Sheet};
use super::heading::{joined, label, reasons, short_reason};
use super::object::{Objects, fitting};
use super::{Family, Permit, Range};

pub(super) const ASSUMPTIONS: &[&str] = &[
    "Load it with: nft -f FILE. It replaces its own table and touches no other; loading it twice \
     is loading it once.",
    "Nothing else passes: the chain drops what no rule accepts. What other tables drop stays \
     dropped.",
    "Sources are matched by address: keep reverse path filtering on, so that no zone can borrow \
     another's addresses.",
    "Destinations are matched behind translation, where the forward hook sees them; a translated \
     port also by what was asked. Translation itself is not written here.",
];

pub(super) const ADDING: &[&str] = &[
    "Load it with: nft -f FILE. It adds rules at the head of a chain that is there, and removes \
     nothing. Loading it twice adds them twice.",
    "The chain is that of the whole file (portproof plan --format nftables). Where you have \
     another, put its table and chain into each rule.",
    "Where that table or chain is not there, nft says so and loads nothing.",
    "Destinations are matched behind translation, where the forward hook sees them; a translated \
     port also by what was asked. Translation itself is not written here.",
];

/// The longest comment of a rule, in bytes.
const LONGEST_COMMENT: usize = 128;
/// The longest name of a table that the kernel takes, less than its 255.
const LONGEST_NAME: usize = 200;

pub(super) fn text(sheet: &Sheet<'_>, head: &str) -> String {
    let mut sets = sheet.objects(LONGEST_NAME);
    let rules: Vec<(String, String)> = sheet
        .rules
        .permits
        .iter()
        .map(|permit| {
            (
                sheet.comments(&reasons(permit)),
                rule(sheet, &mut sets, permit),
            )
        })
        .collect();
    let defines: String = sets
        .all
        .iter()
        .map(|(name, ranges)| format!("define {name} = {{ {} }}\n", joined(ranges, ", ")))
        .collect();
    let table = fitting(&format!("portproof_{}", sheet.device), LONGEST_NAME);
    let body = match sheet.kind {
        Kind::Whole => whole(&table, &rules),
        Kind::Added => added(&table, &rules),
    };
    format!("#!/usr/sbin/nft -f\n{head}\n{defines}\n{body}")
}

fn whole(table: &str, rules: &[(String, String)]) -> String {
    let indented = |comments: &str| -> String {
        let lines = comments.lines();
        lines.map(|line| format!("\t\t{line}\n")).collect()
    };
    let rules: String = rules
        .iter()
        .map(|(comments, rule)| format!("\n{}\t\t{rule}\n", indented(comments)))
        .collect();
    format!(
        "# It need not be there before: made, removed and made anew in one step.\n\
         table inet {table}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         \tchain forward {{\n\
         \t\ttype filter hook forward priority filter; policy drop;\n\n\
         \t\t# Answers, and the ICMP errors that belong to a connection.\n\
         \t\tct state established,related accept\n\
         \t\tct state invalid drop\n\
         {rules}\
         \t}}\n}}\n"
    )
}

/// At the head, so that no rule of a chain that is there refuses first.
fn added(table: &str, rules: &[(String, String)]) -> String {
    let rules = rules.iter();
    rules
        .map(|(comments, rule)| format!("{comments}insert rule inet {table} forward {rule}\n\n"))
        .collect()
}

fn rule(sheet: &Sheet<'_>, sets: &mut Objects, permit: &Permit) -> String {
    let ip = match permit.family() {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    };
    let service = match permit.has_ports() {
        // What was asked at the own port has not been translated, and is not in the plan.
        true if permit.port_before != permit.port_behind => format!(
            "{} dport {} ct original proto-dst {}",
            permit.transport, permit.port_behind, permit.port_before
        ),
        true => format!("{} dport {}", permit.transport, permit.port_behind),
        false => format!("meta l4proto {}", permit.transport),
    };
    format!(
        "{ip} saddr {} {ip} daddr {} {service} accept comment \"{}\"",
        source(sets, permit),
        destination(&permit.destination.behind),
        sheet.dialect.plain(&short_reason(permit), LONGEST_COMMENT)
    )
}

fn source(sets: &mut Objects, permit: &Permit) -> String {
    match permit.source.ranges.as_slice() {
        [one] => one.to_string(),
        ranges => {
            let label = label(&permit.source.name, permit.family()).replace('-', "_");
            format!("${}", sets.name(&format!("from_{label}"), ranges))
        }
    }
}

fn destination(addresses: &[IpAddr]) -> String {
    match addresses {
        [one] => Range::one(*one).to_string(),
        several => format!("{{ {} }}", joined(several, ", ")),
    }
}
