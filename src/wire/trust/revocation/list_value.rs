//! What came for a list or a responder's answer, in words, and what it means for clients.

use jiff::Timestamp;

use super::answer::Broken;
use super::certified::Certified;
use super::fetch::{NotConnected, NotFetched};
use super::list::ListFacts;
use super::list::delta::{self, Mismatch};
use super::{list, ocsp};
use crate::observation::{DeltaFault, ListContent, ListFault, Service};

/// What something fetched is worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worth {
    /// What stands in it.
    pub(crate) content: Option<ListContent>,
    /// What is wrong with it for every client; `None`: they can rely on it.
    pub(crate) fault: Option<ListFault>,
    /// Everything that is wrong, in words.
    pub(crate) words: Vec<String>,
    /// Which of the certificates it revokes, by their places.
    pub(crate) revoked: Vec<usize>,
    /// Of which certificates it takes an earlier revocation back.
    pub(crate) restored: Vec<usize>,
    /// What lists of changes are held against, where the authority itself issued it.
    pub(crate) base: Option<Base>,
}

/// A list to which others may add what changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// What stands in it.
    pub(crate) facts: ListFacts,
    /// The certificates that it speaks of, by their places.
    pub(crate) speaks_of: Vec<usize>,
}

impl Worth {
    fn note(&mut self, fault: Option<ListFault>, words: String) {
        self.fault = match (self.fault.take(), fault) {
            (Some(known), Some(fault)) => Some(known.min(fault)),
            (known, fault) => known.or(fault),
        };
        if !self.words.contains(&words) {
            self.words.push(words);
        }
    }
}

/// What a list is worth for the certificates that name it, and for others that it may be of.
///
/// A list that only the site file names may be of an authority whose certificates this host has not met.
pub(crate) fn of_list(
    bytes: &[u8],
    named_by: &[usize],
    all: &[Certified],
    now: Timestamp,
) -> Worth {
    let mut worth = Worth::default();
    let mut met = false;
    for (place, one) in all.iter().enumerate() {
        let checked = list::check(bytes, &one.der, &one.authorities, now);
        worth.content = worth.content.or(checked.facts.as_ref().map(content));
        let of_another = checked
            .faults
            .iter()
            .any(|fault| matches!(fault, list::Fault::WrongIssuer { .. }));
        // Of an authority with several lists, those that a certificate does not name are not its own.
        let is_not_its_own = checked.faults.iter().any(|fault| {
            use list::Fault::{AnotherPoint, OutOfScope, SomeReasons};
            matches!(fault, OutOfScope | AnotherPoint | SomeReasons)
        });
        if (of_another || is_not_its_own) && !named_by.contains(&place) {
            continue;
        }
        met = true;
        let is_the_authoritys = !checked.faults.iter().any(is_doubt);
        if is_the_authoritys
            && !is_not_its_own
            && let Some(facts) = checked.facts
        {
            let speaks_of = Vec::new();
            let base = worth.base.get_or_insert(Base { facts, speaks_of });
            base.speaks_of.push(place);
        }
        for fault in checked.faults {
            if matches!(fault, list::Fault::Revoked { .. }) && is_the_authoritys {
                worth.revoked.push(place);
            }
            let (meaning, words) = of_list_fault(&fault, &one.subject);
            worth.note(meaning, words);
        }
    }
    if !met {
        of_nobody_met(bytes, now, &mut worth);
    }
    worth
}

/// What a list of changes is worth for certificates, by their places, with the base lists that it may add to.
///
/// A list that is older than its base adds nothing: what it says of a certificate no longer counts.
pub(crate) fn of_delta(
    bytes: &[u8],
    places: &[usize],
    bases: &[&ListFacts],
    all: &[Certified],
    now: Timestamp,
) -> Worth {
    let mut worth = Worth::default();
    let mut takes_back = Vec::new();
    let mut facts = None;
    for place in places {
        let one = &all[*place];
        let checked = list::check(bytes, &one.der, &one.authorities, now);
        let is_the_authoritys = !checked.faults.iter().any(is_doubt);
        if checked.takes_back && is_the_authoritys {
            takes_back.push(*place);
        }
        for fault in checked.faults {
            match fault {
                // That it holds changes only is what it is for, and its point is held against that of the base list.
                list::Fault::DeltaOnly | list::Fault::AnotherPoint => continue,
                list::Fault::Revoked { .. } if is_the_authoritys => worth.revoked.push(*place),
                _ => {}
            }
            let (meaning, words) = of_list_fault(&fault, &one.subject);
            worth.note(meaning.as_ref().map(of_a_delta), words);
        }
        facts = facts.or(checked.facts);
    }
    let Some(facts) = facts else { return worth };
    worth.content = Some(content(&facts));
    let mut mismatches = Vec::new();
    for base in bases {
        mismatches.extend(delta::mismatches(&facts, base));
    }
    let is_older = |it: &Mismatch| matches!(it, Mismatch::Older { .. });
    if mismatches.iter().any(is_older) {
        worth.revoked.clear();
        takes_back.clear();
    }
    mismatches.sort();
    for mismatch in mismatches {
        let (meaning, words) = of_mismatch(&mismatch);
        worth.note(meaning, words);
    }
    if worth.fault.is_none() {
        for place in &takes_back {
            let words = format!("it takes the revocation of {} back", all[*place].subject);
            worth.note(None, words);
        }
        worth.restored = takes_back;
    }
    worth
}

/// What a fault means of a list of changes: not as much as of a list that clients cannot do without.
fn of_a_delta(fault: &ListFault) -> ListFault {
    ListFault::Delta(match fault {
        ListFault::Expired | ListFault::NotYetValid => DeltaFault::Expired,
        ListFault::Redirected | ListFault::Missing(_) => DeltaFault::Missing,
        ListFault::Invalid | ListFault::TooLarge => DeltaFault::Invalid,
        ListFault::Delta(fault) => *fault,
    })
}

fn of_mismatch(mismatch: &Mismatch) -> (Option<ListFault>, String) {
    let invalid = Some(ListFault::Delta(DeltaFault::Invalid));
    match mismatch {
        Mismatch::Complete => (
            invalid,
            "it is a complete list, and no list of what changed".to_string(),
        ),
        Mismatch::OtherScope => (
            invalid,
            "it speaks of other certificates than its base list, or another key signed it"
                .to_string(),
        ),
        Mismatch::LaterBase { since, base } => (
            invalid,
            format!(
                "it holds what changed since list {since}, and the base list that is served is the \
                 older list {base}"
            ),
        ),
        Mismatch::Older { number, base } => (
            None,
            format!("it is list {number}, older than its base list {base}, and adds nothing"),
        ),
        Mismatch::Unnumbered => (
            None,
            "it or its base list has no number, so nobody can tell whether they go together"
                .to_string(),
        ),
        Mismatch::OtherPoint => (
            None,
            "it names another distribution point than its base list; whether Windows clients mind \
             is not known"
                .to_string(),
        ),
    }
}

/// Whether a fault leaves it open that the authority itself issued the list: then nobody is revoked by it.
fn is_doubt(fault: &list::Fault) -> bool {
    use list::Fault;
    match fault {
        Fault::NotAList
        | Fault::TooLarge
        | Fault::WrongIssuer { .. }
        | Fault::BadSignature
        | Fault::AnotherKey
        | Fault::Undecided
        | Fault::Unverified => true,
        Fault::Revoked { .. }
        | Fault::Expired { .. }
        | Fault::NotYetValid { .. }
        | Fault::OutOfScope
        | Fault::AnotherPoint
        | Fault::SomeReasons
        | Fault::DeltaOnly
        | Fault::Unknown { .. }
        | Fault::NoNextUpdate => false,
    }
}

/// Without a certificate that it is of, a list is asked only whether it is one, and of now.
fn of_nobody_met(bytes: &[u8], now: Timestamp, worth: &mut Worth) {
    let checked = list::by_itself(bytes, now);
    worth.content = checked.facts.as_ref().map(content);
    for fault in checked.faults {
        let (meaning, words) = of_list_fault(&fault, "");
        worth.note(meaning, words);
    }
    if worth.content.is_some() {
        let words =
            "no certificate that was seen here is by its issuer, so its signature was not checked";
        worth.note(None, words.to_string());
    }
}

fn content(facts: &ListFacts) -> ListContent {
    ListContent {
        issuer: facts.issuer.clone(),
        this_update: facts.this_update,
        next_update: facts.next_update,
        entries: facts.entries,
        bytes: facts.bytes,
    }
}

fn of_list_fault(fault: &list::Fault, subject: &str) -> (Option<ListFault>, String) {
    use list::Fault;
    let invalid = Some(ListFault::Invalid);
    match fault {
        Fault::NotAList => (
            invalid,
            "it is no revocation list, or a damaged one".to_string(),
        ),
        Fault::TooLarge => (Some(ListFault::TooLarge), "it is too large".to_string()),
        Fault::WrongIssuer { issuer } => (
            invalid,
            format!("it is by {issuer}, which did not issue {subject}"),
        ),
        Fault::BadSignature => (invalid, "the authority's key did not sign it".to_string()),
        Fault::Revoked { since, reason } => (None, revoked(subject, *since, *reason)),
        Fault::Expired { since } => (
            Some(ListFault::Expired),
            format!("the next list was due at {since} and has not come"),
        ),
        Fault::NotYetValid { from } => (
            Some(ListFault::NotYetValid),
            format!("it begins only at {from}"),
        ),
        Fault::OutOfScope => (invalid, format!("it does not speak of {subject}")),
        Fault::AnotherPoint => (
            invalid,
            format!("it is of another distribution point than those that {subject} names"),
        ),
        Fault::SomeReasons => (
            invalid,
            "it speaks of some reasons of revocation only".to_string(),
        ),
        Fault::DeltaOnly => (
            invalid,
            "it holds only what changed since another list".to_string(),
        ),
        Fault::Unknown { extension } => (
            invalid,
            format!("it demands the extension {extension}, which clients do not know"),
        ),
        Fault::AnotherKey => (
            None,
            "another key of the authority signed it, which is not at hand here".to_string(),
        ),
        Fault::Undecided | Fault::Unverified => (
            None,
            "whether the authority signed it cannot be computed here".to_string(),
        ),
        Fault::NoNextUpdate => (None, "it does not say when the next is due".to_string()),
    }
}

fn revoked(subject: &str, since: Option<Timestamp>, reason: Option<&str>) -> String {
    let since = since.map_or(String::new(), |since| format!(" since {since}"));
    let reason = reason.map_or(String::new(), |reason| format!(" ({reason})"));
    format!("it revokes {subject}{since}{reason}")
}

/// What a responder's answer is worth for the certificate that it was asked about.
pub(crate) fn of_answer(bytes: &[u8], place: usize, one: &Certified, now: Timestamp) -> Worth {
    use ocsp::Fault;
    let mut worth = Worth::default();
    let subject = &one.subject;
    for fault in ocsp::check(bytes, &one.der, &one.issuer, now).faults {
        let invalid = Some(ListFault::Invalid);
        let (meaning, words) = match fault {
            Fault::NotAnAnswer => (invalid, "it is no OCSP answer".to_string()),
            Fault::Refused(word) => (invalid, format!("the responder refuses: {word}")),
            Fault::AnotherCertificate => (invalid, format!("it does not speak of {subject}")),
            Fault::BadSignature => (invalid, "the wrong key signed the answer".to_string()),
            Fault::Revoked { since, reason } => {
                worth.revoked.push(place);
                (None, revoked(subject, since, reason))
            }
            Fault::Unknown => (invalid, format!("the responder does not know {subject}")),
            Fault::Expired { since } => (
                Some(ListFault::Expired),
                format!("a newer answer was due at {since}"),
            ),
            Fault::NotYetValid { from } => (
                Some(ListFault::NotYetValid),
                format!("it begins only at {from}"),
            ),
            Fault::Undecided => (None, "its signature cannot be computed here".to_string()),
        };
        worth.note(meaning, words);
    }
    worth
}

/// What it means that no list of changes was fetched from a port that is open.
pub(crate) fn of_missing_delta(why: &NotFetched) -> (Service, String) {
    let (service, words) = of_failure(why);
    let fault = match service {
        Service::List(fault) => of_a_delta(&fault),
        _ => ListFault::Delta(DeltaFault::Missing),
    };
    (Service::List(fault), words)
}

/// What it means that nothing was fetched from a port that is open.
pub(crate) fn of_failure(why: &NotFetched) -> (Service, String) {
    match why {
        NotFetched::Unfit { url } => (
            Service::List(ListFault::Invalid),
            format!("{url} is no address that clients fetch from"),
        ),
        NotFetched::Unreachable { host, port, why } => {
            let why = match why {
                NotConnected::NoSuchName => "its name does not exist",
                NotConnected::Closed => "it resets",
                NotConnected::Rejected => "a device refuses",
                NotConnected::Silent => "it does not answer",
                NotConnected::OwnTrouble => "this host cannot connect",
            };
            (
                Service::HungUp,
                format!("no connection to {host}:{port}: {why}"),
            )
        }
        NotFetched::Status(status @ 500..) => (
            Service::ServerError(*status),
            format!("the server answers with status {status}"),
        ),
        NotFetched::Status(status) => (
            Service::List(ListFault::Missing(*status)),
            format!("the server answers with status {status}"),
        ),
        NotFetched::Passed(head) => of_failure(&NotFetched::Status(head.status)),
        NotFetched::Elsewhere { to } => (
            Service::List(ListFault::Redirected),
            format!("the server sends to {to}, where clients do not follow"),
        ),
        NotFetched::TooManyRedirects => (
            Service::List(ListFault::Redirected),
            "the server sends on and on".to_string(),
        ),
        NotFetched::Broken(Broken::TooLarge) => (
            Service::List(ListFault::TooLarge),
            "the answer is too large".to_string(),
        ),
        NotFetched::Broken(Broken::NotHttp) => {
            (Service::NotHttp, "the answer is not HTTP".to_string())
        }
        NotFetched::Broken(Broken::CutShort) => (
            Service::HungUp,
            "the answer ends before its end".to_string(),
        ),
        NotFetched::Broken(Broken::HungUp) => (
            Service::HungUp,
            "the server closes without an answer".to_string(),
        ),
        NotFetched::Mute => (Service::Mute, "no answer came in time".to_string()),
        NotFetched::TooSlow { bytes } => {
            (Service::Mute, format!("only {bytes} bytes came in time"))
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber,
        date_time_ymd,
    };

    use super::super::certified::certified;
    use super::*;
    use crate::wire::trust::certificate::{Roots, sample};

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().expect("a time")
    }

    /// A list that revokes serial number 0x4711.
    fn list(by: &sample::Issuer) -> Vec<u8> {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 5, 1),
            next_update: date_time_ymd(2026, 7, 1),
            crl_number: SerialNumber::from(7),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(0x4711),
                revocation_time: date_time_ymd(2026, 5, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(by).expect("signed").der().to_vec()
    }

    fn revocable(root: &sample::Issuer) -> Vec<Certified> {
        let mut params = sample::server(&["a.example"]);
        params.serial_number = Some(SerialNumber::from(0x4711));
        let leaf = sample::signed(&params, root).to_vec();
        certified(&[leaf], &Roots::new(&[root.der().clone()], &[]))
    }

    #[test]
    fn only_the_authoritys_own_list_revokes() {
        let root = sample::root("Site Root");
        let all = revocable(&root);
        let own = of_list(&list(&root), &[0], &all, now());
        assert_eq!((own.fault, own.revoked), (None, vec![0]));
        // Of the same name, by another key.
        let forged = of_list(&list(&sample::root("Site Root")), &[0], &all, now());
        assert!(forged.revoked.is_empty());
        let strange = of_list(&list(&sample::root("Another")), &[0], &all, now());
        assert_eq!(strange.fault, Some(ListFault::Invalid));
        assert!(strange.revoked.is_empty());
    }

    #[test]
    fn a_list_of_an_authority_that_nobody_met_is_only_asked_for_its_dates() {
        let root = sample::root("Site Root");
        let bytes = list(&sample::root("Client Root"));
        let all = revocable(&root);
        let good = of_list(&bytes, &[], &all, now());
        assert_eq!(good.fault, None);
        assert!(good.words[0].contains("not checked"), "{:?}", good.words);
        let later = "2026-08-01T00:00:00Z".parse().expect("a time");
        let expired = of_list(&bytes, &[], &all, later);
        assert_eq!(expired.fault, Some(ListFault::Expired));
        let rubbish = of_list(b"rubbish", &[], &[], now());
        assert_eq!(rubbish.fault, Some(ListFault::Invalid));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_weighed_without_panic(bytes: Vec<u8>) {
            let all = revocable(&sample::root("Site Root"));
            let _ = of_list(&bytes, &[0], &all, now());
            let _ = of_answer(&bytes, 0, &all[0], now());
        }
    }
}
