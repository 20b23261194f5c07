//! Every file in `tests/sites/bad` is refused with the findings that its own first lines name, at those places.

use std::path::Path;

use portproof::diagnostic::Severity;
use portproof::product::{CONFIGMGR_2007, Catalogue};
use portproof::{config, site::Site};

/// `# expect: LINE:COLUMN CODE`
fn expected(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# expect: "))
        .map(str::to_string)
        .collect()
}

pub(crate) fn refused_as_it_says(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let catalogue = Catalogue::parse(CONFIGMGR_2007).expect("the embedded catalogue");
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
    let expected = expected(&text);
    assert!(!expected.is_empty(), "the file expects nothing");
    for one in &expected {
        assert!(found.contains(one), "expected {one}, found {found:?}");
    }
    for problem in &problems {
        assert!(!problem.message.is_empty());
    }
    Ok(())
}
