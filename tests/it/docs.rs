//! Pages and code say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use portproof::alert;
use portproof::config;
use portproof::fleet;
use portproof::serve;
use portproof::verdict::{Owner, SAID, Said};
use serde_json::Value;

fn headings(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(page).expect("a page");
    text.lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_string)
        .collect()
}

/// `docs/certificates.md` as a link of a page beside it.
fn linked(text: &str) -> String {
    let mut parts = text.split("docs/");
    let mut linked = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-.#".contains(c);
        let end = part.find(|c| !is_of_name(c)).unwrap_or(part.len());
        let name = part[..end].trim_end_matches('.');
        linked += &match name.strip_prefix("verdicts.md") {
            Some(heading) => format!("[above]({heading})"),
            None => format!("[{name}]({name})"),
        };
        linked += &part[name.len()..];
    }
    linked
}

/// The rows of who has to act: each owner with its causes.
fn rows_of_owners() -> String {
    let mut owners: Vec<&str> = Owner::ALL.iter().map(|owner| owner.name()).collect();
    let named = SAID.iter().flat_map(|said| &said.owners);
    let in_words: BTreeSet<&str> = named
        .map(String::as_str)
        .filter(|owner| Owner::named(owner).is_none())
        .collect();
    owners.extend(in_words);
    let row = |title: &str, has: &dyn Fn(&Said) -> bool| {
        let causes = SAID.iter().filter(|said| has(said));
        let causes: Vec<String> = causes.map(|said| format!("`{}`", said.cause)).collect();
        format!("| {title} | {} |\n", causes.join(", "))
    };
    let mut rows: String = owners
        .into_iter()
        .map(|owner| {
            let title = match Owner::named(owner) {
                Some(_) => format!("`{owner}`"),
                None => owner.to_string(),
            };
            row(&title, &|said| said.owners.iter().any(|it| it == owner))
        })
        .collect();
    rows += &row("nobody", &|said| said.owners.is_empty());
    rows
}

/// The headings of the causes with what is said of each.
fn sections_of_causes() -> String {
    let sections = SAID.iter().map(|said| {
        let text = format!(
            "{} {} **To do:** {}",
            said.meaning, said.known_by, said.to_do
        );
        format!("\n### {}\n\n{}\n", said.cause, linked(&text))
    });
    sections.collect()
}

/// `PORTPROOF_GOLDEN=write` writes the two parts of the page anew.
#[test]
fn the_page_of_verdicts_says_what_the_data_of_causes_says() {
    let (table, causes) = ("| owner | of |\n|---|---|\n", "\n## Causes\n");
    let page = fs::read_to_string("docs/verdicts.md").expect("the page");
    let (start, rest) = page.split_once(table).expect("the table of owners");
    let (_, rest) = rest.split_once("\n\n").expect("the end of the table");
    let (middle, _) = rest.split_once(causes).expect("the causes");
    let written = format!(
        "{start}{table}{}\n{middle}{causes}{}",
        rows_of_owners(),
        sections_of_causes()
    );
    if std::env::var_os("PORTPROOF_GOLDEN").is_some_and(|what| what == "write") {
        fs::write("docs/verdicts.md", written).expect("written");
    } else {
        assert!(
            page == written,
            "docs/verdicts.md is not what src/verdict/causes.yaml says"
        );
    }
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
pub(crate) fn sources(folder: &str) -> Vec<PathBuf> {
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

/// The page with the tables of keys in their places: each stands behind a line that names its section.
fn with_tables(page: &str, tables: Vec<(&str, String)>) -> String {
    let mut made = page.to_string();
    for (section, table) in tables {
        let marker = format!("<!-- keys of {section} -->\n");
        let (before, behind) = made
            .split_once(&marker)
            .unwrap_or_else(|| panic!("no {marker}"));
        let is_old = |line: &&str| line.starts_with('|') || line.trim().is_empty();
        let rest: String = behind.split_inclusive('\n').skip_while(is_old).collect();
        made = format!("{before}{marker}\n{table}\n{rest}");
    }
    made
}

/// `PORTPROOF_GOLDEN=write cargo test --test it docs::` writes the tables anew.
#[test]
fn pages_on_keys_have_the_tables_of_these_keys() {
    for (file, tables) in [
        ("docs/site-file.md", config::tables()),
        ("docs/alerts.md", alert::tables()),
        ("docs/serve.md", serve::tables()),
        ("docs/agents.md", fleet::tables()),
    ] {
        let page = fs::read_to_string(file).expect("the page");
        let made = with_tables(&page, tables);
        if std::env::var_os("PORTPROOF_GOLDEN").is_some_and(|what| what == "write") {
            fs::write(file, &made).expect("written");
        } else {
            assert!(
                page == made,
                "the head of this test says how to write {file} anew:\n{made}"
            );
        }
    }
}

/// The names of all keys in a schema, whatever they are nested in.
fn keys_in(schema: &Value, found: &mut BTreeSet<String>) {
    let objects = schema.as_object().into_iter().flatten();
    for (name, below) in objects {
        if name == "properties" {
            found.extend(
                below
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key.clone()),
            );
        }
        keys_in(below, found);
    }
    let lists = schema.as_array().into_iter().flatten();
    lists.for_each(|below| keys_in(below, found));
}

#[test]
fn every_key_of_the_schema_of_the_site_file_has_a_row() {
    let mut keys = BTreeSet::new();
    keys_in(&config::schema(), &mut keys);
    let tables: String = config::tables()
        .into_iter()
        .map(|(_, table)| table)
        .collect();
    assert!(keys.len() > 50, "{keys:?}");
    for key in keys {
        assert!(tables.contains(&format!("\n| `{key}` | ")), "{key}");
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

/// The words that a script gives to `apt-get install` or to its own function `install`.
fn installs(script: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(script).expect("a script");
    let mut words = BTreeSet::new();
    for line in text.lines() {
        let asked = ["|| install ", "--no-install-recommends "];
        let asked = asked.iter().find_map(|it| line.split_once(it));
        let names = asked.map_or("", |(_, names)| names);
        let is_name = |word: &&str| !word.contains(['$', '"']);
        let names = names.split([';', '>']).next().unwrap_or_default();
        words.extend(names.split_whitespace().filter(is_name).map(str::to_string));
    }
    words
}

#[test]
fn the_head_of_the_test_script_names_every_package_it_installs() {
    let script = fs::read_to_string("scripts/test").expect("the script");
    let (head, body) = script.split_once("set -euo").expect("a head");
    let said: Vec<&str> = head
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .flat_map(str::split_whitespace)
        .collect();
    let named: BTreeSet<String> = said.iter().map(|name| (*name).to_string()).collect();
    assert_eq!(named.len(), said.len(), "each once");

    let (_, table) = body.split_once("packages='\n").expect("the table");
    let table = table.split('\'').next().unwrap_or_default();
    let mut installed: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_string)
        .collect();
    assert!(installed.len() > 20, "{installed:?}");
    let python = body.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("python_program ")
            .or(line.strip_prefix("python_sources "))
    });
    installed.extend(python.filter_map(|line| Some(line.split(' ').next()?.to_string())));
    for other in ["scripts/build-windows", "scripts/package-deb"] {
        let its = installs(other);
        assert!(its.len() > 1, "{other}: {its:?}");
        installed.extend(its);
    }
    assert_eq!(named, installed);
}

/// The commands of a page's part, as a reader would type them.
fn commands(page: &str, from: &str, to: &str) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let part = text
        .split(from)
        .nth(1)
        .and_then(|rest| rest.split(to).next());
    part.expect("the part")
        .lines()
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_string)
        .collect()
}

#[test]
fn the_two_commands_of_the_readme_are_those_that_a_fresh_machine_runs() {
    assert_eq!(
        commands("README.md", "\n## See it\n", "\n## Your own"),
        ["cargo run --locked -- check --lab", "scripts/test"]
    );
    let checks = fs::read_to_string(".ci/run").expect("the checks");
    assert!(
        checks
            .lines()
            .any(|line| line == "BESIDE=.ci/lints scripts/fresh")
    );
}

#[test]
fn the_pages_name_what_the_empty_debian_has_for_rust_and_openssl() {
    let script = fs::read_to_string("scripts/fresh").expect("the script");
    let needs = script
        .lines()
        .find_map(|line| line.strip_prefix("rust_needs="))
        .expect("what it installs");
    // Certificates are for cargo's downloads, and a machine that has Rust has them.
    let needs: Vec<&str> = needs
        .split(',')
        .filter(|name| *name != "ca-certificates")
        .collect();
    let said = format!("`{}`", needs.join(" "));
    for page in ["README.md", "docs/building.md"] {
        let text = fs::read_to_string(page).expect("a page");
        assert!(text.contains(&said), "{page} does not say {said}");
    }
}

/// The files of the project that a text names between backticks.
fn paths_in(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(|part| {
        let folders = ["src/", "tests/", "docs/", "catalogue/", "contrib/"];
        let is_path = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
        folders.iter().any(|it| part.starts_with(it)) && part.chars().all(is_path)
    })
}

#[test]
fn every_file_of_the_project_that_a_page_names_is_there() {
    let mut pages = vec![PathBuf::from("README.md")];
    let entries = fs::read_dir("docs").expect("pages");
    pages.extend(entries.map(|entry| entry.expect("a page").path()));
    let (mut named, mut missing) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for path in paths_in(&text) {
            named += 1;
            if !PathBuf::from(path).exists() {
                missing.push(format!("{}: {path}", page.display()));
            }
        }
    }
    assert!(named > 50, "only {named} paths were found");
    assert_eq!(missing, [""; 0]);
}
