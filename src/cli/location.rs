//! Where a history is, as a user says it: a folder, or the address of a database with its password and authorities.

use std::env::VarError;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};

use super::credentials::certificates;
use super::handed_over::handed_over;
use super::named::{self, Kind};
use super::secrets;
use super::streams::say;
use crate::history::{Address, EXAMPLE, Location};

/// The environment variable with the password: that of PostgreSQL's own programs.
const PASSWORD: &str = "PGPASSWORD";
/// What it is called among the secrets that a service manager hands over.
const CREDENTIAL: &str = "portproof.database-password";

/// What `--keep` says.
///
/// # Errors
/// When it is no address, or what it names cannot be read. A password is never quoted.
pub(super) fn of_option(written: &Path) -> anyhow::Result<Location> {
    let at = Location::parse(written);
    match at.map_err(|why| anyhow!("the address of --keep {why}; for example: {EXAMPLE}"))? {
        Location::Folder(folder) => Ok(Location::Folder(folder)),
        Location::Server(address) => {
            if address.has_password() {
                say!(
                    "warning: others on this host see the password in the command line; set {PASSWORD} instead"
                );
            }
            complete(address, Path::new(""), None).map(Location::Server)
        }
    }
}

/// An address with its password and authorities. Paths are taken from this folder.
///
/// The password is that of the address, else from the file that is named for it, else from the environment, else from
/// the service manager. A server may ask for none.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn complete(
    address: Address,
    folder: &Path,
    password_file: Option<&Path>,
) -> anyhow::Result<Address> {
    let password = match password_file {
        _ if address.has_password() => None,
        Some(file) => Some(password_in(&folder.join(file))?),
        None => elsewhere(std::env::var(PASSWORD), handed_over(CREDENTIAL))?,
    };
    let roots = match address.roots_file() {
        None => Vec::new(),
        Some(file) => {
            let file = folder.join(file);
            let read = named::read(&file, Kind::Roots);
            let read = read.map_err(|why| format!("cannot be read: {why}"));
            let read = read.and_then(|content| certificates(&content.bytes));
            read.map_err(|says| anyhow!("`{}`, which sslrootcert names, {says}", file.display()))?
        }
    };
    Ok(address.with(password, roots))
}

fn elsewhere(
    variable: Result<String, VarError>,
    file: Option<PathBuf>,
) -> anyhow::Result<Option<String>> {
    match (variable, file) {
        (Ok(password), _) => Ok(Some(password)),
        (Err(VarError::NotUnicode(_)), _) => bail!("the password in {PASSWORD} is no text"),
        (Err(VarError::NotPresent), file) => file.map(|file| password_in(&file)).transpose(),
    }
}

fn password_in(file: &Path) -> anyhow::Result<String> {
    let line = secrets::password_of(file);
    let line =
        line.with_context(|| format!("reading the database's password from {}", file.display()))?;
    anyhow::ensure!(
        !line.is_empty(),
        "the first line of {} is empty",
        file.display()
    );
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn address() -> Address {
        Address::parse("postgres://u@db.example/p").expect("an address")
    }

    #[test]
    fn a_password_is_taken_from_its_file_or_refused_with_the_files_name() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("password"), "s3cret\nmore\n").expect("written");
        fs::write(folder.path().join("empty"), "\n").expect("written");
        let known = complete(address(), folder.path(), Some(Path::new("password")));
        assert!(known.expect("a password").has_password());
        for name in ["empty", "nowhere"] {
            let why = complete(address(), folder.path(), Some(Path::new(name))).expect_err(name);
            assert!(format!("{why:#}").contains(name), "{why:#}");
        }
    }

    #[test]
    fn the_environment_goes_before_the_service_manager() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        fs::write(&file, "handed\n").expect("written");
        let found = |variable| elsewhere(variable, Some(file.clone())).expect("text");
        assert_eq!(found(Ok("set".to_string())).as_deref(), Some("set"));
        assert_eq!(found(Err(VarError::NotPresent)).as_deref(), Some("handed"));
        let none = elsewhere(Err(VarError::NotPresent), None).expect("none is no fault");
        assert_eq!(none, None);
    }
}
