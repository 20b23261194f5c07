//! What servers of SQL, LDAP, DNS, Kerberos and NATS said, as facts of the evidence.

use std::net::IpAddr;

use domain::base::iana::Rcode;
use tokio::net::TcpStream;

use crate::observation::{Depth, Observation, Service, Spoken};
use crate::probe::try_once::again;
use crate::probe::{Prober, Question, Target};
use crate::wire::{Fault, dns, nats, windows::kerberos, windows::ldap, windows::tds};

/// Writes down what came of a conversation.
pub(in crate::probe) fn note(seen: &mut Observation, said: Result<Spoken, Fault>) {
    seen.depth = Some(Depth::Protocol);
    seen.service = Some(match said {
        Ok(spoken) => {
            seen.spoken = Some(Box::new(spoken));
            Service::Spoke
        }
        Err(fault) => service(fault),
    });
}

/// What a conversation that proved nothing says of the service.
pub(in crate::probe) fn service(fault: Fault) -> Service {
    match fault {
        Fault::Foreign => Service::Foreign,
        Fault::Mute => Service::Mute,
        Fault::HungUp | Fault::HungUpMidway => Service::HungUp,
    }
}

pub(super) async fn tds(prober: &Prober, stream: &mut TcpStream, seen: &mut Observation) {
    let said = tds::exchange(stream, prober.limits.timeout).await;
    note(seen, said.map(of_tds));
}

fn of_tds(said: tds::Spoken) -> Spoken {
    let mut facts = Vec::new();
    match said {
        tds::Spoken::Error(number) => facts.push(("error", number.to_string())),
        tds::Spoken::Options(options) => {
            let version = options
                .version
                .map(|version| format!("{}.{}.{}", version.major, version.minor, version.build));
            facts.extend(version.map(|version| ("version", version)));
            let encryption = options.encryption.map(|encryption| match encryption {
                tds::Encryption::Off => "login only".to_string(),
                tds::Encryption::On => "on".to_string(),
                tds::Encryption::NotSupported => "not supported".to_string(),
                tds::Encryption::Required => "required".to_string(),
                tds::Encryption::Other(value) => format!("value {value}"),
            });
            facts.extend(encryption.map(|encryption| ("encryption", encryption)));
            let instance = options.default_instance.map(|is_default| {
                if is_default {
                    "the default one"
                } else {
                    "another one"
                }
                .to_string()
            });
            facts.extend(instance.map(|instance| ("instance", instance)));
        }
    }
    Spoken::of("tds", facts)
}

pub(super) async fn ldap(prober: &Prober, stream: &mut TcpStream, seen: &mut Observation) {
    let said = ldap::exchange(stream, prober.limits.timeout).await;
    note(seen, said.map(of_ldap));
}

fn of_ldap(said: ldap::Spoken) -> Spoken {
    let mut facts = Vec::new();
    facts.extend(said.naming_context.map(|context| ("domain", context)));
    facts.extend(said.host_name.map(|name| ("host", name)));
    if !said.versions.is_empty() {
        facts.push(("versions", said.versions.join(", ")));
    }
    facts.extend(
        said.result
            .filter(|code| *code != 0)
            .map(|code| ("result", code.to_string())),
    );
    Spoken::of("ldap", facts)
}

pub(super) async fn nats(prober: &Prober, stream: &mut TcpStream, seen: &mut Observation) {
    let said = nats::greeting(stream, prober.limits.timeout).await;
    note(seen, said.map(of_nats));
}

fn of_nats(said: nats::Greeting) -> Spoken {
    let facts = [("version", said.version), ("name", said.name)];
    let facts = facts
        .into_iter()
        .filter_map(|(name, fact)| Some((name, fact?)));
    Spoken::of("nats", facts)
}

pub(super) async fn dns(
    prober: &Prober,
    question: &Question,
    stream: &mut TcpStream,
    seen: &mut Observation,
) {
    let Some(query) = query(question) else {
        seen.service = Some(Service::NotAsked);
        return;
    };
    let limit = prober.limits.timeout;
    let said = dns::exchange(stream, &query, limit).await;
    let mut said = said.map(|answer| of_dns(question, &answer));
    // It may wait for the servers that it asks itself, and longer than this program does.
    if said == Err(Fault::Mute)
        && let Some(mut stream) = again(prober, question, seen.address).await
    {
        let itself = dns::exchange(&mut stream, &dns::Query::of_itself(), limit).await;
        said = itself
            .map(|answer| of_waiting_dns(question, &answer))
            .or(said);
    }
    note(seen, said);
}

/// What a name server said that had no answer for a name in time, and one to a question that needs no other server.
pub(in crate::probe) fn of_waiting_dns(question: &Question, answer: &dns::Answer) -> Spoken {
    let answer = format!(
        "none in time: the servers that it asks itself may not answer it. To what needs no other \
         server it says {}",
        answer.rcode
    );
    let name = question.name.clone();
    let name = name.map(|name| ("name", name));
    Spoken::of("dns", std::iter::once(("answer", answer)).chain(name))
}

/// What a name server is asked: a name that the site uses, else who is in charge of the root.
pub(in crate::probe) fn query(question: &Question) -> Option<dns::Query> {
    match &question.name {
        Some(name) => dns::Query::new(name, kind(question)),
        None => dns::Query::new(".", dns::Kind::Soa),
    }
}

/// A name server that is reached over IPv6 is asked for addresses of that family.
fn kind(question: &Question) -> dns::Kind {
    match question.target {
        Target::Address(IpAddr::V6(_)) => dns::Kind::Aaaa,
        Target::Address(IpAddr::V4(_)) | Target::ByName | Target::Nowhere(_) => dns::Kind::A,
    }
}

pub(in crate::probe) fn of_dns(question: &Question, answer: &dns::Answer) -> Spoken {
    let mut facts = vec![("answer", dns_words(answer))];
    if let Some(name) = &question.name {
        facts.push(("name", name.clone()));
    }
    if !answer.addresses.is_empty() {
        let addresses: Vec<String> = answer.addresses.iter().map(ToString::to_string).collect();
        facts.push(("addresses", addresses.join(", ")));
    }
    if answer.authoritative {
        facts.push(("authority", "for this zone".to_string()));
    }
    Spoken::of("dns", facts)
}

/// What a name server answered, with what its code means for who asks (RFC 1035 section 4.1.1).
fn dns_words(answer: &dns::Answer) -> String {
    let meaning = match answer.rcode {
        Rcode::NOERROR if answer.truncated => "cut to fit a datagram",
        Rcode::NOERROR if answer.records == 0 => {
            "no data: it knows the name, and no address of this family for it"
        }
        Rcode::NXDOMAIN => "it says that there is no such name",
        Rcode::REFUSED => "it does not serve this host, or not this name",
        Rcode::SERVFAIL => "it could not find out",
        Rcode::FORMERR | Rcode::NOTIMP => "it does not understand the question",
        _ => "",
    };
    match meaning {
        "" => answer.rcode.to_string(),
        meaning => format!("{} ({meaning})", answer.rcode),
    }
}

pub(super) async fn kerberos(
    prober: &Prober,
    question: &Question,
    stream: &mut TcpStream,
    seen: &mut Observation,
) {
    let limit = prober.limits.timeout;
    let mut said = kerberos::exchange(stream, limit).await;
    // A centre of several realms hangs up at the name of another.
    if matches!(said, Err(Fault::HungUp | Fault::Mute))
        && let Some(mut stream) = again(prober, question, seen.address).await
    {
        said = kerberos::extensions(&mut stream, limit).await.or(said);
    }
    note(seen, said.map(of_kerberos));
}

pub(in crate::probe) fn of_kerberos(said: kerberos::Spoken) -> Spoken {
    let facts = match said {
        kerberos::Spoken::Error { code, realm } => {
            let realm = realm.map(|realm| ("realm", realm));
            std::iter::once(("error", code.to_string()))
                .chain(realm)
                .collect()
        }
        kerberos::Spoken::Ticket => vec![("answer", "a ticket".to_string())],
    };
    Spoken::of("kerberos", facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_of_a_name_server_says_what_it_means_for_who_asks() {
        let words = |rcode, records| {
            dns_words(&dns::Answer {
                rcode,
                authoritative: false,
                truncated: false,
                records,
                services: Vec::new(),
                addresses: Vec::new(),
            })
        };
        assert_eq!(words(Rcode::NOERROR, 1), "NOERROR");
        assert!(words(Rcode::NOERROR, 0).contains("no data"));
        assert!(words(Rcode::REFUSED, 0).starts_with("REFUSED (it does not serve"));
        assert!(words(Rcode::SERVFAIL, 0).contains("could not find out"));
        assert!(words(Rcode::NXDOMAIN, 0).contains("no such name"));
    }
}
