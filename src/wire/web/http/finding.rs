//! What was done to a client's requests on the way, in words that claim no more than was seen.

use super::request::NOWHERE;
use crate::observation::{Ends, Meddled, Meddler, Meddling};
use crate::product::Verb;

/// One thing that a device on the way, or the server, does to requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A verb is refused where GET of the same path is not.
    VerbBlocked {
        /// The verb.
        verb: Verb,
        /// How.
        how: Refusal,
        /// Who may have done it.
        by: Refuser,
    },
    /// A header, or all of these together, make a request fail that passes without.
    HeaderBlocked {
        /// Their names.
        headers: Vec<String>,
        /// How.
        how: Refusal,
        /// Who may have done it.
        by: Refuser,
    },
    /// A header did not arrive.
    HeaderLost {
        /// Its name.
        header: String,
    },
    /// A part of a page was asked for and did not come as one, though the server serves parts.
    RangeLost {
        /// How it came.
        status: u16,
    },
    /// A header arrived with another value.
    HeaderRewritten {
        /// Its name.
        header: String,
        /// The value that arrived.
        arrived: String,
    },
    /// A verb arrived as another one.
    VerbRewritten {
        /// The verb.
        verb: Verb,
        /// The word that arrived.
        arrived: String,
    },
    /// A request or its answer arrived as HTTP/1.0.
    Downgraded(Direction),
    /// A proxy says that it is there.
    Announced {
        /// Its `Via` header.
        via: String,
    },
    /// HEAD does not say how large a file is.
    SizeHidden,
    /// GET itself is refused or not answered, so that nothing can be compared with it.
    NotCompared,
    /// GET was answered at first, and later nothing more was: that proves nothing about a single verb.
    CutOff,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the client to the server.
    Request,
    /// Back.
    Answer,
}

/// How a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// With this HTTP status.
    Status(u16),
    /// With a reset.
    Reset,
    /// The connection was closed without an answer.
    Closed,
    /// With silence.
    Silent,
    /// With something that is not HTTP.
    Garbage,
    /// With interim answers only.
    Interim,
    /// TLS was ended, with these words.
    Alert(String),
}

/// Who may have refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refuser {
    /// Another speaker than the one that answers GET: these differ.
    Device(Vec<Difference>),
    /// A web server answers in HTTP even what it does not know; this was no HTTP answer, and GET still had one.
    DeviceLikely,
    /// Nothing tells server and device apart.
    Either,
}

/// A mark by which two answers differ in who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// The value of this header.
    Header {
        /// Its name.
        name: &'static str,
        /// In answer to GET.
        to_get: Option<String>,
        /// In the refusal.
        here: Option<String>,
    },
    /// The refusal came as HTTP/1.0, the answer to GET as HTTP/1.1.
    Version,
    /// Only proxies say this status.
    ProxyStatus(u16),
}

impl Finding {
    /// As it stands in an observation; `None`: only a stand-in at the far end could see it.
    pub(crate) fn meddling(&self) -> Option<Meddling> {
        let (what, how, by) = match self {
            Self::VerbBlocked { how, by, .. } => (Meddled::Verb, Some(how), by.meddler()),
            Self::HeaderBlocked { how, by, .. } => (Meddled::Header, Some(how), by.meddler()),
            Self::RangeLost { .. } => (Meddled::Range, None, Meddler::DeviceLikely),
            Self::Downgraded(_) => (Meddled::Downgraded, None, Meddler::Either),
            Self::Announced { .. } => (Meddled::Announced, None, Meddler::Device),
            Self::NotCompared => (Meddled::NotCompared, None, Meddler::Either),
            Self::CutOff => (Meddled::CutOff, None, Meddler::Either),
            Self::HeaderLost { .. }
            | Self::HeaderRewritten { .. }
            | Self::VerbRewritten { .. }
            | Self::SizeHidden => return None,
        };
        let verb = match self {
            Self::VerbBlocked { verb, .. } => Some(*verb),
            _ => None,
        };
        Some(Meddling {
            what,
            verb,
            by,
            ends: how.map(Refusal::ends),
            words: self.words(),
        })
    }

    /// What was seen, in one or two sentences.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::VerbBlocked { verb, how, by } => {
                let who = by.words(matches!(how, Refusal::Status(404 | 405 | 501)));
                format!(
                    "{} of {NOWHERE} {}, GET of it is not. {who}",
                    as_asked(*verb),
                    how.words()
                )
            }
            Self::HeaderBlocked { headers, how, by } => format!(
                "GET with {} {}, without it is not. {}",
                headers.join(", "),
                how.words(),
                by.words(false)
            ),
            Self::HeaderLost { header } => {
                format!("{header} does not arrive: something on the way takes it out.")
            }
            Self::RangeLost { status: 206 } => {
                "The first byte of / was asked for (Range: bytes=0-0), and came with status 206 \
                 without Content-Range, which BITS needs."
                    .to_string()
            }
            Self::RangeLost { status } => format!(
                "The first byte of / was asked for (Range: bytes=0-0), and all of it came with \
                 status {status}, though the server says that it serves parts (Accept-Ranges: \
                 bytes): the header does not arrive."
            ),
            Self::HeaderRewritten { header, arrived } => {
                format!("{header} arrives with another value: {arrived}.")
            }
            Self::VerbRewritten { verb, arrived } => format!("{verb} arrives as {arrived}."),
            Self::Downgraded(Direction::Request) => {
                "Requests arrive as HTTP/1.0: something on the way speaks the older version."
                    .to_string()
            }
            Self::Downgraded(Direction::Answer) => {
                "Answers come as HTTP/1.0: the server, or something on the way, speaks the older \
                 version."
                    .to_string()
            }
            Self::Announced { via } => {
                format!("A proxy on the way says that it is there: Via: {via}.")
            }
            Self::SizeHidden => {
                "HEAD does not say how large the file is; BITS needs that.".to_string()
            }
            Self::NotCompared => "GET itself is refused or not answered, so nothing tells whether \
                more is filtered."
                .to_string(),
            Self::CutOff => "GET was answered at first and nothing was later: something stopped \
                answering altogether."
                .to_string(),
        }
    }
}

/// A verb with what it carried: a filter may have taken offence at that.
fn as_asked(verb: Verb) -> String {
    match verb {
        Verb::Get | Verb::Head | Verb::Propfind => verb.name().to_string(),
        Verb::Post => format!("{verb} (empty, application/octet-stream)"),
        Verb::CcmPost => format!("{verb} (empty, multipart/mixed)"),
        Verb::BitsPost => format!("{verb} (a ping)"),
    }
}

impl Refusal {
    fn ends(&self) -> Ends {
        match self {
            Self::Status(status) => Ends::Status(*status),
            Self::Silent | Self::Interim => Ends::Silent,
            Self::Reset | Self::Closed | Self::Garbage | Self::Alert(_) => Ends::BrokenOff,
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Status(status) => format!("is refused with {status}"),
            Self::Reset => "is reset".to_string(),
            Self::Closed => "ends with a closed connection".to_string(),
            Self::Silent => "gets no answer".to_string(),
            Self::Garbage => "is answered with something that is not HTTP".to_string(),
            Self::Interim => "gets interim answers (1xx) and no final one".to_string(),
            Self::Alert(words) => format!("ends with a TLS error ({words})"),
        }
    }
}

impl Refuser {
    fn meddler(&self) -> Meddler {
        match self {
            Self::Device(_) => Meddler::Device,
            Self::DeviceLikely => Meddler::DeviceLikely,
            Self::Either => Meddler::Either,
        }
    }

    /// Who may have refused; `own_way`: whether servers themselves refuse a verb in this way on a path they lack.
    fn words(&self, own_way: bool) -> String {
        match (self, own_way) {
            (Self::Device(differences), _) => {
                let marks: Vec<String> = differences.iter().map(Difference::words).collect();
                format!(
                    "Another speaker than the one that answers GET refused: a device on the way, \
                     or a filter in front of the server ({}).",
                    marks.join("; ")
                )
            }
            (Self::DeviceLikely, _) => "A web server answers even what it does not know, and GET \
                still had its answer: a device on the way is the likelier one, a filter on the \
                server the other."
                .to_string(),
            (Self::Either, true) => "The refusal looks like the server's own, which may say this \
                of a path that it does not have; a device can look the same. Ask from beside the \
                server: if it passes there, a device refuses it here."
                .to_string(),
            (Self::Either, false) => "Nothing tells whether the server or a device refused. Ask \
                from beside the server: if it passes there, a device refuses it here."
                .to_string(),
        }
    }
}

impl Difference {
    fn words(&self) -> String {
        let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_string());
        match self {
            Self::Header { name, to_get, here } => {
                format!(
                    "{name}: {} here, {} for GET",
                    or_none(here),
                    or_none(to_get)
                )
            }
            Self::Version => "HTTP/1.0 here, HTTP/1.1 for GET".to_string(),
            Self::ProxyStatus(status) => format!("only proxies say {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_verb_and_who_may_have_refused() {
        let blocked = |by| Finding::VerbBlocked {
            verb: Verb::CcmPost,
            how: Refusal::Status(405),
            by,
        };
        let either = blocked(Refuser::Either).words();
        assert!(
            either.contains("CCM_POST") && either.contains("405"),
            "{either}"
        );
        assert!(
            either.contains("may say this of a path that it does not have"),
            "{either}"
        );
        let device = blocked(Refuser::Device(vec![Difference::Header {
            name: "Server",
            to_get: Some("Microsoft-IIS/7.5".to_string()),
            here: None,
        }]));
        assert!(
            device
                .words()
                .contains("Server: none here, Microsoft-IIS/7.5 for GET")
        );
    }
}
