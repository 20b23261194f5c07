//! A message for chat tools that take what Slack takes: `{"text": ...}`. Mattermost and Rocket.Chat are among them.
//!
//! The text is in Slack's markup. Words of others stand between backquotes, where no tool looks for links, mentions or
//! markup, and they hold no backquote. Slack reads `&`, `<` and `>` everywhere, so they are written as it asks.

use serde_json::{Value, json};

use super::Message;
use super::message::Entry;
use super::words;

/// The most flows that are named: a chat is read on a telephone.
pub(super) const MOST: usize = 10;

/// The body of the request.
pub(super) fn body(message: &Message) -> Value {
    json!({ "text": text(message) })
}

fn text(message: &Message) -> String {
    let mut lines = vec![
        format!("*portproof* {}", code(&message.headline)),
        code(&words::place(message)),
    ];
    let raised = message.raised.iter().take(MOST);
    lines.extend(raised.map(entry));
    let more = message.raised_count().saturating_sub(MOST);
    if more > 0 {
        lines.push(format!("{more} more are not listed."));
    }
    lines.extend(message.about.url.as_deref().map(plain));
    lines.join("\n")
}

fn entry(entry: &Entry) -> String {
    let mut line = format!(
        "\u{2022} {}: {}",
        code(&words::title(entry)),
        code(&entry.evidence)
    );
    if !entry.advice.is_empty() {
        line += &format!("\n  {}", code(&entry.advice));
    }
    line
}

/// Words of others between backquotes.
fn code(text: &str) -> String {
    format!("`{}`", plain(&text.replace('`', "\u{2018}")))
}

/// The three signs that Slack reads.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::sample_about;
    use crate::report::sample::flow;

    #[test]
    fn words_of_others_stay_between_backquotes_and_call_nobody() {
        let mut about = sample_about();
        about.site = "`<!channel> @all *b* [a](http://evil.example) &".to_string();
        let body = body(&Message::failed(
            about,
            "`<http://evil.example|click>`\n@here",
        ));
        let text = body["text"].as_str().expect("text");
        assert!(!text.contains(['<', '>']), "{text}");
        // What stands outside of backquotes is our own, and the address of the status page.
        let outside: Vec<&str> = text.split('`').step_by(2).collect();
        assert_eq!(
            outside,
            ["*portproof* ", "\n", "\nhttps://checks.corp.example/"]
        );
    }

    #[test]
    fn ten_flows_are_named_and_the_rest_is_counted() {
        let flows: Vec<_> = (1..=120)
            .map(|port| flow(&format!("internet>ibs01:{port}/tcp")))
            .collect();
        let flows: Vec<_> = flows.iter().collect();
        let body = body(&Message::of(sample_about(), &flows, &[]));
        let text = body["text"].as_str().expect("text");
        assert_eq!(text.matches('\u{2022}').count(), 10);
        assert!(text.contains("110 more are not listed."), "{text}");
    }
}
