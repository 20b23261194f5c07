//! Text for people, in lines that fit.
//!
//! The width comes in as a value: nothing here asks a terminal. Lines break at blanks alone, so that no flow id, address
//! or URL is torn apart. A word that is wider than a line stands out.

use std::borrow::Cow;
use std::fmt::Display;

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

use crate::diagnostic::visible;

/// How many columns a line may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(usize);

impl Width {
    /// For a file or a pipe, where nobody knows how wide it will be shown.
    pub const UNKNOWN: Self = Self(80);

    /// For a terminal of so many columns. Nobody reads very long lines, and in very short ones nothing fits.
    pub fn of_terminal(columns: u16) -> Self {
        Self(usize::from(columns).clamp(40, 120))
    }

    /// Columns.
    pub fn columns(self) -> usize {
        self.0
    }
}

/// Paragraphs and rows, one below the other.
pub struct Page {
    text: String,
    width: Width,
}

impl Page {
    /// An empty page.
    pub fn new(width: Width) -> Self {
        let text = String::new();
        Self { text, width }
    }

    /// How many columns its lines may have.
    pub fn width(&self) -> Width {
        self.width
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A paragraph behind so many blanks; its further lines stand two columns further in.
    pub fn paragraph(&mut self, indent: usize, words: impl Display) {
        self.text += &broken(&words.to_string(), self.width, indent, indent + 2);
        self.gap();
    }

    /// A paragraph at the margin, with all its lines.
    pub fn block(&mut self, words: impl Display) {
        self.text += &broken(&words.to_string(), self.width, 0, 0);
        self.gap();
    }

    /// A title, underlined.
    pub fn title(&mut self, words: impl Display) {
        let title = broken(&words.to_string(), self.width, 0, 0);
        let widest = title.lines().map(columns_of).max().unwrap_or(0);
        self.text += &title;
        self.gap();
        self.line("=".repeat(widest));
    }

    /// A line that is never broken.
    pub fn line(&mut self, words: impl Display) {
        self.text += &words.to_string();
        self.gap();
    }

    /// Rows below a head, in columns, behind two blanks. What does not fit goes on below itself, within its column. It
    /// breaks behind commas alone, so that every part of a list can be copied.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| visible(cell)).collect())
            .collect();
        let columns = head
            .iter()
            .enumerate()
            .map(|(number, name)| Column::of(name, rows.iter().map(|row| row[number].as_str())));
        let mut columns: Vec<Column> = columns.collect();
        make_fit(&mut columns, self.width.0);
        let head: Vec<String> = head.iter().map(|it| (*it).to_string()).collect();
        for row in std::iter::once(&head).chain(&rows) {
            self.row(row, &columns);
        }
    }

    fn row(&mut self, cells: &[String], columns: &[Column]) {
        let cells = cells.iter().zip(columns);
        let cells = cells.map(|(cell, column)| {
            let options = options(column.width).word_separator(WordSeparator::Custom(parts));
            let lines = textwrap::wrap(cell, options).into_iter();
            lines.map(Cow::into_owned).collect::<Vec<_>>()
        });
        let cells: Vec<Vec<String>> = cells.collect();
        for number in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = String::new();
            for (cell, column) in cells.iter().zip(columns) {
                let part = cell.get(number).map_or("", String::as_str);
                let blanks = column.width.saturating_sub(columns_of(part));
                line += "  ";
                line += part;
                line.extend(std::iter::repeat_n(' ', blanks));
            }
            self.line(line.trim_end());
        }
    }

    /// All of it.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// No column is made narrower: a long list would become a very high row.
const NARROWEST: usize = 24;
/// Where a cell may be broken.
const COMMA: &str = ", ";

/// The parts of a cell that stay whole.
fn parts(cell: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    Box::new(cell.split_inclusive(COMMA).map(Word::from))
}

/// A column of a table.
struct Column {
    width: usize,
    /// How narrow it may become.
    least: usize,
}

impl Column {
    fn of<'a>(name: &str, cells: impl Iterator<Item = &'a str> + Clone) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = &'a str>| texts.map(columns_of).max();
        let all = widest(&mut cells.clone()).unwrap_or(0);
        let parts = widest(&mut cells.flat_map(|it| it.split_inclusive(COMMA).map(str::trim_end)));
        let parts = parts.unwrap_or(0);
        let name = columns_of(name);
        Self {
            width: all.max(name),
            least: parts.max(name).max(all.min(NARROWEST)),
        }
    }
}

/// Takes from the widest columns until all fit, or nothing can be taken.
fn make_fit(columns: &mut [Column], width: usize) {
    loop {
        let all: usize = columns.iter().map(|it| it.width + 2).sum();
        let wider = columns.iter_mut().filter(|it| it.width > it.least);
        match wider.max_by_key(|it| it.width) {
            Some(widest) if all > width => {
                let excess = all - width;
                // Half of it from the widest: what then is the widest gives the rest.
                let less = excess.div_ceil(2).min(widest.width - widest.least);
                widest.width -= less;
            }
            _ => return,
        }
    }
}

fn columns_of(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// The lines of a text, the first behind so many blanks, the others behind as many as are said for them.
fn broken(text: &str, width: Width, first: usize, others: usize) -> String {
    let (first, others) = (" ".repeat(first), " ".repeat(others));
    let options = options(width.0)
        .initial_indent(&first)
        .subsequent_indent(&others);
    textwrap::fill(text, options)
}

fn options<'a>(width: usize) -> Options<'a> {
    Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
}

#[cfg(test)]
mod tests {
    use owo_colors::OwoColorize as _;

    use super::*;

    fn page(columns: u16, make: impl FnOnce(&mut Page)) -> String {
        let mut page = Page::new(Width::of_terminal(columns));
        make(&mut page);
        page.into_text()
    }

    #[test]
    fn a_paragraph_hangs_and_no_word_is_torn_apart() {
        let text = page(40, |page| {
            page.paragraph(2, "seen: silence of internet>ibs01:49152-65535/tcp at 192.0.2.10:49152 and http://a.example/with-a-path/that-is-long");
        });
        assert_eq!(
            text,
            "  seen: silence of\n    internet>ibs01:49152-65535/tcp at\n    192.0.2.10:49152 and\n    \
             http://a.example/with-a-path/that-is-long\n"
        );
    }

    #[test]
    fn colours_take_no_room() {
        let plain = page(40, |page| {
            page.block("who has to act: the firewall team, soon")
        });
        let words = format!("who has to act: {}", "the firewall team, soon".bold());
        let coloured = page(40, |page| page.block(words));
        assert_eq!(plain.lines().count(), 1);
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }

    #[test]
    fn a_terminal_has_at_least_forty_columns_and_at_most_a_hundred_and_twenty_are_used() {
        let columns = |it| Width::of_terminal(it).columns();
        assert_eq!([columns(1), columns(100), columns(400)], [40, 100, 120]);
    }

    #[test]
    fn a_row_that_fits_is_one_line_and_a_long_list_goes_on_in_its_column() {
        let rows = [
            vec![
                "internet".to_string(),
                "443/tcp".to_string(),
                "permit".to_string(),
            ],
            vec![
                "internet".to_string(),
                "21-23, 25, 80, 135, 139/tcp".to_string(),
                "deny".to_string(),
            ],
        ];
        let table = |columns| {
            page(columns, |page| {
                page.table(&["source", "service", "wanted"], &rows)
            })
        };
        assert_eq!(
            table(80),
            "  source    service                      wanted\n  \
             internet  443/tcp                      permit\n  \
             internet  21-23, 25, 80, 135, 139/tcp  deny\n"
        );
        assert_eq!(
            table(40),
            "  source    service                   wanted\n  \
             internet  443/tcp                   permit\n  \
             internet  21-23, 25, 80, 135,       deny\n            139/tcp\n"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_keeps_its_words_in_their_order(text in "[ -~]{0,200}", columns: u16) {
            let wrapped = page(columns, |page| page.paragraph(2, &text));
            let words = |text: &str| text.split(' ').filter(|it| !it.is_empty()).map(str::to_string).collect::<Vec<_>>();
            proptest::prop_assert_eq!(words(&wrapped.replace('\n', " ")), words(&text));
        }
    }
}
