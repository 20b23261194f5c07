//! The proxy through which the flows of the vantage leave, with the password for it.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::files::{self, Loaded};
use crate::cli::handed_over::handed_over;
use crate::config::Via;
use crate::observation::Unresolved;
use crate::probe::{self, Gateway};
use crate::site::ZoneId;

/// Where the password is looked for first.
const PASSWORD: &str = "PORTPROOF_VIA_PASSWORD";
/// What it is called among the secrets that a service manager hands over; looked for last.
const CREDENTIAL: &str = "portproof.via-password";

/// The proxy of a zone, if flows leave through one. Its name is resolved from here.
///
/// # Errors
/// When the file names a user and there is no password that a proxy could be told.
pub(super) async fn gateway(
    loaded: &Loaded,
    zone: ZoneId,
    timeout: Duration,
) -> anyhow::Result<Option<Gateway>> {
    let Some(via) = loaded.site.via(zone) else {
        return Ok(None);
    };
    let password = match &via.user {
        Some(user) => Some(
            password(loaded)
                .with_context(|| format!("the proxy {via} is to be told who `{user}` is"))?,
        ),
        None => None,
    };
    let addresses = addresses(via, timeout).await;
    let gateway = Gateway::new(via, &addresses, password.as_deref());
    gateway.map(Some).with_context(|| {
        format!(
            "the password for the proxy {via} has to have 1 to 255 bytes without control characters"
        )
    })
}

fn password(loaded: &Loaded) -> anyhow::Result<String> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(password);
    }
    let named = loaded.config.via_password_file.as_ref();
    let named = named.map(|file| loaded.folder.join(file));
    let Some(path) = named.or_else(|| handed_over(CREDENTIAL)) else {
        anyhow::bail!("no password: set {PASSWORD}, or name a file under `via_password_file`");
    };
    files::password_of(&path)
        .with_context(|| format!("reading the proxy's password from {}", path.display()))
}

async fn addresses(via: &Via, timeout: Duration) -> Vec<IpAddr> {
    if let Ok(address) = via.host.parse() {
        return vec![address];
    }
    let found: Result<Vec<IpAddr>, Unresolved> = probe::lookup(&via.host, timeout).await;
    found.unwrap_or_default()
}
