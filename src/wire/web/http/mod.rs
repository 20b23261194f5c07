//! HTTP/1.1 as a site needs it: requests as bytes, answers read within bounds, and what the two together show.
//!
//! A `Request` becomes bytes (`request`, with `multipart` for what stand-ins are sent) for an `Authority`. What comes
//! back is read by pure functions: the head of an answer (`head`), where its body ends (`body`, `chunked`), the whole
//! of it (`answer`). `conversation` is the socket work around them, several requests on one connection.
//!
//! `root_page` asks only whether a web server answers at all, and `date` reads what it says the time is. `verbs` and
//! `headers` ask what a device on the way lets through, each by how the answer differs from that of a plain GET
//! (`pass_through`). `echo` compares what was sent with what arrived. They give `finding`s. `role` asks whether a role
//! is there, by what each `page` says; `mplist` reads a list of management points. `web_checks` puts the
//! questions of one flow in a row and writes down what they show.

pub(crate) mod answer;
pub(crate) mod authority;
mod body;
mod chunked;
mod web_checks;
pub(crate) mod conversation;
pub(crate) mod date;
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "only a stand-in at the far end can say what arrived"
    )
)]
pub(crate) mod echo;
pub(crate) mod finding;
pub(crate) mod head;
pub(crate) mod headers;
#[cfg_attr(
    not(any(test, feature = "fuzzing")),
    expect(dead_code, reason = "bodies go to stand-ins only")
)]
pub(crate) mod multipart;
pub(crate) mod pass_through;
pub(crate) mod request;
pub(crate) mod role;
pub(in crate::wire) mod mplist;
pub(in crate::wire) mod page;
mod root_page;
pub(crate) mod verbs;

pub(crate) use pass_through::is_one_speaker;
pub(crate) use root_page::exchange;
pub(crate) use web_checks::Again;
pub use web_checks::WebNeeds;
