//! What a port, a flow and a system cost, counted: packets, calls of the kernel, allocations and instructions.
//!
//! Counts say the same on any machine and under any load, so they hold where times would not. Bounds have a fifth of room
//! above what was counted when they were set (`docs/performance.md`). One executable of its own, because it counts what
//! the whole process allocates.

use std::alloc::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::growth::TWICE;

#[path = "../support"]
mod support {
    pub(crate) mod executable;
    pub(crate) mod growth;
    pub(crate) mod large_site;
    #[expect(dead_code, reason = "other tests use the rest")]
    pub(crate) mod row;
    pub(crate) mod seen_site;
}

mod allocations;
mod calls;
mod instructions;

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Each test counts alone: the threads of another would be counted as well.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Costs of three sizes, each twice the one before. What is paid at any size is left out.
fn grows_with_its_size(what: &str, costs: [u64; 3]) {
    let [half, one, two] = costs;
    let times = (two - one) as f64 / (one - half) as f64;
    assert!(times <= TWICE, "{what}: {costs:?}, {times} times as much");
}

/// What each more of `many` cost, where `few` cost less.
fn each((few, cost): (u64, u64), (many, more): (u64, u64)) -> f64 {
    (more as f64 - cost as f64) / (many - few) as f64
}
