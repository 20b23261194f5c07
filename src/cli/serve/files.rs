//! The files that the checks and channels of `portproof serve` name, and the secrets that belong to them.

use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::watch;

use crate::alert::{self, Channel, Secret, Way};
use crate::cli::credentials::Use;
use crate::cli::files;
use crate::cli::handed_over::handed_over;
use crate::cli::named::{Kind, read};
use crate::cli::request::{Asked, request};
use crate::cli::secrets;
use crate::diagnostic::{has_errors, render};
use crate::run::{Request, Scope};
use crate::serve::{Check, Files};

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

    fn request(
        &self,
        check: &Check,
        bytes: &[u8],
        scope: Scope,
        stop: watch::Receiver<bool>,
    ) -> Result<Request, String> {
        let path = self.folder.join(&check.site.value);
        let name = path.display().to_string();
        let examined = files::examine(&name, bytes, path.parent(), None, Use::Shown);
        let (loaded, problems) = examined.map_err(|why| format!("{why:#}"))?;
        let Some(loaded) = loaded else {
            let source = String::from_utf8_lossy(bytes);
            let wrong: Vec<_> = problems.into_iter().collect();
            debug_assert!(has_errors(&wrong));
            return Err(render(&name, source.trim_start_matches('\u{feff}'), &wrong));
        };
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
        request(&asked, loaded, None, None, stop).map_err(|why| format!("{why:#}"))
    }

    fn of_channel(&self, channel: &Channel) -> Result<alert::Files, String> {
        let (file, ca) = match &channel.way {
            Way::Webhook(hook) => (&hook.token_file, &hook.ca),
            Way::Mail(mail) => (&mail.password_file, &mail.ca),
            Way::Command(_) => return Ok(alert::Files::default()),
        };
        let file = file.as_ref().map(|it| self.folder.join(&it.value));
        let wants_one = match &channel.way {
            Way::Mail(mail) => mail.user.is_some(),
            Way::Webhook(_) | Way::Command(_) => true,
        };
        let roots = match ca {
            None => Vec::new(),
            Some(ca) => roots(&self.folder.join(&ca.value))?,
        };
        let secret = match wants_one {
            true => secret(&channel.name, file)?,
            false => None,
        };
        Ok(alert::Files { secret, roots })
    }
}

/// The secret of a channel: in the file that is named for it, else in the environment, else from the service manager.
fn secret(name: &str, file: Option<PathBuf>) -> Result<Option<Secret>, String> {
    let variable = name.to_uppercase().replace('-', "_");
    let variable = format!("PORTPROOF_ALERT_{variable}");
    if file.is_none()
        && let Ok(secret) = std::env::var(variable)
    {
        return Ok(Some(Secret::new(secret)));
    }
    let Some(path) = file.or_else(|| handed_over(&format!("portproof.alert-{name}"))) else {
        return Ok(None);
    };
    let read = secrets::password_of(&path);
    let read = read.map_err(|why| format!("{} cannot be read: {why}", path.display()))?;
    Ok(Some(Secret::new(read)))
}

fn roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unread = |why: String| format!("{} cannot be read: {why}", path.display());
    let content = read(path, Kind::Roots).map_err(|why| unread(why.to_string()))?;
    let all = CertificateDer::pem_slice_iter(&content.bytes);
    let all: Vec<_> = all
        .collect::<Result<_, _>>()
        .map_err(|why| unread(why.to_string()))?;
    match all.is_empty() {
        true => Err(unread("it holds no certificate".to_string())),
        false => Ok(all),
    }
}
