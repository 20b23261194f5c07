//! Names of hosts, as DNS and Windows have them.

use serde_json::json;

use super::kinds::{Kind, plain};
use crate::diagnostic::Problem;
use crate::yaml::{self, At};

/// RFC 952 and RFC 1123 names, with the underscore that Windows domains carry.
pub(crate) fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253
        && name.parse::<std::net::IpAddr>().is_err()
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        })
}

/// The name of a host.
pub(super) fn host_name() -> Kind<At<String>> {
    plain(
        |node, what, problems| {
            let name = yaml::text(node, what, problems)?;
            if is_host_name(&name.value) {
                return Some(name);
            }
            problems.push(
                Problem::error(
                    "bad-host-name",
                    node.at,
                    format!("`{}` is no host name", name.value),
                )
                .hint(
                    "letters, digits, hyphens and dots, as in ibs01.example.com; addresses \
                     go under `addresses`",
                ),
            );
            None
        },
        || json!({ "type": ["string", "integer"] }),
    )
}
