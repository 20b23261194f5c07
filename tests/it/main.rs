//! What portproof does on one machine: the program as a user runs it, its files, formats, pages and rules, and real servers
//! on loopback.
//!
//! One executable, because linking takes longer than compiling. A module is a file of tests: `cargo test --test it explain::`
//! runs one. `tests/support` holds what several of them use.

#[path = "../support"]
mod support {
    pub(crate) mod apache;
    pub(crate) mod ends;
    pub(crate) mod executable;
    pub(crate) mod files;
    pub(crate) mod growth;
    pub(crate) mod lab;
    pub(crate) mod large_site;
    pub(crate) mod listener;
    #[cfg(target_os = "linux")]
    pub(crate) mod memory;
    pub(crate) mod openssl_tool;
    pub(crate) mod ports;
    #[cfg(unix)]
    pub(crate) mod postgres;
    pub(crate) mod program;
    pub(crate) mod schemas;
    #[cfg(unix)]
    #[expect(dead_code, reason = "tests of the library use the rest")]
    pub(crate) mod servers;
    pub(crate) mod unbroken;
}

mod alerts;
mod catalogue_http;
mod client_logs;
mod clocks;
mod current_branch;
mod debian_package;
mod debugging;
mod devices;
mod docs;
mod examples;
mod exceptions;
mod explain;
mod firewall_rules;
mod first_file;
mod formats;
mod history;
mod http_and_proxies;
mod import;
mod large_plans;
mod layers;
mod licences;
mod lines_that_fit;
mod listen_loopback;
mod named_files;
mod old_tls;
mod one_run;
mod output;
mod output_beds;
mod page;
mod plan_rules;
mod probe_hostile;
mod program;
mod prose;
mod public_rules;
mod pure_messages;
mod real_sockets;
mod reports;
mod rules_of_boxes;
mod serve;
mod served;
mod site_file_bytes;
mod streams;
mod tickets;
mod tls_and_revocation;
mod windows;
