//! The kinds of lines of an explanation.

use owo_colors::OwoColorize;

use super::document::Known;
use crate::diagnostic::visible;
use crate::paragraph::Page;

/// The kinds of lines that an explanation has; all that is put in is made visible.
pub(super) struct Sheet(pub(super) Page);

impl Sheet {
    pub(super) fn heading(&mut self, word: &str, is: &str) {
        let words = format!("{}  {}", visible(word).bold(), visible(is));
        self.0.paragraph(0, words);
    }

    /// `NAME: TEXT`; nothing where there is no text.
    pub(super) fn line(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.0.paragraph(2, format!("{name}: {}", visible(text)));
        }
    }

    pub(super) fn item(&mut self, mark: &str, text: &str) {
        self.0.paragraph(2, format!("{mark} {}", visible(text)));
    }

    pub(super) fn part(&mut self, title: &str) {
        self.0.gap();
        self.0.paragraph(0, visible(title));
    }

    pub(super) fn known(&mut self, known: &Known) {
        self.line("known", &known.sure);
        self.line("source", known.source.as_deref().unwrap_or_default());
    }

    pub(super) fn topics(&mut self, topics: &[String]) {
        for topic in topics {
            self.line("port number", &format!("portproof explain {topic}"));
        }
    }
}
