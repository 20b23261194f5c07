//! The rows of a plan's table: all ports between two ends with one need, and in a line what they are for.

use std::collections::{BTreeSet, HashMap};

use super::ids::{destination, service};
use super::{Flow, Target};
use crate::diagnostic::cut;
use crate::product::Need;
use crate::site::{Origin, Site};

/// The most columns of the name of a source.
const WIDEST_SOURCE: usize = 24;
/// The same of a destination. Names of services are long.
const WIDEST_DESTINATION: usize = 36;

/// Flows between two ends with one need.
pub(super) struct Row<'a> {
    pub(super) flows: Vec<&'a Flow>,
}

/// The rows of some flows: what is required first, else in the order of the flows.
pub(super) fn rows<'a>(flows: &[&'a Flow]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    let mut places: HashMap<(Need, Origin, &Target), usize> = HashMap::new();
    for need in [Need::Required, Need::Optional, Need::Forbidden] {
        for flow in flows.iter().filter(|flow| flow.need == need) {
            let place = places
                .entry((need, flow.from, &flow.to))
                .or_insert(rows.len());
            match rows.get_mut(*place) {
                Some(row) => row.flows.push(flow),
                None => rows.push(Row { flows: vec![flow] }),
            }
        }
    }
    rows
}

/// How wide the names of a table are.
#[derive(Clone, Copy, Default)]
pub(super) struct Widths {
    source: usize,
    destination: usize,
}

impl Widths {
    pub(super) fn of(site: &Site, rows: &[Row<'_>]) -> Self {
        let columns = |names: &mut dyn Iterator<Item = String>, least: &str, most: usize| {
            let widest = names.map(|name| name.chars().count()).max();
            widest.unwrap_or(0).clamp(least.len(), most)
        };
        let sources = &mut rows.iter().map(|row| row.source(site));
        let destinations = &mut rows.iter().map(|row| row.destination(site));
        Self {
            source: columns(sources, SOURCE, WIDEST_SOURCE),
            destination: columns(destinations, DESTINATION, WIDEST_DESTINATION),
        }
    }

    pub(super) fn head(self) -> String {
        let cells = [SOURCE, DESTINATION, "need", "ports"].map(str::to_string);
        self.line(cells)
    }

    fn line(self, [source, destination, need, ports]: [String; 4]) -> String {
        let (from, to) = (self.source, self.destination);
        format!("{source:<from$}  {destination:<to$}  {need:<8}  {ports}")
    }
}

const SOURCE: &str = "source";
const DESTINATION: &str = "destination";

impl Row<'_> {
    pub(super) fn text(&self, site: &Site, widths: Widths) -> String {
        let ports = self.flows.iter().map(|it| service(it.port, it.transport));
        let ports: Vec<String> = ports.collect();
        let need = self.flows.first().map_or("", |it| it.need.name());
        widths.line([
            self.source(site),
            self.destination(site),
            need.to_string(),
            ports.join(", "),
        ])
    }

    /// What they are for: the first sentence of each reason, in so many columns.
    pub(super) fn why(&self, columns: usize) -> String {
        let mut known = BTreeSet::new();
        let whys = self.flows.iter().map(|it| first_sentence(&it.reason.why));
        let whys: Vec<&str> = whys.filter(|why| known.insert(*why)).collect();
        cut(&whys.join(" "), columns)
    }

    fn source(&self, site: &Site) -> String {
        let first = self.flows.first();
        first.map_or(String::new(), |it| site.origin_name(it.from).to_string())
    }

    fn destination(&self, site: &Site) -> String {
        let first = self.flows.first();
        first.map_or(String::new(), |it| match &it.to {
            // A firewall permits the name, whatever it belongs to.
            Target::Service(to) => to.name.clone(),
            to => destination(site, to),
        })
    }
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}
