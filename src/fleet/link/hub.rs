//! The hub: it calls the roll, sends jobs, and reads what comes of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_nats::connection::State;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, Stream};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, Message};
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Tell;
use super::connect::{self, Access, Connected};
use crate::fleet::frame::LARGEST;
use crate::fleet::gather::{Brought, Gathered};
use crate::fleet::job::{self, Job, Task};
use crate::fleet::result::{self, Here, Outcome};
use crate::fleet::subjects::{JOBS, REFUSALS, RESULTS, Subjects, of_run};
use crate::report::{SigningKey, VerifyingKey};

/// How long results stay at the server.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How long a job stays there.
const WAITS: Duration = Duration::from_secs(3_600);
/// After so long without a word a job is given out again.
const SILENT: Duration = Duration::from_secs(30);
/// How often a job is given out before it is left alone: one that ends its agent is not tried for ever.
const TRIES: i64 = 5;
/// The most bytes of all results.
const ALL_RESULTS: i64 = 2 << 30;
/// The most bytes of all jobs.
const ALL_JOBS: i64 = 256 << 20;
/// How long after the last answer another one of the same agent is waited for.
const ANOTHER: Duration = Duration::from_millis(300);
/// How often an agent that does not answer is asked again: a question is lost where a link was just cut.
const ASK: Duration = Duration::from_secs(1);
/// How long a server that does not answer is tried again: it may just start anew.
const STARTS: Duration = Duration::from_secs(5);
/// How long the server may take to answer, and how long it is tried again to send a job.
const ANSWER: Duration = Duration::from_secs(5);
const SENDING: Duration = Duration::from_secs(30);
/// How long a fetch of results waits for some, and how many it brings.
const FETCH: Duration = Duration::from_secs(2);
const AT_ONCE: usize = 16;
/// What was underway over a link when it was cut comes again after so long.
const LIMBO: Duration = Duration::from_secs(3);
/// How long the server remembers which results were read; after that all of the run are read again.
const REMEMBERED: Duration = Duration::from_secs(60);

/// A hub that is connected.
pub struct Hub {
    client: Client,
    jetstream: Context,
    /// The public keys of the agents.
    keys: HashMap<String, VerifyingKey>,
    key: SigningKey,
    run: String,
    gathered: Gathered,
    came: mpsc::Receiver<Message>,
    reached: Reached,
}

/// When the server of the agents last gave an answer.
type Reached = Arc<Mutex<Instant>>;

/// An agent that answered the roll call.
#[derive(Clone, Debug)]
pub struct Present {
    /// What it says of itself.
    pub here: Here,
    /// How far its clock goes before this host's, less half of the time that the answer took.
    pub clock: SignedDuration,
    /// How many hosts answered with its key.
    pub hosts: usize,
}

/// What came from the agents.
#[derive(Debug)]
pub enum Came {
    /// The whole result of a job.
    Result {
        /// The agent.
        agent: String,
        /// The job.
        job: String,
        /// What came of it.
        outcome: Outcome,
    },
    /// Something that is worth a word.
    Word(String),
    /// A part of a result, or nothing.
    Nothing,
}

impl Hub {
    /// Connects, and makes what the server lacks: the streams, and a consumer for each agent.
    ///
    /// # Errors
    /// When the server is not reached, or refuses.
    pub async fn connect(
        access: &Access,
        domain: Option<&str>,
        key: SigningKey,
        keys: HashMap<String, VerifyingKey>,
        tell: Tell,
    ) -> anyhow::Result<Self> {
        connect::choose_provider();
        let run = uuid::Uuid::new_v4().simple().to_string();
        let reached = Arc::new(Mutex::new(Instant::now()));
        let end = Instant::now() + STARTS;
        let (client, jetstream) = loop {
            match begin(access, domain, &keys, &tell).await {
                Ok(begun) => break begun,
                Err(why) if Instant::now() > end => return Err(why),
                Err(_) => sleep(ASK).await,
            }
        };
        let came = read_results(&jetstream, &run, &reached, &tell).await?;
        Ok(Self {
            client,
            jetstream,
            keys,
            key,
            run,
            gathered: Gathered::default(),
            came,
            reached,
        })
    }

    /// The name of this run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// For how long the server of the agents has not answered this hub.
    pub fn cut_off(&self) -> Duration {
        lock(&self.reached).elapsed()
    }

    /// Asks agents whether they are there.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn roll_call(
        &self,
        agents: &[&str],
        longest: Duration,
    ) -> anyhow::Result<HashMap<String, Present>> {
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(format!("{inbox}.*")).await?;
        let mut end = Instant::now() + longest;
        let mut asked: HashMap<String, (Instant, Timestamp)> = HashMap::new();
        let mut present: HashMap<String, Present> = HashMap::new();
        while Instant::now() < end {
            let nonce = uuid::Uuid::new_v4().simple().to_string();
            asked.insert(nonce.clone(), (Instant::now(), Timestamp::now()));
            let mut missing = agents.to_vec();
            missing.retain(|it| !present.contains_key(*it));
            self.ask(&missing, &inbox, &nonce).await?;
            let again = Instant::now() + ASK;
            while let Ok(Some(answer)) = timeout_at(again.min(end), answers.next()).await {
                let Some((here, (at, clock))) = self.read_here(&answer, &asked) else {
                    continue;
                };
                let half = SignedDuration::try_from(at.elapsed() / 2).unwrap_or_default();
                let clock = here.now.duration_since(clock + half);
                match present.get_mut(&here.agent) {
                    Some(known) if known.here.instance != here.instance => known.hosts += 1,
                    Some(_) => {}
                    None => {
                        present.insert(
                            here.agent.clone(),
                            Present {
                                here,
                                clock,
                                hosts: 1,
                            },
                        );
                    }
                }
                if present.len() == agents.len() {
                    end = end.min(Instant::now() + ANOTHER);
                }
            }
        }
        Ok(present)
    }

    /// Each agent has a subject for its answers, so that one key is tried and not that of everybody.
    ///
    /// Questions wait in no queue while there is no connection: they would fill it.
    async fn ask(&self, agents: &[&str], inbox: &str, nonce: &str) -> anyhow::Result<()> {
        if self.client.connection_state() != State::Connected {
            return Ok(());
        }
        for agent in agents {
            let subject = Subjects { agent }.ask();
            self.client
                .publish_with_reply(
                    subject,
                    format!("{inbox}.{agent}"),
                    nonce.to_string().into(),
                )
                .await?;
        }
        Ok(())
    }

    /// An answer that its agent has signed, to one of these very questions; and when that was asked.
    fn read_here(
        &self,
        answer: &Message,
        asked: &HashMap<String, (Instant, Timestamp)>,
    ) -> Option<(Here, (Instant, Timestamp))> {
        let (_, agent) = answer.subject.rsplit_once('.')?;
        let here = Here::open(&answer.payload, self.keys.get(agent)?).ok()?;
        let asked = asked.get(&here.nonce)?;
        (here.agent == agent).then_some((here, *asked))
    }

    /// Sends a job to an agent.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn send(&mut self, agent: &str, name: &str, task: &Task) -> anyhow::Result<()> {
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let job = Job::new(&self.run, name, agent, Timestamp::now(), nonce);
        let message = job::seal(&job, task, &self.key).map_err(anyhow::Error::msg)?;
        self.gathered.expect(agent, name, &job.nonce);
        let subject = Subjects { agent }.job(&self.run, name);
        // The server keeps one message of a number: sending it again is safe.
        let publish = PublishMessage::build()
            .message_id(&job.nonce)
            .payload(message.into());
        let end = Instant::now() + SENDING;
        while let Err(why) = self.store(&subject, publish.clone()).await {
            if Instant::now() > end {
                return Err(why.context(format!("sending a job for agent `{agent}`")));
            }
            sleep(ASK).await;
        }
        // It fetches jobs when it is asked whether it is there.
        let ask = Subjects { agent }.ask();
        self.client.publish(ask, "fetch".into()).await?;
        Ok(())
    }

    async fn store(&self, subject: &str, message: PublishMessage) -> anyhow::Result<()> {
        let sent = self.jetstream.send_publish(subject.to_string(), message);
        sent.await?.await?;
        Ok(())
    }

    /// The next thing that comes.
    pub async fn next(&mut self) -> Came {
        let Some(message) = self.came.recv().await else {
            return std::future::pending().await;
        };
        // portproof.results.AGENT...
        let agent = message
            .subject
            .split('.')
            .nth(2)
            .unwrap_or_default()
            .to_string();
        let Some(key) = self.keys.get(&agent) else {
            return Came::Nothing;
        };
        if message.subject.split('.').nth(3) == Some("refused") {
            return self.refusal(&agent, &message.payload);
        }
        match self.gathered.take(&agent, key, &message.payload) {
            Ok(Brought::Whole { job, outcome }) => Came::Result {
                agent,
                job,
                outcome: *outcome,
            },
            Ok(Brought::Part | Brought::Again) => Came::Nothing,
            Ok(Brought::Nothing(why)) => {
                Came::Word(format!("a result of agent `{agent}` is left out: {why}"))
            }
            Err(why) => Came::Word(format!(
                "a result in the name of agent `{agent}` is not believed: {why}. Whoever sent it has the credentials of \
                 that agent, and its own result of this job is lost"
            )),
        }
    }

    fn refusal(&self, agent: &str, payload: &[u8]) -> Came {
        let key = self.keys.get(agent);
        let opened = key.and_then(|key| result::open(payload, key).ok());
        let outcome =
            opened.and_then(|(_, body)| crate::fleet::frame::unpack::<Outcome>(&body).ok());
        match outcome {
            Some(Outcome::Refused { reason }) => Came::Word(format!(
                "agent `{agent}` refused a job that is not of this run: {reason}"
            )),
            _ => Came::Nothing,
        }
    }
}

/// Connects, and makes what the server lacks.
async fn begin(
    access: &Access,
    domain: Option<&str>,
    keys: &HashMap<String, VerifyingKey>,
    tell: &Tell,
) -> anyhow::Result<(Client, Context)> {
    let Connected { client, .. } = connect::connect(access, tell, false).await?;
    let context = ContextBuilder::new().timeout(ANSWER);
    let jetstream = match domain {
        Some(domain) => context.domain(domain).build(client.clone()),
        None => context.build(client.clone()),
    };
    make_streams(&jetstream, keys.keys()).await?;
    Ok((client, jetstream))
}

async fn make_streams(
    jetstream: &Context,
    agents: impl Iterator<Item = &String>,
) -> anyhow::Result<()> {
    let jobs = stream::Config {
        name: JOBS.to_string(),
        description: Some("jobs for agents of portproof".to_string()),
        subjects: vec!["portproof.jobs.>".to_string()],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        max_age: WAITS,
        max_bytes: ALL_JOBS,
        max_message_size: LARGEST as i32,
        ..stream::Config::default()
    };
    let results = stream::Config {
        name: RESULTS.to_string(),
        description: Some(
            "what came of jobs of portproof, one message for each subject".to_string(),
        ),
        subjects: vec!["portproof.results.>".to_string()],
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        max_messages_per_subject: 1,
        max_age: KEPT,
        max_bytes: ALL_RESULTS,
        max_message_size: LARGEST as i32,
        ..stream::Config::default()
    };
    let making = "making the streams of portproof at the NATS server, which needs JetStream and version 2.10 or later";
    jetstream
        .create_or_update_stream(results)
        .await
        .context(making)?;
    jetstream
        .create_or_update_stream(jobs)
        .await
        .context(making)?;
    let stream = jetstream.get_stream_no_info(JOBS).await.context(making)?;
    for agent in agents {
        let consumer = pull::Config {
            durable_name: Some(agent.clone()),
            filter_subject: Subjects { agent }.jobs(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: SILENT,
            max_deliver: TRIES,
            ..pull::Config::default()
        };
        stream
            .create_consumer(consumer)
            .await
            .with_context(|| format!("making the consumer of agent `{agent}`"))?;
    }
    Ok(())
}

/// Reads the results of a run as they come, and what agents refuse from now on.
async fn read_results(
    jetstream: &Context,
    run: &str,
    reached: &Reached,
    tell: &Tell,
) -> anyhow::Result<mpsc::Receiver<Message>> {
    let (sender, came) = mpsc::channel(64);
    let stream = jetstream.get_stream_no_info(RESULTS).await?;
    for (name, filter, from) in [
        (run.to_string(), of_run(run), DeliverPolicy::All),
        (
            format!("{run}-refused"),
            REFUSALS.to_string(),
            DeliverPolicy::New,
        ),
    ] {
        let config = pull::Config {
            name: Some(name),
            filter_subject: filter,
            deliver_policy: from,
            ack_policy: AckPolicy::Explicit,
            ack_wait: LIMBO,
            inactive_threshold: REMEMBERED,
            memory_storage: true,
            ..pull::Config::default()
        };
        tokio::spawn(read(
            stream.clone(),
            config,
            sender.clone(),
            Arc::clone(reached),
            Arc::clone(tell),
        ));
    }
    Ok(came)
}

/// Reads until nobody listens, also when the link was cut or the server has started anew. What is read twice is known.
async fn read(
    stream: Stream<()>,
    config: pull::Config,
    sender: mpsc::Sender<Message>,
    reached: Reached,
    tell: Tell,
) {
    let mut told = None;
    while !sender.is_closed() {
        let Err(error) = read_on(&stream, &config, &sender, &reached).await else {
            return;
        };
        // Once for each time that it went on between.
        let last = *lock(&reached);
        if told.replace(last) != Some(last) {
            tell(format!(
                "results cannot be read now; it is tried again: {}",
                crate::diagnostic::visible(&error.to_string())
            ));
        }
        sleep(ASK).await;
    }
}

async fn read_on(
    stream: &Stream<()>,
    config: &pull::Config,
    sender: &mpsc::Sender<Message>,
    reached: &Reached,
) -> anyhow::Result<()> {
    let consumer = stream.create_consumer(config.clone()).await?;
    while !sender.is_closed() {
        let fetch = consumer.fetch().max_messages(AT_ONCE).expires(FETCH);
        let mut some = fetch.messages().await?;
        // Neither a message nor the end of the fetch comes over a link that was cut.
        while let Ok(message) = timeout(FETCH + ASK, some.next()).await {
            let message = message.transpose().map_err(anyhow::Error::from_boxed)?;
            *lock(reached) = Instant::now();
            let Some((message, acker)) = message.map(jetstream::Message::split) else {
                break;
            };
            if sender.send(message).await.is_err() {
                return Ok(());
            }
            // What is not heard of there comes again, and is known.
            let _ = acker.ack().await;
        }
    }
    Ok(())
}

fn lock(reached: &Reached) -> std::sync::MutexGuard<'_, Instant> {
    reached.lock().unwrap_or_else(PoisonError::into_inner)
}
