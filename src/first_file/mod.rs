//! A first site file, made of the answers to eight questions.
//!
//! An answer is a line of text, from a terminal or from an option. `Question` says what is asked. A `Draft` takes the
//! lines one by one, and `server` and `networks` read them. What cannot be is refused in words that say what would be
//! right. A whole draft holds `Answers`, and `text` writes the file of them. From the site server on, each answer is
//! tried in the file that it would make. So a draft that took every answer makes a file without errors. Whoever asks,
//! and wherever the file goes, is not here. `lines` and `names` have what is the same in every first file, that of
//! `import` among them.

mod answers;
mod draft;
pub(crate) mod lines;
pub(crate) mod names;
mod networks;
mod question;
mod server;
mod text;

#[cfg(test)]
mod tests;

pub use answers::{Answers, Lists, Server};
pub use draft::Draft;
pub use question::Question;
pub use text::text;
