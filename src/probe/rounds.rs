//! Asking all questions of a run: those that are needed first, hosts in rotation, silent forbidden ports in rounds.
//!
//! A needed question has its tries one after another, since an administrator waits for it. A forbidden port has one try at
//! a time. Where that is silent, the port goes to the end of the line, until it has as many tries as its silence needs
//! (`silence`). So the tries of one port lie between different answers of its witness, and an outage or a burst of losses
//! meets few of them. The line is never drained between rounds.
//!
//! One port of each address of which nothing is known has all its tries at once, while its first socket listens long. A
//! gentle run knocks once at each forbidden port and stays there: its knocks are spaced.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::prove::{is_silent_tcp, join};
use super::unanswered::{judge_silence, silent};
use super::{Ladder, Prober, Question, Target, Tries, Turn, story};
use crate::observation::{NotTried, Observation, State};

/// The line of one turn, and what came of it so far.
struct Line<'a> {
    questions: &'a [Question],
    waiting: VecDeque<usize>,
    answers: &'a mut [Option<Observation>],
}

impl Prober {
    /// Asks all questions, those that are needed first; the answers stand in the order of the questions. `done` is told of
    /// each that has its answer.
    pub async fn ask_all(
        self: &Arc<Self>,
        questions: Vec<Question>,
        done: impl Fn(),
    ) -> Vec<Observation> {
        let may_be_silent = questions.iter().filter(|question| {
            question.ladder != Ladder::None
                && question.way.proxy().is_none()
                && matches!(question.target, Target::Address(_))
        });
        self.expect(may_be_silent.count());
        let mut answers: Vec<Option<Observation>> = vec![None; questions.len()];
        let turns = async {
            for turn in [Turn::Needed, Turn::Forbidden] {
                self.turns_to(turn);
                let line = Line {
                    questions: &questions,
                    waiting: interleaved(&questions, turn),
                    answers: &mut answers,
                };
                self.ask_line(line, &done).await;
            }
        };
        self.watching(turns).await;
        let interrupted = |question: &Question| {
            let untried = State::NotTried(NotTried::Interrupted);
            Observation::without_packets(question.address(), untried)
        };
        answers
            .into_iter()
            .zip(&questions)
            .map(|(answer, question)| answer.unwrap_or_else(|| interrupted(question)))
            .collect()
    }

    async fn ask_line(self: &Arc<Self>, mut line: Line<'_>, done: &impl Fn()) {
        let places = Arc::new(Semaphore::new(self.limits.in_flight));
        let mut running = JoinSet::new();
        loop {
            let ended = match line.waiting.pop_front() {
                Some(number) => {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                        return;
                    };
                    let (question, tries) =
                        (line.questions[number].clone(), line.tries(self, number));
                    let prober = Arc::clone(self);
                    running.spawn(async move {
                        (number, prober.ask_some(question, tries, Some(place)).await)
                    });
                    running.try_join_next()
                }
                None => match running.join_next().await {
                    Some(ended) => Some(ended),
                    None => return,
                },
            };
            // A panic of one probe must not end the run: its question counts as interrupted.
            if let Some(Ok((number, seen))) = ended
                && line.take_in(self, number, seen)
            {
                done();
            }
        }
    }

    /// Whether a question has one try at a time.
    fn asks_in_rounds(&self, question: &Question) -> bool {
        question.turn == Turn::Forbidden
            && !matches!(question.ladder, Ladder::Datagram(_))
            && question.way.proxy().is_none()
            && !self.is_gentle()
    }
}

impl Line<'_> {
    /// The tries that a question gets when its turn comes.
    fn tries(&self, prober: &Prober, number: usize) -> Tries {
        let seen = self.answers[number].as_ref();
        Tries {
            earlier: seen.map_or(0, |seen| silent(&seen.attempts)),
            most: match prober.asks_in_rounds(&self.questions[number]) {
                true => 1,
                false => usize::MAX,
            },
        }
    }

    /// Takes in what came of some tries of a question; whether that is its answer. Else it stands in line again.
    fn take_in(&mut self, prober: &Prober, number: usize, again: Observation) -> bool {
        let question = &self.questions[number];
        let seen = match self.answers[number].take() {
            None => again,
            Some(mut seen) => {
                join(&mut seen, again);
                judge_silence_of(prober, &mut seen);
                seen
            }
        };
        let may_go_on = prober.asks_in_rounds(question) && !*prober.stop.borrow();
        let lacks = may_go_on && is_silent_tcp(&seen) && {
            let wanted = |address| usize::from(prober.tries_wanted(question, address));
            silent(&seen.attempts) < seen.address.map_or(0, wanted)
        };
        match lacks {
            true => self.waiting.push_back(number),
            false => question.span.in_scope(|| story::answer(&seen)),
        }
        self.answers[number] = Some(seen);
        !lacks
    }
}

fn judge_silence_of(prober: &Prober, seen: &mut Observation) {
    if is_silent_tcp(seen) {
        judge_silence(prober, seen, 0);
    }
}

/// Questions of one turn, host by host in rotation, so that one slow host does not hold up the others.
fn interleaved(questions: &[Question], turn: Turn) -> VecDeque<usize> {
    let mut seen: HashMap<Option<IpAddr>, usize> = HashMap::new();
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (number, question) in questions
        .iter()
        .enumerate()
        .filter(|(_, question)| question.turn == turn)
    {
        let round = seen.entry(question.address()).or_default();
        order.push((*round, number));
        *round += 1;
    }
    order.sort_unstable();
    order.into_iter().map(|(_, number)| number).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;
    use tokio::sync::watch;
    use tracing::Span;

    use super::*;
    use crate::os;
    use crate::probe::{Limits, Way};

    fn prober(attempts: Option<u8>) -> (watch::Sender<bool>, Arc<Prober>) {
        Prober::of_a_test(Limits {
            attempts,
            per_host: 16,
            rate: Some(50),
            ..Limits::of_a_test()
        })
    }

    fn knock(port: std::net::SocketAddr, turn: Turn) -> Question {
        let target = Target::Address(port.ip());
        Question::knock(target, port.port(), turn, Way::Direct, Span::none())
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn silent_forbidden_ports_have_their_tries_by_turns_and_a_needed_one_all_at_once() {
        let silent = || os::silent_listener().expect("loopback").expect("linux");
        let (needed, one, other) = (silent(), silent(), silent());
        let (_stop, prober) = prober(Some(4));
        // The first port of an address of which nothing is known has all its tries while one socket listens long.
        for known in [&one, &other] {
            let address = known.address.ip();
            prober.slots_at(address);
            prober
                .measured()
                .answered(address, 0, Duration::from_millis(1));
        }
        let questions = vec![
            knock(one.address, Turn::Forbidden),
            knock(needed.address, Turn::Needed),
            knock(other.address, Turn::Forbidden),
        ];
        let seen = prober.ask_all(questions, || {}).await;
        let tries: Vec<Vec<jiff::Timestamp>> = seen
            .iter()
            .map(|seen| seen.attempts.iter().map(|attempt| attempt.at).collect())
            .collect();
        assert!(seen.iter().all(|seen| silent_tries(seen) == 4), "{seen:#?}");
        assert!(tries[1][3] < tries[0][0], "what is needed comes first");
        // One at a time: where each had all its tries at once, those of one would come before the other's.
        for round in 0..3 {
            assert!(tries[0][round] < tries[2][round], "{tries:?}");
            assert!(tries[2][round] < tries[0][round + 1], "{tries:?}");
        }
    }

    fn silent_tries(seen: &Observation) -> usize {
        super::silent(&seen.attempts)
    }

    #[tokio::test]
    async fn as_long_as_nothing_answers_a_forbidden_port_has_one_try_and_then_as_many_as_it_needs()
    {
        let forbidden = os::silent_listener().expect("loopback").expect("linux");
        let open = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let open = open.local_addr().expect("an address");
        for (with_an_open_port, expected) in [(false, 1..=1), (true, 6..=9)] {
            let (_stop, prober) = prober(None);
            let mut questions = vec![knock(forbidden.address, Turn::Forbidden)];
            if with_an_open_port {
                questions.push(knock(open, Turn::Needed));
            }
            let seen = prober.ask_all(questions, || {}).await;
            assert!(expected.contains(&silent_tries(&seen[0])), "{seen:#?}");
        }
    }

    #[tokio::test]
    async fn each_question_is_told_once_when_it_has_its_answer_and_a_stop_ends_the_rounds() {
        let silent = os::silent_listener().expect("loopback").expect("linux");
        let (stop, prober) = prober(Some(64));
        let told = std::sync::atomic::AtomicUsize::new(0);
        let questions = vec![knock(silent.address, Turn::Forbidden)];
        let asked = prober.ask_all(questions, || {
            told.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        let stopped = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            stop.send_replace(true);
        };
        let (seen, ()) = tokio::join!(asked, stopped);
        assert!((1..20).contains(&silent_tries(&seen[0])), "{seen:#?}");
        assert_eq!(seen[0].state, State::Silent);
        assert_eq!(told.into_inner(), 1);
    }
}
