//! The files that the checks and channels of `portproof serve` name, and the secrets that belong to them.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::alert::{self, Channel};
#[cfg(feature = "nats")]
use crate::cli::agents::{self, Voice, Wanted};
use crate::cli::alerts;
use crate::cli::credentials::{Use, certificates};
use crate::cli::files;
use crate::cli::named::{Kind, read};
use crate::cli::request::{Asked, request};
use crate::cli::secrets;
use crate::cli::token::HOW;
use crate::diagnostic::{Severity, render};
use crate::run::Scope;
use crate::serve::{Check, Files, Page, PageFiles, Prepared};
use crate::wire::challenge::SHORTEST_TOKEN;
use crate::yaml::At;

/// Files whose paths are taken from the folder of the file that names them.
pub(super) struct OfUser {
    folder: PathBuf,
}

impl OfUser {
    pub(super) fn new(folder: &Path) -> Self {
        let folder = folder.to_path_buf();
        Self { folder }
    }
}

impl Files for OfUser {
    fn read(&self, file: &Path) -> Result<Vec<u8>, String> {
        let path = self.folder.join(file);
        let content = read(&path, Kind::SiteFile);
        let content = content.map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
        Ok(content.bytes)
    }

    fn prepare(
        &self,
        check: &Check,
        bytes: &[u8],
        scope: Scope,
        stop: watch::Receiver<bool>,
    ) -> Result<Prepared, String> {
        let path = self.folder.join(&check.site.value);
        let name = path.display().to_string();
        let examined = files::examine(&name, bytes, path.parent(), None, Use::Shown);
        let (loaded, problems) = examined.map_err(|why| format!("{why:#}"))?;
        let Some(loaded) = loaded else {
            let source = String::from_utf8_lossy(bytes);
            let source = source.trim_start_matches('\u{feff}');
            return Err(render(&name, source, &problems));
        };
        if let Some(agents) = &check.agents {
            let file = self.folder.join(&agents.value);
            #[cfg(feature = "nats")]
            return by_agents(&file, check, loaded, scope, stop);
            #[cfg(not(feature = "nats"))]
            return Err(format!(
                "this build of portproof knows no agents, and the check names {}",
                file.display()
            ));
        }
        let token_file = check.token_file.as_ref();
        let token_file = token_file.map(|it| self.folder.join(&it.value));
        let asked = Asked {
            from: check.from.as_ref().map(|it| it.value.as_str()),
            system: check.system.as_ref().map(|it| it.value.as_str()),
            force_vantage: check.force_vantage,
            scope,
            gentle: check.gentle,
            token_file: token_file.as_deref(),
            ..Asked::default()
        };
        let request =
            request(&asked, loaded, None, None, stop).map_err(|why| format!("{why:#}"))?;
        let runtime = Handle::current();
        Ok(Box::new(move || {
            runtime.block_on(crate::run::run(request, Arc::new(|_| {})))
        }))
    }

    fn of_channel(&self, channel: &Channel) -> Result<alert::Files, String> {
        let mut problems = Vec::new();
        let read = alerts::files(channel, &self.folder, &mut problems);
        match problems.iter().find(|it| it.severity == Severity::Error) {
            None => Ok(read),
            Some(problem) => Err(problem.message.clone()),
        }
    }

    fn of_page(&self, page: &Page) -> Result<PageFiles, String> {
        let mut files = PageFiles {
            token: page
                .token_file
                .as_ref()
                .map(|it| token(&self.folder.join(&it.value)))
                .transpose()?,
            ..PageFiles::default()
        };
        let Some(tls) = &page.tls else {
            return Ok(files);
        };
        let of = |named: &At<String>| -> Result<Vec<CertificateDer<'static>>, String> {
            let path = self.folder.join(&named.value);
            let of = |why: &dyn Display| format!("{} {why}", path.display());
            let content = read(&path, Kind::Roots).map_err(|why| of(&unread(&why)))?;
            certificates(&content.bytes).map_err(|why| of(&why))
        };
        files.certificates = of(&tls.certificate)?;
        if let Some(roots) = &tls.client_roots {
            files.client_roots = of(roots)?;
        }
        files.key = Some(private_key(&self.folder.join(&tls.key.value))?);
        Ok(files)
    }
}

/// A run of all zones at once.
#[cfg(feature = "nats")]
fn by_agents(
    file: &Path,
    check: &Check,
    loaded: files::Loaded,
    scope: Scope,
    stop: watch::Receiver<bool>,
) -> Result<Prepared, String> {
    let wanted = Wanted {
        scope,
        no_path: false,
        gentle: check.gentle,
        listeners: false,
    };
    let named = format!("agents of {}", loaded.file);
    let voice = Voice {
        progress: Arc::new(|words| tracing::debug!("{words}")),
        news: Arc::new(move |words| super::tell(&format!("{named}: {words}"))),
    };
    // What is wrong with it is found with the site file.
    let members = agents::read(file, &loaded.site).map_err(|why| format!("{why:#}"))?;
    let runtime = Handle::current();
    Ok(Box::new(move || {
        runtime.block_on(agents::prove(wanted, members, loaded, voice, stop))
    }))
}

fn unread(why: &dyn Display) -> String {
    format!("cannot be read: {why}")
}

fn token(path: &Path) -> Result<String, String> {
    let of = |why: &dyn Display| format!("the token of the page, {}, {why}", path.display());
    let line = secrets::password_of(path).map_err(|why| of(&unread(&why)))?;
    match line.chars().count() < SHORTEST_TOKEN {
        true => Err(of(&format!(
            "has fewer than {SHORTEST_TOKEN} characters; {HOW}"
        ))),
        false => Ok(line),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let of = |why: &dyn Display| format!("the key of the page, {}, {why}", path.display());
    let content = read(path, Kind::PageKey).map_err(|why| of(&unread(&why)))?;
    secrets::warn_if_open(path, Kind::PageKey, &content);
    let key = PrivateKeyDer::from_pem_slice(&content.bytes);
    key.map_err(|why| of(&format!("holds no private key that can be read: {why}")))
}
