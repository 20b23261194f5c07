//! A chain with what is trusted and when it is looked at, judged here, by rustls' verifier and by OpenSSL.

use super::*;
use crate::wire::trust::Fetched;

/// The name that is asked for, where a case says nothing else.
pub(super) const NAME: &str = "ibs01.example.com";

/// A chain as a server sends it, and what a client knows.
pub(super) struct Case {
    /// The chain, leaf first.
    pub(super) sent: Vec<CertificateDer<'static>>,
    /// What is trusted.
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// What was fetched.
    pub(super) fetched: Vec<Fetched>,
    /// The name or address that is asked for.
    pub(super) name: String,
    /// When it is looked at.
    pub(super) now: Timestamp,
}

impl Case {
    pub(super) fn new(sent: Vec<CertificateDer<'static>>, root: CertificateDer<'static>) -> Self {
        Self {
            sent,
            roots: vec![root],
            fetched: Vec::new(),
            name: NAME.to_string(),
            now: "2026-06-01T00:00:00Z".parse().expect("a time"),
        }
    }

    /// By openssl, which makes certificates of today.
    pub(super) fn of_today(
        sent: Vec<CertificateDer<'static>>,
        root: CertificateDer<'static>,
    ) -> Self {
        let begin = read(&sent[0]).and_then(|facts| facts.not_before);
        let now = begin.expect("a begin");
        Self {
            now,
            ..Self::new(sent, root)
        }
    }

    /// What is found here.
    pub(super) fn checked(&self) -> Checked {
        let trust = Trust::of(&self.roots, &[]);
        trust.know(self.fetched.clone());
        check(&self.sent, &self.name, &trust, self.now)
    }

    /// What it is worth here, and what rustls' verifier says.
    pub(super) fn here(&self) -> (&'static str, &'static str) {
        let checked = self.checked();
        let here = match checked.faults.first().map(Fault::weight) {
            None | Some(Weight::Note) => "ok",
            Some(Weight::Weak) => "warning",
            Some(Weight::Undecided) => "open",
            Some(Weight::Refused) => "refused",
        };
        (here, word(checked.verifier.is_none()))
    }

    /// What `openssl verify` says. Like this program it trusts an intermediate that is named as a root.
    pub(super) fn openssl(&self) -> &'static str {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, certificates: &[CertificateDer<'static>]| {
            let pem: Vec<String> = certificates.iter().map(|der| pem(der)).collect();
            std::fs::write(folder.path().join(name), pem.concat()).expect("written");
        };
        write("root.pem", &self.roots);
        write("leaf.pem", &self.sent[..1]);
        write("rest.pem", &self.sent[1..]);
        let seconds = self.now.as_second().to_string();
        let mut words = vec!["verify", "-no-CApath", "-no-CAstore", "-CAfile", "root.pem"];
        if self.sent.len() > 1 {
            words.extend(["-untrusted", "rest.pem"]);
        }
        let is_intermediate =
            |der: &CertificateDer<'_>| read(der).is_some_and(|it| !it.self_issued);
        if self.roots.iter().any(is_intermediate) {
            words.push("-partial_chain");
        }
        let named = match self.name.parse::<std::net::IpAddr>() {
            Ok(_) => "-verify_ip",
            Err(_) => "-verify_hostname",
        };
        words.extend(["-purpose", "sslserver", named, &self.name]);
        words.extend(["-attime", &seconds, "leaf.pem"]);
        let output = std::process::Command::new("openssl")
            .args(words)
            .current_dir(folder.path())
            .output()
            .expect("openssl is needed: scripts/test installs it (apt-get install openssl)");
        word(output.status.success())
    }
}

fn word(takes: bool) -> &'static str {
    match takes {
        true => "takes",
        false => "refuses",
    }
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
