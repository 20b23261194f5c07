//! A picture of the site: zones as bands, firewalls as walls between them, systems as boxes, and the flows as lines.
//!
//! A report has no map. Which zones lie how far apart follows from the firewalls that its flows cross (`layers`). A line
//! stands for all flows of one start to one system that have the same verdict. The sign of those that are blocked stands at
//! the wall that stops them, as far as the evidence names one. What must be closed and is has no line: nothing passes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::layers::Layers;
use super::look::Look;
use crate::product::Need;
use crate::report::document::ReportFlow;
use crate::report::whole::ReportDocument;
use crate::verdict::Verdict;

/// The width of the picture; all measures are in its units.
const WIDTH: usize = 1_000;
/// What a band leaves free at both of its sides.
const MARGIN: usize = 14;
/// The least and the greatest width of a box.
const BOX: (usize, usize) = (104, 170);
const BOX_HEIGHT: usize = 30;
/// Between boxes, where lines pass.
const GAP: (usize, usize) = (18, 34);
/// At the left of a band and a wall, for its name.
const GUTTER: usize = 120;
/// Above the boxes of a band.
const ABOVE: usize = 34;
/// The most zones beside each other.
const ABREAST: usize = 3;
const WALL: usize = 26;
/// Above and below a wall.
const AIR: usize = 34;
/// The most boxes of a zone.
const MOST_BOXES: usize = 48;
/// The most lines.
const MOST_LINES: usize = 400;
/// How far from the end of a line its sign stands.
const SIGN: f64 = 16.0;
/// The longest name on a wall, in characters.
const LONGEST_OF_WALL: usize = 100;
/// The longest name of a box or a band, in characters.
const LONGEST: usize = 14;

/// The picture, measured.
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) bands: Vec<Band>,
    pub(super) walls: Vec<Wall>,
    pub(super) boxes: Vec<Block>,
    pub(super) lines: Vec<Line>,
    /// How many lines and boxes are left out.
    pub(super) left_out: usize,
}

/// A zone.
pub(super) struct Band {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Firewalls between two rows of zones.
pub(super) struct Wall {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) y: usize,
    pub(super) height: usize,
}

/// A system, or everybody in a zone.
pub(super) struct Block {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) is_zone: bool,
}

/// Flows of one start to one system.
pub(super) struct Line {
    pub(super) look: Look,
    pub(super) title: String,
    pub(super) path: String,
    /// Where its sign stands.
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A zone, and a system of it or everybody.
type Node<'a> = (&'a str, Option<&'a str>);

/// The picture of a report; `None` where there are no flows, or more zones than can be drawn.
pub(super) fn picture(report: &ReportDocument) -> Option<Picture> {
    let layers = Layers::of(&report.flows)?;
    let pairs = pairs(&report.flows);
    let mut drawing = Drawing::default();
    drawing.rows(&layers, &nodes(&pairs));
    drawing.connect(&layers, &lines(&pairs));
    Some(drawing.picture)
}

/// The flows between two ends.
type Pairs<'a> = BTreeMap<(Node<'a>, Node<'a>), Vec<&'a ReportFlow>>;

fn pairs(flows: &[ReportFlow]) -> Pairs<'_> {
    let mut all = Pairs::new();
    for it in flows {
        let from = &it.flow.from;
        let start = (&*from.zone, from.system.as_deref());
        let end = (super::layers::end(it), Some(&*it.flow.to.system));
        all.entry((start, end)).or_default().push(it);
    }
    all
}

/// The flows of each line: those between two ends that look alike, the worst first.
fn lines<'a>(pairs: &Pairs<'a>) -> Vec<(Look, (Node<'a>, Node<'a>), Vec<&'a ReportFlow>)> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (ends, flows) in pairs {
        for flow in flows.iter().filter(|it| is_drawn(it)) {
            let key = (Reverse(Look::of(flow)), *ends);
            all.entry(key).or_default().push(*flow);
        }
    }
    let line = |((look, ends), flows): ((Reverse<Look>, _), _)| (look.0, ends, flows);
    all.into_iter().map(line).collect()
}

fn is_drawn(flow: &ReportFlow) -> bool {
    flow.flow.need != Need::Forbidden || flow.verdict != Verdict::Ok
}

fn worst(flows: &[&ReportFlow]) -> Look {
    let looks = flows.iter().map(|it| Look::of(it));
    looks.max().unwrap_or(Look::Ok)
}

/// What is drawn as a box in each zone, those first of which something is wrong.
fn nodes<'a>(pairs: &Pairs<'a>) -> BTreeMap<&'a str, Vec<(Node<'a>, Look)>> {
    let mut looks: BTreeMap<Node<'a>, Look> = BTreeMap::new();
    for ((start, end), flows) in pairs {
        looks.entry(*start).or_insert(Look::Ok);
        let look = looks.entry(*end).or_insert(Look::Ok);
        *look = worst(flows).max(*look);
    }
    let mut zones: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (node, look) in looks {
        zones.entry(node.0).or_default().push((node, look));
    }
    for nodes in zones.values_mut() {
        nodes.sort_by_key(|((_, system), look)| (system.is_some(), Reverse(*look), *system));
    }
    zones
}

/// The picture while it is drawn.
#[derive(Default)]
struct Drawing<'a> {
    picture: Picture,
    /// The place of each box in the picture.
    places: HashMap<Node<'a>, usize>,
    /// The middle of each wall, by its place between the rows.
    walls: BTreeMap<isize, f64>,
    /// How many lines a box has already.
    used: HashMap<usize, usize>,
}

impl Default for Picture {
    fn default() -> Self {
        Self {
            width: WIDTH,
            height: 0,
            bands: Vec::new(),
            walls: Vec::new(),
            boxes: Vec::new(),
            lines: Vec::new(),
            left_out: 0,
        }
    }
}

impl<'a> Drawing<'a> {
    /// Bands and walls, from the outermost zone inwards.
    fn rows(&mut self, layers: &Layers<'a>, nodes: &BTreeMap<&'a str, Vec<(Node<'a>, Look)>>) {
        let rows = layers
            .rows
            .iter()
            .map(|(row, zones)| (*row, Some(zones), None));
        let walls = layers
            .walls
            .iter()
            .map(|(row, names)| (*row, None, Some(names)));
        let mut all: Vec<_> = rows.chain(walls).collect();
        all.sort_by_key(|(row, zones, _)| (*row, zones.is_none()));
        for (row, zones, names) in all {
            if let Some(zones) = zones {
                let zones: Vec<&str> = zones.iter().copied().collect();
                for (number, zones) in zones.chunks(ABREAST).enumerate() {
                    self.picture.height += if number > 0 { MARGIN } else { 0 };
                    self.row(zones, nodes);
                }
            }
            if let Some(names) = names {
                self.wall(row, names);
            }
        }
    }

    fn row(&mut self, zones: &[&'a str], nodes: &BTreeMap<&'a str, Vec<(Node<'a>, Look)>>) {
        let width = (WIDTH - MARGIN * (zones.len() - 1)) / zones.len();
        let y = self.picture.height;
        let mut height = 0;
        let first = self.picture.bands.len();
        for (column, zone) in zones.iter().enumerate() {
            let x = column * (width + MARGIN);
            let here = nodes.get(zone).map_or(&[][..], Vec::as_slice);
            height = self.blocks(here, (x, y), width).max(height);
            self.picture.bands.push(Band {
                name: short(zone, LONGEST),
                title: (*zone).to_string(),
                x,
                y,
                width,
                height: 0,
            });
        }
        for band in &mut self.picture.bands[first..] {
            band.height = height;
        }
        self.picture.height = y + height;
    }

    /// The boxes of a zone; returns how high its band is.
    fn blocks(
        &mut self,
        nodes: &[(Node<'a>, Look)],
        (x, y): (usize, usize),
        width: usize,
    ) -> usize {
        let x = x + GUTTER;
        let inner = width.saturating_sub(GUTTER + MARGIN).max(BOX.0);
        let columns = ((inner + GAP.0) / (BOX.0 + GAP.0)).max(1);
        let wide = ((inner + GAP.0) / columns)
            .saturating_sub(GAP.0)
            .clamp(BOX.0.min(inner), BOX.1);
        let (everybody, systems): (Vec<_>, Vec<_>) = nodes
            .iter()
            .copied()
            .partition(|(node, _)| node.1.is_none());
        let below = everybody.len().min(1);
        let top = |row: usize| y + ABOVE + row * (BOX_HEIGHT + GAP.1);
        for (node, _) in &everybody {
            self.block(*node, (x, top(0)), inner);
        }
        for (number, (node, _)) in systems.iter().take(MOST_BOXES).enumerate() {
            let column = x + number % columns * (wide + GAP.0);
            self.block(*node, (column, top(number / columns + below)), wide);
        }
        self.picture.left_out += systems.len().saturating_sub(MOST_BOXES);
        let rows = systems.len().min(MOST_BOXES).div_ceil(columns) + below;
        top(rows.max(1)) - GAP.1 + MARGIN - y
    }

    fn block(&mut self, (zone, system): Node<'a>, (x, y): (usize, usize), width: usize) {
        self.places.insert((zone, system), self.picture.boxes.len());
        let (name, title) = match system {
            Some(system) => (short(system, LONGEST), system.to_string()),
            None => ("everybody".to_string(), zone.to_string()),
        };
        self.picture.boxes.push(Block {
            name,
            title,
            x,
            y,
            width,
            height: BOX_HEIGHT,
            is_zone: system.is_none(),
        });
    }

    fn wall(&mut self, row: isize, names: &BTreeSet<&str>) {
        let y = self.picture.height + AIR;
        let names: Vec<&str> = names.iter().copied().collect();
        let names = names.join(", ");
        self.picture.walls.push(Wall {
            name: short(&names, LONGEST_OF_WALL),
            title: names,
            y,
            height: WALL,
        });
        self.walls.insert(row, (y + WALL / 2) as f64);
        self.picture.height = y + WALL + AIR;
    }

    /// The lines, of which the worst are drawn last.
    fn connect(
        &mut self,
        layers: &Layers<'a>,
        lines: &[(Look, (Node<'a>, Node<'a>), Vec<&ReportFlow>)],
    ) {
        for (look, (start, end), flows) in lines {
            let ends = (self.places.get(start), self.places.get(end));
            let (Some(from), Some(to)) = ends else {
                self.picture.left_out += 1;
                continue;
            };
            if self.picture.lines.len() == MOST_LINES {
                self.picture.left_out += 1;
                continue;
            }
            let stop = flows.iter().find_map(|it| layers.stop(it));
            let stop = stop.filter(|_| *look == Look::Blocked);
            let stop = stop.and_then(|row| self.walls.get(&row)).copied();
            let line = self.line((*from, *to), *look, stop, flows.len());
            self.picture.lines.push(line);
        }
        self.picture.lines.reverse();
    }

    fn line(
        &mut self,
        (from, to): (usize, usize),
        look: Look,
        stop: Option<f64>,
        count: usize,
    ) -> Line {
        let (mut x1, mut x2) = (self.place_at(from), self.place_at(to));
        let (a, b) = (&self.picture.boxes[from], &self.picture.boxes[to]);
        // Everybody's box is as wide as the band: lines leave it where they lead.
        match (a.is_zone, b.is_zone) {
            (true, false) => x1 = a.nearest(x2),
            (false, true) => x2 = b.nearest(x1),
            (true, true) | (false, false) => {}
        }
        let (y1, y2, bend) = match a.y.cmp(&b.y) {
            std::cmp::Ordering::Less => (a.bottom(), b.top(), 0.0),
            std::cmp::Ordering::Greater => (a.top(), b.bottom(), 0.0),
            // Along one row: over the boxes between them.
            std::cmp::Ordering::Equal => (a.top(), b.top(), -26.0),
        };
        let (c1, c2) = match bend == 0.0 {
            true => (y1 + (y2 - y1) * 0.45, y2 - (y2 - y1) * 0.45),
            false => (y1 + bend, y2 + bend),
        };
        let curve = Curve([(x1, y1), (x1, c1), (x2, c2), (x2, y2)]);
        let (x, y) = match (stop, y1 == y2) {
            (Some(wall), _) => curve.at_height(wall),
            (None, true) => curve.at(0.5),
            (None, false) => curve.at_height(y2 - SIGN.copysign(y2 - y1)),
        };
        Line {
            look,
            title: format!("{} to {}: {count} {}", a.title, b.title, look.word()),
            path: format!("M{x1:.0} {y1:.0}C{x1:.0} {c1:.0} {x2:.0} {c2:.0} {x2:.0} {y2:.0}"),
            x,
            y,
        }
    }

    /// Where the next line of a box begins or ends: beside the others.
    fn place_at(&mut self, block: usize) -> f64 {
        const APART: f64 = 21.0;
        let used = self.used.entry(block).or_default();
        let aside = used.div_ceil(2) as f64
            * if used.is_multiple_of(2) {
                APART
            } else {
                -APART
            };
        *used += 1;
        let it = &self.picture.boxes[block];
        it.middle() + aside % (it.width as f64 / 2.0 - 6.0)
    }
}

impl Block {
    fn middle(&self) -> f64 {
        self.x as f64 + self.width as f64 / 2.0
    }

    /// The place on it that is nearest to another.
    fn nearest(&self, x: f64) -> f64 {
        let left = self.x as f64;
        x.clamp(left + 6.0, left + self.width as f64 - 6.0)
    }

    fn top(&self) -> f64 {
        self.y as f64
    }

    fn bottom(&self) -> f64 {
        (self.y + self.height) as f64
    }
}

/// A cubic curve by its four points.
struct Curve([(f64, f64); 4]);

impl Curve {
    fn at(&self, t: f64) -> (f64, f64) {
        let u = 1.0 - t;
        let weights = [u * u * u, 3.0 * u * u * t, 3.0 * u * t * t, t * t * t];
        let sum = |part: fn(&(f64, f64)) -> f64| {
            let parts = self.0.iter().zip(weights);
            parts.map(|(point, weight)| part(point) * weight).sum()
        };
        (sum(|it| it.0), sum(|it| it.1))
    }

    /// Where it is at a height between its ends, by halving.
    fn at_height(&self, y: f64) -> (f64, f64) {
        let falls = self.0[3].1 > self.0[0].1;
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..20 {
            let middle = (low + high) / 2.0;
            match (self.at(middle).1 < y) == falls {
                true => low = middle,
                false => high = middle,
            }
        }
        self.at(low)
    }
}

fn short(name: &str, longest: usize) -> String {
    match name.chars().count() > longest {
        true => name.chars().take(longest - 1).chain(['\u{2026}']).collect(),
        false => name.to_string(),
    }
}
