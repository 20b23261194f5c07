//! Reading the user's files, and showing what is wrong in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::Offset;

use super::credentials::{self, Credentials, Use};
use super::named::{Kind, read};
use super::signing::Verifier;
use super::streams::say;
use crate::config;
use crate::diagnostic::{Problem, Severity, counted, has_errors, render};
use crate::plan::{self, Plan};
use crate::product::{self, Catalogue};
use crate::report::{self, Joinable, ReportDocument};
use crate::site::Site;

/// The site file where the command line names none.
pub(super) const DEFAULT: &str = "probes.yaml";

/// A site with the file it came from.
pub(super) struct Loaded {
    pub(super) file: String,
    pub(super) site: Site,
    /// How long before its end a certificate is called out.
    pub(super) expires_soon: Duration,
    /// The file of the proxy's password, as the site file names it.
    pub(super) via_password_file: Option<String>,
    pub(super) catalogue: Catalogue,
    pub(super) sha256: String,
    pub(super) credentials: Credentials,
    /// The folder that its paths are taken from.
    pub(super) folder: PathBuf,
    /// The bytes of the file, for findings that come later.
    bytes: Vec<u8>,
}

impl Loaded {
    /// The bytes of the file.
    #[cfg(feature = "nats")]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Shows what is odd about the exceptions, which only the plan and the day tell.
    pub(super) fn review(&self, plan: &Plan) {
        let today = Offset::UTC.to_datetime(Timestamp::now()).date();
        let problems = plan::review(&self.site, plan, today);
        show(&self.file, &self.bytes, &problems);
    }
}

/// Reads a site file; `None` when findings, already shown, refuse it.
pub(super) fn load(
    file: &Path,
    catalogue: Option<&Path>,
    credentials: Use,
) -> anyhow::Result<Option<Loaded>> {
    let content = read(file, Kind::SiteFile).with_context(|| {
        let why = match file == Path::new(DEFAULT) {
            true => ", because no other was named",
            false => "",
        };
        let make = match file.exists() {
            true => "",
            false => " (portproof init makes one of your answers, portproof example writes one to change)",
        };
        format!("reading the site file {}{why}{make}", file.display())
    })?;
    load_bytes(
        &file.display().to_string(),
        &content.bytes,
        file.parent(),
        catalogue,
        credentials,
    )
}

/// Reads a site; `None` when findings, already shown, refuse it.
pub(super) fn load_bytes(
    file: &str,
    bytes: &[u8],
    folder: Option<&Path>,
    catalogue: Option<&Path>,
    credentials: Use,
) -> anyhow::Result<Option<Loaded>> {
    let (loaded, problems) = examine(file, bytes, folder, catalogue, credentials)?;
    show(file, bytes, &problems);
    Ok(loaded)
}

/// Reads a site, and what is to be said of it; `None` when that refuses it.
pub(super) fn examine(
    file: &str,
    bytes: &[u8],
    folder: Option<&Path>,
    catalogue: Option<&Path>,
    credentials: Use,
) -> anyhow::Result<(Option<Loaded>, Vec<Problem>)> {
    let (config, mut problems) = config::read(bytes);
    let product = config.as_ref().and_then(|it| it.site.product.as_deref());
    let Some(catalogue) = load_catalogue(catalogue, product.map(String::as_str))? else {
        return Ok((None, problems));
    };
    let site = config
        .as_ref()
        .and_then(|config| Site::new(config, &catalogue, &mut problems));
    let folder = folder.unwrap_or(Path::new(""));
    let credentials = config
        .as_ref()
        .map(|config| credentials::read(config, folder, credentials, &mut problems))
        .unwrap_or_default();
    let refused = has_errors(&problems);
    let sha256 = config::sha256(bytes);
    let loaded = match (site, config) {
        (Some(site), Some(config)) if !refused => Some(Loaded {
            file: file.to_string(),
            site,
            expires_soon: config.tls.expires_soon,
            via_password_file: config.via_password_file.map(|it| it.value),
            catalogue,
            sha256,
            credentials,
            bytes: bytes.to_vec(),
            folder: folder.to_path_buf(),
        }),
        _ => None,
    };
    Ok((loaded, problems))
}

/// The catalogue that the command line names, else the embedded one of the product. Of a product without one the site
/// file is read with that of another, so that its other faults are found too.
pub(super) fn load_catalogue(
    path: Option<&Path>,
    product: Option<&str>,
) -> anyhow::Result<Option<Catalogue>> {
    let Some(path) = path else {
        let embedded = product.and_then(product::find);
        return Catalogue::parse(embedded.unwrap_or(product::CONFIGMGR_2007))
            .map(Some)
            .map_err(|problems| {
                anyhow::anyhow!("the embedded catalogue has {} findings", problems.len())
            });
    };
    let bytes = read(path, Kind::Catalogue)
        .with_context(|| format!("reading the catalogue {}", path.display()))?
        .bytes;
    match Catalogue::parse(&bytes) {
        Ok(catalogue) => Ok(Some(catalogue)),
        Err(problems) => {
            show(&path.display().to_string(), &bytes, &problems);
            Ok(None)
        }
    }
}

/// Reads a report that `check` or `report` wrote, signed by whom the verifier believes.
pub(super) fn report(path: &Path, verifier: &Verifier) -> anyhow::Result<ReportDocument> {
    let bytes = verified(path, verifier)?;
    report::read(&bytes).map_err(|why| anyhow::anyhow!("{} {why}", path.display()))
}

/// Reads a report or a log of arrivals, signed by whom the verifier believes.
pub(super) fn joinable(path: &Path, verifier: &Verifier) -> anyhow::Result<Joinable> {
    let bytes = verified(path, verifier)?;
    report::read_joinable(&bytes).map_err(|why| anyhow::anyhow!("{} {why}", path.display()))
}

/// The bytes that are verified are those that are read: the file is read once.
fn verified(path: &Path, verifier: &Verifier) -> anyhow::Result<Vec<u8>> {
    verifier.read(path, || {
        let content = read(path, Kind::Report)
            .with_context(|| format!("reading the report {}", path.display()))?;
        Ok(content.bytes)
    })
}

/// Shows findings of a file.
pub(super) fn show(file: &str, bytes: &[u8], problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    let source = String::from_utf8_lossy(bytes);
    say!(
        "{}",
        render(file, source.trim_start_matches('\u{feff}'), problems)
    );
    let of = |severity| problems.iter().filter(|it| it.severity == severity).count();
    match (of(Severity::Error), of(Severity::Question)) {
        (0, 0) => {}
        (0, open) => say!(
            "\n{} open in {file}; no packet was sent. Write each answer in the place of its `?`.",
            match open {
                1 => "1 question is".to_string(),
                many => format!("{many} questions are"),
            }
        ),
        (errors, _) => say!(
            "\n{} in {file}; no packet was sent. Each code is explained in docs/findings.md.",
            counted(errors, "error")
        ),
    }
}
