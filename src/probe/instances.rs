//! Where the instances of a SQL Server listen, once the port that a flow needs has reset. The host's browser on UDP
//! 1434 is asked, with one datagram. What it names is a hint in the evidence, and changes no verdict.

use std::net::SocketAddr;

use super::try_once::ask_datagram;
use super::{Ladder, Prober, Question};
use crate::observation::{Observation, Spoken, State};
use crate::os::Datagram;
use crate::wire::{message, windows::sql_browser};

pub(super) async fn note(prober: &Prober, question: &Question, seen: &mut Observation) {
    let is_asked = question.ladder == Ladder::Tds && question.way.is_direct();
    let is_closed = matches!(seen.state, State::Closed { .. });
    let Some(address) = seen.address.filter(|_| is_asked && is_closed) else {
        return;
    };
    let remote = SocketAddr::new(address, sql_browser::PORT);
    if !prober.permission.lets(remote) {
        return;
    }
    prober.pace.turn().await;
    message::sent("SQL browser question", sql_browser::REQUEST.len());
    let asked = ask_datagram(&prober.pace, remote, &sql_browser::REQUEST, |_| {});
    let limit = prober.limits.timeout;
    let Ok(Datagram::Answer(bytes)) = tokio::time::timeout(limit, asked).await else {
        return;
    };
    message::came("SQL browser answer", bytes.len());
    let instances = sql_browser::read(&bytes).unwrap_or_default();
    let elsewhere = instances.iter().filter(|it| it.port != question.port);
    let places: Vec<String> = elsewhere
        .map(|it| format!("{} ({})", it.port, it.name))
        .collect();
    if !places.is_empty() {
        let spoken = Spoken::of("sql-browser", [("instances at", places.join(", "))]);
        seen.spoken = Some(Box::new(spoken));
    }
}
