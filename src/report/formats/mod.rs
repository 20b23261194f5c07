//! A report in the formats of other programs and of people who do not sit at this one: a file each. Text and JSON stand
//! beside this folder.
//!
//! All of them print the document and its findings, in the words of the text report (`findings`, `lines`). Whatever came
//! from outside is escaped as the format asks: names, banners, certificates, reasons. What is neither printable nor
//! harmless is first made visible, as everywhere.

mod csv;
mod html;
mod junit;
mod markdown;
mod nagios;
mod prometheus;
mod sarif;

pub use csv::csv;
pub use html::{Cell, Look, STYLE, Strip, Strips, html, html_served, live_policy};
pub use junit::junit;
pub use markdown::markdown;
pub use nagios::{Status, failed as nagios_failed, nagios};
pub use prometheus::{Metrics, prometheus, since_1970};
pub use sarif::sarif;
