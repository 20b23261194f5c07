//! Telling beforehand what is about to be sent, to whom, and how fast.

use std::collections::HashSet;

use super::event::{AboutToTry, Event, Leaving};
use super::ways::Ways;
use super::{Run, progress, sweep};
use crate::config::Sweep;
use crate::probe::{Ladder, Limits, Question, Target};

/// Tells what is about to leave, before anything does.
pub(super) fn announce(run: &Run, questions: &[Question], limits: &Limits) -> AboutToTry {
    let asked: Vec<&Question> = questions
        .iter()
        .filter(|question| {
            !matches!(question.ladder, Ladder::None | Ladder::RpcRange(_))
                && !matches!(question.target, Target::Nowhere(_))
        })
        .collect();
    // A proxy that is told names is told each once.
    let host = |question: &&Question| (question.target, by_name(question).cloned());
    let hosts: HashSet<(Target, Option<String>)> = asked.iter().map(host).collect();
    let needs = questions.iter().filter_map(|it| it.web.as_ref());
    let web_requests = needs.map(|needs| needs.most_requests()).max();
    let about = AboutToTry {
        ports: asked.len(),
        addresses: hosts.len(),
        rate: limits.rate,
        swept: sweep::most(run),
        leaving: leaving(run),
        walks: limits.walks,
        gentle: limits.gentle,
        takes: progress::beforehand(run, questions),
        listeners: run.challenger.is_some(),
        web_requests,
    };
    (run.tell)(Event::AboutToTry(about.clone()));
    about
}

fn by_name(question: &Question) -> Option<&String> {
    let is_told = question.target == Target::ByName;
    question.name.as_ref().filter(|_| is_told)
}

fn leaving(run: &Run) -> Leaving {
    match &run.ways {
        Ways::Lab(_) => Leaving::ToTheLab,
        Ways::Direct => Leaving::Directly,
        Ways::Proxy(gateway) => Leaving::ByProxy {
            url: gateway.url().to_string(),
            sweep: matches!(run.file.site.probing.sweep.value, Sweep::Ports(_)),
        },
        Ways::ProxyOfRoles(gateway, roles) => Leaving::PartlyByProxy {
            url: gateway.url().to_string(),
            roles: roles.iter().map(|role| role.name()).collect(),
        },
    }
}
