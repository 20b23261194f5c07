//! The queue of a channel: its first message goes out until it has been taken, then the next one.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::Served;
use crate::alert::{self, Channel, Fault, KEPT, Message};
use crate::history::Waiting;

/// How long a queue that cannot be read is left alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hands over the messages of a channel, for ever.
pub(super) async fn go_on(served: Arc<Served>, channel: Channel) {
    // Told, and perhaps not removed: that is tried again, and telling is not.
    let mut told = None;
    loop {
        // Asked for before the queue is looked at: a message that comes meanwhile is not overlooked.
        let queued = served.queued.notified();
        let name = channel.name.clone();
        let first = served
            .keeper
            .with(move |store| store.first_queued(&name))
            .await;
        match first {
            Ok(None) => queued.await,
            Ok(Some(waiting)) => match until(&waiting) {
                Some(wait) => sleep(wait).await,
                None if told == Some(waiting.id) => remove(&served, waiting.id).await,
                None => told = hand_over(&served, &channel, waiting).await,
            },
            Err(fault) => {
                served.tell(&format!("the queue of alerts cannot be read: {fault:#}"));
                sleep(PATIENCE).await;
            }
        }
    }
}

/// How long it still has to wait; `None`: it is due. No wait is longer than this, unless the clock was set back.
fn until(waiting: &Waiting) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(600);
    let due: Timestamp = waiting.due.parse().ok()?;
    let left = due.duration_since(Timestamp::now());
    let left = Duration::try_from(left).ok().filter(|it| !it.is_zero())?;
    (left <= LONGEST).then_some(left)
}

/// Hands over a message, and removes it. Its number comes back where nobody is to be told any more.
async fn hand_over(served: &Arc<Served>, channel: &Channel, waiting: Waiting) -> Option<i64> {
    let Ok(message) = serde_json::from_str::<Message>(&waiting.body) else {
        served.tell(&format!(
            "a message to {} is of another version and was dropped",
            channel.name
        ));
        remove(served, waiting.id).await;
        return Some(waiting.id);
    };
    let headline = message.headline.clone();
    let made: Timestamp = waiting.made.parse().unwrap_or_else(|_| Timestamp::now());
    let age = Duration::try_from(Timestamp::now().duration_since(made)).unwrap_or_default();
    if age >= KEPT {
        let name = &channel.name;
        served.tell(&format!(
            "{name} was not told in a week, and is not any more: {headline}"
        ));
        remove(served, waiting.id).await;
        return Some(waiting.id);
    }
    let fault = match send(served, channel, message).await {
        Ok(()) => {
            served.tell(&format!("told {}: {headline}", channel.name));
            remove(served, waiting.id).await;
            return Some(waiting.id);
        }
        Err(fault) => fault,
    };
    let now = Timestamp::now();
    let tries = waiting.tries.saturating_add(1);
    match fault.wait(tries, age) {
        Some(wait) => {
            let name = &channel.name;
            let seconds = wait.as_secs();
            served.tell(&format!(
                "{name} was not told, next try in {seconds} s: {fault}"
            ));
            let due = SignedDuration::try_from(wait)
                .ok()
                .and_then(|wait| now.checked_add(wait).ok());
            let due = due.unwrap_or(now);
            let id = waiting.id;
            let put_off = served
                .keeper
                .with(move |store| store.put_off(id, tries, due))
                .await;
            if put_off.is_err() {
                sleep(PATIENCE).await;
            }
        }
        None => sleep(PATIENCE).await,
    }
    None
}

async fn send(served: &Arc<Served>, channel: &Channel, message: Message) -> Result<(), Fault> {
    let files = Arc::clone(&served.files);
    let channel = channel.clone();
    let sent = tokio::task::spawn_blocking(move || {
        let read = files.of_channel(&channel).map_err(Fault::Refused)?;
        alert::send(&channel, &read, &message)
    });
    sent.await
        .unwrap_or_else(|fault| Err(Fault::Later(fault.to_string())))
}

async fn remove(served: &Served, id: i64) {
    let removed = served.keeper.with(move |store| store.taken(id)).await;
    if removed.is_err() {
        // After a new start it will be told again: that is better than never.
        sleep(PATIENCE).await;
    }
}
