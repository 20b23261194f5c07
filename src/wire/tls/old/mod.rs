//! Recognising servers that speak only TLS of the past: 1.0, 1.1, or 1.2 with RSA, 3DES or RC4.
//!
//! rustls cannot shake hands with them, and an alert alone does not tell age from any other quarrel. So the caller
//! connects once more and greets as a client of 2008 would (`hello`). What comes in clear up to `ServerHelloDone` is
//! read (`reading`): version, cipher, chain, and whether a client certificate is asked for. No key is agreed: the chain
//! is **presented, not proven**, because nothing shows that the server holds its key. A server that refuses is greeted
//! once more without a name, for some refuse names that they do not know; `conclude` puts both greetings together.
//!
//! Where this build has a second client (`client`, feature `old-tls`), it comes first and shakes hands to the end. It
//! reads the same bytes along (`tap`), so that a server that quarrels with it too is still recognised.

#[cfg(not(feature = "old-tls"))]
#[path = "absent.rs"]
mod client;
#[cfg(feature = "old-tls")]
mod client;
mod hello;
mod reading;
#[cfg(test)]
mod servers;
#[cfg(any(feature = "old-tls", test))]
mod tap;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::request::ClientCertificateRequest;
use crate::config::TlsVersion;
use crate::observation::Presented;
use crate::wire::message;

pub(crate) use client::{OldStream, library, shake};
pub(crate) use hello::old_hello;
pub(crate) use reading::Reader;

/// What an old greeting brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recognised {
    /// How it ended.
    pub(crate) ending: Ending,
    /// What the server showed before that.
    pub(crate) shown: Option<Shown>,
}

/// How an old greeting ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The server said all that it says before keys are agreed.
    Whole,
    /// It refused with an alert, named here.
    Alert(String),
    /// It closed or reset before its first byte.
    HungUp,
    /// It closed or reset in the middle of the handshake.
    HungUpInHandshake,
    /// It accepted and then said nothing, or not enough, within the time.
    Mute,
    /// It answered, but not in TLS.
    NotTls,
    /// It began in TLS, and went on with what is no handshake.
    Garbled,
    /// It said more than any server has to say.
    TooLong,
}

/// What the second client's handshake came to.
pub(crate) struct Joined<S> {
    /// What the server showed in clear, and how that ended.
    pub(crate) recognised: Recognised,
    /// What became of our client certificate.
    pub(crate) presented: Presented,
    /// Whether the handshake failed before its time was up.
    pub(crate) failed: bool,
    /// The stream, where the handshake is done.
    pub(crate) stream: Option<OldStream<S>>,
}

/// What a server showed in clear. The chain is presented, not proven: no key was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Protocol version, as in `TLSv1.0`.
    pub(crate) version: String,
    /// Cipher suite, by its registered name.
    pub(crate) cipher: String,
    /// Why a modern client cannot shake hands with it; `None` when age is not the reason.
    pub(crate) too_old: Option<TooOld>,
    /// The chain as it was sent, in DER, leaf first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// Whether it asked for a client certificate, and by which authorities.
    pub(crate) request: Option<ClientCertificateRequest>,
}

/// What about a server is too old for a modern client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooOld {
    /// The protocol version: older than 1.2.
    Version,
    /// The cipher suite: without forward secrecy or authenticated encryption.
    Cipher,
}

impl Recognised {
    /// Whether the server refused, so that greeting it once more without a name may tell more.
    pub(crate) fn refused(&self) -> bool {
        match self.ending {
            Ending::Alert(_) | Ending::HungUp | Ending::HungUpInHandshake => true,
            Ending::Whole | Ending::Mute | Ending::NotTls | Ending::Garbled | Ending::TooLong => {
                false
            }
        }
    }

    /// How the server refused every version or every suite of the greeting, in words; `None`: it did not.
    pub(crate) fn refusal(&self) -> Option<String> {
        match (&self.ending, &self.shown) {
            (Ending::Alert(alert), None) if REFUSALS.contains(&&**alert) => {
                Some(format!("with the alert {alert}"))
            }
            (Ending::HungUp, None) => Some("by closing without a word".to_string()),
            _ => None,
        }
    }
}

/// What greetings with and without a name say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conclusion {
    /// It speaks TLS of the past, or would speak a newer one if something else did not stand in the way.
    Speaks(Shown),
    /// It does so only when no name is asked for (SNI).
    SpeaksOnlyWithoutName {
        /// What it showed then.
        shown: Shown,
        /// How it refused the name.
        refusal: Ending,
    },
    /// It does not, or not far enough to tell.
    Silent(Recognised),
}

/// Puts together a greeting with a name and, where that was refused, one without.
pub(crate) fn conclude(named: Recognised, nameless: Option<Recognised>) -> Conclusion {
    match (named, nameless) {
        (
            Recognised {
                ending: Ending::Whole,
                shown: Some(shown),
            },
            _,
        ) => Conclusion::Speaks(shown),
        (
            named,
            Some(Recognised {
                ending: Ending::Whole,
                shown: Some(shown),
            }),
        ) => Conclusion::SpeaksOnlyWithoutName {
            shown,
            refusal: named.ending,
        },
        (named, _) => Conclusion::Silent(named),
    }
}

/// Greets over a fresh connection and reads until all is said, within `limit`.
pub(crate) async fn recognise<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: Option<&str>,
    limit: Duration,
) -> Recognised {
    greet(stream, &old_hello(name), limit).await
}

/// Greets with a version and everything older. How the server refused that comes back, in words; `None`: it did not.
pub(crate) async fn refusal<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: Option<&str>,
    newest: TlsVersion,
    limit: Duration,
) -> Option<String> {
    let (number, version) = match newest {
        TlsVersion::Tls10 => (0x0301, "TLS 1.0"),
        TlsVersion::Tls11 => (0x0302, "TLS 1.1"),
        TlsVersion::Tls12 => (hello::TLS_1_2, "TLS 1.2"),
        TlsVersion::Tls13 => return None,
    };
    let seen = greet(stream, &hello::hello(name, number), limit).await;
    Some(format!(
        "{version} and older, with cipher suites of Windows XP to 7, was refused {}",
        seen.refusal()?
    ))
}

/// Alerts by which a server refuses a version, or all suites of a hello.
const REFUSALS: [&str; 3] = [
    "ProtocolVersion",
    "HandshakeFailure",
    "InsufficientSecurity",
];

async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    hello: &[u8],
    limit: Duration,
) -> Recognised {
    let deadline = Instant::now() + limit;
    message::send(&mut stream, "TLS hello of old", hello, deadline).await;
    let mut length = 0;
    let mut reader = Reader::default();
    let mut buffer = [0_u8; 4_096];
    let ending = loop {
        let ended = match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_) => Some(Ending::Mute),
            Ok(Ok(0) | Err(_)) => Some(reader.hung_up()),
            Ok(Ok(count)) => {
                length += count;
                reader.take(&buffer[..count])
            }
        };
        if let Some(ending) = ended {
            break ending;
        }
    };
    message::came("TLS answer to the hello of old", length);
    // Says goodbye, so that the server's log has no broken handshake; whether it listens does not matter.
    let _ = timeout_at(deadline, stream.write_all(&hello::GOODBYE)).await;
    let _ = timeout_at(deadline, stream.shutdown()).await;
    reader.finish(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown() -> Shown {
        Shown {
            version: "TLSv1.0".to_string(),
            cipher: "TLS_RSA_WITH_RC4_128_SHA".to_string(),
            too_old: Some(TooOld::Version),
            chain: Vec::new(),
            request: None,
        }
    }

    fn whole() -> Recognised {
        Recognised {
            ending: Ending::Whole,
            shown: Some(shown()),
        }
    }

    fn ended(ending: Ending) -> Recognised {
        Recognised {
            ending,
            shown: None,
        }
    }

    #[test]
    fn accepted_only_without_a_name_is_a_fact_of_its_own() {
        let alert = Ending::Alert("UnrecognisedName".to_string());
        assert!(ended(alert.clone()).refused());
        assert_eq!(
            conclude(ended(alert.clone()), Some(whole())),
            Conclusion::SpeaksOnlyWithoutName {
                shown: shown(),
                refusal: alert
            }
        );
    }

    #[test]
    fn a_server_that_refuses_both_greetings_is_judged_by_the_first() {
        let first = ended(Ending::Alert("HandshakeFailure".to_string()));
        let second = ended(Ending::HungUp);
        assert_eq!(
            conclude(first.clone(), Some(second)),
            Conclusion::Silent(first)
        );
    }

    #[test]
    fn only_refusals_are_worth_a_second_greeting() {
        for ending in [Ending::HungUp, Ending::HungUpInHandshake] {
            assert!(ended(ending).refused());
        }
        for ending in [
            Ending::Mute,
            Ending::NotTls,
            Ending::Garbled,
            Ending::TooLong,
        ] {
            assert!(!ended(ending).refused());
        }
        assert_eq!(conclude(whole(), None), Conclusion::Speaks(shown()));
    }

    #[tokio::test]
    async fn what_comes_in_single_bytes_is_read_and_the_rest_is_waited_for() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let server = tokio::spawn(async move {
            for byte in [0x15, 3, 1, 0, 2, 2] {
                theirs.write_all(&[byte]).await.expect("written");
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
        });
        let seen = recognise(ours, None, Duration::from_millis(200)).await;
        assert_eq!(seen.ending, Ending::Mute);
        server.abort();
    }

    #[tokio::test]
    async fn an_endless_speaker_is_cut_off() {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let server = tokio::spawn(async move {
            // Warnings for ever.
            let warnings = [0x15, 3, 1, 0, 2, 1, 112].repeat(1_000);
            while theirs.write_all(&warnings).await.is_ok() {}
        });
        let seen = recognise(ours, None, Duration::from_secs(20)).await;
        assert_eq!(seen.ending, Ending::TooLong);
        server.abort();
    }
}
