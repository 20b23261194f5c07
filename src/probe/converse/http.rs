//! HTTP on a port that has opened, plain or inside TLS: the root page first, then what the flow's roles need.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::observation::{Depth, Observation, RoleProof, Service};
use crate::probe::{Prober, Question};
use crate::wire::web::http;
use crate::wire::web::http::authority::Authority;
use crate::wire::web::http::conversation::ask_each;
use crate::wire::web::http::request::{Identity, Request};

/// Speaks HTTP over a stream and writes down what came back.
pub(super) async fn over<S: AsyncRead + AsyncWrite + Unpin>(
    prober: &Prober,
    question: &Question,
    stream: &mut S,
    host: &str,
    seen: &mut Observation,
) -> Service {
    let Some(to) = authority(question, host) else {
        return Service::NotAsked;
    };
    seen.depth = Some(Depth::Http);
    let limit = prober.limits.timeout;
    let begun = Instant::now();
    let (service, http) = http::exchange(stream, &to, limit).await;
    seen.first_answer = http.is_some().then(|| begun.elapsed());
    seen.http = http.map(Box::new);
    service
}

/// Where requests go: to the server, or to a proxy that passes them on.
pub(super) fn authority(question: &Question, host: &str) -> Option<Authority> {
    let to = Authority::new(host.trim_end_matches('.'), question.port)?;
    Some(match question.way.proxy() {
        Some(gateway) if question.is_passed_on() => to.by_way_of_a_proxy(gateway.authorization()),
        Some(_) | None => to,
    })
}

/// The longest time that further requests of one flow begin new connections; what is not asked then stays unasked.
const LONGEST: Duration = Duration::from_secs(30);

/// Whether a server is asked for its roles after its root page: one that fails there may still have what its roles need.
pub(super) fn is_worth_a_closer_look(service: &Service) -> bool {
    matches!(service, Service::Spoke | Service::ServerError(_))
}

/// What a server is worth whose root page fails and that may have been asked for its roles: where all are there, it
/// serves.
pub(super) fn by_its_roles(service: Service, seen: &Observation) -> Service {
    let there = |proof| matches!(proof, RoleProof::Proved | RoleProof::Reached);
    let roles = seen.http.as_ref().map_or(&[][..], |http| &http.roles);
    match service {
        Service::ServerError(_)
            if !roles.is_empty() && roles.iter().all(|role| there(role.proof)) =>
        {
            Service::Spoke
        }
        service => service,
    }
}

/// Whether the roles of a server decided against its root page: connections on which they are not asked say less.
pub(in crate::probe) fn roles_decided(seen: &Observation) -> bool {
    let fails = seen.http.as_ref().is_some_and(|http| http.status >= 500);
    fails && seen.service == Some(Service::Spoke)
}

/// Asks a server that has spoken for the roles, verbs and headers that the flow needs, and writes down what came back.
/// `connect` makes another connection of the kind that has just spoken.
pub(super) async fn look_closer<S, C, F>(
    prober: &Prober,
    question: &Question,
    host: &str,
    identity: Identity,
    connect: C,
    seen: &mut Observation,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    C: Fn() -> F,
    F: Future<Output = Option<S>>,
{
    let (Some(needs), Some(http)) = (&question.web, &mut seen.http) else {
        return;
    };
    let Some(to) = authority(question, host) else {
        return;
    };
    let limit = prober.limits.timeout;
    let begun = Instant::now();
    let connect = || async {
        if begun.elapsed() > LONGEST {
            return None;
        }
        connect().await
    };
    let mut requests = needs.requests(identity);
    let part = needs.part(http.status);
    requests.extend(part.clone());
    let mut answers = ask_each(connect, &to, &requests, limit).await;
    let part = part.and_then(|_| answers.pop());
    let other = match needs.is_in_doubt(&answers) {
        true => ask_each(connect, &to, &[Request::nowhere_else()], limit)
            .await
            .pop(),
        false => None,
    };
    let again = needs.read(identity, answers, other, http);
    if let Some(part) = part {
        needs.read_part(&part, http);
    }
    if again.is_needed(&needs.headers) {
        let each = http::Again::requests(&needs.headers);
        let answers = ask_each(connect, &to, &each, limit).await;
        again.read(&needs.headers, answers, http);
    }
}
