//! Where the console shows something.

use super::document::{Known, TopicExplained};
use super::{cited, sure};
use crate::product::Topic;

pub(super) fn topic(topic: &Topic) -> TopicExplained {
    TopicExplained {
        topic: topic.id.clone(),
        title: topic.title.clone(),
        steps: topic.steps.clone(),
        then: topic.then.clone(),
        mind: topic.mind.clone(),
        known: Known {
            confidence: topic.confidence,
            sure: sure(topic.confidence).to_string(),
            source: cited(&topic.source),
        },
    }
}
