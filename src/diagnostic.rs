//! What is wrong in a user's file: a code, the place, what is wrong and what would be right.
//!
//! Every finding is collected before any is shown. The first line of each is `FILE:LINE:COLUMN: error[code]: text`,
//! so that editors can jump to it; the source line and the hint follow.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

pub use portproof_yaml::Place;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is refused until the user has answered.
    Question,
    /// The file is used; the user should look.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Kebab-case, unique, with a heading in `docs/findings.md`.
    pub code: &'static str,
    /// Whether the file is refused.
    pub severity: Severity,
    /// Where; `None` when it is about the whole file.
    pub at: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Problem {
    /// A finding for which the file is refused.
    pub fn error(
        code: &'static str,
        at: impl Into<Option<Place>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            at: at.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// A question that the file leaves open.
    pub fn question(
        code: &'static str,
        at: impl Into<Option<Place>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Question,
            ..Self::error(code, at, message)
        }
    }

    /// A finding that leaves the file usable.
    pub fn warning(
        code: &'static str,
        at: impl Into<Option<Place>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, at, message)
        }
    }

    /// Adds what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Whether one of these findings refuses the file.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems
        .iter()
        .any(|problem| problem.severity != Severity::Warning)
}

/// The most findings of a file that are shown: nobody reads more at once, and a hostile file may have any number.
pub const MOST_SHOWN: usize = 50;

/// Shows findings, in the order of the file. Of more than can be read at once it shows the first, errors before
/// warnings, and how many are left.
pub fn render(file: &str, source: &str, problems: &[Problem]) -> String {
    let place = |problem: &&Problem| problem.at.unwrap_or_default();
    let mut shown: Vec<&Problem> = problems.iter().collect();
    shown.sort_by_key(|problem| (problem.severity, place(problem)));
    let left = shown.split_off(shown.len().min(MOST_SHOWN));
    shown.sort_by_key(place);
    let mut parts: Vec<String> = shown
        .iter()
        .map(|problem| render_one(file, source, problem))
        .collect();
    if !left.is_empty() {
        let of = |severity| left.iter().filter(|it| it.severity == severity).count();
        let questions = match of(Severity::Question) {
            0 => String::new(),
            some => format!("{}, ", counted(some, "question")),
        };
        parts.push(format!(
            "{} more are not shown: {}, {questions}{}.\n",
            left.len(),
            counted(of(Severity::Error), "error"),
            counted(of(Severity::Warning), "warning")
        ));
    }
    parts.join("\n")
}

/// So many of something: `1 check`, `2 checks`.
pub fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn render_one(file: &str, source: &str, problem: &Problem) -> String {
    let kind = match problem.severity {
        Severity::Error => "error",
        Severity::Question => "question",
        Severity::Warning => "warning",
    };
    let place = problem
        .at
        .map(|at| format!(":{}:{}", at.line, at.column))
        .unwrap_or_default();
    let mut text = format!(
        "{}{place}: {kind}[{}]: {}\n",
        visible(file),
        problem.code,
        visible(&problem.message)
    );
    if let Some(at) = problem.at {
        text += &source_line(source, at);
    }
    if let Some(hint) = &problem.hint {
        text += &format!("   = help: {}\n", visible(hint));
    }
    text
}

/// The line of the place with a caret below; one line only, so that a large file costs nothing.
fn source_line(source: &str, at: Place) -> String {
    // A line of a hostile file may be megabytes long.
    const LONGEST: usize = 400;
    let Some(line) = source.lines().nth(at.line.saturating_sub(1)) else {
        return String::new();
    };
    if line.len() > LONGEST {
        return String::new();
    }
    let line = without_passwords(line);
    // The renderer shows what ASCII controls are, and leaves the others as they came.
    let plain = |c: char| match is_dangerous(c) && !c.is_ascii() {
        true => char::REPLACEMENT_CHARACTER,
        false => c,
    };
    let line: String = line.chars().map(plain).collect();
    let from = line
        .char_indices()
        .nth(at.column.saturating_sub(1))
        .map_or(line.len(), |(byte, _)| byte);
    let to = (from + at.end.saturating_sub(at.start)).min(line.len());
    let to = (to..=line.len())
        .find(|&byte| line.is_char_boundary(byte))
        .unwrap_or(line.len());
    let snippet = Snippet::source(&line)
        .line_start(at.line)
        .annotation(AnnotationKind::Primary.span(from..to.max(from)));
    let group = Group::with_level(Level::ERROR).element(snippet);
    Renderer::plain().render(&[group]) + "\n"
}

/// A line of a user's file with the passwords of its URLs masked, character by character: findings go into logs.
fn without_passwords(line: &str) -> String {
    let mut parts = line.split("://");
    let mut shown = parts.next().unwrap_or_default().to_string();
    for part in parts {
        // A password may hold spaces and quotes: rather too much is masked than too little.
        let at = part.rfind('@').unwrap_or(0);
        let secret = part[..at].find(':').map_or(at, |colon| colon + 1);
        let mask = "*".repeat(part[secret..at].chars().count());
        shown += &format!("://{}{mask}{}", &part[..secret], &part[at..]);
    }
    shown
}

/// Text of a user's file or of the network with its control characters made visible.
pub fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if is_dangerous(c) {
                c.escape_unicode().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

/// Text of at most so many bytes; where something is left out, dots say so.
pub(crate) fn cut(text: &str, most: usize) -> String {
    const DOTS: &str = "...";
    if text.len() <= most {
        return text.to_string();
    }
    let mut end = most.saturating_sub(DOTS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{DOTS}", text[..end].trim_end())
}

/// Control characters, and those that reorder or hide the text around them.
pub(crate) fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The first of many, and how many more there are: `a, b and 3 more`.
pub fn some_of<T: AsRef<str>>(all: &[T], most: usize) -> String {
    let first: Vec<&str> = all.iter().take(most).map(AsRef::as_ref).collect();
    let first = first.join(", ");
    match all.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Each count that is not nought, with its word: `3 blocked`.
pub fn tallied<'a>(counts: impl IntoIterator<Item = (usize, &'a str)>) -> Vec<String> {
    let told = counts.into_iter().filter(|(count, _)| *count > 0);
    told.map(|(count, word)| format!("{count} {word}"))
        .collect()
}

/// The known word nearest to a mistyped one, when one is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let measured = measured(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&measured, candidate), candidate))
        .filter(|(distance, _)| *distance <= farthest(&measured))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Whether a known word is near enough to a mistyped one to be meant.
pub fn is_near(word: &str, known: &str) -> bool {
    let word = measured(word);
    strsim::damerau_levenshtein(&word, known) <= farthest(&word)
}

/// How far a word may be from a mistyped one to be meant.
fn farthest(word: &str) -> usize {
    (word.chars().count() / 3).max(1) + 1
}

/// As much of a word as is measured: that takes time by the length, and no known word is near a longer one.
fn measured(word: &str) -> String {
    const LONGEST: usize = 200;
    word.chars().take(LONGEST).collect()
}

/// The known words nearest to one that is not known, the nearest first, however far.
pub fn nearest_few<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let word = measured(word);
    let mut all: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), candidate))
        .collect();
    all.sort_unstable();
    all.truncate(most);
    all.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `a`, `b` and `c`, each in backquotes, with a did-you-mean when one is near.
pub fn choices<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let list: Vec<String> = known
        .clone()
        .into_iter()
        .map(|candidate| format!("`{candidate}`"))
        .collect();
    let mut text = format!("known: {}", list.join(", "));
    if list.is_empty() {
        text = "there are none".to_string();
    }
    if let Some(near) = nearest(word, known) {
        text += &format!("; did you mean `{near}`?");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_line_is_shown_without_the_passwords_of_its_urls() {
        for (line, shown) in [
            (
                "via: { a: \"http://u:p@ss/@h:1\", b: 2 }",
                "via: { a: \"http://u:*****@h:1\", b: 2 }",
            ),
            (
                "http://u:p\u{e4}ss@h socks5://x@y",
                "http://u:****@h socks5://x@y",
            ),
            (
                "crl_urls: [\"http://h:80/a@b\"]",
                "crl_urls: [\"http://h:****@b\"]",
            ),
            ("plain: text://", "plain: text://"),
        ] {
            assert_eq!(without_passwords(line), shown);
        }
    }

    #[test]
    fn the_caret_points_right_behind_wide_text() {
        let source = "site:\n  \"日本\": x\n";
        let at = Place {
            line: 2,
            column: 9,
            start: 18,
            end: 19,
        };
        let text = render(
            "a.yaml",
            source,
            &[Problem::error("some-code", at, "wrong")],
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "a.yaml:2:9: error[some-code]: wrong");
        let row = lines
            .iter()
            .position(|line| line.contains("日本"))
            .expect("the source line");
        // Two characters of double width before it: the caret stands two columns further than the character count.
        let caret = lines[row + 1].find('^').expect("a caret");
        let shown = lines[row]
            .chars()
            .take_while(|&c| c != 'x')
            .map(|c| if c > '\u{2e80}' { 2 } else { 1 })
            .sum::<usize>();
        assert_eq!(caret, shown);
    }

    #[test]
    fn fifty_findings_are_shown_errors_first_and_the_rest_is_counted() {
        let at = |line: usize| Place {
            line,
            column: 1,
            start: 0,
            end: 1,
        };
        let warning = |line| Problem::warning("some-code", at(line), "odd");
        let error = |line| Problem::error("some-code", at(line), "wrong");
        let of_each = |warnings: usize, errors: usize| {
            let all = (1..=warnings).map(warning);
            let all: Vec<_> = all.chain((1_001..=1_000 + errors).map(error)).collect();
            render("a.yaml", "x\n", &all)
        };
        let count = |text: &str, word: &str| text.matches(&format!(": {word}[some-code]")).count();
        let all = of_each(1, MOST_SHOWN - 1);
        assert_eq!(count(&all, "error"), MOST_SHOWN - 1);
        assert!(!all.contains("more are not shown"), "{all}");
        let mixed = of_each(60, 40);
        assert_eq!((count(&mixed, "warning"), count(&mixed, "error")), (10, 40));
        assert!(mixed.starts_with("a.yaml:1:1: warning"), "the file's order");
        assert!(mixed.ends_with("\n50 more are not shown: 0 errors, 50 warnings.\n"));
        let many = of_each(1, 100_000);
        assert_eq!((count(&many, "warning"), count(&many, "error")), (0, 50));
        assert!(many.ends_with("\n99951 more are not shown: 99950 errors, 1 warning.\n"));
    }

    #[test]
    fn of_many_the_first_are_named_and_the_rest_is_counted() {
        assert_eq!(some_of(&["a", "b"], 2), "a, b");
        assert_eq!(some_of(&["a", "b", "c"], 1), "a and 2 more");
        assert_eq!(some_of::<&str>(&[], 3), "");
    }

    #[test]
    fn near_words_are_offered_and_far_ones_not() {
        assert_eq!(
            nearest("perimetr", ["internet", "perimeter"]),
            Some("perimeter")
        );
        assert_eq!(nearest("zzzz", ["internet", "perimeter"]), None);
        assert!(is_near("perimetr", "perimeter") && !is_near("zzzz", "internet"));
    }

    #[test]
    fn control_characters_are_made_visible() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}"), "a\\u{1b}[31mb\\u{202e}");
    }
    #[test]
    fn no_control_character_of_the_file_reaches_the_terminal() {
        // U+009B begins a sequence of commands for some terminals, as ESC [ does.
        for source in ["a\u{9b}31m", "\u{1b}[31m", "\u{2028}\u{200b}\u{202e}"] {
            let at = Place {
                line: 1,
                column: 1,
                start: 0,
                end: 1,
            };
            let text = render(
                "a.yaml",
                source,
                &[Problem::error("some-code", at, "wrong")],
            );
            for line in text.split('\n') {
                assert_eq!(visible(line), line);
            }
        }
    }
}
