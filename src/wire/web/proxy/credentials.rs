//! A user name and password that are refused at most once in a run.
//!
//! A directory locks an account after a few wrong passwords, and a run has hundreds of flows. So until a proxy has
//! accepted them, the credentials are lent to one request at a time, and after one refusal never again. They stand in
//! no debug output, and what a proxy says is cleared of them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::MutexGuard;

use crate::wire::web::http::authority::Authorization;

/// What stands where a secret was.
const MASK: &str = "...";
/// The fewest bytes that are taken for the beginning of a secret.
const SHORTEST_PART: usize = 4;

/// A user name and a password for one proxy.
pub(crate) struct Credentials {
    user: String,
    password: String,
    trial: Mutex<Trial>,
    /// Held by whoever tries them first.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    Untried,
    Accepted,
    Refused,
}

impl Credentials {
    /// `None` where a proxy could not be told them. Each has 1 to 255 bytes without control characters (RFC 1929), and
    /// the name no colon (RFC 7617).
    pub(crate) fn new(user: &str, password: &str) -> Option<Self> {
        let fits =
            |text: &str| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
        (fits(user) && fits(password) && !user.contains(':')).then(|| Self {
            user: user.to_string(),
            password: password.to_string(),
            trial: Mutex::new(Trial::Untried),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Lends them to one request; `None` after a refusal. Waits while another request tries them for the first time.
    pub(crate) async fn lend(&self) -> Option<Loan<'_>> {
        let loan = |turn| Some(Loan { of: self, turn });
        match self.trial() {
            Trial::Refused => return None,
            Trial::Accepted => return loan(None),
            Trial::Untried => {}
        }
        let turn = self.turn.lock().await;
        match self.trial() {
            Trial::Refused => None,
            Trial::Accepted => loan(None),
            Trial::Untried => loan(Some(turn)),
        }
    }

    /// What a proxy that has taken them is told with each further request; `None` before that, and after a refusal.
    pub(crate) fn once_taken(&self) -> Option<Authorization> {
        (self.trial() == Trial::Accepted).then(|| self.authorization())
    }

    /// The value of `Proxy-Authorization` (RFC 7617).
    fn authorization(&self) -> Authorization {
        Authorization::new(format!("Basic {}", self.basic()))
    }

    /// Whether they were refused, so that nothing is left to try.
    pub(crate) fn are_burnt(&self) -> bool {
        self.trial() == Trial::Refused
    }

    /// Takes them out of a text that came from a proxy, and what is left of them where the text was cut.
    pub(super) fn cleared(&self, text: &str) -> String {
        let mut text = text.to_string();
        for secret in [self.basic(), self.password.clone()] {
            text = text.replace(&secret, MASK);
            let mut cut = secret.char_indices().map(|(end, _)| &secret[..end]);
            let shown = cut.rfind(|part| part.len() >= SHORTEST_PART && text.ends_with(part));
            if let Some(part) = shown {
                text.truncate(text.len() - part.len());
                text += MASK;
            }
        }
        text
    }

    fn basic(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.user, self.password))
    }

    fn trial(&self) -> Trial {
        *self.trial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, trial: Trial) {
        *self.trial.lock().unwrap_or_else(PoisonError::into_inner) = trial;
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Credentials({:?})", self.trial())
    }
}

/// The credentials, for one request. Dropped without a word, it leaves them as they were.
pub(crate) struct Loan<'a> {
    of: &'a Credentials,
    #[expect(dead_code, reason = "held until the first trial is over")]
    turn: Option<MutexGuard<'a, ()>>,
}

impl Loan<'_> {
    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Authorization {
        self.of.authorization()
    }

    pub(super) fn user(&self) -> &str {
        &self.of.user
    }

    pub(super) fn password(&self) -> &str {
        &self.of.password
    }

    /// The proxy took them.
    pub(super) fn accepted(self) {
        // Another request may have had them refused meanwhile; that stands.
        if self.of.trial() == Trial::Untried {
            self.of.settle(Trial::Accepted);
        }
    }

    /// The proxy refused them: they are never lent again.
    pub(super) fn refused(self) {
        self.of.settle(Trial::Refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn credentials() -> Credentials {
        Credentials::new("probe", "s3cret-word").expect("fit")
    }

    #[tokio::test]
    async fn after_one_refusal_they_are_never_lent_again() {
        let credentials = credentials();
        credentials.lend().await.expect("untried").refused();
        assert!(credentials.lend().await.is_none() && credentials.are_burnt());
    }

    #[tokio::test]
    async fn a_refusal_stands_whatever_another_request_is_told() {
        let credentials = credentials();
        credentials.lend().await.expect("untried").accepted();
        let (one, other) = (credentials.lend().await, credentials.lend().await);
        one.expect("accepted").refused();
        other.expect("accepted").accepted();
        assert!(credentials.are_burnt());
    }

    #[tokio::test]
    async fn a_hundred_flows_at_once_are_refused_once() {
        let credentials = Arc::new(credentials());
        let refusals = Arc::new(AtomicUsize::new(0));
        let mut flows = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (credentials, refusals) = (Arc::clone(&credentials), Arc::clone(&refusals));
            flows.spawn(async move {
                if let Some(loan) = credentials.lend().await {
                    refusals.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    loan.refused();
                }
            });
        }
        flows.join_all().await;
        assert_eq!(refusals.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn one_that_was_given_back_is_lent_to_the_next() {
        let credentials = credentials();
        drop(credentials.lend().await.expect("untried"));
        let loan = credentials.lend().await.expect("untried still");
        assert_eq!(
            loan.authorization().value(),
            "Basic cHJvYmU6czNjcmV0LXdvcmQ="
        );
    }

    #[test]
    fn they_stand_in_no_text() {
        let credentials = credentials();
        assert_eq!(format!("{credentials:?}"), "Credentials(Untried)");
        let echoed = credentials.cleared("you said Basic cHJvYmU6czNjcmV0LXdvcmQ= and s3cret-word");
        assert_eq!(echoed, "you said Basic ... and ...");
        assert_eq!(
            credentials.cleared("cut: Basic cHJvYmU6czN"),
            "cut: Basic ..."
        );
    }

    #[test]
    fn what_a_proxy_could_not_be_told_is_refused() {
        let long = "x".repeat(256);
        for (user, password) in [
            ("", "x"),
            ("x", ""),
            ("a:b", "x"),
            ("a\r\n", "x"),
            ("x", long.as_str()),
        ] {
            assert!(Credentials::new(user, password).is_none(), "{user:?}");
        }
    }
}
