//! The `tls` section: what is trusted, and what this host shows.

use std::time::Duration;

use super::keys::{Entries, keys};
use super::kinds::*;
use crate::diagnostic::Problem;
use crate::yaml::At;

keys! {
    /// The `tls` section.
    section Tls checked by password_has_certificate {
        /// PEM files with further roots, from the folder of the site file.
        roots: Vec<At<String>> = list(text()), optional("the system's roots");
        /// What this host shows when a server asks for a client certificate. It is a PFX file, or a PEM file with the
        /// certificate, its issuers and its key, from the folder of the site file.
        client_certificate: Option<At<String>> = text(), optional("none");
        /// A file with its password in the first line, from the folder of the site file. Without it the environment
        /// variable `PORTPROOF_CLIENT_PASSWORD` is taken, else the credential `portproof.client-password` of the
        /// service manager ([every-day.md](every-day.md)). A password never stands in this file, a report or a log.
        client_password_file: Option<At<String>> = text(), optional("none");
        /// How long before its end a certificate brings a warning.
        expires_soon: Duration = span("1ms", "3650d"), default("30d");
    }
}

fn password_has_certificate(entries: &Entries<'_>, problems: &mut Vec<Problem>) {
    if let Some(node) = entries.fields.get("client_password_file")
        && entries.fields.get("client_certificate").is_none()
    {
        problems.push(
            Problem::error(
                "missing-key",
                node.at,
                "`tls.client_password_file` is given without `client_certificate`",
            )
            .hint(
                "name the certificate that it is the password of, as in client_certificate: \
                 client.pfx",
            ),
        );
    }
}
