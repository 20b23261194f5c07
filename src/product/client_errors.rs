//! What a client of the site writes into its logs when the network fails it: old words for what a probe sees.

use serde::Deserialize;

use super::{Catalogue, Confidence, Role};
use crate::words::words;

/// One code or flag that a client logs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientError {
    /// Kebab-case, unique.
    pub id: String,
    /// What it is logged after.
    pub after: Vec<Outcome>,
    /// The roles at whose flows it is logged; empty: at any.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The code or flag as it stands in the log.
    pub shows: String,
    /// What it means, as the rest of a sentence.
    pub says: String,
    /// The logs it stands in.
    #[serde(default)]
    pub logs: Vec<Log>,
    /// How sure the code is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    #[serde(default)]
    pub source: String,
}

/// A log of the client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The file's name.
    pub file: String,
    /// How sure it is that the code stands there.
    pub confidence: Confidence,
}

words! {
    /// What a probe can see go wrong, as far as clients name it.
    Outcome {
        /// Packets are dropped.
        Silence = "silence",
        /// The connection is refused.
        Reset = "reset",
        /// The name has no address.
        NoSuchName = "no-such-name",
        /// The connection opened and was then broken off.
        Aborted = "aborted",
        /// The server wants a client certificate.
        ClientCertificateWanted = "client-certificate-wanted",
        /// The certificate is for another name.
        CertificateName = "certificate-name",
        /// The certificate has ended, or has not begun.
        CertificateDate = "certificate-date",
        /// The certificate's issuer is not trusted.
        CertificateUntrusted = "certificate-untrusted",
        /// The revocation list cannot be reached.
        RevocationUnreachable = "revocation-unreachable",
        /// TLS fails in another way.
        TlsFailed = "tls-failed",
        /// HTTP status 401.
        HttpUnauthorized = "http-unauthorized",
        /// HTTP status 403.
        HttpForbidden = "http-forbidden",
        /// Any HTTP status that is an error.
        HttpError = "http-error",
    }
}

impl ClientError {
    /// What the client logs, no surer than it is known; a source is named only where there is one.
    pub fn words(&self) -> String {
        let who = match self.confidence {
            Confidence::Documented => "The client logs",
            Confidence::LaterVersion => "Clients of later versions log",
            Confidence::Derived => "It follows that the client logs",
            Confidence::Unconfirmed => "The client probably logs",
        };
        let mut text = format!("{who} {}, {}", self.shows, self.says);
        let files = |sure: bool| {
            let files = self.logs.iter();
            let files = files.filter(|log| (log.confidence != Confidence::Unconfirmed) == sure);
            let names: Vec<&str> = files.map(|log| log.file.as_str()).collect();
            names.join(" or ")
        };
        for (files, where_) in [(files(true), "in"), (files(false), "probably in")] {
            if !files.is_empty() {
                text += &format!(", {where_} {files}");
            }
        }
        if self.confidence != Confidence::Unconfirmed && !self.source.is_empty() {
            text += &format!(" ({})", self.source);
        }
        text + "."
    }
}

impl Catalogue {
    /// What a client logs after this.
    pub fn logged_after(&self, outcome: Outcome) -> impl Iterator<Item = &ClientError> {
        self.client_errors
            .iter()
            .filter(move |error| error.after.contains(&outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::CONFIGMGR_2007;

    fn catalogue() -> Catalogue {
        Catalogue::parse(CONFIGMGR_2007).expect("no findings")
    }

    #[test]
    fn every_outcome_has_words_of_the_client() {
        let catalogue = catalogue();
        for outcome in Outcome::ALL {
            assert!(
                catalogue.logged_after(*outcome).next().is_some(),
                "{outcome}"
            );
        }
    }

    #[test]
    fn what_is_unconfirmed_is_probable_and_never_cited() {
        for error in catalogue().client_errors {
            let words = error.words();
            let unconfirmed = error.confidence == Confidence::Unconfirmed;
            assert_eq!(
                words.starts_with("The client probably logs"),
                unconfirmed,
                "{words}"
            );
            assert_eq!(error.source.is_empty(), unconfirmed, "{}", error.id);
            assert_eq!(
                words.ends_with(&format!("({}).", error.source)),
                !unconfirmed,
                "{words}"
            );
        }
    }

    #[test]
    fn a_flag_of_winhttp_stands_in_its_log() {
        let catalogue = catalogue();
        let words: Vec<_> = catalogue
            .logged_after(Outcome::RevocationUnreachable)
            .map(ClientError::words)
            .collect();
        assert!(
            words[0].starts_with(
                "The client logs WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, the revocation list \
                 cannot be reached, in ccmexec.log ("
            ),
            "{words:?}"
        );
    }
}
