//! The tables of `docs/matrix.md`.

use std::collections::BTreeMap;

use crate::tally::{Case, Outcome};

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    cases: usize,
    right: usize,
    unknown: usize,
    indistinguishable: usize,
    wrong: usize,
    naive_wrong: usize,
}

impl Count {
    fn add(&mut self, case: &Case) {
        self.cases += 1;
        self.naive_wrong += usize::from(!case.naive_right);
        match case.outcome {
            Outcome::Right => self.right += 1,
            Outcome::Unknown => self.unknown += 1,
            Outcome::Indistinguishable => self.indistinguishable += 1,
            Outcome::Wrong(_) => self.wrong += 1,
        }
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} |\n",
            self.cases,
            self.right,
            percent(self.right, self.cases),
            self.unknown,
            self.indistinguishable,
            self.wrong,
            self.naive_wrong
        )
    }
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

/// Counts cases by a name of theirs.
fn count<'a>(
    cases: impl IntoIterator<Item = &'a Case>,
    name: impl Fn(&Case) -> String,
) -> BTreeMap<String, Count> {
    let mut all: BTreeMap<String, Count> = BTreeMap::new();
    for case in cases {
        all.entry(name(case)).or_default().add(case);
    }
    all
}

/// By what is true, by what sets the bed apart, by loss; and whose resets are whose.
pub(crate) fn markdown(cases: &[Case], beds: usize) -> String {
    let mut text = format!("{} flows in {beds} beds.\n\n", cases.len());
    text += &head("what is true");
    for (name, count) in count(cases, category) {
        text += &count.row(&name);
    }
    let provable = cases.iter().filter(|case| !case.beyond_proof);
    for (name, cases) in [
        ("**all but \\***", provable.collect::<Vec<_>>()),
        ("**all**", cases.iter().collect()),
    ] {
        for count in count(cases, |_| String::new()).values() {
            text += &count.row(name);
        }
    }
    text.push('\n');
    text += &head("the bed");
    for (name, count) in count(cases, |case| case.bed.clone()) {
        text += &count.row(&name);
    }
    text.push('\n');
    text += &head("tries lost");
    for (name, count) in count(cases, |case| format!("{:>2} %", case.loss)) {
        text += &count.row(&name);
    }
    text + "\n" + &resets(cases)
}

fn head(first: &str) -> String {
    format!(
        "| {first} | flows | right | share | unknown | indistinguishable | wrong | naive wrong |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n"
    )
}

/// The star marks what nobody can prove from where the prober stands.
fn category(case: &Case) -> String {
    let star = if case.beyond_proof { " \\*" } else { "" };
    format!("{}{star}", case.category)
}

/// Of required ports that are reset: how often is said who did it.
fn resets(cases: &[Case]) -> String {
    let mut all: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for case in cases {
        if let Some(reset) = &case.reset {
            let (flows, decided) = all.entry(reset.by).or_default();
            *flows += 1;
            *decided += usize::from(reset.is_decided);
        }
    }
    let mut text =
        "| who resets a required port | flows | said who | share |\n|---|---:|---:|---:|\n"
            .to_string();
    for (by, (flows, decided)) in all {
        text += &format!(
            "| {by} | {flows} | {decided} | {} |\n",
            percent(decided, flows)
        );
    }
    text
}
