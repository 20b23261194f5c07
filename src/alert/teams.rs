//! A message for Microsoft Teams: an adaptive card, as a workflow of a channel takes it.
//!
//! All words stand in runs of a rich text block. Unlike other texts of a card, they have no markup: nothing that they
//! hold becomes a link or a mention. Teams refuses cards above 28 KB, so few flows are named.

use serde_json::{Value, json};

use super::Message;
use super::message::Entry;
use super::words;
use crate::diagnostic::cut;

/// The most flows that are named.
const MOST: usize = 10;
/// The longest words of a flow, in bytes.
const LONGEST: usize = 500;

/// The body of the request.
pub(super) fn body(message: &Message) -> Value {
    let mut blocks = vec![
        block(&message.headline, "Bolder"),
        block(&words::place(message), "Lighter"),
    ];
    for entry in message.raised.iter().take(MOST) {
        blocks.push(block(&words::title(entry), "Bolder"));
        blocks.push(block(&seen_and_advice(entry), "Default"));
    }
    let more = message.raised_count().saturating_sub(MOST);
    if more > 0 {
        blocks.push(block(&format!("{more} more are not listed."), "Default"));
    }
    let url = message.about.url.iter();
    let actions =
        url.map(|url| json!({ "type": "Action.OpenUrl", "title": "Status page", "url": url }));
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": actions.collect::<Vec<_>>(),
    });
    let kind = "application/vnd.microsoft.card.adaptive";
    json!({ "type": "message", "attachments": [{ "contentType": kind, "contentUrl": null, "content": card }] })
}

fn block(text: &str, weight: &str) -> Value {
    let run = json!({ "type": "TextRun", "text": cut(text, LONGEST), "weight": weight });
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

fn seen_and_advice(entry: &Entry) -> String {
    match entry.advice.as_str() {
        "" => entry.evidence.clone(),
        advice => format!("{}. {advice}", entry.evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::sample_about;
    use crate::report::sample::judged;

    #[test]
    fn all_words_stand_where_no_markup_is_read_and_the_largest_card_fits() {
        let flow = |port: u16| {
            let words = ["required", "filtered", "blocked", "no-answer", "error"];
            let mut flow = judged(&format!("internet>ibs01:{port}/tcp"), words);
            flow.advice = "[\u{1b}a](http://evil.example)\u{20ac}".repeat(90);
            flow
        };
        let flows: Vec<_> = (1..=120).map(flow).collect();
        let flows: Vec<_> = flows.iter().collect();
        let body = body(&Message::of(sample_about(), &flows, &[]));
        assert!(
            body.to_string().len() < 28_000,
            "{}",
            body.to_string().len()
        );
        let card = &body["attachments"][0]["content"];
        for block in card["body"].as_array().expect("blocks") {
            assert_eq!(block["type"], "RichTextBlock");
        }
        assert_eq!(card["actions"][0]["url"], "https://checks.corp.example/");
    }
}
