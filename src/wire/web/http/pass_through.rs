//! How one request came through, compared with a plain GET of the same path; and who refused, when it did not.

use super::answer::{Answer, Reading};
use super::finding::{Difference, Refusal, Refuser};
use super::page;

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

impl Passage {
    /// In a word or two.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Passed { status } => format!("passed, {status}"),
            Self::Acknowledged { status } => format!("acknowledged, {status}"),
            Self::Refused(how, _) => how.words(),
            Self::NotAsked => "not asked".to_string(),
        }
    }
}

/// How a request came through, compared with the answer that a plain GET of the same path has.
///
/// 1. 405 and 501 refuse a method by definition, 407 and 511 are said by proxies only.
/// 2. 400, 403, 404, 431, 502 and 503 refuse where GET has another status. Filters say 400 or 403, and the request
///    filtering of IIS says 404 (404.6). A bridging proxy whose far side hung up says 502 or 503.
/// 3. A redirect refuses where GET has none: the verbs of clients do not survive one.
/// 4. No HTTP answer refuses, whoever sent nothing.
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
            (status, Some(plain))
                if page::redirects(status) && !page::redirects(plain.head.status) =>
            {
                Refusal::Status(status)
            }
            (status, _) => return Passage::Passed { status },
        },
        Reading::Garbage => Refusal::Garbage,
        Reading::Interim => Refusal::Interim,
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

/// Whether nothing shows that two answers are by different speakers.
pub(crate) fn is_one_speaker(one: &Answer, other: &Answer) -> bool {
    let versions_differ = one.head.minor != other.head.minor;
    differences(one, other).is_empty() && !versions_differ
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::product::Verb;
    use crate::wire::web::http::answer::Reader;

    /// The reading of an answer with this status and these header lines.
    pub(in crate::wire::web::http) fn answered(status: u16, headers: &str) -> Reading {
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
        for status in [200, 207, 401, 404, 411, 500] {
            assert_eq!(
                beside(&plain, &answered(status, IIS)),
                Passage::Passed { status }
            );
        }
    }

    #[test]
    fn a_redirect_refuses_where_the_plain_request_has_none() {
        let elsewhere = answered(302, IIS);
        assert_eq!(
            beside(&answered(404, IIS), &elsewhere),
            Passage::Refused(Refusal::Status(302), Refuser::Either)
        );
        let seen = beside(&answered(301, IIS), &elsewhere);
        assert_eq!(seen, Passage::Passed { status: 302 });
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
}
