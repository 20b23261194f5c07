//! One connection to a server. Everything that is asked of it has a time by which it must be answered. So a server that
//! hangs holds up nothing for long. It is told its own times (`BOUNDS`), and ours are a little longer.
//!
//! It has a runtime of its own, and waits on the thread that asks. So it must not be asked on a thread of another runtime.

use std::collections::HashMap;
use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::diagnostic::{cut, visible};
use crate::history::database::{Error, Row, Sql, Value};
use crate::history::location::Address;

/// The longest time until a connection can be used.
const CONNECTING: Duration = Duration::from_secs(10);
/// The longest time for an answer: longer than what the server is told.
const ANSWER: Duration = Duration::from_secs(75);
/// The most that is shown of what a server says, in bytes.
const LONGEST: usize = 600;
/// What holds for a connection: where tables are, and how long the server waits for locks, for itself and for us. Also how
/// soon it finds out that we are gone.
const BOUNDS: &str = "
    SET search_path TO portproof;
    SET client_min_messages TO error;
    SET lock_timeout TO '30s';
    SET statement_timeout TO '60s';
    SET idle_in_transaction_session_timeout TO '60s';
    SET tcp_keepalives_idle TO 20;
    SET tcp_keepalives_interval TO 5;
    SET tcp_keepalives_count TO 4;
";

/// How connections are made.
pub(super) struct Connector {
    address: Address,
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    pub(super) fn new(address: &Address) -> Result<Self, Error> {
        let mut config = Config::new();
        config
            .host(&address.host)
            .port(address.port)
            .user(&address.user)
            .dbname(&address.database)
            .application_name("portproof")
            .connect_timeout(CONNECTING)
            .keepalives_idle(Duration::from_secs(20))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(4)
            .tcp_user_timeout(Duration::from_secs(40))
            .channel_binding(ChannelBinding::Prefer)
            .ssl_mode(match address.tls {
                true => SslMode::Require,
                false => SslMode::Disable,
            });
        if let Some(password) = &address.password {
            config.password(password);
        }
        let tls = address.tls.then(|| tls(address)).transpose()?;
        let address = address.clone();
        Ok(Self {
            address,
            config,
            tls,
        })
    }

    /// Makes a connection that can be used.
    pub(super) fn connect(&self) -> Result<Session, Error> {
        let runtime = Waiting::new()?;
        let client = runtime.until(CONNECTING, &self.address, async {
            let client = match &self.tls {
                None => begun(self.config.connect(NoTls).await?),
                Some(tls) => begun(self.config.connect(tls.clone()).await?),
            };
            client.batch_execute(BOUNDS).await?;
            Ok(client)
        })?;
        Ok(Session {
            address: self.address.clone(),
            client,
            statements: HashMap::new(),
            is_lost: false,
            runtime,
        })
    }
}

/// Has a connection go on beside its client, as long as its runtime is there.
fn begun<C>((client, connection): (Client, C)) -> Client
where
    C: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    // Its end is found out by whoever asks next.
    tokio::spawn(connection);
    client
}

/// TLS as elsewhere in the program: no other version and no other cryptography.
fn tls(address: &Address) -> Result<MakeRustlsConnect, Error> {
    let mut roots = RootCertStore::empty();
    match address.roots.is_empty() {
        true => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        false => roots.add_parsable_certificates(address.roots.iter().cloned()),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| Error::Says(why.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Waits for answers on the thread that asks. It may be let go on any thread.
struct Waiting(Option<Runtime>);

impl Waiting {
    fn new() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|why| {
            Error::Lost(format!(
                "this host gives this process no descriptors: {why}"
            ))
        })?;
        Ok(Self(Some(runtime)))
    }

    /// The answer, or why there is none in time.
    fn until<T>(
        &self,
        longest: Duration,
        address: &Address,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        let late = || Error::Lost(format!("no answer within {} s", longest.as_secs()));
        let runtime = self.0.as_ref().ok_or_else(late)?;
        let answer = runtime.block_on(async { timeout(longest, asked).await });
        let answer = answer.map_err(|_| late())?;
        answer.map_err(|why| fault(address, &why))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A connection that can be used.
pub(super) struct Session {
    address: Address,
    client: Client,
    /// What was asked already, by its words.
    statements: HashMap<String, Statement>,
    is_lost: bool,
    runtime: Waiting,
}

impl Session {
    /// Whether it is known to be of no use any more.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost || self.client.is_closed()
    }

    /// Nothing more is asked here.
    pub(super) fn is_of_no_use(&mut self) {
        self.is_lost = true;
    }

    /// Does what these words say, which hold no values.
    pub(super) fn say(&mut self, words: &str) -> Result<(), Error> {
        self.ask(async |client, _| client.batch_execute(words).await)
    }

    /// Asks, and waits for the answer.
    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(
            &Client,
            &mut HashMap<String, Statement>,
        ) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        let asked = question(&self.client, &mut self.statements);
        let answer = self.runtime.until(ANSWER, &self.address, asked);
        self.is_lost |= matches!(answer, Err(Error::Lost(_)));
        answer
    }
}

impl Sql for Session {
    fn execute(&mut self, words: &str, with: &[Value]) -> Result<u64, Error> {
        self.ask(async |client, known| {
            let statement = prepared(client, known, words).await?;
            client.execute(&statement, &values(with)).await
        })
    }

    fn rows(&mut self, words: &str, with: &[Value]) -> Result<Vec<Row>, Error> {
        self.ask(async |client, known| {
            let statement = prepared(client, known, words).await?;
            let rows = client.query(&statement, &values(with)).await?;
            let row = |row: tokio_postgres::Row| {
                let values = (0..row.len()).map(|column| row.try_get::<_, Value>(column));
                values.collect::<Result<_, _>>().map(Row)
            };
            rows.into_iter().map(row).collect()
        })
    }
}

fn values(with: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    with.iter().map(|it| it as &(dyn ToSql + Sync)).collect()
}

/// A question that the server has read. The words are few, so all are kept.
async fn prepared(
    client: &Client,
    known: &mut HashMap<String, Statement>,
    words: &str,
) -> Result<Statement, tokio_postgres::Error> {
    if let Some(statement) = known.get(words) {
        return Ok(statement.clone());
    }
    let statement = client.prepare(&words.replace('?', "$")).await?;
    known.insert(words.to_string(), statement.clone());
    Ok(statement)
}

/// What went wrong, in words that may be shown, and what would be right where that is known.
fn fault(address: &Address, why: &tokio_postgres::Error) -> Error {
    let Some(said) = why.as_db_error() else {
        let mut words = why.to_string();
        let mut cause = why.source();
        while let Some(deeper) = cause {
            words += &format!(": {deeper}");
            cause = deeper.source();
        }
        return Error::Lost(shown(address, &words) + hint_of_words(&words));
    };
    let detail = said
        .detail()
        .map(|it| format!(" ({it})"))
        .unwrap_or_default();
    let words = shown(address, &format!("{}{detail}", said.message())) + hint(said.code());
    match said.parsed_severity() {
        Some(Severity::Fatal | Severity::Panic) => Error::Lost(words),
        _ => Error::Says(words),
    }
}

fn shown(address: &Address, words: &str) -> String {
    cut(&visible(&address.hidden_in(words)), LONGEST)
}

/// What would be right, by what the server's number for a fault means.
fn hint(code: &SqlState) -> &'static str {
    const ROLE: &str = "; a role that owns the database may make what is missing, or have its owner say: CREATE SCHEMA portproof AUTHORIZATION ...";
    match code {
        it if *it == SqlState::INVALID_PASSWORD => {
            "; the password comes from the address, a file, PGPASSWORD or the service manager"
        }
        it if *it == SqlState::INVALID_CATALOG_NAME => "; make it with createdb",
        it if *it == SqlState::INSUFFICIENT_PRIVILEGE => ROLE,
        it if *it == SqlState::LOCK_NOT_AVAILABLE => {
            "; another portproof has been writing for 30 s, or another `portproof serve` uses the history"
        }
        _ => "",
    }
}

/// The same, of what the client found out by itself.
fn hint_of_words(words: &str) -> &'static str {
    match words {
        it if it.contains("password missing") => {
            "; the server asks for one: in the address, a file, PGPASSWORD or from the service manager"
        }
        it if it.contains("server does not support TLS") => {
            "; it has to (ssl = on), or the address ends with ?sslmode=disable where the way to it is safe"
        }
        it if it.contains("certificate") => {
            "; the address may name the authority: ?sslrootcert=ca.pem"
        }
        _ => "",
    }
}

mod values {
    //! Plain values as PostgreSQL has them.

    use std::error::Error;

    use tokio_postgres::types::private::BytesMut;
    use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

    use crate::history::database::Value;

    type Fault = Box<dyn Error + Sync + Send>;

    impl ToSql for Value {
        fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
            match (self, of) {
                (Self::Null, _) => Ok(IsNull::Yes),
                (Self::Integer(number), &Type::INT8) => number.to_sql(of, out),
                // No text of PostgreSQL holds a zero byte.
                (Self::Text(text), &Type::TEXT) => text.replace('\0', "\u{fffd}").to_sql(of, out),
                (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(of, out),
                (value, of) => Err(format!("{value:?} is no {of}").into()),
            }
        }

        fn accepts(_: &Type) -> bool {
            true
        }

        to_sql_checked!();
    }

    impl<'a> FromSql<'a> for Value {
        fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
            Ok(match *of {
                Type::INT8 => Self::Integer(i64::from_sql(of, raw)?),
                Type::BOOL => Self::Integer(bool::from_sql(of, raw)?.into()),
                Type::TEXT => Self::Text(String::from_sql(of, raw)?),
                Type::BYTEA => Self::Bytes(Vec::from_sql(of, raw)?),
                Type::VOID => Self::Null,
                _ => return Err(format!("a value is of the type {of}").into()),
            })
        }

        fn from_sql_null(_: &Type) -> Result<Self, Fault> {
            Ok(Self::Null)
        }

        fn accepts(_: &Type) -> bool {
            true
        }
    }
}
