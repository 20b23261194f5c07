//! Plans, changes and explanations in lines of any width: they fit, and nothing is lost between them.

use std::fs;

use portproof::change::{self, Side};
use portproof::config;
use portproof::explain::{self, About, ExplainDocument};
use portproof::paragraph::Width;
use portproof::plan::{self, Detail, Plan};
use portproof::product::{CONFIGMGR_2007, Catalogue};
use portproof::site::Site;

use crate::support::unbroken::unbroken;

fn catalogue() -> Catalogue {
    Catalogue::parse(CONFIGMGR_2007).expect("the embedded catalogue")
}

fn planned(text: &str, catalogue: &Catalogue) -> (Site, Plan) {
    let (config, mut problems) = config::read(text.as_bytes());
    let site = Site::new(&config.expect("a file"), catalogue, &mut problems);
    let site = site.unwrap_or_else(|| panic!("{problems:#?}"));
    let plan = plan::derive(&site, catalogue);
    (site, plan)
}

fn example() -> String {
    fs::read_to_string("probes.yaml").expect("the example")
}

/// Whether a line fits, or is one word that is wider than it may be.
fn fits(line: &str, width: Width) -> bool {
    line.chars().count() <= width.columns() || line.split_whitespace().count() == 1
}

/// The lines of a text without its colours and without what underlines a title.
fn lines(text: &str) -> Vec<String> {
    let plain = anstream::adapter::strip_str(text).to_string();
    let lines = plain.lines().map(str::to_string);
    lines
        .filter(|it| it.is_empty() || !it.trim_matches('=').is_empty())
        .collect()
}

/// Shows the same in three widths.
fn fits_and_says_the_same(what: &str, show: &dyn Fn(Width) -> String) {
    let widths = [40, 80, 120].map(Width::of_terminal);
    let texts = widths.map(|width| {
        let lines = lines(&show(width));
        let wide = lines.iter().find(|line| !fits(line, width));
        assert_eq!(wide, None, "{what} in {}", width.columns());
        lines.join("\n")
    });
    assert!(
        texts[0].lines().count() > texts[1].lines().count(),
        "{what}"
    );
    assert_eq!(unbroken(&texts[0]), unbroken(&texts[1]), "{what}");
    assert_eq!(unbroken(&texts[1]), unbroken(&texts[2]), "{what}");
}

#[test]
fn a_plan_fits_and_its_exceptions_too() {
    let catalogue = catalogue();
    let exceptions = "exceptions:\n  \
         - { flow: \"internet>ibs01:80/tcp\", until: 2099-01-01, why: \"change 4711, as the board of the firewall team decided\" }\n  \
         - { flow: \"internet>ibs01:3389/tcp\", until: 2099-01-01, why: \"change 4712, as the board of the firewall team decided\" }\n  \
         - { flow: \"internet>ibs01:sweep/tcp\", until: 2099-01-01, why: \"change 4713, as the board of the firewall team decided\" }\n";
    let (site, plan) = planned(&(example() + exceptions), &catalogue);
    fits_and_says_the_same("plan", &|width| {
        plan::text(&site, &plan, Detail::All, width).to_string()
    });
}

#[test]
fn what_is_said_of_a_flow_hangs_below_it() {
    let (site, plan) = planned(&example(), &catalogue());
    let text = plan::text(&site, &plan, Detail::All, Width::of_terminal(80)).to_string();
    let flow = text
        .split("\n\n")
        .find(|it| it.contains("  required  internet>ibs01:80/tcp"));
    let lines: Vec<&str> = flow.expect("the flow").lines().collect();
    assert!(lines[0].starts_with("  required  internet>ibs01:80/tcp  ("));
    assert!(lines.len() > 5, "{lines:?}");
    for line in &lines[1..] {
        let blanks = line.len() - line.trim_start().len();
        let is_first = ["at ", "why: ", "without it: ", "source: "];
        let is_first = is_first
            .iter()
            .any(|word| line.trim_start().starts_with(word));
        assert_eq!(blanks, if is_first { 12 } else { 14 }, "{line}");
    }
}

#[test]
fn a_change_fits_and_one_of_nothing_too() {
    let catalogue = catalogue();
    let (old, new) = (example(), example().replace("[443, 8443]", "[9443]"));
    assert_ne!(old, new);
    for (new, what) in [(&new, "change"), (&old, "no change")] {
        let [(old_site, old_plan), (new_site, new_plan)] =
            [&old, new].map(|text| planned(text, &catalogue));
        let side = |site, plan, file| Side { site, plan, file };
        let change = change::compare(
            &side(&old_site, &old_plan, "old.yaml"),
            &side(&new_site, &new_plan, "new.yaml"),
            &catalogue,
        );
        fits_and_says_the_same(what, &|width| change::text(&change, width));
    }
}

#[test]
fn every_word_fits_when_explained() {
    let catalogue = catalogue();
    let shown = |what: &str, about: About| {
        let document = ExplainDocument::new(about);
        fits_and_says_the_same(what, &|width| explain::text(&document, width));
    };
    let index = explain::index(&catalogue);
    let words = [
        &index.topics,
        &index.causes,
        &index.rules,
        &index.verdicts,
        &index.roles,
    ];
    for entry in words.into_iter().flatten() {
        let about = explain::word(&catalogue, &entry.word, None);
        shown(&entry.word, about.expect("a word of the index"));
    }
    shown("index", About::Index(index));
}

#[test]
fn a_log_and_what_the_file_names_fit_when_explained() {
    let catalogue = catalogue();
    let (site, plan) = planned(&example(), &catalogue);
    let given = explain::Given {
        site: &site,
        catalogue: &catalogue,
        plan: &plan,
        file: "probes.yaml",
    };
    let mut all = Vec::new();
    for log in ["CcmMessaging.log", "WindowsUpdate.log"] {
        let bytes = fs::read(format!("tests/it/logs/{log}")).expect("a log");
        let log = explain::log(log, &bytes, &catalogue, Some(given));
        all.push(About::Log(Box::new(log)));
    }
    all.extend(explain::names(&site).filter_map(|name| explain::named(given, name)));
    let words = ["0x80072F8F", "80244018", "0x87D00999", "bad-address"];
    all.extend(
        words
            .iter()
            .filter_map(|word| explain::word(&catalogue, word, None)),
    );
    assert!(all.len() > 10, "{}", all.len());
    for about in all {
        let document = ExplainDocument::new(about);
        let what = format!("{document:?}");
        let shown = what.chars().take(80).collect::<String>();
        fits_and_says_the_same(&shown, &|width| explain::text(&document, width));
    }
}

#[test]
fn every_flow_of_the_example_fits_when_explained() {
    let catalogue = catalogue();
    let (site, plan) = planned(&example(), &catalogue);
    for flow in &plan.flows {
        let ladder = portproof::run::ladder(flow);
        let about = explain::flow(&site, &catalogue, "probes.yaml", flow, ladder, None);
        let document = ExplainDocument::new(About::Flow(Box::new(about)));
        let id = plan::id(&site, flow);
        fits_and_says_the_same(&id, &|width| explain::text(&document, width));
    }
}

#[test]
fn the_table_of_a_plan_has_the_ports_between_two_ends_in_one_row_and_what_they_are_for_in_one_line()
{
    let (site, plan) = planned(&example(), &catalogue());
    let text = plan::text(&site, &plan, Detail::Table, Width::of_terminal(120)).to_string();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rows: std::collections::BTreeMap<String, Vec<String>> = Default::default();
    for flow in &plan.flows {
        let id = plan::id(&site, flow);
        let (ends, port) = id.split_once(':').expect("an id");
        let (from, to) = ends.split_once('>').expect("an id");
        let row = rows
            .entry(format!("{from} {to} {}", flow.need))
            .or_default();
        row.push(port.to_string());
    }
    assert!(rows.len() > 5);
    for (ends, ports) in rows {
        let row = format!(" {ends} {} ", ports.join(", "));
        assert_eq!(words.matches(&row).count(), 1, "{row}: {text}");
    }
    assert!(!text.contains("without it: ") && text.contains("portproof plan --verbose"));
    assert!(
        text.lines().all(|line| line.chars().count() <= 120),
        "{text}"
    );
}
