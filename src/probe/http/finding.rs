//! What was done to a client's requests on the way, in words that claim no more than was seen.

use super::answer::{Answer, Reading};
use super::request::NOWHERE;
use crate::catalogue::Verb;

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
    /// GET itself is not answered, so that nothing can be compared with it.
    NotCompared,
    /// GET was answered at first and no longer at the end: what was not answered in between proves nothing.
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

/// How a request came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// Something answered, and did not refuse.
    Passed {
        /// Its status.
        status: u16,
    },
    /// The service behind the verb answered in its own protocol.
    Acknowledged {
        /// Its status.
        status: u16,
    },
    /// It was refused.
    Refused(Refusal, Refuser),
    /// It was not asked.
    NotAsked,
}

/// How a request came through, seen beside the answer that a plain GET of the same path has.
///
/// 1. 405 and 501 refuse a method by definition, 407 and 511 are said by proxies only.
/// 2. 400, 403, 404, 431, 502 and 503 refuse where GET has another status: filters say 400 or 403, the request filtering
///    of IIS says 404 (404.6), a bridging proxy whose far side hung up says 502 or 503.
/// 3. No HTTP answer refuses, whoever sent nothing.
pub(super) fn passage(plain: Option<&Answer>, reading: &Reading) -> Passage {
    let how = match reading {
        Reading::NotAsked => return Passage::NotAsked,
        Reading::Answer(answer) if is_bits_acknowledgement(answer) => {
            return Passage::Acknowledged {
                status: answer.head.status,
            };
        }
        Reading::Answer(answer) => match (answer.head.status, plain) {
            (status @ (405 | 407 | 501 | 511), _) => Refusal::Status(status),
            (status @ (400 | 403 | 404 | 431 | 502 | 503), Some(plain))
                if plain.head.status != status =>
            {
                Refusal::Status(status)
            }
            (status, _) => return Passage::Passed { status },
        },
        Reading::Garbage => Refusal::Garbage,
        Reading::Silent => Refusal::Silent,
        Reading::Closed => Refusal::Closed,
        Reading::Reset => Refusal::Reset,
        Reading::Alert(words) => Refusal::Alert(words.clone()),
    };
    let by = refuser(plain, reading);
    Passage::Refused(how, by)
}

fn refuser(plain: Option<&Answer>, reading: &Reading) -> Refuser {
    let answer = reading.answer();
    if let Some(status @ (407 | 511)) = reading.status() {
        return Refuser::Device(vec![Difference::ProxyStatus(status)]);
    }
    match (plain, answer) {
        (None, _) => Refuser::Either,
        (Some(_), None) => Refuser::DeviceLikely,
        (Some(plain), Some(answer)) => match differences(plain, answer) {
            none if none.is_empty() => Refuser::Either,
            some => Refuser::Device(some),
        },
    }
}

/// By what a refusal shows another speaker than the answer to GET.
pub(super) fn differences(plain: &Answer, refusal: &Answer) -> Vec<Difference> {
    let mut found = Vec::new();
    for name in ["Server", "Via"] {
        let (to_get, here) = (plain.head.header(name), refusal.head.header(name));
        if to_get != here && !is_windows(to_get, here) {
            found.push(Difference::Header {
                name,
                to_get: to_get.map(str::to_string),
                here: here.map(str::to_string),
            });
        }
    }
    if refusal.head.minor < plain.head.minor {
        found.push(Difference::Version);
    }
    found
}

/// The HTTP driver of Windows answers some requests before IIS sees them, under a name of its own.
fn is_windows(one: Option<&str>, other: Option<&str>) -> bool {
    let of_windows = |server: Option<&str>| {
        server.is_some_and(|server| {
            server.starts_with("Microsoft-IIS/") || server.starts_with("Microsoft-HTTPAPI/")
        })
    };
    of_windows(one) && of_windows(other)
}

/// The `Ack` of the BITS upload protocol; one page of its documentation spells the header's name otherwise.
fn is_bits_acknowledgement(answer: &Answer) -> bool {
    ["BITS-Packet-Type", "BITS-Package-Type"]
        .iter()
        .any(|name| answer.head.lists(name, "Ack"))
}

impl Finding {
    /// Its name in reports.
    pub(crate) fn cause(&self) -> &'static str {
        match self {
            Self::VerbBlocked { .. } => "verb-blocked",
            Self::HeaderBlocked { .. } => "header-blocked",
            Self::HeaderLost { .. } => "header-lost",
            Self::HeaderRewritten { .. } => "header-rewritten",
            Self::VerbRewritten { .. } => "verb-rewritten",
            Self::Downgraded(_) => "http-downgraded",
            Self::Announced { .. } => "proxy-announced",
            Self::SizeHidden => "size-hidden",
            Self::NotCompared => "verbs-not-compared",
            Self::CutOff => "cut-off",
        }
    }

    /// What was seen, in one or two sentences.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::VerbBlocked { verb, how, by } => {
                let who = by.words(matches!(how, Refusal::Status(404 | 405 | 501)));
                format!("{verb} of {NOWHERE} {}, GET of it is not. {who}", how.words())
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
            Self::HeaderRewritten { header, arrived } => {
                format!("{header} arrives with another value: {arrived}.")
            }
            Self::VerbRewritten { verb, arrived } => format!("{verb} arrives as {arrived}."),
            Self::Downgraded(Direction::Request) => {
                "Requests arrive as HTTP/1.0: something on the way speaks the older version."
                    .to_string()
            }
            Self::Downgraded(Direction::Answer) => {
                "Answers come as HTTP/1.0: the server, or something on the way, speaks the older version."
                    .to_string()
            }
            Self::Announced { via } => format!("A proxy on the way says that it is there: Via: {via}."),
            Self::SizeHidden => "HEAD does not say how large the file is; BITS needs that.".to_string(),
            Self::NotCompared => "GET itself is not answered, so nothing tells whether verbs are filtered.".to_string(),
            Self::CutOff => "GET was answered at first and not at the end: something stopped answering altogether.".to_string(),
        }
    }
}

impl Refusal {
    fn words(&self) -> String {
        match self {
            Self::Status(status) => format!("is refused with {status}"),
            Self::Reset => "is reset".to_string(),
            Self::Closed => "ends with a closed connection".to_string(),
            Self::Silent => "gets no answer".to_string(),
            Self::Garbage => "is answered with something that is not HTTP".to_string(),
            Self::Alert(words) => format!("ends with a TLS error ({words})"),
        }
    }
}

impl Refuser {
    /// Who may have refused; `own_way`: whether servers themselves refuse a verb in this way on a path they lack.
    fn words(&self, own_way: bool) -> String {
        match (self, own_way) {
            (Self::Device(differences), _) => {
                let marks: Vec<String> = differences.iter().map(Difference::words).collect();
                format!(
                    "Another speaker than the one that answers GET refused: a device on the way, or a filter in front of the server ({}).",
                    marks.join("; ")
                )
            }
            (Self::DeviceLikely, _) => "A web server answers even what it does not know, and GET still had its answer: a device on the way is the likelier one, a filter on the server the other.".to_string(),
            (Self::Either, true) => "The refusal looks like the server's own, which may say this of a path that it does not have; a device can look the same. Ask from beside the server: if it passes there, a device refuses it here.".to_string(),
            (Self::Either, false) => "Nothing tells whether the server or a device refused. Ask from beside the server: if it passes there, a device refuses it here.".to_string(),
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
pub(super) mod tests {
    use super::*;
    use crate::probe::http::answer::Reader;

    /// The reading of an answer with this status and these header lines.
    pub(in crate::probe::http) fn answered(status: u16, headers: &str) -> Reading {
        let text = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\n\r\n");
        let reading = Reader::new(Verb::Get).feed(text.as_bytes());
        reading.expect("a whole answer")
    }

    const IIS: &str = "Server: Microsoft-IIS/7.5\r\n";

    fn beside(plain: &Reading, reading: &Reading) -> Passage {
        passage(plain.answer(), reading)
    }

    #[test]
    fn any_answer_that_does_not_refuse_the_method_passes() {
        let plain = answered(404, IIS);
        for status in [200, 207, 302, 401, 404, 411, 500] {
            assert_eq!(
                beside(&plain, &answered(status, IIS)),
                Passage::Passed { status }
            );
        }
    }

    #[test]
    fn a_refusal_by_the_same_speaker_may_be_the_servers_own() {
        for status in [405, 501, 403] {
            let Passage::Refused(how, by) = beside(&answered(404, IIS), &answered(status, IIS))
            else {
                panic!("{status}")
            };
            assert_eq!((how, by), (Refusal::Status(status), Refuser::Either));
        }
        // The HTTP driver of the same Windows.
        let driver = answered(400, "Server: Microsoft-HTTPAPI/2.0\r\n");
        let seen = beside(&answered(404, IIS), &driver);
        assert_eq!(
            seen,
            Passage::Refused(Refusal::Status(400), Refuser::Either)
        );
    }

    #[test]
    fn a_refusal_by_another_speaker_is_a_devices() {
        let plain = answered(404, IIS);
        for headers in [
            "",
            "Server: BigIP\r\n",
            "Server: Microsoft-IIS/7.5\r\nVia: 1.1 isa01\r\n",
        ] {
            let Passage::Refused(_, Refuser::Device(differences)) =
                beside(&plain, &answered(405, headers))
            else {
                panic!("{headers}")
            };
            assert_eq!(differences.len(), 1);
        }
        let proxy = beside(&plain, &answered(407, IIS));
        assert!(matches!(
            proxy,
            Passage::Refused(Refusal::Status(407), Refuser::Device(_))
        ));
    }

    #[test]
    fn no_answer_to_one_verb_is_likelier_a_devices() {
        let plain = answered(404, IIS);
        for (reading, how) in [
            (Reading::Reset, Refusal::Reset),
            (Reading::Silent, Refusal::Silent),
            (Reading::Closed, Refusal::Closed),
        ] {
            let seen = beside(&plain, &reading);
            assert_eq!(seen, Passage::Refused(how, Refuser::DeviceLikely));
        }
    }

    #[test]
    fn an_acknowledgement_is_the_service_itself_in_either_spelling() {
        for name in ["BITS-Packet-Type", "BITS-Package-Type"] {
            let seen = beside(
                &answered(404, IIS),
                &answered(403, &format!("{name}: Ack\r\n")),
            );
            assert_eq!(seen, Passage::Acknowledged { status: 403 });
        }
    }

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
