//! The password for the proxy of a zone: from the environment, a file that the site file names, or the service manager.

use anyhow::Context as _;

use super::files::Loaded;
use super::handed_over::handed_over;
use super::secrets;
use crate::site::ZoneId;

/// Where it is looked for first.
const PASSWORD: &str = "PORTPROOF_VIA_PASSWORD";
/// What it is called among the secrets that a service manager hands over; looked for last.
const CREDENTIAL: &str = "portproof.via-password";

/// The password; `None` where nothing leaves through a proxy, or it wants no user.
///
/// # Errors
/// When the file names a user and there is no password.
pub(super) fn password(loaded: &Loaded, zone: ZoneId) -> anyhow::Result<Option<String>> {
    let Some(proxy) = loaded.site.via(zone).map(|route| &route.proxy) else {
        return Ok(None);
    };
    let Some(user) = &proxy.user else {
        return Ok(None);
    };
    let found = find(loaded);
    found
        .map(Some)
        .with_context(|| format!("the proxy {proxy} is to be told who `{user}` is"))
}

fn find(loaded: &Loaded) -> anyhow::Result<String> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(password);
    }
    let named = loaded.via_password_file.as_ref();
    let named = named.map(|file| loaded.folder.join(file));
    let Some(path) = named.or_else(|| handed_over(CREDENTIAL)) else {
        anyhow::bail!("no password: set {PASSWORD}, or name a file under `via_password_file`");
    };
    secrets::password_of(&path)
        .with_context(|| format!("reading the proxy's password from {}", path.display()))
}
