//! Reading a file as YAML: what is wrong with it as a finding.

use portproof_yaml::{DEEPEST, Fault, Node, What};

use crate::diagnostic::{Place, Problem};

/// The most bytes of a site file or catalogue. A system takes some 200 bytes to 1 KiB.
pub(crate) const LARGEST_FILE: usize = 16 << 20;

/// Reads one YAML document.
///
/// # Errors
/// One finding: bytes that are not UTF-8, or text that is not one bounded YAML document.
pub(crate) fn parse(bytes: &[u8]) -> Result<Node, Problem> {
    if bytes.len() > LARGEST_FILE {
        return Err(Problem::error(
            "too-large",
            None,
            format!(
                "the file has {} bytes; the limit for a site file and a catalogue is {} MiB",
                bytes.len(),
                LARGEST_FILE >> 20
            ),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(Problem::error("empty-file", None, "the file is empty")
            .hint("`portproof init` asks a few questions and writes one; `portproof example` prints an example"));
    }
    portproof_yaml::read(text).map_err(|fault| {
        let problem = problem(fault, text.len());
        left_open(text, &problem).unwrap_or(problem)
    })
}

/// A `?` without quotes is no value to YAML, but whoever wrote it means an open answer.
fn left_open(text: &str, problem: &Problem) -> Option<Problem> {
    let at = problem.at.filter(|_| problem.code == "not-yaml")?;
    let line = text.lines().nth(at.line.checked_sub(1)?)?;
    let line = line.split(" #").next().unwrap_or_default();
    let is_edge = |c: char| c.is_whitespace() || "[]{},".contains(c);
    let is_open = line.split(is_edge).any(|word| word == Node::OPEN);
    is_open.then(|| {
        Problem::question(
            "unanswered",
            at,
            "what is to stand in the place of this `?`?",
        )
        .hint(
            "write the answer there; a `?` that is to stay until later needs quotes, as in \
             zone: \"?\"",
        )
    })
}

fn not_utf8(bytes: &[u8], valid: usize) -> Problem {
    let before = String::from_utf8_lossy(&bytes[..valid]).into_owned();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    Problem::error(
        "not-utf8",
        Place {
            line,
            column,
            start: valid,
            end: valid + 1,
        },
        "the file is not UTF-8 text",
    )
    .hint(
        "save it as UTF-8 (in Notepad: Save As, Encoding: UTF-8); `>` of Windows PowerShell writes \
         UTF-16, `--output FILE` does not",
    )
}

/// The finding of a fault in a file of so many bytes.
fn problem(fault: Fault, bytes: usize) -> Problem {
    let at = fault.at;
    match fault.what {
        What::Documents => Problem::error(
            "two-documents",
            at,
            "the file holds more than one YAML document",
        )
        .hint("keep one document; take the `---` lines out"),
        What::Depth => Problem::error(
            "too-complex",
            at,
            format!("keys and lists stand in each other more than {DEEPEST} deep here, the limit"),
        )
        .hint("a site file needs no nesting beyond the keys of the documentation"),
        What::RepeatedText(limit) => too_much(at, bytes, &format!("{limit} bytes of text")),
        What::RepeatedValues(limit) => too_much(at, bytes, &format!("{limit} values")),
        What::Syntax(words) => Problem::error("not-yaml", at, words).hint(
            "check the indentation, quotes, brackets and colons of this line and the one \
             before",
        ),
    }
}

fn too_much(at: Option<Place>, bytes: usize, limit: &str) -> Problem {
    Problem::error(
        "too-complex",
        at,
        format!(
            "the aliases of the file repeat too much: the limit is {limit} for its \
             {bytes} bytes"
        ),
    )
    .hint(
        "the aliases of a file may repeat one value for each of its bytes; of a small file, 50000 \
         in all",
    )
}
