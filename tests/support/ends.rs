//! Processes that end with their test.

use std::process::{Child, Command};

/// A process that is asked to end, by its id, and waited for when this is dropped.
pub(crate) struct EndsWithTest(pub(crate) Child);

impl Drop for EndsWithTest {
    fn drop(&mut self) {
        // A polite end lets it end its own processes too.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
