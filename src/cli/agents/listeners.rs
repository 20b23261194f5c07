//! Agents that stand in for their systems while the others try.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::members::Member;
use super::part::Cutter;
use super::{ENDS, Fleet};
use crate::diagnostic::{counted, visible};
use crate::fleet::{Listening, Outcome, Task};
use crate::report::{self, Joinable, Named};

/// How long a listener is waited for.
const STANDS: Duration = Duration::from_secs(60);
/// How long what it saw is waited for.
const ARRIVES: Duration = Duration::from_secs(30);
/// For how long listeners stand where nothing stops them.
const LISTENS: u64 = 2 * 3_600;
/// The name of their jobs.
const LISTEN: &str = "listen";

impl Fleet {
    /// Lets those agents listen that are systems of the file; who listens.
    pub(super) async fn listen(
        &mut self,
        present: &[Member],
        token: &str,
        stop: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<Member>> {
        let mut waiting: Vec<Member> = Vec::new();
        let site = Cutter::new(&self.loaded)?.all();
        for member in present {
            let Some(system) = member.system else {
                continue;
            };
            let task = Task::Listen(Listening {
                site: site.clone(),
                system: self.loaded.site.systems[system].name.clone(),
                token: token.to_string(),
                seconds: LISTENS,
            });
            self.hub.send(&member.name, LISTEN, &task).await?;
            waiting.push(member.clone());
        }
        let all = waiting.clone();
        let mut stand = Vec::new();
        let end = Instant::now() + STANDS;
        while !waiting.is_empty() && Instant::now() < end && !*stop.borrow() {
            let Ok(came) = timeout(Duration::from_millis(500), self.hub.next()).await else {
                continue;
            };
            let Some((agent, job, outcome)) = self.heard_of(came) else {
                continue;
            };
            waiting.retain(|it| it.name != agent);
            match outcome {
                Outcome::Listens { ports, refused } => {
                    let refused = match refused {
                        0 => String::new(),
                        some => format!("; its host refused {some}"),
                    };
                    self.tell(format!(
                        "agent {agent} stands in on {}{refused}",
                        counted(ports, "port")
                    ));
                    stand.extend(all.iter().filter(|it| it.name == agent).cloned());
                }
                Outcome::Refused { reason } | Outcome::Failed { reason } => {
                    self.word(format!(
                        "agent `{agent}` does not stand in: {}",
                        visible(&reason)
                    ));
                }
                Outcome::Report(_) | Outcome::Arrivals(_) => {
                    tracing::debug!(agent, job, "unexpected");
                }
            }
        }
        for member in waiting {
            self.word(format!(
                "agent `{}` did not stand in within {} s",
                member.name,
                STANDS.as_secs()
            ));
        }
        Ok(stand)
    }

    /// Ends the listeners; what arrived.
    pub(super) async fn stop_listening(
        &mut self,
        listening: &[Member],
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<Named<report::ArrivalsDocument>>> {
        let mut open: Vec<&str> = listening.iter().map(|it| it.name.as_str()).collect();
        for name in &open {
            let task = Task::Stop {
                job: LISTEN.to_string(),
            };
            self.hub.send(name, "stop-listen", &task).await?;
        }
        let mut arrivals = Vec::new();
        let patience = if *stop.borrow() { ENDS } else { ARRIVES };
        let end = Instant::now() + patience;
        while !open.is_empty() && Instant::now() < end {
            let Ok(came) = timeout(Duration::from_millis(500), self.hub.next()).await else {
                continue;
            };
            let Some((agent, job, outcome)) = self.heard_of(came) else {
                continue;
            };
            if job != LISTEN {
                continue;
            }
            open.retain(|it| **it != agent);
            let Outcome::Arrivals(log) = outcome else {
                continue;
            };
            match report::read_joinable(log.text().as_bytes()) {
                Ok(Joinable::Arrivals(it)) => arrivals.push(Named {
                    file: format!("agent {agent}, listening"),
                    it: *it,
                }),
                Ok(Joinable::Report(_)) | Err(_) => {
                    self.word(format!("what agent `{agent}` saw arriving cannot be read"))
                }
            }
        }
        for name in open {
            self.word(format!("agent `{name}` did not say what arrived there"));
        }
        Ok(arrivals)
    }
}
