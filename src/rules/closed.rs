//! What a plan forbids, by its ends: rules let the rest through.

use std::collections::HashMap;

use crate::plan::{Flow, Plan, Target};
use crate::product::{Need, Transport};
use crate::site::Origin;
use crate::yaml::Ports;

/// What is forbidden between two ends.
type Ends<'a> = (Origin, &'a Target, Transport);

/// Everything that a plan forbids.
pub(super) struct Closed<'a>(HashMap<Ends<'a>, Vec<&'a [Ports]>>);

impl<'a> Closed<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut all: HashMap<Ends<'_>, Vec<&[Ports]>> = HashMap::new();
        for it in &plan.forbidden {
            let ends = all.entry((it.from, &it.to, it.transport));
            ends.or_default().push(&it.ports);
        }
        let flows = plan.flows.iter();
        for flow in flows.filter(|flow| flow.need == Need::Forbidden) {
            let ends = all.entry((flow.from, &flow.to, flow.transport));
            ends.or_default().push(std::slice::from_ref(&flow.port));
        }
        Self(all)
    }

    /// All of it: start, end, transport and ports.
    pub(super) fn all(&self) -> impl Iterator<Item = (Origin, &'a Target, Transport, &'a [Ports])> {
        self.0.iter().flat_map(|((from, to, transport), sets)| {
            let sets = sets.iter();
            sets.map(move |ports| (*from, *to, *transport, *ports))
        })
    }

    /// The ports of a flow; of a range, without those that the file forbids the same start.
    pub(super) fn parts(&self, flow: &Flow) -> Vec<Ports> {
        let mut holes: Vec<Ports> = Vec::new();
        if flow.port.low < flow.port.high {
            let inside =
                |other: &&Ports| flow.port.low <= other.high && other.low <= flow.port.high;
            let sets = self.0.get(&(flow.from, &flow.to, flow.transport));
            let sets = sets.into_iter().flatten();
            holes.extend(sets.flat_map(|set| set.iter()).filter(inside));
            holes.sort_unstable_by_key(|hole| hole.low);
        }
        without(flow.port, &holes)
    }
}

/// What holes, the lowest first, leave of a range.
fn without(whole: Ports, holes: &[Ports]) -> Vec<Ports> {
    let mut parts = Vec::new();
    let mut low = Some(whole.low);
    for hole in holes {
        if let Some(start) = low
            && start < hole.low
        {
            parts.push(Ports {
                low: start,
                high: hole.low - 1,
            });
        }
        low = low.and_then(|start| Some(start.max(hole.high.checked_add(1)?)));
    }
    let high = whole.high;
    parts.extend(
        low.filter(|low| *low <= high)
            .map(|low| Ports { low, high }),
    );
    parts
}
