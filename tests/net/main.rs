//! What portproof says across networks: the real program between network namespaces, with real firewalls and servers.
//!
//! One executable, because linking takes longer than compiling. A module is a file of tests: `cargo test --test net limits::`
//! runs one. Each test lays out namespaces of its own. `tests/support` holds what several of them use.

#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "the truth matrix uses the rest")]
    pub(crate) mod bed;
    pub(crate) mod counter;
    pub(crate) mod ends;
    pub(crate) mod executable;
    pub(crate) mod feed;
    pub(crate) mod fleet;
    pub(crate) mod listener;
    pub(crate) mod row;
    pub(crate) mod running;
    pub(crate) mod schemas;
    pub(crate) mod unbroken;
    pub(crate) mod web;
    pub(crate) mod zones;
}

mod after_handshake;
mod agents;
mod agents_served;
mod distance;
mod firewall;
mod limits;
mod listen;
mod near;
mod odd_sites;
mod on_the_wire;
mod outages;
mod plan_proves_itself;
mod polite;
mod port_change;
mod progress;
mod resolver;
mod resume;
mod serve;
mod sweeps;
mod two_families;
mod vantages;
mod what_it_sends;
mod windows_services;
