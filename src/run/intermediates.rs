//! Intermediates that servers do not send: fetched once, as Windows clients do, and the servers looked at again.
//!
//! A certificate says where that of its issuer can be had (authority information access). Whoever shows a certificate
//! can name any host there, so the gate of revocation lists decides who is asked. Nothing is fetched but over plain
//! HTTP. A fetched certificate proves nothing by itself: what it completes is proved by signatures up to a trusted
//! root.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::CertificateDer;
use url::Url;

use super::Run;
use super::event::Event;
use super::list_hosts::{self, Host};
use super::refusals::host_and_port;
use crate::config::CrlHosts;
use crate::diagnostic::Place;
use crate::observation::{CertificateFault, Observation, Service, State, TlsSeen};
use crate::probe::Question;
use crate::wire::Fetched;
use crate::wire::trust::certificate::{Roots, bundle, is_of, lacking, reached};
use crate::wire::trust::revocation::fetch::destination;
use crate::wire::trust::revocation::gate::Gate;
use crate::wire::trust::revocation::list_value;

/// How many intermediates may be lacking above one another.
const LEVELS: usize = 4;
/// The most addresses that are asked in a run.
const MOST: usize = 16;
/// The most addresses of one host that are asked.
const MOST_ADDRESSES: usize = 2;
/// The most bytes of an answer.
const LARGEST: usize = 64 << 10;

/// What came from the addresses that were asked: certificates, or why none.
type Asked = BTreeMap<String, Result<Vec<CertificateDer<'static>>, String>>;

/// Fetches what servers do not send, and asks again those whose chains lead on with it.
pub(super) async fn look_again(run: &Run, questions: &[Question], answers: &mut [Observation]) {
    if run.ways.are_of_the_lab() || run.ways.proxy_of_lists().is_some() || *run.stop.borrow() {
        return;
    }
    let incomplete: Vec<usize> = (0..answers.len())
        .filter(|number| is_incomplete(&answers[*number]))
        .collect();
    if incomplete.is_empty() {
        return;
    }
    let (fetched, asked) = fetch_all(run, &incomplete, answers).await;
    run.trust.know(fetched);
    let known = run.trust.fetched();
    let (completed, lacking): (Vec<usize>, Vec<usize>) = incomplete
        .into_iter()
        .partition(|number| leads_on(&answers[*number], known, &run.roots));
    let again: Vec<Question> = completed.iter().map(|it| questions[*it].clone()).collect();
    let again = run.prober.ask_all(again, || {}).await;
    for (number, mut again) in completed.into_iter().zip(again) {
        let seen = &mut answers[number];
        if again.state == State::Open {
            again
                .attempts
                .splice(0..0, std::mem::take(&mut seen.attempts));
            *seen = again;
        }
    }
    for number in lacking {
        note_why(&mut answers[number], &asked, run);
    }
}

fn is_incomplete(seen: &Observation) -> bool {
    seen.service == Some(Service::Certificate(CertificateFault::NoIssuer))
}

/// A chain as it was sent, with what was fetched for it.
pub(super) fn chain(seen: &TlsSeen, fetched: &[Fetched]) -> Vec<CertificateDer<'static>> {
    let sent = seen.der.iter().map(|der| CertificateDer::from(der.clone()));
    let mut chain: Vec<_> = sent.collect();
    let reached = reached(&chain, fetched);
    chain.extend(reached.into_iter().map(|one| one.der.clone()));
    chain
}

/// Whether a chain no longer ends for want of an issuer that can be had.
fn leads_on(seen: &Observation, known: &[Fetched], roots: &Roots) -> bool {
    let tls = seen.tls.as_ref();
    tls.is_some_and(|tls| lacking(&chain(tls, known), roots).is_none())
}

/// Asks each address once, level by level.
async fn fetch_all(
    run: &Run,
    incomplete: &[usize],
    answers: &[Observation],
) -> (Vec<Fetched>, Asked) {
    let mut fetched: Vec<Fetched> = Vec::new();
    let mut asked = Asked::new();
    for _ in 0..LEVELS {
        let mut new: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for number in incomplete {
            let Some(tls) = &answers[*number].tls else {
                continue;
            };
            let Some(lacking) = lacking(&chain(tls, &fetched), &run.roots) else {
                continue;
            };
            for address in lacking.addresses {
                if !asked.contains_key(&address) {
                    let issuers = new.entry(address).or_default();
                    issuers.push(lacking.issuer.clone());
                }
            }
        }
        if new.is_empty() || asked.len() >= MOST {
            break;
        }
        let urls = new.keys().cloned().collect();
        (run.tell)(Event::AboutToFetchIssuers(urls));
        let room = MOST - asked.len();
        let asking = new
            .into_iter()
            .take(room)
            .map(|(address, issuers)| async move {
                let came = fetch_one(run, &address).await;
                (address, issuers, came)
            });
        for (address, issuers, came) in futures_util::future::join_all(asking).await {
            for der in came.iter().flatten() {
                let wanted = issuers.iter().any(|issuer| is_of(der, issuer));
                if wanted {
                    let (url, der) = (address.clone(), der.clone());
                    fetched.push(Fetched { url, der });
                }
            }
            asked.insert(address, came);
        }
    }
    (fetched, asked)
}

/// What one address serves, or why nothing came, in words.
async fn fetch_one(run: &Run, address: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let url = Url::parse(address).map_err(|_| "it is no address".to_string())?;
    let Some((name, port)) = destination(&url) else {
        return Err("only plain HTTP is tried".to_string());
    };
    let site = &run.file.site;
    if site.crl_hosts == CrlHosts::None {
        return Err("nothing is fetched: `site.crl_hosts` is `none`".to_string());
    }
    let gate = Gate {
        site,
        own: &run.networks,
    };
    gate.host(&name, port).map_err(|why| why.to_string())?;
    let place = Place::default();
    let host = Host { name, port, place };
    let found = list_hosts::resolve(run, &host).await;
    let found = found.map_err(|_| format!("the name {} leads nowhere from here", host.name))?;
    let mut why = format!("the name {} leads nowhere from here", host.name);
    for address in found.into_iter().take(MOST_ADDRESSES) {
        if let Err(refused) = gate.address(&host.name, address) {
            why = refused.to_string();
            continue;
        }
        match fetch_at(run, &url, &host, address).await {
            Ok(found) => return Ok(found),
            Err(failed) => why = failed,
        }
    }
    Err(why)
}

async fn fetch_at(
    run: &Run,
    url: &Url,
    host: &Host,
    address: IpAddr,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let at = SocketAddr::new(address, host.port);
    // A redirect is followed to the same host only.
    let same =
        |name: &str, port: u16| (name == host.name && port == host.port).then(|| vec![address]);
    match run.prober.fetch(url, at, LARGEST, same).await {
        None => Err("the run was stopped".to_string()),
        Some(Err(why)) => Err(list_value::of_failure(&why).1),
        Some(Ok(fetched)) => match bundle(&fetched.body) {
            found if found.is_empty() => Err(format!(
                "{} serves no certificate there",
                host_and_port(&host.name, host.port)
            )),
            found => Ok(found),
        },
    }
}

/// Writes down which certificate is lacking now, what below it was fetched, and why it was not fetched itself.
fn note_why(seen: &mut Observation, asked: &Asked, run: &Run) {
    let Some(tls) = &mut seen.tls else { return };
    let chain = chain(tls, run.trust.fetched());
    let Some(lacking) = lacking(&chain, &run.roots) else {
        return;
    };
    let why: Vec<String> = lacking
        .addresses
        .iter()
        .filter_map(|address| match asked.get(address)? {
            Ok(_) => Some(format!("{address}: it serves another certificate")),
            Err(why) => Some(format!("{address}: {why}")),
        })
        .collect();
    let Some(missing) = &mut tls.missing else {
        return;
    };
    missing.also = lacking.unsent(&chain, tls.der.len());
    missing.name = lacking.issuer;
    missing.not_fetched = (!why.is_empty()).then(|| why.join("; "));
}
