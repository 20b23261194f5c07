//! An agent: it waits for jobs, works those that its doorman lets in, and sends what comes of them.
//!
//! Jobs are fetched when it connects, and when the hub calls the roll. In between nothing is sent but keep-alives. A job
//! is said to be worked while it lasts. What came of it is sent until the server has it. Only then the job is
//! done: an agent that ends before works it again.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::consumer::{Consumer, pull};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, AckKind, Context};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{interval, timeout};

use super::Tell;
use super::connect::{self, Access, Connected};
use crate::fleet::doorman::{Done, Doorman, Judged, Refusal, is_word};
use crate::fleet::job::{BEGAN, Job, Task};
use crate::fleet::result::{self, Here, Outcome};
use crate::fleet::subjects::{JOBS, Subjects};
use crate::os;
use crate::report::SigningKey;

/// How often the server is told that a job is worked: it gives out a job again after 30 s without a word.
const STILL: Duration = Duration::from_secs(10);
/// How long a fetch waits for a job.
const FETCH: Duration = Duration::from_secs(2);
/// The pause before what the server did not take is sent again.
const AGAIN: Duration = Duration::from_secs(2);

/// A job that is worked.
pub struct Working {
    /// What is asked.
    pub task: Task,
    /// Turns true when the hub wants it to end.
    pub stop: watch::Receiver<bool>,
    /// Takes what is to be said before the end.
    pub said: mpsc::UnboundedSender<Outcome>,
}

/// What an agent can do.
pub trait Work: Send + Sync + 'static {
    /// Works a job.
    fn work(&self, job: Working) -> BoxFuture<'static, Outcome>;
    /// Keeps the numbers of jobs that were done.
    fn keep(&self, done: &Done);
}

struct Agent {
    name: String,
    instance: String,
    key: SigningKey,
    doorman: Mutex<Doorman>,
    /// What ends each job that is worked, by `RUN.JOB`.
    works: Mutex<HashMap<String, watch::Sender<bool>>>,
    /// What ends the listener that was begun last.
    listens: tokio::sync::Mutex<watch::Sender<bool>>,
    work: Box<dyn Work>,
    jetstream: Context,
    /// Rings when a job may wait.
    fetch: Notify,
    /// Changes when the connection stands again.
    again: Arc<watch::Sender<u64>>,
    tell: Tell,
}

/// Works jobs until it is stopped.
///
/// # Errors
/// When it cannot connect for a reason that waiting does not mend.
pub async fn serve(
    access: &Access,
    name: &str,
    key: SigningKey,
    doorman: Doorman,
    work: impl Work,
    tell: Tell,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    connect::choose_provider();
    let Connected { client, again } = connect::connect(access, &tell, true).await?;
    let agent = Arc::new(Agent {
        name: name.to_string(),
        instance: uuid::Uuid::new_v4().to_string(),
        key,
        doorman: Mutex::new(doorman),
        works: Mutex::default(),
        listens: tokio::sync::Mutex::default(),
        work: Box::new(work),
        jetstream: jetstream::new(client.clone()),
        fetch: Notify::new(),
        again,
        tell,
    });
    let mut asked = client.subscribe(Subjects { agent: name }.ask()).await?;
    let fetching = tokio::spawn(Arc::clone(&agent).fetch_jobs());
    let mut again = agent.again.subscribe();
    agent.fetch.notify_one();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Ok(()) = again.changed() => agent.fetch.notify_one(),
            question = asked.next() => {
                let Some(question) = question else { break };
                agent.fetch.notify_one();
                if let (Some(reply), Some(here)) = (question.reply, agent.here(&question.payload)) {
                    let _ = client.publish(reply, here.seal(&agent.key).into()).await;
                }
            }
        }
    }
    fetching.abort();
    for stop in lock(&agent.works).values() {
        let _ = stop.send(true);
    }
    let _ = client.flush().await;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A job that panics must not end the others.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    /// The answer to a roll call; `None`: it is none.
    fn here(&self, question: &[u8]) -> Option<Here> {
        let nonce = std::str::from_utf8(question).ok()?;
        let addresses = os::own_addresses().unwrap_or_default();
        is_word(nonce).then(|| Here {
            agent: self.name.clone(),
            nonce: nonce.to_string(),
            instance: self.instance.clone(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            host: os::host_name(),
            addresses: addresses
                .iter()
                .map(|it| it.addr())
                .filter(|it| !it.is_loopback())
                .map(|it| it.to_string())
                .collect(),
            now: Timestamp::now(),
            works: lock(&self.works).keys().cloned().collect(),
        })
    }

    /// Fetches jobs whenever some may wait.
    async fn fetch_jobs(self: Arc<Self>) {
        loop {
            self.fetch.notified().await;
            // The first run of the hub makes stream and consumer; before that there are no jobs.
            let Ok(stream) = self.jetstream.get_stream_no_info(JOBS).await else {
                continue;
            };
            let Ok(consumer) = stream.get_consumer::<pull::Config>(&self.name).await else {
                continue;
            };
            while self.fetch_one(&consumer).await {}
        }
    }

    /// Whether there was one.
    async fn fetch_one(self: &Arc<Self>, consumer: &Consumer<pull::Config>) -> bool {
        let Ok(mut batch) = consumer
            .fetch()
            .max_messages(1)
            .expires(FETCH)
            .messages()
            .await
        else {
            return false;
        };
        let Some(Ok(message)) = batch.next().await else {
            return false;
        };
        tokio::spawn(Arc::clone(self).take(message));
        true
    }

    async fn take(self: Arc<Self>, message: jetstream::Message) {
        let is_again = message.info().is_ok_and(|info| info.delivered > 1);
        let judged = lock(&self.doorman).judge(&message.payload, Timestamp::now(), is_again);
        match judged {
            Ok(Judged::Worked) => {}
            Ok(Judged::Done) => {
                let _ = message.double_ack().await;
            }
            Ok(Judged::New(new)) => match *new {
                (job, Task::Stop { job: other }) => {
                    if let Some(stop) = lock(&self.works).get(&format!("{}.{other}", job.run)) {
                        let _ = stop.send(true);
                    }
                    self.done(&job);
                    let _ = message.double_ack().await;
                }
                (job, task) => self.work(&job, task, &message).await,
            },
            Err(refusal) => self.refuse(refusal, &message).await,
        }
    }

    async fn work(&self, job: &Job, task: Task, message: &jetstream::Message) {
        let name = format!("{}.{}", job.run, job.job);
        (self.tell)(format!("job {name} begins"));
        let (stopper, stop) = watch::channel(false);
        if matches!(task, Task::Listen(_)) {
            self.end_listener(&stopper).await;
        }
        lock(&self.works).insert(name.clone(), stopper);
        let (said, mut says) = mpsc::unbounded_channel();
        let working = self.work.work(Working { task, stop, said });
        tokio::pin!(working);
        let mut still = interval(STILL);
        let outcome = loop {
            tokio::select! {
                outcome = &mut working => break outcome,
                _ = still.tick() => { let _ = message.ack_with(AckKind::Progress).await; }
                Some(said) = says.recv() => self.send(job, &format!("{}{BEGAN}", job.job), &said).await,
            }
        };
        // What was said at the very end.
        while let Ok(said) = says.try_recv() {
            self.send(job, &format!("{}{BEGAN}", job.job), &said).await;
        }
        (self.tell)(match &outcome {
            Outcome::Refused { reason } => format!("job {name} is refused: {reason}"),
            Outcome::Failed { reason } => format!("job {name} failed: {reason}"),
            Outcome::Report(_) | Outcome::Listens { .. } | Outcome::Arrivals(_) => {
                format!("job {name} has ended")
            }
        });
        let sending = self.send(job, &job.job, &outcome);
        self.while_still(message, sending).await;
        self.done(job);
        lock(&self.works).remove(&name);
        let _ = message.double_ack().await;
    }

    /// Ends the listener of an earlier run, whose hub has ended without a word: it holds the ports.
    async fn end_listener(&self, next: &watch::Sender<bool>) {
        let mut listens = self.listens.lock().await;
        let last = std::mem::replace(&mut *listens, next.clone());
        let _ = last.send(true);
        last.closed().await;
    }

    /// Waits, and says meanwhile that the job is worked.
    async fn while_still(&self, message: &jetstream::Message, work: impl Future<Output = ()>) {
        tokio::pin!(work);
        let mut still = interval(STILL);
        loop {
            tokio::select! {
                () = &mut work => return,
                _ = still.tick() => { let _ = message.ack_with(AckKind::Progress).await; }
            }
        }
    }

    fn done(&self, job: &Job) {
        let mut doorman = lock(&self.doorman);
        self.work.keep(doorman.ended(job));
    }

    async fn refuse(&self, refusal: Refusal, message: &jetstream::Message) {
        (self.tell)(format!("a job is refused: {}", refusal.reason));
        let outcome = Outcome::Refused {
            reason: refusal.reason,
        };
        match refusal.job {
            Some(job) => self.send(&job, &job.job, &outcome).await,
            None => {
                let id = uuid::Uuid::new_v4().simple().to_string();
                let nobodys = Job::new("refused", &id, &self.name, Timestamp::now(), id.clone());
                for part in result::seal(&nobodys, &id, &outcome, &self.key) {
                    let subject = Subjects { agent: &self.name }.refusal(&id);
                    self.store(subject, part).await;
                }
            }
        }
        let _ = message.double_ack().await;
    }

    async fn send(&self, job: &Job, name: &str, outcome: &Outcome) {
        let parts = result::seal(job, name, outcome, &self.key);
        for (number, part) in parts.into_iter().enumerate() {
            let subject = Subjects { agent: &self.name }.result(&job.run, name, number);
            self.store(subject, part).await;
        }
    }

    /// Sends a message until the server has it. That it has one of this subject already means the same: it was sent
    /// before, and its answer was lost.
    async fn store(&self, subject: String, message: Vec<u8>) {
        let mut told = false;
        let mut again = self.again.subscribe();
        loop {
            again.mark_unchanged();
            let stored = self.stored(&subject, message.clone());
            let why = tokio::select! {
                stored = stored => match stored {
                    Ok(()) => return,
                    Err(why) => why,
                },
                // What was underway is lost with the connection.
                Ok(()) = again.changed() => continue,
            };
            if why.contains("maximum messages per subject exceeded") {
                return;
            }
            if !told {
                (self.tell)(format!(
                    "what came of a job is kept until the NATS server takes it; now it says: {}",
                    crate::diagnostic::visible(&why)
                ));
                told = true;
            }
            let _ = timeout(AGAIN, again.changed()).await;
        }
    }

    async fn stored(&self, subject: &str, message: Vec<u8>) -> Result<(), String> {
        let publish = PublishMessage::build().payload(message.into());
        let sent = self.jetstream.send_publish(subject.to_string(), publish);
        let sent = sent.await.map_err(|error| error.to_string())?;
        sent.await.map_err(|error| error.to_string())?;
        Ok(())
    }
}
