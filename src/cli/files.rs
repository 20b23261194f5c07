//! Reading the user's files, and showing what is wrong in them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::Offset;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest, Sha256};

use super::signing::Verifier;
use crate::catalogue::{self, Catalogue};
use crate::config::{self, Config};
use crate::conversation::tls::client_certificate::{self, ClientCertificate, PasswordFrom};
use crate::diagnostic::{Problem, has_errors, render};
use crate::plan::{self, Plan};
use crate::report::{self, Joinable, ReportDocument};
use crate::site::Site;

/// A site with the file it came from.
pub(super) struct Loaded {
    pub(super) file: String,
    pub(super) site: Site,
    pub(super) config: Config,
    pub(super) catalogue: Catalogue,
    pub(super) sha256: String,
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// The bytes of the file, for findings that come later.
    bytes: Vec<u8>,
    /// The folder that its paths are taken from.
    folder: PathBuf,
}

impl Loaded {
    /// Shows what is odd about the exceptions, which only the plan and the day tell.
    pub(super) fn review(&self, plan: &Plan) {
        let today = Offset::UTC.to_datetime(Timestamp::now()).date();
        let problems = plan::review(&self.site, plan, today);
        show(&self.file, &self.bytes, &problems);
    }
}

/// The environment variable with the password of the client certificate.
const PASSWORD: &str = "PORTPROOF_CLIENT_PASSWORD";

/// The largest file that is read.
const LARGEST: u64 = 16 << 20;

/// The largest report: one of some tens of thousands of flows, each with its evidence.
pub(super) const LARGEST_REPORT: u64 = 128 << 20;

/// The largest key or signature.
pub(super) const LARGEST_KEY: u64 = 64 << 10;

pub(super) fn load(file: &Path, catalogue: Option<&Path>) -> anyhow::Result<Option<Loaded>> {
    let bytes = read(file, LARGEST).with_context(|| {
        format!(
            "reading the site file {} (name another: portproof check FILE)",
            file.display()
        )
    })?;
    load_bytes(
        &file.display().to_string(),
        &bytes,
        file.parent(),
        catalogue,
    )
}

/// Reads a site; `None` when findings, already shown, refuse it.
pub(super) fn load_bytes(
    file: &str,
    bytes: &[u8],
    folder: Option<&Path>,
    catalogue: Option<&Path>,
) -> anyhow::Result<Option<Loaded>> {
    let Some(catalogue) = load_catalogue(catalogue)? else {
        return Ok(None);
    };
    let (config, mut problems) = config::read(bytes);
    let site = config
        .as_ref()
        .and_then(|config| Site::new(config, &catalogue, &mut problems));
    let roots = config
        .as_ref()
        .map(|config| roots(config, folder, &mut problems))
        .unwrap_or_default();
    show(file, bytes, &problems);
    let refused = has_errors(&problems);
    let sha256 = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(match (site, config) {
        (Some(site), Some(config)) if !refused => Some(Loaded {
            file: file.to_string(),
            site,
            config,
            catalogue,
            sha256,
            roots,
            bytes: bytes.to_vec(),
            folder: folder.unwrap_or(Path::new("")).to_path_buf(),
        }),
        _ => None,
    })
}

pub(super) fn load_catalogue(path: Option<&Path>) -> anyhow::Result<Option<Catalogue>> {
    let Some(path) = path else {
        return Catalogue::parse(catalogue::CONFIGMGR_2007)
            .map(Some)
            .map_err(|problems| {
                anyhow::anyhow!("the embedded catalogue has {} findings", problems.len())
            });
    };
    let bytes =
        read(path, LARGEST).with_context(|| format!("reading the catalogue {}", path.display()))?;
    match Catalogue::parse(&bytes) {
        Ok(catalogue) => Ok(Some(catalogue)),
        Err(problems) => {
            show(&path.display().to_string(), &bytes, &problems);
            Ok(None)
        }
    }
}

/// Reads a report that `check` or `report` wrote.
pub(super) fn report(path: &Path) -> anyhow::Result<ReportDocument> {
    let bytes = read(path, LARGEST_REPORT)
        .with_context(|| format!("reading the report {}", path.display()))?;
    report::read(&bytes).map_err(|why| anyhow::anyhow!("{} {why}", path.display()))
}

/// Reads a report or a log of arrivals, signed by whom the verifier believes.
pub(super) fn joinable(path: &Path, verifier: &Verifier) -> anyhow::Result<Joinable> {
    let bytes = read(path, LARGEST_REPORT)
        .with_context(|| format!("reading the report {}", path.display()))?;
    verifier.verify(path, &bytes)?;
    report::read_joinable(&bytes).map_err(|why| anyhow::anyhow!("{} {why}", path.display()))
}

/// Reads a file of at most so many bytes, whatever its size is said to be.
pub(super) fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(most + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() as u64 <= most,
        "the file has more than the {most} bytes that are allowed"
    );
    Ok(bytes)
}

fn show(file: &str, bytes: &[u8], problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let source = String::from_utf8_lossy(bytes);
    eprint!(
        "{}",
        render(file, source.trim_start_matches('\u{feff}'), problems)
    );
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == crate::diagnostic::Severity::Error)
        .count();
    if errors > 0 {
        eprintln!(
            "\n{errors} error{} in {file}; no packet was sent. Each code is explained in docs/findings.md.",
            if errors == 1 { "" } else { "s" }
        );
    }
}

fn roots(
    config: &Config,
    folder: Option<&Path>,
    problems: &mut Vec<Problem>,
) -> Vec<CertificateDer<'static>> {
    let mut all = Vec::new();
    for root in &config.roots {
        let path = folder.unwrap_or(Path::new("")).join(&root.value);
        let found: Result<Vec<_>, _> =
            CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
        match found {
            Ok(found) if !found.is_empty() => all.extend(found),
            Ok(_) => problems.push(
                Problem::error(
                    "bad-root",
                    root.at,
                    format!("`{}` holds no certificate", root.value),
                )
                .hint("a PEM file with the certificate of the authority"),
            ),
            Err(error) => problems.push(
                Problem::error(
                    "bad-root",
                    root.at,
                    format!("`{}` cannot be read: {error}", root.value),
                )
                .hint("the path is taken from the folder of the site file"),
            ),
        }
    }
    all
}

/// Reads the client certificate that the site file names.
///
/// Only `check` does: whoever looks at a plan needs no password. The outer `None`: a finding, already shown, refuses it.
pub(super) fn client_certificate(loaded: &Loaded) -> Option<Option<ClientCertificate>> {
    let Some(named) = &loaded.config.client_certificate else {
        return Some(None);
    };
    let password = match &loaded.config.client_password_file {
        Some(file) => PasswordFrom::File(loaded.folder.join(&file.value)),
        None if std::env::var_os(PASSWORD).is_some() => {
            PasswordFrom::Environment(PASSWORD.to_string())
        }
        None => PasswordFrom::Nowhere,
    };
    let provider = rustls::crypto::ring::default_provider();
    let file = loaded.folder.join(&named.value);
    match client_certificate::load(&file, &password, &provider) {
        Ok(own) => Some(Some(own)),
        Err(unusable) => {
            let is_password = unusable.file != file;
            let at = match &loaded.config.client_password_file {
                Some(of_password) if is_password => of_password.at,
                _ => named.at,
            };
            let says = format!("`{}` {}", unusable.file.display(), unusable.fault.says());
            let problem =
                Problem::error("bad-client-certificate", at, says).hint(unusable.fault.hint());
            show(&loaded.file, &loaded.bytes, &[problem]);
            None
        }
    }
}
