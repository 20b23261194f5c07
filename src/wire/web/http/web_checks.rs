//! What is asked of a web server beyond its root page, and what the answers show: roles, verbs and headers together.
//!
//! One GET of the path that names nothing is the measure for all. The roles' paths, each verb and the headers follow
//! it, on as few connections as the server allows. Headers go all in one request, and one by one only when that one is
//! refused. Over TLS verbs and headers are asked only where the site file says that a proxy bridges. On a tunnelled
//! connection the two ends alone see them. What the server itself filters, it filters for its own clients. Whoever has
//! shown a client certificate sends GET and HEAD alone (`Identity`).

use super::answer::Reading;
use super::finding::Finding;
use super::headers;
use super::mplist;
use super::page::Nowhere;
use super::request::{Identity, Request};
use super::role::{self, Measure, role_seen};
use super::verbs;
use crate::observation::{HttpSeen, ListedPoint, Meddling, RoleFound};
use crate::product::{Fingerprint, Header, Role, Verb};

/// What a web server has to show beyond its root page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct WebNeeds {
    /// The roles that it has to have, with the paths that tell.
    pub roles: Vec<(Role, Vec<Fingerprint>)>,
    /// The verbs that have to reach it.
    pub verbs: Vec<Verb>,
    /// The headers that have to reach it.
    pub headers: Vec<Header>,
    /// Whether clients download from it by BITS, past something that sees headers.
    pub downloads: bool,
}

impl WebNeeds {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.verbs.is_empty() && self.headers.is_empty()
    }

    /// The most requests that are sent for them.
    pub fn most_requests(&self) -> usize {
        self.requests(Identity::Nobody).len()
            + usize::from(!self.roles.is_empty())
            + self.headers.len()
            + usize::from(self.downloads)
    }

    /// The request for a part, where clients ask for parts; `root`: with what status the root page came, of which it is.
    pub(crate) fn part(&self, root: u16) -> Option<Request> {
        (self.downloads && root == 200).then(|| headers::part("/"))
    }

    /// Writes down what the answer to [`Self::part`] shows.
    pub(crate) fn read_part(&self, answer: &Reading, seen: &mut HttpSeen) {
        add(seen, headers::part_seen(answer).into_iter().collect());
    }

    /// The requests, in the order in which [`Self::read`] takes their answers.
    pub(crate) fn requests(&self, identity: Identity) -> Vec<Request> {
        let mut all = vec![Request::nowhere(Verb::Get)];
        for (_, known) in &self.roles {
            let known: Vec<&Fingerprint> = known.iter().collect();
            all.extend(role::requests(&known));
        }
        if !self.verbs.is_empty() {
            all.extend(verbs::requests(&self.verbs, identity).into_iter().skip(1));
        }
        if !self.headers.is_empty() {
            all.extend(headers::requests(&self.headers).into_iter().skip(1).take(1));
        }
        all
    }

    /// Whether [`Request::nowhere_else`] is to be asked as well before the answers are read.
    pub(crate) fn is_in_doubt(&self, answers: &[Reading]) -> bool {
        let [page, rest @ ..] = answers else {
            return false;
        };
        let nowhere = Nowhere {
            page: page.clone(),
            other: None,
        };
        let mut rest = rest;
        self.roles.iter().any(|(_, known)| {
            let (here, others) = rest.split_at(known.len().min(rest.len()));
            rest = others;
            let known: Vec<&Fingerprint> = known.iter().collect();
            role::is_in_doubt(&nowhere, &known, here)
        })
    }

    /// Writes down what the answers to [`Self::requests`] show. `other`: what [`Request::nowhere_else`] was answered,
    /// where it was asked.
    pub(crate) fn read(
        &self,
        identity: Identity,
        answers: Vec<Reading>,
        other: Option<Reading>,
        seen: &mut HttpSeen,
    ) -> Again {
        let mut answers = answers.into_iter();
        let mut next = move || answers.next().unwrap_or(Reading::NotAsked);
        let nowhere = next();
        let measure = Measure {
            root: seen.status,
            may_get_more: identity.may_get_more(),
            nowhere: Nowhere {
                page: nowhere.clone(),
                other,
            },
        };
        for (role, known) in &self.roles {
            let known: Vec<&Fingerprint> = known.iter().collect();
            let with_paths: Vec<Reading> = known.iter().map(|_| next()).collect();
            let found = role_seen(&measure, &known, &with_paths).found(*role);
            let listed = listed(*role, &with_paths);
            seen.roles.push(RoleFound { listed, ..found });
        }
        if !self.verbs.is_empty() {
            let count = verbs::requests(&self.verbs, identity).len() - 1;
            let rest = (0..count).map(|_| next());
            let all = std::iter::once(nowhere.clone()).chain(rest).collect();
            let readings = verbs::Readings::of(&self.verbs, identity, all);
            let verbs::VerbsSeen(passages) = verbs::seen(&readings);
            let words = passages.into_iter().map(|(verb, it)| (verb, it.words()));
            seen.verbs = words.collect();
            add(seen, verbs::verbs(&readings));
        }
        let again = Again {
            plain: nowhere,
            all: next(),
        };
        if !self.headers.is_empty() && !again.is_needed(&self.headers) {
            add(seen, again.findings(&self.headers, Vec::new()));
        }
        again
    }
}

/// The management points that one of them has in its list.
fn listed(role: Role, answers: &[Reading]) -> Vec<ListedPoint> {
    if role != Role::ManagementPoint {
        return Vec::new();
    }
    let answers = answers.iter().filter_map(Reading::answer);
    let mut lists = answers
        .filter(|answer| answer.head.status == 200)
        .map(|answer| mplist::points(&answer.body));
    lists.find(|list| !list.is_empty()).unwrap_or_default()
}

/// What is known of headers after the first request that carried them all.
pub(crate) struct Again {
    plain: Reading,
    all: Reading,
}

impl Again {
    /// Whether they are to be tried one by one: together they are refused.
    pub(crate) fn is_needed(&self, asked: &[Header]) -> bool {
        let findings = self.findings(asked, Vec::new());
        findings
            .iter()
            .any(|finding| matches!(finding, Finding::HeaderBlocked { .. }))
    }

    /// The requests with one header each.
    pub(crate) fn requests(asked: &[Header]) -> Vec<Request> {
        headers::requests(asked).into_iter().skip(2).collect()
    }

    /// Writes down what the answers to [`Self::requests`] show.
    pub(crate) fn read(&self, asked: &[Header], each: Vec<Reading>, seen: &mut HttpSeen) {
        add(seen, self.findings(asked, each));
    }

    fn findings(&self, asked: &[Header], each: Vec<Reading>) -> Vec<Finding> {
        let first = [self.plain.clone(), self.all.clone()];
        let answers: Vec<Reading> = first.into_iter().chain(each).collect();
        headers::headers(asked, &answers)
    }
}

/// Verbs and headers may find the same; it is written down once.
fn add(seen: &mut HttpSeen, findings: Vec<Finding>) {
    for meddling in findings.iter().filter_map(Finding::meddling) {
        let same = |known: &Meddling| known.words == meddling.words;
        if !seen.meddling.iter().any(same) {
            seen.meddling.push(meddling);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Reader;
    use super::super::pass_through::tests::answered;
    use super::*;
    use crate::observation::{Meddled, Meddler, RoleProof};
    use crate::product::{CONFIGMGR_2007, Catalogue, Need};

    const IIS: &str = "Server: Microsoft-IIS/7.5\r\n";

    /// What a management point has to show.
    fn needs() -> WebNeeds {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let role = Role::ManagementPoint;
        let passes = catalogue.passes.iter();
        let passes: Vec<_> = passes
            .filter(|passes| passes.role == role && passes.need == Need::Required)
            .collect();
        let known = catalogue.fingerprints.iter();
        WebNeeds {
            roles: vec![(role, known.filter(|it| it.role == role).cloned().collect())],
            verbs: passes.iter().flat_map(|it| it.verbs.clone()).collect(),
            headers: passes.iter().flat_map(|it| it.headers.clone()).collect(),
            downloads: false,
        }
    }

    fn seen(needs: &WebNeeds, answer: impl Fn(&Request) -> Reading) -> (HttpSeen, Again) {
        let requests = needs.requests(Identity::Nobody);
        let answers = requests.iter().map(answer).collect();
        let root = answered(200, IIS);
        let mut seen = root.answer().expect("an answer").head.seen();
        let again = needs.read(Identity::Nobody, answers, None, &mut seen);
        (seen, again)
    }

    #[test]
    fn a_management_point_is_asked_ten_things_in_a_row() {
        let verbs: Vec<_> = needs()
            .requests(Identity::Nobody)
            .iter()
            .map(Request::verb)
            .collect();
        let get = Verb::Get;
        let expected = [get, get, get, get, Verb::Head, Verb::CcmPost];
        assert_eq!(verbs[..6], expected);
        assert_eq!(verbs[6..], [Verb::BitsPost, Verb::Propfind, get, get]);
        let as_client = needs().requests(Identity::Client);
        let reads = |request: &Request| matches!(request.verb(), Verb::Get | Verb::Head);
        assert!(as_client.iter().all(reads));
    }

    #[test]
    fn one_filtered_verb_is_a_devices_and_the_rest_is_well() {
        let (seen, again) = seen(&needs(), |request| match request.verb() {
            Verb::CcmPost => answered(405, ""),
            _ => answered(404, IIS),
        });
        let [blocked] = &seen.meddling[..] else {
            panic!("{:?}", seen.meddling)
        };
        assert_eq!(
            (blocked.what, blocked.verb, blocked.by),
            (Meddled::Verb, Some(Verb::CcmPost), Meddler::Device)
        );
        assert_eq!(seen.verbs.len(), 5);
        assert_eq!(seen.roles[0].proof, RoleProof::Missing);
        assert!(!again.is_needed(&needs().headers));
    }

    #[test]
    fn headers_are_tried_one_by_one_only_when_all_together_are_refused() {
        let needs = needs();
        let (mut seen, again) = seen(&needs, |request| match request.headers().len() {
            6.. => answered(400, IIS),
            _ => answered(404, IIS),
        });
        assert!(seen.meddling.is_empty() && again.is_needed(&needs.headers));
        let each = Again::requests(&needs.headers).len();
        assert_eq!(each, needs.headers.len());
        again.read(&needs.headers, vec![answered(404, IIS); each], &mut seen);
        assert_eq!(seen.meddling[0].what, Meddled::Header);
    }

    #[test]
    fn the_list_of_a_management_point_is_written_down_where_it_is_answered_with_200() {
        let list = "<MPList><MP Name=\"CM01\" FQDN=\"cm01.corp.local\"/></MPList>";
        let length = list.len();
        let of = |status: &str| {
            let text = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{list}");
            let (seen, _) = seen(&needs(), |request| {
                match request == &Request::get("/SMS_MP/.sms_aut?MPLIST") {
                    true => Reader::new(Verb::Get).feed(text.as_bytes()).expect("whole"),
                    false => answered(404, IIS),
                }
            });
            seen.roles[0].clone()
        };
        let found = of("200 OK");
        assert_eq!(found.proof, RoleProof::Proved);
        let names: Vec<_> = found.listed.iter().map(ListedPoint::full_name).collect();
        assert_eq!(names, [Some("cm01.corp.local")]);
        assert_eq!(of("403 Forbidden").listed, []);
    }

    #[test]
    fn silence_of_the_measure_is_said_once() {
        let (seen, _) = seen(&needs(), |_| Reading::Silent);
        let what: Vec<_> = seen.meddling.iter().map(|it| it.what).collect();
        assert_eq!(what, [Meddled::NotCompared]);
    }
}
