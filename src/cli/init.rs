//! `portproof init`: asks what no option answers, and writes the site file.
//!
//! What is asked, what an answer may be and what becomes of it is the business of `first_file`. Here are the terminal and
//! the options.

use std::io::{self, BufRead, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{anyhow, bail, ensure};

use super::args::Init;
use super::output::Output;
use super::streams::{ask, say};
use crate::diagnostic::visible;
use crate::first_file::{Draft, Question, text};

/// The most bytes of an answer.
const LONGEST: u64 = 4096;

/// Shows a text to whoever answers.
type Tell<'a> = dyn Fn(&str) + 'a;

pub(super) fn run(arguments: &Init) -> anyhow::Result<u8> {
    let output = Output::open_new(&arguments.file, arguments.overwrite)?;
    let draft = match io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => {
            ask(
                "A few questions, and the site file is there. What is wrong is asked again; Ctrl-C \
                 ends without a file.\n",
            );
            answered(arguments, &mut |question, draft| {
                from_terminal(question, draft, &mut io::stdin().lock(), &ask)
            })?
        }
        false => {
            none_missing(arguments)?;
            answered(arguments, &mut |_, _| Ok(()))?
        }
    };
    let answers = draft
        .answers()
        .ok_or_else(|| anyhow!("an answer is missing"))?;
    output.write(&text(&answers))?;
    if arguments.file != Path::new("-") {
        next_steps(&arguments.file);
    }
    Ok(0)
}

/// The answers of the options, and for each question without one what is said when it is asked.
fn answered(
    arguments: &Init,
    asked: &mut dyn FnMut(Question, &mut Draft) -> anyhow::Result<()>,
) -> anyhow::Result<Draft> {
    let mut draft = Draft::default();
    for question in Question::ALL.iter().copied() {
        let lines = arguments.answers(question);
        for line in lines {
            draft
                .take(question, line)
                .map_err(|why| anyhow!("--{question} `{}`: {}", visible(line), visible(&why)))?;
        }
        if lines.is_empty() {
            asked(question, &mut draft)?;
        }
    }
    Ok(draft)
}

/// Without a terminal there is nobody to ask.
fn none_missing(arguments: &Init) -> anyhow::Result<()> {
    let all = Question::ALL.iter().copied();
    let missing = all.filter(|it| it.is_needed() && arguments.answers(*it).is_empty());
    let missing = missing.map(|it| format!("  --{it} \"{}\"", it.example()));
    let missing: Vec<String> = missing.collect();
    ensure!(
        missing.is_empty(),
        "there is no terminal to ask at, and options are missing, for example:\n{}\n`portproof \
         init --help` has all options",
        missing.join("\n")
    );
    Ok(())
}

/// Asks a question until there is an answer that can be.
fn from_terminal(
    question: Question,
    draft: &mut Draft,
    from: &mut impl BufRead,
    tell: &Tell<'_>,
) -> anyhow::Result<()> {
    tell(&format!(
        "\n{} of {}. {}\n  for example: {}\n",
        question as usize + 1,
        Question::ALL.len(),
        question.text(),
        question.example()
    ));
    loop {
        tell("> ");
        let Some(line) = line(from)? else {
            bail!("the answers ended before the last question, and no file was written");
        };
        if line.is_empty() {
            if !question.is_needed() {
                return Ok(());
            }
            tell("  There is no file without this answer.\n");
            continue;
        }
        match draft.take(question, &line) {
            Ok(()) if !question.has_several() => return Ok(()),
            Ok(()) => tell("  Taken. The next one, or an empty line.\n"),
            Err(why) => tell(&format!("  {}\n", visible(&why))),
        }
    }
}

/// A line without blanks around it; `None` at the end.
fn line(from: &mut impl BufRead) -> anyhow::Result<Option<String>> {
    let mut bytes = Vec::new();
    from.take(LONGEST).read_until(b'\n', &mut bytes)?;
    let is_whole = bytes.ends_with(b"\n") || (bytes.len() as u64) < LONGEST;
    ensure!(is_whole, "an answer has at most {LONGEST} bytes");
    let line = String::from_utf8_lossy(&bytes);
    Ok((!bytes.is_empty()).then(|| line.trim().to_string()))
}

fn next_steps(file: &Path) {
    let steps = steps(file, "lists the flows");
    say!("{} is written. The next steps:{steps}", file.display());
}

/// What to do with a file that was written, a line each; `plan` does this with it.
pub(super) fn steps(file: &Path, plan: &str) -> String {
    let file = file.display();
    let all = [
        (format!("plan {file}"), plan),
        (
            format!("check {file} --lab"),
            "what a report looks like; nothing leaves this host",
        ),
        (
            format!("check {file} --from internet"),
            "on a host in the Internet",
        ),
    ];
    let width = all.iter().map(|(step, _)| step.chars().count()).max();
    let width = width.unwrap_or_default();
    let line = |(step, does)| format!("\n  portproof {step:width$}  {does}");
    all.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What a draft becomes when these lines are typed, and what was shown.
    fn typed(lines: &str) -> (anyhow::Result<Draft>, String) {
        let shown = RefCell::new(String::new());
        let tell = |text: &str| *shown.borrow_mut() += text;
        let mut from = lines.as_bytes();
        let mut draft = Draft::default();
        let mut all = Question::ALL.iter().copied();
        let asked = all.try_for_each(|it| from_terminal(it, &mut draft, &mut from, &tell));
        (asked.map(|()| draft), shown.into_inner())
    }

    #[test]
    fn what_is_wrong_is_asked_again_with_what_would_be_right() {
        let (draft, shown) = typed(
            "P\u{1b}\n\npri\n1\n10.0.0.5/8\n10.0.0.0/8\n192.0.2.0/24\ncm01.example.com SQL\n\
             \nibs01.example.com MX\nibs01.example.com 203.0.113.10 192.0.2.10 MP\n\nnone\n\n",
        );
        let answers = draft.expect("an end").answers().expect("all answers");
        assert_eq!((answers.code.as_str(), answers.facing.len()), ("PRI", 1));
        for part in [
            "1 of 8. Which site code",
            "  a site code has 3 letters or digits, as in PRI\n> ",
            "  There is no file without this answer.\n> ",
            "did you mean `10.0.0.0/8`?",
            "`MX` is no role",
            "  Taken. The next one, or an empty line.\n> ",
            "8 of 8. Where are the revocation lists",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert_eq!(shown, visible_lines(&shown));
    }

    /// The same with what a terminal could obey made visible, line ends aside.
    fn visible_lines(text: &str) -> String {
        let lines: Vec<String> = text.split('\n').map(visible).collect();
        lines.join("\n")
    }

    #[test]
    fn the_next_steps_stand_in_columns() {
        let steps = steps(Path::new("a.yaml"), "lists the flows");
        assert_eq!(
            steps,
            "\n  portproof plan a.yaml                   lists the flows\
             \n  portproof check a.yaml --lab            what a report looks like; nothing leaves this host\
             \n  portproof check a.yaml --from internet  on a host in the Internet"
        );
    }

    #[test]
    fn answers_that_end_early_or_never_are_no_file() {
        let (ended, _) = typed("PRI\n1\n");
        assert!(
            ended
                .expect_err("no file")
                .to_string()
                .contains("ended before")
        );
        let (long, _) = typed(&"x".repeat(5_000));
        assert!(
            long.expect_err("no file")
                .to_string()
                .contains("at most 4096")
        );
    }
}
