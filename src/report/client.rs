//! A client's own view: what it uses, in the order in which it goes about its work, stopping nowhere.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Logged, ReportFlow};
use super::reach::Reached;
use crate::diagnostic::visible;
use crate::observation::{DnsNote, ResolverError, Unresolved};
use crate::paragraph::{Page, Width};
use crate::plan::{self, Flow, Target};
use crate::product::{Asks, Catalogue, ClientStep, Confidence, Need, Role};
use crate::site::Site;
use crate::verdict::{Cause, Verdict};

/// What a client's run needs beside the flows.
pub struct ClientRun {
    /// Its numbers.
    pub numbers: Vec<ClientNumber>,
    /// The names that it looks up, each with what came back.
    pub names: Vec<(String, NameAnswer)>,
}

/// What came back for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameAnswer {
    /// These addresses.
    Addresses(Vec<IpAddr>),
    /// None.
    Failed(Unresolved),
    /// As the site file says, or otherwise.
    Beside(Option<DnsNote>),
    /// It was not asked for.
    NotAsked,
}

/// A client's own view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientView {
    /// Its numbers.
    pub numbers: Vec<ClientNumber>,
    /// What it does, in this order.
    pub steps: Vec<ClientViewStep>,
}

/// A number that a client was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientNumber {
    /// `http` or `https`.
    pub protocol: String,
    /// Port.
    pub port: u16,
    /// Which site file has it among `client_ports`: `new` (FILE), `old` (that of `--against`), `both` or `neither`.
    pub of: String,
}

/// One thing that a client does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientViewStep {
    /// Its place, from 1.
    pub number: usize,
    /// The part of its work, as the catalogue names it.
    pub step: String,
    /// What it does there.
    pub does: String,
    /// How sure this place in the order is: as `confidence` of a rule.
    pub confidence: Confidence,
    /// Where that is documented; `null` where nothing can be cited.
    pub source: Option<String>,
    /// The flow, where it is one.
    pub flow: Option<String>,
    /// The name that it looks up, where it is one.
    pub name: Option<String>,
    /// Whether it comes to a good end.
    pub succeeds: Reached,
    /// What was seen, in words.
    pub result: String,
    /// What the client would log.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub logged: Vec<Logged>,
}

/// What no step of the catalogue speaks of comes last.
const REST: &str = "rest";

/// Puts flows and names into the order of the catalogue.
pub(super) fn view(
    site: &Site,
    catalogue: &Catalogue,
    run: &ClientRun,
    flows: &[(&Flow, &ReportFlow)],
) -> ClientView {
    let mut steps = Vec::new();
    for step in &catalogue.client_order {
        if step.asks == Asks::Names {
            let names = run.names.iter();
            steps.extend(names.map(|(name, answer)| of_name(step, name, answer)));
        }
        // A web server may have several roles, and the client comes back for each.
        let mine = flows
            .iter()
            .filter(|(flow, _)| is_of(site, catalogue, step, flow));
        steps.extend(mine.map(|(_, flow)| of_flow(step, flow)));
    }
    let rest = ClientStep {
        id: REST.to_string(),
        does: "turns to what else it uses; when, is not known".to_string(),
        asks: Asks::Systems,
        roles: Vec::new(),
        confidence: crate::product::Confidence::Unconfirmed,
        source: String::new(),
    };
    let order = &catalogue.client_order;
    let has_a_place = |flow: &Flow| order.iter().any(|step| is_of(site, catalogue, step, flow));
    let left = flows.iter().filter(|(flow, _)| !has_a_place(flow));
    steps.extend(left.map(|(_, flow)| of_flow(&rest, flow)));
    for (place, step) in steps.iter_mut().enumerate() {
        step.number = place + 1;
    }
    ClientView {
        numbers: run.numbers.clone(),
        steps,
    }
}

fn is_of(site: &Site, catalogue: &Catalogue, step: &ClientStep, flow: &Flow) -> bool {
    let roles = plan::roles(site, catalogue, flow);
    let is_list = matches!(flow.to, Target::Host(_)) || plan::is_only_of_lists(catalogue, flow);
    match step.asks {
        Asks::Lists => is_list,
        Asks::Names | Asks::Systems => {
            let has = |role: &Role| roles.contains(role);
            !is_list && step.roles.iter().any(has)
        }
    }
}

fn entry(step: &ClientStep) -> ClientViewStep {
    ClientViewStep {
        number: 0,
        step: step.id.clone(),
        does: step.does.clone(),
        confidence: step.confidence,
        source: (!step.source.is_empty()).then(|| step.source.clone()),
        flow: None,
        name: None,
        succeeds: Reached::Unknown,
        result: String::new(),
        logged: Vec::new(),
    }
}

fn of_flow(step: &ClientStep, flow: &ReportFlow) -> ClientViewStep {
    let is = |cause: Cause| flow.cause == cause;
    let is_required = flow.flow.need == Need::Required;
    let succeeds = match flow.verdict {
        Verdict::Ok if is_required || is(Cause::Answered) => Reached::Yes,
        // An optional flow is never wrong: whether it passed, its cause says.
        Verdict::Ok if is(Cause::NotOpen) || is(Cause::OtherService) => Reached::No,
        Verdict::Ok | Verdict::Unknown => Reached::Unknown,
        Verdict::Blocked | Verdict::Down | Verdict::Wrong | Verdict::Exposed => Reached::No,
    };
    let spare = match is_required {
        true => "",
        false => "optional: ",
    };
    ClientViewStep {
        flow: Some(flow.flow.id.clone()),
        succeeds,
        result: format!("{spare}{}, {} ({})", flow.verdict, flow.cause, flow.state),
        logged: flow.logged.clone(),
        ..entry(step)
    }
}

fn of_name(step: &ClientStep, name: &str, answer: &NameAnswer) -> ClientViewStep {
    let listed = |all: &[IpAddr]| {
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        all.join(", ")
    };
    let (succeeds, result) = match answer {
        NameAnswer::Addresses(all) => (Reached::Yes, format!("is {}", listed(all))),
        NameAnswer::Failed(Unresolved::NoSuchName)
        | NameAnswer::Beside(Some(DnsNote::NoSuchName)) => (
            Reached::No,
            "does not exist for the resolver of this host".to_string(),
        ),
        NameAnswer::NotAsked | NameAnswer::Failed(Unresolved::NotAsked) => {
            (Reached::Unknown, "was not asked for".to_string())
        }
        NameAnswer::Failed(Unresolved::ResolverError(error))
        | NameAnswer::Beside(Some(DnsNote::Error(error))) => (
            Reached::Unknown,
            format!(
                "has no answer: the resolver of this host {}",
                resolver_words(*error)
            ),
        ),
        NameAnswer::Failed(_) | NameAnswer::Beside(Some(DnsNote::NoAnswer)) => (
            Reached::Unknown,
            "has no answer from the resolver of this host".to_string(),
        ),
        NameAnswer::Beside(None) => (Reached::Yes, "is what the site file says".to_string()),
        NameAnswer::Beside(Some(DnsNote::Differs { said })) => (
            Reached::Yes,
            format!("is {}, which the site file does not say", listed(said)),
        ),
    };
    ClientViewStep {
        name: Some(name.to_string()),
        succeeds,
        result,
        ..entry(step)
    }
}

/// What a resolver gave in place of addresses, as the rest of a sentence that begins with it.
pub fn resolver_words(error: ResolverError) -> &'static str {
    match error {
        ResolverError::Refused => "refuses to serve this host (REFUSED)",
        ResolverError::Failed => "could not find out (SERVFAIL)",
        ResolverError::Absent => "is not there: at its address nobody answers questions",
    }
}

/// The view as text by itself, for formats that show it in one piece.
pub(super) fn alone(view: &ClientView) -> String {
    let mut page = Page::new(Width::UNKNOWN);
    text(&mut page, view);
    page.into_text()
}

/// The view as text.
pub(super) fn text(page: &mut Page, view: &ClientView) {
    let numbers: Vec<String> = view.numbers.iter().map(number).collect();
    page.gap();
    page.paragraph(
        0,
        format!(
            "What a client with {} meets, in its order",
            visible(&numbers.join(" and "))
        ),
    );
    let mut part = "";
    for step in &view.steps {
        if step.step != part {
            part = &step.step;
            let sure = match (&step.source, step.confidence) {
                (None, _) => "this place in the order is not confirmed by any document".to_string(),
                (Some(source), Confidence::Documented) => source.clone(),
                (Some(source), _) => format!("this place follows from: {source}"),
            };
            let words = format!("{part}: it {} [{sure}]", step.does);
            page.gap();
            page.paragraph(2, visible(&words));
        }
        let what = step.flow.as_ref().or(step.name.as_ref());
        // Narrower than a column of its own, the number begins the line as in any list.
        let number = format!("{:>2}. {:<7}", step.number, step.succeeds);
        let what = visible(what.map_or("", String::as_str));
        page.paragraph(2, format!("{number} {what}: {}", visible(&step.result)));
        let mut words: Vec<&str> = step.logged.iter().map(|it| it.words.as_str()).collect();
        words.dedup();
        for words in words {
            page.paragraph(6, format!("client: {}", visible(words)));
        }
    }
}

/// `8443 (HTTPS, of the new file)`.
fn number(it: &ClientNumber) -> String {
    let of = match it.of.as_str() {
        "both" => "of both files",
        "new" => "of the site file",
        "old" => "of the old file only",
        _ => "which no site file has",
    };
    format!("{} ({}, {of})", it.port, it.protocol.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::CONFIGMGR_2007;

    #[test]
    fn a_name_comes_to_a_good_end_only_when_somebody_said_so() {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        let step = &catalogue.client_order[0];
        assert_eq!(step.asks, Asks::Names, "a client asks for names first");
        let address = IpAddr::from([192, 0, 2, 10]);
        let cases = [
            (NameAnswer::Addresses(vec![address]), "yes"),
            (NameAnswer::Beside(None), "yes"),
            (NameAnswer::Failed(Unresolved::NoSuchName), "no"),
            (NameAnswer::Failed(Unresolved::ResolverSilent), "unknown"),
            (NameAnswer::Beside(Some(DnsNote::NoAnswer)), "unknown"),
            (NameAnswer::NotAsked, "unknown"),
        ];
        for (answer, succeeds) in cases {
            let it = of_name(step, "mp.example.com", &answer);
            assert_eq!(it.succeeds, succeeds, "{answer:?}: {}", it.result);
        }
    }

    #[test]
    fn places_that_are_not_confirmed_say_so() {
        let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("no findings");
        for step in &catalogue.client_order {
            let is_unconfirmed = step.source.is_empty();
            assert_eq!(
                is_unconfirmed,
                step.does.contains("usually"),
                "{}",
                step.does
            );
        }
    }
}
