//! RPC: the endpoint mapper's list, what DCOM says beside it, and every port that it names, tried while the mapper's connection is still open.
//!
//! Firewalls that inspect RPC let the dynamic ports pass only after they have seen the mapper name them. They do so for
//! this source, and as long as that connection lasts.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tracing::debug_span;

use super::facts;
use crate::observation::{Observation, RpcPort, Spoken};
use crate::probe::try_once::Places;
use crate::probe::try_once::again;
use crate::probe::{Ladder, Prober, Question, recognise};
use crate::wire::Fault;
use crate::wire::windows::rpc::{self, Binding, End, Endpoint, Exporter};

/// The most ports that one mapper may have tried.
pub const MOST_PORTS: usize = 64;
/// The most services of a port in the evidence.
const MOST_SERVICES: usize = 8;

pub(super) async fn mapper(
    prober: &Prober,
    question: &Question,
    stream: &mut TcpStream,
    places: Option<Places>,
    seen: &mut Observation,
) {
    let said = rpc::lookup(stream, prober.limits.timeout).await;
    // The ports need places of their own.
    drop(places);
    let said = match said {
        Ok(mapper) => {
            let mut spoken = Spoken::of("rpc", [("list", end(mapper.end))]);
            if mapper.ports.len() > MOST_PORTS {
                let left = mapper.ports.len() - MOST_PORTS;
                spoken
                    .facts
                    .push(("not tried".into(), format!("{left} more ports")));
            }
            // Mappers name themselves too.
            let others = mapper
                .ports
                .iter()
                .filter(|(port, _)| **port != question.port);
            let others: Vec<_> = others.take(MOST_PORTS).collect();
            let seen = named(prober, question, others.iter().map(|(port, _)| **port)).await;
            let ports = others
                .iter()
                .zip(seen)
                .map(|((port, endpoints), seen)| RpcPort {
                    port: **port,
                    services: services(endpoints),
                    seen,
                });
            spoken.ports.extend(ports);
            Ok(spoken)
        }
        Err(fault) => Err(fault),
    };
    let said = match said {
        Ok(mut spoken) => {
            spoken.facts.extend(exporter(prober, question, seen).await);
            Ok(spoken)
        }
        Err(fault) => Err(fault),
    };
    let proved = said.is_ok().then(|| seen.listener.clone()).flatten();
    facts::note(seen, said);
    if let Some(listener) = proved {
        recognise::note(seen, *listener);
    }
}

/// Tries the ports that the mapper named, all at once, until their silence is proof. Boxed, because a conversation that
/// asks questions nests in itself.
fn named<'a>(
    prober: &'a Prober,
    mapper: &Question,
    ports: impl Iterator<Item = u16>,
) -> Pin<Box<dyn Future<Output = Vec<Observation>> + Send + 'a>> {
    let questions: Vec<Question> = ports
        .map(|port| Question {
            port,
            ladder: Ladder::RpcPort,
            spread: false,
            span: debug_span!(parent: &mapper.span, "named", port),
            ..mapper.clone()
        })
        .collect();
    Box::pin(async move {
        prober.expect(questions.len());
        let asked = questions
            .iter()
            .map(|question| prober.ask(question.clone(), 0));
        let mut seen = join_all(asked).await;
        prober.prove_silence(&questions, &mut seen).await;
        seen
    })
}

/// What DCOM's object exporter says on a connection of its own. Filters that let the mapper through may stop it, and a server
/// with several addresses names them all. A stand-in of this program has none.
async fn exporter(
    prober: &Prober,
    question: &Question,
    seen: &Observation,
) -> Option<(Cow<'static, str>, String)> {
    if seen.listener.is_some() {
        return None;
    }
    let mut stream = again(prober, question, seen.address).await?;
    let said = match rpc::alive(&mut stream, prober.limits.timeout).await {
        Exporter::Alive(addresses) if addresses.is_empty() => "answers".to_string(),
        Exporter::Alive(addresses) => {
            format!(
                "answers; the server knows itself as {}",
                addresses.join(", ")
            )
        }
        Exporter::NotBound(binding) => format!("none: {}", binding_words(binding)),
        Exporter::Status(status) => format!("refused with status {status:#x}"),
        Exporter::Broken(Fault::Foreign) => "answers with something else".to_string(),
        Exporter::Broken(Fault::Mute) => "no answer, though the mapper has one".to_string(),
        Exporter::Broken(Fault::HungUp | Fault::HungUpMidway) => {
            "hung up, though the mapper answers: a filter may let the mapper alone through"
                .to_string()
        }
    };
    Some(("DCOM".into(), said))
}

fn services(endpoints: &BTreeSet<Endpoint>) -> Vec<String> {
    let names: BTreeSet<String> = endpoints
        .iter()
        .map(|endpoint| match endpoint.annotation.as_str() {
            "" => endpoint.interface.uuid.to_string(),
            annotation => annotation.to_string(),
        })
        .collect();
    names.into_iter().take(MOST_SERVICES).collect()
}

fn end(end: End) -> String {
    match end {
        End::Whole => "whole".to_string(),
        End::NotBound(binding) => format!("none: {}", binding_words(binding)),
        End::Status(status) => format!("ended with status {status:#x}"),
        End::TooLong => "longer than is read".to_string(),
        End::Broken(_) => "broken off".to_string(),
    }
}

fn binding_words(binding: Binding) -> String {
    match binding {
        Binding::Accepted => "accepted".to_string(),
        Binding::Rejected { result, reason } => {
            format!("the interface is refused ({result}, {reason})")
        }
        Binding::Refused { reason } => format!("no bind is taken (reason {reason})"),
        Binding::Fault(status) => format!("fault {status:#x}"),
        Binding::Other => "another message of RPC".to_string(),
    }
}

pub(super) async fn greet(prober: &Prober, stream: &mut TcpStream, seen: &mut Observation) {
    let said = rpc::greet(stream, prober.limits.timeout).await;
    facts::note(
        seen,
        said.map(|binding| Spoken::of("rpc", [("bind", binding_words(binding))])),
    );
}
