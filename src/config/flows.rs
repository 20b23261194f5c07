//! The user's own flows, and the deviations that somebody has accepted.

use std::fmt;

use jiff::civil::Date;
use serde_json::json;

use super::keys::keys;
use super::kinds::*;
use crate::diagnostic::Problem;
use crate::product::{Need, Protocol, Transport};
use crate::yaml::{self, At};

/// A flow of the user's own, and where it stands.
pub type UserFlow = At<FlowItem>;

keys! {
    /// A flow of the user's own.
    item FlowItem {
        /// The zone or system that it starts at.
        from: At<String> = name(), required("from: intranet");
        /// The system that it leads to.
        to: At<String> = name(), required("to: ibs01");
        /// The port.
        port: At<u16> = port(), required("port: 3389");
        /// `tcp` or `udp`.
        transport: Transport = word(&[Transport::Tcp, Transport::Udp], Transport::name), default("tcp");
        /// What is spoken: `tcp`, `tls`, `http`, `https`, `rpc`, `smb`, `tds`, `ldap`, `dns` or `nats`. With `tcp` an open port is all
        /// that is asked.
        protocol: Option<Protocol> = word(Protocol::USER, Protocol::name), optional("`tcp`");
        /// `required`, `optional` or `forbidden`.
        need: Need = word(Need::ALL, Need::name), required("need: required");
        /// Your reason.
        why: Option<At<String>> = text(), optional("none");
    }
}

/// The flow, without the reason for it.
impl fmt::Display for FlowItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            need,
            port,
            transport,
            ..
        } = self;
        let (from, to) = (&self.from.value, &self.to.value);
        write!(formatter, "{need} {from}>{to}:{}/{transport}", port.value)?;
        match self.protocol {
            Some(protocol) => write!(formatter, " ({protocol})"),
            None => Ok(()),
        }
    }
}

keys! {
    /// An accepted deviation.
    item Exception {
        /// The id of the flow, as `portproof plan` and reports write it; in quotes, because of the `>`. What a sweep finds has
        /// ids too: `internet>ibs01:2222/tcp`, and `internet>ibs01:sweep/tcp` for the ports that are let through to nobody.
        flow: At<String> = caseless(), required("flow: \"internet>ibs01:80/tcp\"");
        /// The last day on which it holds. It ends with that day, UTC.
        until: At<Date> = date(), required("until: 2027-03-31");
        /// Why it is accepted, or who accepted it; shown in plan and report.
        why: At<String> = reason(), required("why: \"change 4711\"");
    }
}

/// A day. Other spellings that a date library reads, such as one with a time of day, would promise what is not kept.
fn date() -> Kind<At<Date>> {
    plain(
        |node, what, problems| {
            let text = yaml::text(node, what, problems)?;
            let parsed = text.value.parse::<Date>().ok();
            let found = parsed.filter(|date| date.to_string() == text.value);
            if found.is_none() {
                problems.push(
                    Problem::error("bad-date", text.at, format!("`{}` is no date", text.value))
                        .hint(
                            "write year-month-day, as in 2027-03-31: the last day on which the \
                             exception holds",
                        ),
                );
            }
            found.map(|value| At { value, at: text.at })
        },
        || json!({ "type": "string", "format": "date" }),
    )
}

/// Text that is more than blanks.
fn reason() -> Kind<At<String>> {
    plain(
        |node, what, problems| {
            let text = yaml::text(node, what, problems)?;
            if text.value.trim().is_empty() {
                problems.push(
                    Problem::error("missing-key", text.at, format!("{what} says nothing"))
                        .hint("for example: why: \"change 4711\""),
                );
            }
            Some(text)
        },
        || json!({ "type": ["string", "integer"], "pattern": "\\S" }),
    )
}
