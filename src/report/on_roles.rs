//! What to do about a role that fails, sends elsewhere, or does not prove itself, in words for whoever has to act.

use super::document::Evidence;
use crate::observation::{Presented, RoleFound, RoleProof, TlsSeen};
use crate::plan::FlowEntry;
use crate::product::Role;
use crate::verdict::Cause;

/// The most authorities of a server that are named in a sentence.
const MOST_NAMED: usize = 4;

/// The roles with one of these proofs.
fn with<'a>(
    evidence: &'a Evidence,
    proofs: &'a [RoleProof],
) -> impl Iterator<Item = &'a RoleFound> {
    let http = evidence.seen.http.iter();
    http.flat_map(|http| &http.roles)
        .filter(|role| proofs.contains(&role.proof))
}

/// The roles in a row, and what was seen of them.
fn named(evidence: &Evidence, proofs: &[RoleProof]) -> Option<(String, String)> {
    let roles: Vec<_> = with(evidence, proofs).collect();
    let join = |parts: Vec<&str>, between: &str| parts.join(between);
    (!roles.is_empty()).then(|| {
        (
            join(roles.iter().map(|it| it.role.name()).collect(), " and "),
            join(roles.iter().map(|it| it.words.as_str()).collect(), "; "),
        )
    })
}

pub(super) fn server_error(evidence: &Evidence, system: &str) -> String {
    match named(
        evidence,
        &[RoleProof::ServerError, RoleProof::PartlyServerError],
    ) {
        Some((roles, words)) => format!(
            "The web server of {system} answers for the {roles} with an error of its own \
             ({words}). Look at its application pool and log, then at what it needs itself."
        ),
        None => format!(
            "The web server of {system} answers with an error of its own: look at its application \
             pool and log."
        ),
    }
}

pub(super) fn redirected(evidence: &Evidence, system: &str) -> String {
    let (roles, words) = named(evidence, &[RoleProof::Redirected]).unwrap_or_default();
    format!(
        "{system} redirects requests for the {roles} ({words}). Clients need the answer itself. \
         Take this redirect out of the site in IIS (HTTP Redirect, URL Rewrite), or out of the \
         device on the way that sends it."
    )
}

pub(super) fn unproved(flow: &FlowEntry, evidence: &Evidence) -> String {
    const OPEN: [RoleProof; 3] = [
        RoleProof::Unproved,
        RoleProof::Forbidden,
        RoleProof::CertificateWanted,
    ];
    let (system, port) = (&flow.to.system, flow.service());
    let what = match named(evidence, &OPEN) {
        Some((roles, words)) => format!(
            "A web server answers on {port} of {system}, and nothing proves that the {roles} is \
             behind it: {words}."
        ),
        None => format!(
            "{system} asks for a client certificate on {port} before it says what it has, so \
             nothing proves the role."
        ),
    };
    let keeps = || {
        with(
            evidence,
            &[RoleProof::Forbidden, RoleProof::CertificateWanted],
        )
        .next()
        .is_some()
    };
    let seen = &evidence.seen;
    let asks = seen.tls.is_some() && (seen.http.is_none() || keeps());
    let is_of_packages = |role: &RoleFound| role.role == Role::DistributionPoint;
    let of_packages = with(evidence, &[RoleProof::Unproved]).any(is_of_packages);
    let how = match (&seen.tls, asks) {
        (Some(tls), true) if tls.refused_1_2.is_some() => AFTER_THE_REQUEST,
        (Some(tls), true) if tls.presented == Presented::NotAsked => NOBODY_ASKED,
        (_, true) => {
            "To prove it, put a certificate that clients have under `tls.client_certificate` of \
             the site file, and run again."
        }
        (_, false) if of_packages => ON_ANOTHER_DRIVE,
        (_, false) => {
            "See in the log of that server who answered these requests, and whether the role's \
             site in IIS is bound to this number and name."
        }
    };
    format!("{what} {how}")
}

/// Where the folders of a distribution point may be.
const ON_ANOTHER_DRIVE: &str = "In 2007 its folders bear the letter of their drive. If its packages are on another drive than \
     those that were tried, name it under `package_drives` of the site file, and run again. Else \
     see in the log of that \
     server who answered these requests, and whether the role's site in IIS is bound to this \
     number and name.";

/// What is known of a server that refuses requests and asks for no client certificate.
const NOBODY_ASKED: &str = "It asked for no client certificate in the handshake. See the substatus of the refusal in its \
     log. If it is 403.7, a client certificate is missing: have whatever ends TLS there ask for \
     one. If not, see whom it \
     keeps out.";

/// What a server may do that refuses requests, asks for no client certificate, and speaks TLS 1.3 only.
const AFTER_THE_REQUEST: &str = "It asked for no client certificate in the handshake, and speaks TLS 1.3 only. It may want \
     one after the request. In TLS 1.3 it can ask only clients that offer post-handshake \
     authentication; this program does \
     not, and whether Windows clients do is unconfirmed. See the substatus of the refusal in its \
     log (403.7: a client \
     certificate is missing). If that is it, have it ask in the handshake, or allow TLS 1.2. If \
     not, see whom it keeps out.";

/// What to do where a site contradicts the site file: each contradiction with both sides, then where to look.
pub(super) fn advertised(flow: &FlowEntry, evidence: &Evidence, cause: Cause) -> String {
    let system = &flow.to.system;
    let proved = || with(evidence, &[RoleProof::Proved]);
    let differs = proved().flat_map(|role| &role.differs).map(|it| {
        format!(
            "The list of the management point says {}; the site file says {}. ",
            it.site, it.file
        )
    });
    let names: Vec<&str> = proved()
        .flat_map(|role| &role.other_names)
        .map(String::as_str)
        .collect();
    let mut text: String = differs.collect();
    text += &match cause {
        Cause::AdvertisedSite => format!(
            "Does the site file describe another site, or does the name of {system} lead to a \
             management point of another site here? Look in the console under Sites, and correct \
             `code` in the site file, or the address of {system}."
        ),
        Cause::AdvertisedProduct => "See the version of the site in the console, and correct \
                                     `product` or `version` in the site file. Rules and ports \
                                     follow from them."
            .to_string(),
        Cause::AdvertisedHttps => format!(
            "See in the properties of the site, and of the management point on {system}, how \
             clients connect. Set it there, or correct the site file."
        ),
        _ => other_names(flow, &names),
    };
    text
}

fn other_names(flow: &FlowEntry, names: &[&str]) -> String {
    let system = &flow.to.system;
    let known = flow.to.name.as_deref().unwrap_or(system);
    format!(
        "The management point calls itself {}, and clients of {} know it as {known}. Clients that \
         follow this list look for a name that they may not reach. Give {system} the name {known} \
         in its site system properties, or correct `names` in the site file.",
        names.join(" and "),
        flow.from.zone
    )
}

pub(super) fn refused(evidence: &Evidence, system: &str) -> String {
    let Some(tls) = &evidence.seen.tls else {
        return String::new();
    };
    let shown = tls.shown.as_ref();
    let subject = shown.map_or("of the site file", |shown| &shown.subject);
    let issuer = shown
        .and_then(|shown| shown.issuers.first())
        .map_or("an unknown issuer", String::as_str);
    let takes = authorities(tls);
    let how = match tls.takes_no_such_issuer() {
        true => format!(
            "Have {system} trust that issuer for client certificates, or show one by an authority \
             that it takes."
        ),
        false => format!(
            "See whether {system} trusts its issuer, reaches its revocation list, and maps it to \
             nobody who is kept out; the log of IIS has the substatus (403.7, 403.13, 403.16)."
        ),
    };
    format!(
        "{system} does not take the client certificate {subject}, issued by {issuer}. It takes \
         {takes}. {how} Clients with certificates of the same issuer are likely refused as well."
    )
}

/// The authorities whose client certificates a server says that it takes.
fn authorities(tls: &TlsSeen) -> String {
    let all = &tls.authorities;
    let more = all.len().saturating_sub(MOST_NAMED) + tls.more_authorities;
    let named: Vec<&str> = all.iter().take(MOST_NAMED).map(String::as_str).collect();
    match (named.is_empty(), more) {
        (true, _) => "certificates by authorities that it does not name".to_string(),
        (false, 0) => format!("certificates by {}", named.join(" or ")),
        (false, more) => format!("certificates by {} or {more} more", named.join(", ")),
    }
}

/// Whether a role is missing because the server has one page for everything.
pub(super) fn is_one_page(evidence: &Evidence) -> bool {
    with(evidence, &[RoleProof::Missing]).any(|role| role.words.contains("the same page as"))
}
