//! Finding out whether a service is mute, or data vanish on the way to it or back.
//!
//! A conversation that ends without a word leaves what TCP counted (`counted`). When all has been asked, each is had again
//! as `attribution::delivery` wants it: with smaller segments, and with full ones. Whatever then gets an answer with full
//! segments was no fault that lasts, and that answer counts.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::{debug, debug_span};

use super::{Prober, Question, Turn};
use crate::attribution::delivery::{Next, SENT_AGAIN, next};
use crate::observation::{Delivery, Met, Observation, Repeat, Service, State};
use crate::os::Hold;

/// How long an unacknowledged segment is watched, beyond the time of the conversation, until it has been sent again
/// often enough to count as lost. A system sends again after 0.2 seconds at the least, and doubles that each time.
const LONGEST_WATCH: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(50);
/// Conversations that are had again at once.
const AT_ONCE: usize = 8;

/// Takes hold of a connection that is about to be spoken over, where what becomes of the data matters.
pub(super) fn hold(question: &Question, stream: &TcpStream) -> Option<Hold> {
    let wanted = question.way.is_direct() && question.turn == Turn::Needed;
    wanted.then(|| Hold::on(stream)).flatten()
}

/// Lets go of a connection that is over; with what was counted where this fault is one of too few words.
pub(super) async fn let_go(
    prober: &Prober,
    hold: Option<Hold>,
    fault: Option<&Service>,
) -> Option<Delivery> {
    let hold = hold.filter(|_| fault.is_some_and(Service::is_wordless))?;
    counted(prober, &hold).await
}

/// What was counted on a connection that ended without a word.
pub(super) async fn counted(prober: &Prober, hold: &Hold) -> Option<Delivery> {
    let begun = Instant::now();
    loop {
        let counted = hold.counted()?;
        let is_open = counted.unacknowledged > 0 && counted.sent_again < SENT_AGAIN;
        if !is_open || begun.elapsed() > LONGEST_WATCH || !prober.pause(STEP).await {
            debug!(?counted, "no answer");
            // Where nothing was said to it, or it reset at the first word, there is nothing to follow.
            let said = counted.unacknowledged > 0 || counted.acknowledged > 0;
            return said.then(|| Delivery {
                counted,
                ..Delivery::default()
            });
        }
    }
}

impl Prober {
    /// Has conversations again that ended without a word, until it is known whether data vanish on the way.
    pub async fn follow_data(&self, questions: &[Question], answers: &mut [Observation]) {
        let open = |(number, seen): (usize, &Observation)| {
            // Where other connections had an answer, it is one of several servers that is mute.
            let wanted = seen.is_wordless() && seen.conversations.is_none();
            let delivery = seen.delivery.as_deref().filter(|_| wanted)?;
            Some((number, delivery.clone()))
        };
        let wordless: Vec<(usize, Delivery)> =
            answers.iter().enumerate().filter_map(open).collect();
        let followed: Vec<(usize, Followed)> = stream::iter(wordless)
            .map(|(number, delivery)| async move {
                (number, self.follow(&questions[number], delivery).await)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (number, followed) in followed {
            write_down(&mut answers[number], followed);
        }
    }

    async fn follow(&self, question: &Question, mut delivery: Delivery) -> Followed {
        let mut answer = None;
        while let Next::Repeat(segment) = next(&delivery) {
            if *self.stop.borrow() {
                break;
            }
            let again = again(question, segment);
            let seen = self.ask(again, 0).await;
            let met = met(&seen);
            delivery.repeats.push(Repeat { segment, met });
            if segment.is_none() && met == Met::Answer {
                answer = Some(seen);
            }
        }
        if let Next::Done(lost) = next(&delivery) {
            delivery.lost = lost;
        }
        Followed { delivery, answer }
    }
}

/// What the repeats of one conversation came to.
struct Followed {
    delivery: Delivery,
    /// What came with segments of full size, where something did.
    answer: Option<Observation>,
}

/// The same conversation; with small segments no further than to the first answer.
fn again(question: &Question, segment: Option<u16>) -> Question {
    let web = question.web.clone().filter(|_| segment.is_none());
    Question {
        spread: false,
        web,
        segment,
        challenger: None,
        span: debug_span!(parent: &question.span, "repeat", segment),
        ..question.clone()
    }
}

fn met(seen: &Observation) -> Met {
    if seen.is_wordless() {
        let counted = seen.delivery.as_ref().map(|delivery| delivery.counted);
        return counted.map_or(Met::Nothing, Met::NoAnswer);
    }
    match (&seen.state, &seen.service) {
        (State::Open, Some(_)) => Met::Answer,
        _ => Met::Nothing,
    }
}

/// Writes down what repeats came to; the tries of an answer that counts are evidence beside those before.
fn write_down(seen: &mut Observation, followed: Followed) {
    let Some(answer) = followed.answer else {
        seen.delivery = Some(Box::new(followed.delivery));
        return;
    };
    seen.replace(answer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Counted, SourcePorts};

    fn open(service: Option<Service>, counted: Option<Counted>) -> Observation {
        let delivery = counted.map(|counted| Delivery {
            counted,
            ..Delivery::default()
        });
        Observation {
            service,
            delivery: delivery.map(Box::new),
            ..Observation::without_packets(None, State::Open)
        }
    }

    #[test]
    fn what_a_repeat_met_is_an_answer_silence_or_nothing_at_all() {
        let counted = Counted::default();
        let mute = open(Some(Service::Mute), Some(counted));
        assert_eq!(met(&mute), Met::NoAnswer(counted));
        assert_eq!(met(&open(Some(Service::Spoke), None)), Met::Answer);
        assert_eq!(met(&open(None, None)), Met::Nothing, "interrupted");
        let reset = open(Some(Service::HungUp), None);
        assert_eq!(met(&reset), Met::Nothing, "at the first word");
        let silent = Observation::without_packets(None, State::Silent);
        assert_eq!(met(&silent), Met::Nothing);
    }

    #[test]
    fn an_answer_in_full_segments_takes_the_place_of_silence() {
        let mut seen = open(Some(Service::Mute), Some(Counted::default()));
        seen.source_ports = Some(SourcePorts::default());
        let followed = Followed {
            delivery: Delivery::default(),
            answer: Some(open(Some(Service::Spoke), None)),
        };
        write_down(&mut seen, followed);
        assert_eq!(seen.service, Some(Service::Spoke));
        assert!(seen.source_ports.is_some() && seen.delivery.is_none());
    }
}
