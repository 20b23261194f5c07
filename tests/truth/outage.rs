//! Takes away what an outage takes away, while something runs.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::rules;
use crate::scene::Scene;
use crate::support::bed::Bed;
use crate::trouble::{Outage, Trouble};

/// Runs `run`, and beside it the outage of the scene, where there is one.
pub(crate) fn beside<T>(bed: &Bed, scene: &Scene, run: impl FnOnce() -> T) -> T {
    let Trouble::Outage(outage) = scene.trouble else {
        return run();
    };
    let (ended, end) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || pass(bed, scene, &outage, &end));
        let came = run();
        drop(ended);
        came
    })
}

/// Waits until it begins, and until it is over; the end of the run ends it, too.
fn pass(bed: &Bed, scene: &Scene, outage: &Outage, end: &mpsc::Receiver<()>) {
    let is_over = |millis| {
        let waited = end.recv_timeout(Duration::from_millis(millis));
        waited == Err(mpsc::RecvTimeoutError::Disconnected)
    };
    if is_over(outage.begins) {
        return;
    }
    bed.rules("fe", &rules::of_outage(scene, outage.lost));
    is_over(outage.lasts);
    bed.rules("fe", "delete table inet outage\n");
}
