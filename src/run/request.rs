//! What a run is asked to do. Files, environment and command line have been read and checked by whoever asks.

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::watch;

use crate::lab::Faults;
use crate::probe::Permission;
use crate::product::Catalogue;
use crate::report::{Named, ReportDocument};
use crate::site::Site;
use crate::vantage::Place;
use crate::wire::{ClientCertificate, Token};

/// A site with the file it came from.
pub struct SiteFile {
    /// The name of the file, as reports say it.
    pub name: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The site.
    pub site: Site,
    /// The rules of its product.
    pub catalogue: Catalogue,
    /// How soon an end of validity is worth a word.
    pub expires_soon: Duration,
}

/// The numbers that one client was given; `None`: those of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientNumbers {
    /// For HTTP.
    pub http: Option<u16>,
    /// For HTTPS.
    pub https: Option<u16>,
}

/// How much is tried of what starts here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// What must, may and must not pass, and the sweep of the site file.
    #[default]
    Whole,
    /// What must and may pass. It takes seconds, and sets off no device that watches for scans.
    Needed,
}

/// What a run is asked to do.
pub struct Request {
    /// The site.
    pub file: SiteFile,
    /// The site from before a change of ports: what its clients use is tried too.
    pub older: Option<SiteFile>,
    /// Where this host is in the site.
    pub place: Place,
    /// What this host's addresses say against that place, where the user insists on it.
    pub forced: Option<String>,
    /// A stand-in of the site on loopback is tried, with these faults; `None`: the site itself.
    pub lab: Option<Faults>,
    /// Only what one client uses is tried.
    pub client: Option<ClientNumbers>,
    /// The report of an interrupted run, whose sweep this one goes on with.
    pub resume: Option<Named<ReportDocument>>,
    /// How much is tried.
    pub scope: Scope,
    /// Whether paths may be walked.
    pub walks: bool,
    /// Whether the run must not set off devices that watch for scans; `None`: where this host is a system that serves.
    pub gentle: Option<bool>,
    /// Authorities that chains may lead to, beside those of the operating system.
    pub roots: Vec<CertificateDer<'static>>,
    /// The certificate that is shown to servers which ask for one.
    pub client_certificate: Option<ClientCertificate>,
    /// The password for the proxy of this zone, where the site file names a user for it.
    pub via_password: Option<String>,
    /// What `listen` and this run share, where ports are asked for listeners.
    pub token: Option<Token>,
    /// Where packets may go.
    pub permission: Permission,
    /// Turns true when the run is to end: the report then holds what was seen.
    pub stop: watch::Receiver<bool>,
}
