//! Pages and code say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use portproof::config::KEYS;
use portproof::verdict::Cause;

fn headings(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(page).expect("a page");
    text.lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_string)
        .collect()
}

#[test]
fn every_cause_has_its_heading_and_no_other() {
    let causes: BTreeSet<String> = Cause::ALL
        .iter()
        .map(|cause| cause.name().to_string())
        .collect();
    assert_eq!(headings("docs/verdicts.md"), causes);
}

fn codes_in(text: &str, codes: &mut BTreeSet<String>) {
    for start in ["Problem::error(", "Problem::warning("] {
        for part in text.split(start).skip(1) {
            let code = part
                .trim_start()
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next());
            codes.extend(code.map(str::to_string));
        }
    }
}

/// Every source file below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(sources(&path.display().to_string())),
            false => found.push(path),
        }
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found
}

#[test]
fn every_finding_has_its_heading() {
    let mut codes = BTreeSet::new();
    for file in sources("src") {
        let text = fs::read_to_string(file).expect("a source file");
        let without_tests = text.split("\nmod tests {").next();
        codes_in(without_tests.unwrap_or_default(), &mut codes);
    }
    assert!(codes.len() > 30);
    let pages = headings("docs/findings.md");
    let missing: Vec<_> = codes.difference(&pages).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_key_of_the_site_file_is_in_its_schema_and_on_its_page() {
    let schema = fs::read_to_string("src/config/schema.json").expect("the schema");
    let page = fs::read_to_string("docs/site-file.md").expect("the page");
    for key in KEYS.iter().flat_map(|(_, keys)| keys.iter()) {
        assert!(schema.contains(&format!("\"{key}\":")), "schema: {key}");
        assert!(page.contains(&format!("`{key}`")), "page: {key}");
    }
}

#[test]
fn every_left_out_rule_is_not_in_the_catalogue() {
    let catalogue = fs::read_to_string("catalogue/configmgr-2007.yaml").expect("the catalogue");
    let page = fs::read_to_string("docs/catalogue.md").expect("the page");
    let table = page.split("eft out").last().expect("the table");
    for id in table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
    {
        assert!(!catalogue.contains(&format!("- id: {id}\n")), "{id}");
    }
}
