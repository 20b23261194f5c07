//! How long runs are kept, and how large the database may grow.
//!
//! 1. A run older than `days` goes, with all that belongs to it.
//! 2. While the database is larger than `bytes`, reports go, the oldest first. Their summaries and changes stay. The last
//!    report of each place never goes: the next run is compared with it.
//! 3. Where that is not enough, the oldest runs go.

/// Days that a run is kept, unless asked otherwise: a year, and the days around its end.
const DAYS: u32 = 400;
/// The largest size of the database, unless asked otherwise.
const MEGABYTES: u32 = 200;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days that a run is kept.
    pub days: u32,
    /// Bytes that the database takes at the most, but for what the last reports take.
    pub bytes: u64,
}

impl Retention {
    /// So many days and megabytes; `None`: as many as suit most.
    pub fn new(days: Option<u32>, megabytes: Option<u32>) -> Self {
        Self {
            days: days.unwrap_or(DAYS),
            bytes: u64::from(megabytes.unwrap_or(MEGABYTES)) * 1_000_000,
        }
    }
}
