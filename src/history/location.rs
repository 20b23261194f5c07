//! Where a history is: in a folder of this host, or in the database of a server.
//!
//! A server is named as PostgreSQL's own programs name it: `postgres://user@host/database`. The password may stand there
//! too. It is kept apart at once, and never shown.

use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

use crate::vantage;

/// What such a name begins with.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// An example, for whoever wrote something else.
pub const EXAMPLE: &str = "postgres://portproof@db.corp.example/portproof";
/// PostgreSQL's own port.
const PORT: u16 = 5432;

/// Where a history is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of this host.
    Folder(PathBuf),
    /// A database.
    Server(Address),
}

impl Location {
    /// What a user wrote: the address of a database, or else a folder.
    ///
    /// # Errors
    /// What is wrong with an address, as the end of a sentence. It is not quoted: a password may stand in it.
    pub fn parse(written: &Path) -> Result<Self, &'static str> {
        match written.to_str().filter(|text| is_address(text)) {
            Some(text) => Ok(Self::Server(Address::parse(text)?)),
            None => Ok(Self::Folder(written.to_path_buf())),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(to),
            Self::Server(address) => address.fmt(to),
        }
    }
}

/// Whether this is meant to be the address of a database.
pub fn is_address(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// A database of a PostgreSQL server, and how it is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// A name, an address, or the folder of a socket.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
    /// `None`: none is known.
    pub(super) password: Option<String>,
    /// Whether nothing is said before TLS has begun.
    pub(super) tls: bool,
    /// The file with the authorities that are trusted; `None`: the system's are.
    roots_file: Option<PathBuf>,
    pub(super) roots: Vec<CertificateDer<'static>>,
}

impl Address {
    /// Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE`, perhaps with `sslmode` and `sslrootcert` behind a `?`. The
    /// host may be the folder of a socket, with `%2F` for each `/`.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no URL")?;
        if !is_address(text) {
            return Err("does not begin with postgres://");
        }
        if url.fragment().is_some() {
            return Err("has a part behind #; write %23 for that character");
        }
        let database = decoded(url.path().trim_start_matches('/'))?;
        let user = decoded(url.username())?;
        if user.is_empty() {
            return Err("names no user");
        }
        if database.is_empty() {
            return Err("names no database");
        }
        let password = url.password().map(decoded).transpose()?;
        let host = match url.host() {
            Some(Host::Domain(name)) => decoded(name)?,
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err("names no host"),
        };
        let (mut tls, mut roots_file) = (None, None);
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                ("sslmode", "disable") => tls = Some(false),
                ("sslmode", "require" | "verify-full") => tls = Some(true),
                ("sslmode", _) => {
                    return Err("has an `sslmode` other than disable and verify-full");
                }
                ("sslrootcert", file) => roots_file = Some(PathBuf::from(file)),
                _ => {
                    return Err("has a key other than sslmode and sslrootcert behind its ?");
                }
            }
        }
        let port = url.port().unwrap_or(PORT);
        if port == 0 {
            return Err("names no port");
        }
        let is_near = host.starts_with('/') || vantage::is_this_host(&host);
        Ok(Self {
            tls: tls.unwrap_or(!is_near) && !host.starts_with('/'),
            port,
            roots: Vec::new(),
            host,
            user,
            database,
            password,
            roots_file,
        })
    }

    /// Whether a password stands in it.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The file with the authorities that are trusted; `None`: the system's are.
    pub fn roots_file(&self) -> Option<&Path> {
        self.roots_file.as_deref()
    }

    /// With this password, and these authorities in place of the system's where there are any.
    pub fn with(self, password: Option<String>, roots: Vec<CertificateDer<'static>>) -> Self {
        Self {
            password: self.password.or(password),
            roots,
            ..self
        }
    }

    /// What may be shown of words that came from elsewhere: they may say the password again.
    pub(super) fn hidden_in(&self, words: &str) -> String {
        match &self.password {
            Some(password) if !password.is_empty() => words.replace(password, "..."),
            _ => words.to_string(),
        }
    }
}

fn decoded(part: &str) -> Result<String, &'static str> {
    let text = percent_decode_str(part).decode_utf8();
    let text = text.map_err(|_| "has a part that is no text")?;
    match text.contains(char::is_control) {
        true => Err("has a control character"),
        false => Ok(text.into_owned()),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            user,
            database,
            ..
        } = self;
        match host {
            folder if folder.starts_with('/') => {
                write!(to, "postgres://{user}@{}", folder.replace('/', "%2F"))?;
            }
            host if host.contains(':') => write!(to, "postgres://{user}@[{host}]")?,
            host => write!(to, "postgres://{user}@{host}")?,
        }
        if *port != PORT {
            write!(to, ":{port}")?;
        }
        write!(to, "/{database}")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).expect(text)
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (written, shown, tls) in [
            (
                "postgres://u:s3cret@db.example/p",
                "postgres://u@db.example/p",
                true,
            ),
            (
                "postgresql://u@db.example:5433/p",
                "postgres://u@db.example:5433/p",
                true,
            ),
            (
                "postgres://u@db.example/p?sslmode=disable",
                "postgres://u@db.example/p",
                false,
            ),
            (
                "postgres://u@localhost/p",
                "postgres://u@localhost/p",
                false,
            ),
            (
                "postgres://u@localhost/p?sslmode=verify-full",
                "postgres://u@localhost/p",
                true,
            ),
            (
                "postgres://u@[2001:db8::1]/p",
                "postgres://u@[2001:db8::1]/p",
                true,
            ),
            (
                "postgres://u:s3cret@%2Frun%2Fpostgresql:5433/p",
                "postgres://u@%2Frun%2Fpostgresql:5433/p",
                false,
            ),
        ] {
            let it = address(written);
            assert_eq!((it.to_string().as_str(), it.tls), (shown, tls));
            assert!(!format!("{it:?}").contains("s3cret"));
        }
        let it = address("postgres://u:s%203cret@db.example/p");
        assert_eq!(it.password.as_deref(), Some("s 3cret"));
        assert_eq!(it.hidden_in("no s 3cret here"), "no ... here");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is_wrong() {
        for (written, why) in [
            ("postgres://db.example/p", "names no user"),
            ("postgres://u@db.example", "names no database"),
            (
                "postgres://u@db.example/p?sslmode=prefer",
                "has an `sslmode` other than disable and verify-full",
            ),
            ("postgres://u@/p", "is no URL"),
            ("postgres:///p", "names no user"),
            (
                "postgres://u@a/p?options=-c",
                "has a key other than sslmode and sslrootcert behind its ?",
            ),
            (
                "postgres://u@a/p#x",
                "has a part behind #; write %23 for that character",
            ),
            ("postgres://u@a:0/p", "names no port"),
            ("postgres://u%00@a/p", "has a control character"),
            ("postgres://u@a:99999/p", "is no URL"),
        ] {
            assert_eq!(Location::parse(Path::new(written)), Err(why), "{written}");
        }
        let folder = Path::new("/var/lib/portproof");
        assert_eq!(
            Location::parse(folder),
            Ok(Location::Folder(folder.to_path_buf()))
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text: String) {
            let _ = Address::parse(&text);
            let _ = Address::parse(&format!("postgres://{text}"));
            let _ = Address::parse(&format!("postgres://u@h/p?{text}"));
        }
    }
}
