//! HTTP/1.1 as a site needs it: requests as bytes, answers read within bounds, and what the two together show.
//!
//! A `Request` becomes bytes (`request`, with `multipart` for what stand-ins are sent) for an `Authority`. What comes
//! back is read by pure functions: the head of an answer (`head`), where its body ends (`body`, `chunked`), the whole
//! of it (`answer`). `conversation` is the socket work around them, several requests on one connection.
//!
//! `root_page` asks only whether a web server answers at all.

mod answer;
mod authority;
mod body;
mod chunked;
mod conversation;
mod head;
mod multipart;
mod request;
mod root_page;

pub(super) use root_page::exchange;
