//! Every file in `tests/sites/good` is as the schema says and is accepted. Its plan has the flows that its own first lines name.
//!
//! `# expect: ID NEED [KEY=VALUE]...` where the keys are those of a flow in `portproof plan --format json`; lists are
//! joined with commas. `# absent: ID`, `# warns: LINE:COLUMN CODE`.

use std::path::Path;

use portproof::{config, plan, site::Site};
use serde_json::Value;

fn lines<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let start = format!("# {word}: ");
    text.lines()
        .filter_map(|line| line.strip_prefix(&start))
        .collect()
}

/// A value of a flow as it is written in an expectation.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(crate) fn planned_as_it_says(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let catalogue = crate::product::of(&text);
    let (config, mut problems) = config::read(text.as_bytes());
    let site = config
        .as_ref()
        .and_then(|config| Site::new(config, &catalogue, &mut problems));
    let site = site.unwrap_or_else(|| panic!("{problems:#?}"));
    let warnings: Vec<String> = problems
        .iter()
        .map(|problem| {
            let at = problem.at.unwrap_or_default();
            format!("{}:{} {}", at.line, at.column, problem.code)
        })
        .collect();
    assert_eq!(warnings, lines(&text, "warns"));
    let as_written: Value = serde_yaml::from_str(&text)?;
    jsonschema::validate(&config::schema(), &as_written).expect("as the schema says");
    let plan = plan::derive(&site, &catalogue);
    let flows = plan
        .all()
        .map(|flow| plan::entry(&site, "site.yaml", &flow));
    let flows: Vec<Value> = flows.map(serde_json::to_value).collect::<Result<_, _>>()?;
    let find = |id: &str| flows.iter().find(|flow| flow["id"] == id);
    let expected = lines(&text, "expect");
    assert!(!expected.is_empty(), "the file expects nothing");
    for line in expected {
        let mut words = line.split(' ');
        let (id, need) = (words.next().unwrap_or_default(), words.next());
        let flow = find(id).unwrap_or_else(|| panic!("{id} is not planned"));
        assert_eq!(flow["need"].as_str(), need, "{line}");
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let found = key.split('.').fold(flow, |flow, key| &flow[key]);
            assert_eq!(written(found), value, "{line}");
        }
    }
    for id in lines(&text, "absent") {
        assert!(find(id).is_none(), "{id} is planned");
    }
    Ok(())
}
