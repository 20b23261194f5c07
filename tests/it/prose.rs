//! Prose that is read once: no sentence of a page, a cause, the catalogue, `--help` or a comment has more than 25 words.
//!
//! What stands between backquotes is one word. Blocks of code are left out. In tables the parts between semicolons count as
//! sentences, and names in backquotes do not count: their cells are lists.

use std::fs;

use assert_cmd::Command;
use portproof::verdict::SAID;
use serde_json::Value;

/// The most words of a sentence.
const MOST: usize = 25;

/// The sentences of a paragraph, each with what stands between backquotes and the targets of links as one word.
fn sentences(text: &str) -> Vec<String> {
    let mut marked = String::new();
    for (number, part) in text.split('`').enumerate() {
        marked += if number % 2 == 0 { part } else { "`code`" };
    }
    let mut all = vec![String::new()];
    for word in without_targets(&marked).split_whitespace() {
        let last = all.last_mut().expect("one at least");
        *last += word;
        last.push(' ');
        let bare = word.trim_end_matches(['"', '\'', ')', '*']);
        if bare.ends_with(['.', '!', '?']) {
            all.push(String::new());
        }
    }
    all
}

/// `[text](target)` as `text`.
fn without_targets(text: &str) -> String {
    let mut parts = text.split("](");
    let mut kept = parts.next().unwrap_or_default().to_string();
    for part in parts {
        kept += part.split_once(')').map_or("", |(_, rest)| rest);
    }
    kept
}

fn words(sentence: &str) -> usize {
    let is_word = |word: &&str| word.contains(|c: char| c.is_ascii_alphanumeric());
    sentence.split_whitespace().filter(is_word).count()
}

/// The sentences of a paragraph that are too long.
fn too_long(text: &str) -> Vec<String> {
    let mut all = sentences(text);
    all.retain(|sentence| words(sentence) > MOST);
    all
}

/// The same of a cell of a table.
fn too_long_in_cell(cell: &str) -> Vec<String> {
    let named = cell.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    named.split(';').flat_map(too_long).collect()
}

/// The paragraphs and cells of a page, with what is too long in them.
fn of_page(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut paragraph = String::new();
    let mut is_code = false;
    for line in page.lines().chain([""]) {
        let text = line.trim_start();
        is_code ^= text.starts_with("```");
        let is_item = text.starts_with("- ") || text.starts_with("* ") || is_numbered(text);
        let is_other = is_code || text.is_empty() || text.starts_with(['|', '#', '`', '<']);
        let goes_on = !is_item && (!is_other || text.starts_with('`') && !text.starts_with("```"));
        if !goes_on || is_code {
            found.extend(too_long(&std::mem::take(&mut paragraph)));
        }
        if text.starts_with('|') && !is_code {
            found.extend(text.split(" | ").flat_map(too_long_in_cell));
        } else if !is_code && (goes_on || is_item) {
            paragraph = format!("{paragraph} {text}");
        }
    }
    found
}

fn is_numbered(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < text.len() && digits.starts_with(". ")
}

#[test]
fn a_long_sentence_is_seen_wherever_it_stands() {
    let long = "word ".repeat(26);
    let short = format!("{}. {}.", "word ".repeat(25), "word ".repeat(25));
    let code = format!("{} `{long}`.", "word ".repeat(24));
    for (page, is_long) in [
        (long.clone(), true),
        (
            format!("Short.\n\n- {}\n  {}\n", &long[..60], &long[60..]),
            true,
        ),
        (format!("| a | {long} |\n"), true),
        (short, false),
        (code.clone(), false),
        (format!("`x` {code}"), true),
        (format!("```\n{long}\n```\n"), false),
        (format!("| {} | {} |\n", &long[..60], &long[60..]), false),
        (format!("- {}\n- {}\n", &long[..60], &long[60..]), false),
    ] {
        assert_eq!(!of_page(&page).is_empty(), is_long, "{page}");
    }
}

#[test]
fn no_page_has_a_sentence_over_25_words() {
    let pages = fs::read_dir("docs").expect("the pages").flatten();
    let pages = pages.map(|page| page.path().display().to_string());
    let pages: Vec<String> = pages.filter(|page| page.ends_with(".md")).collect();
    assert!(pages.len() > 15, "{pages:?}");
    let mut found = Vec::new();
    let others = ["README.md", "CHANGELOG.md", "examples/README.md"];
    for page in pages.iter().map(String::as_str).chain(others) {
        let text = fs::read_to_string(page).expect("a page");
        found.extend(of_page(&text).into_iter().map(|it| format!("{page}: {it}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The comments of a Rust file as pages: lines of one kind that stand together.
fn comments(file: &str) -> Vec<String> {
    let mut pages = vec![String::new()];
    let mut last = "";
    for line in file.lines() {
        let text = line.trim_start();
        let kinds = ["//!", "///", "//"];
        let kind = kinds.into_iter().find(|kind| text.starts_with(kind));
        let kind = kind.unwrap_or_default();
        if kind != last {
            pages.push(String::new());
            last = kind;
        }
        if let (false, Some(page)) = (kind.is_empty(), pages.last_mut()) {
            *page += text[kind.len()..].trim_start();
            page.push('\n');
        }
    }
    pages
}

#[test]
fn no_comment_has_a_sentence_over_25_words() {
    let long = format!(
        "/// {}\n    /// {}\n",
        "word ".repeat(13),
        "word ".repeat(13)
    );
    let parted = long.replacen("///", "//", 1);
    let is_long = |file: &str| comments(file).iter().any(|page| !of_page(page).is_empty());
    assert!(is_long(&long));
    assert!(!is_long(&parted));
    let mut found = Vec::new();
    let all = ["src", "yaml/src"].map(crate::docs::sources);
    for path in all.into_iter().flatten() {
        let file = fs::read_to_string(&path).expect("a source");
        for page in comments(&file) {
            let path = path.display();
            found.extend(of_page(&page).iter().map(|it| format!("{path}: {it}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// What the blocks of code in comments are written in; Rust, where nothing says so.
fn languages(file: &str) -> Vec<String> {
    let fences = |page: &String| {
        let lines = page.lines().filter_map(|line| line.strip_prefix("```"));
        // Each second one ends a block.
        lines.step_by(2).map(str::to_string).collect::<Vec<_>>()
    };
    comments(file).iter().flat_map(fences).collect()
}

/// None would run: `doctest = false` stands in Cargo.toml.
#[test]
fn no_comment_of_the_library_has_an_example_in_rust() {
    let is_rust = |language: &String| !["text", "xml"].contains(&language.as_str());
    assert!(
        languages("/// ```\n/// assert!(true);\n/// ```\n")
            .iter()
            .any(is_rust)
    );
    for path in crate::docs::sources("src") {
        let file = fs::read_to_string(&path).expect("a source");
        let found: Vec<String> = languages(&file).into_iter().filter(is_rust).collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

#[test]
fn nothing_that_is_said_of_a_cause_has_a_sentence_over_25_words() {
    let texts = SAID
        .iter()
        .flat_map(|said| [&said.meaning, &said.known_by, &said.to_do, &said.advice]);
    let found: Vec<String> = texts.flat_map(|text| too_long(text)).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The texts under keys that hold prose. Titles of sources, names and words of the format are none.
fn prose<'a>(value: &'a Value, key: &str, texts: &mut Vec<&'a str>) {
    const KEYS: [&str; 10] = [
        "why", "breaks", "says", "do", "who", "does", "title", "steps", "then", "mind",
    ];
    match value {
        Value::String(text) if KEYS.contains(&key) => texts.push(text),
        Value::Array(all) => all.iter().for_each(|it| prose(it, key, texts)),
        Value::Object(pairs) => {
            for (key, value) in pairs {
                prose(value, key, texts);
            }
        }
        _ => {}
    }
}

#[test]
fn no_text_of_the_catalogue_has_a_sentence_over_25_words() {
    let file = fs::read_to_string("catalogue/configmgr-2007.yaml").expect("the catalogue");
    let catalogue: Value = serde_yaml::from_str(&file).expect("YAML");
    let mut texts = Vec::new();
    prose(&catalogue, "", &mut texts);
    assert!(texts.len() > 300, "{}", texts.len());
    let found: Vec<String> = texts.into_iter().flat_map(too_long).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// The texts of a page of `--help`: lines of one indentation belong together, names in the left column stand alone.
fn texts_of_help(page: &str) -> Vec<String> {
    let mut all: Vec<(usize, String)> = Vec::new();
    for line in page.lines() {
        let text = line.trim();
        let depth = line.len() - line.trim_start().len();
        let is_row = text.contains("  ") || text.starts_with('-');
        match all.last_mut() {
            Some((last, paragraph)) if *last == depth && !is_row && !text.is_empty() => {
                *paragraph += &format!(" {text}");
            }
            _ => all.push((depth, text.to_string())),
        }
        if is_row || text.is_empty() {
            all.push((usize::MAX, String::new()));
        }
    }
    all.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn no_page_of_help_has_a_sentence_over_25_words() {
    let help = |arguments: &[&str]| {
        let mut program = Command::cargo_bin("portproof").expect("the program");
        let output = program.args(arguments).arg("--help").output();
        String::from_utf8(output.expect("it runs").stdout).expect("UTF-8")
    };
    let main = help(&[]);
    let commands = main.split("Commands:\n").nth(1).expect("the commands");
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = commands.filter(|command| *command != "help").collect();
    assert!(commands.contains(&"check"), "{commands:?}");
    let mut pages: Vec<String> = commands.iter().map(|command| help(&[command])).collect();
    pages.push(main);
    let texts = pages.iter().flat_map(|page| texts_of_help(page));
    let found: Vec<String> = texts.flat_map(|text| too_long(&text)).collect();
    assert!(found.is_empty(), "{found:#?}");
}
