//! The sockets of a fleet: connecting outward to a NATS server, an agent that works jobs, and the hub that sends them.

use std::sync::Arc;

mod agent;
mod connect;
mod forward;
mod hub;

pub use agent::{Work, Working, serve};
pub use connect::Access;
pub use hub::{Came, Hub, Present};

/// Who is told what happens on the connection.
pub type Tell = Arc<dyn Fn(String) + Send + Sync>;
