//! The files that the checks and channels of `portproof serve` name, and the secrets that belong to them.

use std::path::{Path, PathBuf};

use tokio::sync::watch;

use crate::alert::{self, Channel};
use crate::cli::alerts;
use crate::cli::credentials::Use;
use crate::cli::files;
use crate::cli::named::{Kind, read};
use crate::cli::request::{Asked, request};
use crate::diagnostic::{Severity, render};
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
            let source = source.trim_start_matches('\u{feff}');
            return Err(render(&name, source, &problems));
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
        let mut problems = Vec::new();
        let read = alerts::files(channel, &self.folder, &mut problems);
        match problems.iter().find(|it| it.severity == Severity::Error) {
            None => Ok(read),
            Some(problem) => Err(problem.message.clone()),
        }
    }
}
