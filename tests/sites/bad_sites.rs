//! Every file in `tests/sites/bad` is refused with the findings that its own first lines name, at those places.

use std::path::Path;

use portproof::diagnostic::Severity;
use portproof::{config, site::Site};

/// The lines `# expect: LINE:COLUMN CODE`, `# says: MESSAGE` or `# hint: WHAT WOULD BE RIGHT`.
fn lines(text: &str, word: &str) -> Vec<String> {
    let start = format!("# {word}: ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(&start));
    lines.map(str::to_string).collect()
}

pub(crate) fn refused_as_it_says(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let catalogue = crate::product::of(&text);
    let (config, mut problems) = config::read(text.as_bytes());
    let site = config
        .as_ref()
        .and_then(|config| Site::new(config, &catalogue, &mut problems));
    assert!(site.is_none(), "the file was accepted");
    let found: Vec<String> = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| {
            let at = problem.at.unwrap_or_default();
            format!("{}:{} {}", at.line, at.column, problem.code)
        })
        .collect();
    let expected = lines(&text, "expect");
    assert!(!expected.is_empty(), "the file expects nothing");
    for one in &expected {
        assert!(found.contains(one), "expected {one}, found {found:?}");
    }
    let (mut said, mut hints) = (Vec::new(), Vec::new());
    for problem in &problems {
        assert!(!problem.message.is_empty());
        said.push(problem.message.clone());
        hints.extend(problem.hint.clone());
    }
    for (wanted, found) in [(lines(&text, "says"), said), (lines(&text, "hint"), hints)] {
        for one in wanted {
            assert!(found.contains(&one), "expected {one}, found {found:?}");
        }
    }
    Ok(())
}
