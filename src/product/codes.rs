//! What the codes in a client's logs mean: one data file, `codes.yaml`, and what the numbers themselves say.
//!
//! A code is an HRESULT, an HTTP status, or a name. One that no table has is known by its number and facility alone: it
//! is never guessed. The catalogue's `client_errors` say what a client logs after what; this is the other way round.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use super::{Confidence, Outcome, Role};

/// A code of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// A number, as Windows functions return it.
    Hresult(u32),
    /// The status of an HTTP answer.
    Status(u16),
    /// A name without a number of its own.
    Symbol(&'static str),
}

/// What a code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeMeaning {
    /// Its names, as headers of Windows have them.
    pub symbols: Vec<String>,
    /// A sentence or two.
    pub says: String,
    /// What of a flow it may come from; none: it says nothing of a flow.
    pub after: Vec<Outcome>,
    /// The roles at whose flows it is logged; none: at any.
    pub roles: Vec<Role>,
    /// How sure the meaning is.
    pub confidence: Confidence,
    /// Where it is documented; empty where it is unconfirmed.
    pub source: String,
}

/// A log, and the roles that it is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFile {
    /// Its name.
    pub file: String,
    /// The roles that the client asks when it writes this log.
    pub roles: Vec<Role>,
    /// Where that is documented; in the file a key of the sources.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sources: HashMap<String, String>,
    logs: Vec<LogFile>,
    codes: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default, deserialize_with = "number")]
    number: Option<u32>,
    symbols: Vec<String>,
    says: String,
    #[serde(default)]
    after: Vec<Outcome>,
    #[serde(default)]
    roles: Vec<Role>,
    confidence: Confidence,
    #[serde(default)]
    source: String,
}

fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(from)?;
    u32::from_str_radix(&text, 16)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

/// The table as it is asked: codes by number and by name.
struct Table {
    by_code: HashMap<Code, CodeMeaning>,
    by_symbol: HashMap<String, Code>,
    logs: Vec<LogFile>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let text = include_str!("codes.yaml");
    Table::of(serde_yaml::from_str(text).expect("the embedded file is read by a test"))
});

impl Table {
    fn of(written: Written) -> Self {
        let cited = |key: &str| written.sources.get(key).cloned().unwrap_or_default();
        let mut table = Self {
            by_code: HashMap::new(),
            by_symbol: HashMap::new(),
            logs: written.logs,
        };
        for log in &mut table.logs {
            log.source = cited(&log.source);
        }
        for entry in written.codes {
            let source = cited(&entry.source);
            table.add(entry, source);
        }
        table
    }

    fn add(&mut self, entry: Entry, source: String) {
        // The table lives as long as the program, and so do its names.
        let leaked = |symbol: &String| &*Box::leak(symbol.clone().into_boxed_str());
        let code = match (entry.number, entry.symbols.first()) {
            (Some(number), _) => Code::Hresult(number),
            (None, Some(symbol)) => Code::Symbol(leaked(symbol)),
            (None, None) => return,
        };
        for symbol in &entry.symbols {
            self.by_symbol.insert(symbol.clone(), code);
        }
        let meaning = CodeMeaning {
            symbols: entry.symbols,
            says: entry.says,
            after: entry.after,
            roles: entry.roles,
            confidence: entry.confidence,
            source,
        };
        self.by_code.insert(code, meaning);
    }
}

/// The bits of an HRESULT that say who returned it.
const FACILITY: u32 = 0x7ff;
/// Errors of Windows itself, whose number is the lower half.
const FACILITY_WIN32: u32 = 7;
/// HTTP statuses.
const FACILITY_HTTP: u32 = 0x19;
/// HRESULTs from here on are failures.
const FAILURE: u32 = 0x8000_0000;

impl Code {
    /// A code by its number; an HTTP status where the number says so.
    pub fn of_number(number: u32) -> Self {
        let status = u16::try_from(number & 0xffff).unwrap_or_default();
        match (number >> 16) & FACILITY {
            FACILITY_HTTP if number & FAILURE != 0 && is_failure(status) => Self::Status(status),
            _ => Self::Hresult(number),
        }
    }

    /// A code by its name; `None` where no table has the name.
    pub fn of_symbol(symbol: &str) -> Option<Self> {
        let status = symbol.strip_prefix("BG_E_HTTP_ERROR_");
        let status = status.and_then(|status| status.parse().ok());
        match status {
            Some(status) if is_failure(status) => Some(Self::Status(status)),
            _ => TABLE.by_symbol.get(symbol).copied(),
        }
    }

    /// An HTTP status; `None` where it is no failure.
    pub fn of_status(status: u16) -> Option<Self> {
        is_failure(status).then_some(Self::Status(status))
    }

    /// An error of Windows by its decimal number; `None` where no table has it: any number could be one.
    pub fn of_win32(number: u32) -> Option<Self> {
        let whole = (number <= 0xffff).then_some(FAILURE | FACILITY_WIN32 << 16 | number)?;
        let code = Self::Hresult(whole);
        TABLE.by_code.contains_key(&code).then_some(code)
    }

    /// What it means; `None` where no table has it.
    pub fn meaning(self) -> Option<CodeMeaning> {
        match self {
            Self::Status(status) => Some(of_status(status)),
            Self::Hresult(_) | Self::Symbol(_) => TABLE.by_code.get(&self).cloned(),
        }
    }

    /// The ways in which its number is written, apart from its name: as HRESULT, signed, and as an error of Windows.
    pub fn numbers(self) -> Vec<String> {
        let Self::Hresult(number) = self else {
            return Vec::new();
        };
        let mut all = vec![format!("0x{number:08X}"), number.cast_signed().to_string()];
        if (number >> 16) & FACILITY == FACILITY_WIN32 {
            all.push((number & 0xffff).to_string());
        }
        all
    }

    /// Who returns such codes, as far as the number says; `None` for what has no number.
    pub fn facility(self) -> Option<String> {
        let Self::Hresult(number) = self else {
            return None;
        };
        let facility = (number >> 16) & FACILITY;
        let who = FACILITIES.iter().find(|(known, _)| *known == facility);
        Some(match who {
            Some((_, who)) => format!("{facility}, {who}"),
            None => facility.to_string(),
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hresult(number) => write!(formatter, "0x{number:08X}"),
            Self::Status(status) => write!(formatter, "HTTP {status}"),
            Self::Symbol(symbol) => formatter.write_str(symbol),
        }
    }
}

/// Facilities by number, \[MS-ERREF\] 2.1.1; the last by public code of the client.
const FACILITIES: [(u32, &str); 9] = [
    (1, "RPC"),
    (4, "an interface of its own"),
    (FACILITY_WIN32, "Windows"),
    (9, "security"),
    (11, "certificates"),
    (FACILITY_HTTP, "HTTP"),
    (0x20, "background transfer (BITS)"),
    (0x24, "the update agent"),
    (0x7d0, "the client of Configuration Manager"),
];

fn is_failure(status: u16) -> bool {
    (400..600).contains(&status)
}

fn of_status(status: u16) -> CodeMeaning {
    let (who, after) = match status {
        401 => (
            "The server wants to know who asks.",
            Outcome::HttpUnauthorized,
        ),
        403 => ("The server refuses the request.", Outcome::HttpForbidden),
        407 => ("A proxy wants to know who asks.", Outcome::HttpError),
        502 | 504 => (
            "A gateway or proxy got no good answer from the server behind it.",
            Outcome::HttpError,
        ),
        400..=499 => ("The request does not suit the server.", Outcome::HttpError),
        _ => ("The server failed.", Outcome::HttpError),
    };
    CodeMeaning {
        symbols: Vec::new(),
        says: format!(
            "HTTP was answered with status {status}. {who} The network passes as far as whatever \
             answered."
        ),
        after: vec![after],
        roles: Vec::new(),
        confidence: Confidence::Documented,
        source: "HTTP Semantics, RFC 9110, section 15".to_string(),
    }
}

/// A log by its file's name, whatever its case; a copy with a number or date behind its name is found too.
pub fn log_file(name: &str) -> Option<&'static LogFile> {
    let name = name.to_ascii_lowercase();
    TABLE.logs.iter().find(|log| {
        let stem = log.file.trim_end_matches(".log").to_ascii_lowercase();
        let rest = name.strip_prefix(&stem);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

/// Every code of the table, for indexes and tests.
pub fn all_codes() -> Vec<Code> {
    let mut all: Vec<Code> = TABLE.by_code.keys().copied().collect();
    all.sort();
    all
}

/// Every name of the table.
pub fn all_symbols() -> impl Iterator<Item = &'static str> {
    TABLE.by_symbol.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::Catalogue;

    #[test]
    fn every_entry_has_a_source_that_the_file_lists() {
        for code in all_codes() {
            let meaning = code.meaning().expect("it is of the table");
            assert_ne!(meaning.confidence, Confidence::Unconfirmed, "{code}");
            assert!(!meaning.source.is_empty(), "{code}");
            assert!(meaning.says.ends_with('.'), "{code}");
        }
        for log in &TABLE.logs {
            assert!(!log.source.is_empty(), "{}", log.file);
            assert!(!log.roles.is_empty(), "{}", log.file);
        }
        assert!(all_codes().len() > 80);
    }

    #[test]
    fn no_number_and_no_name_stands_twice() {
        let written: Written = serde_yaml::from_str(include_str!("codes.yaml")).expect("YAML");
        let named: usize = written.codes.iter().map(|it| it.symbols.len()).sum();
        assert_eq!(all_codes().len(), written.codes.len());
        assert_eq!(all_symbols().count(), named);
        assert!(
            written
                .codes
                .iter()
                .all(|it| it.number.is_none_or(|it| it >= FAILURE))
        );
    }

    /// The catalogue says which code follows on which outcome, this table the other way round.
    #[test]
    fn the_catalogue_and_the_table_say_the_same_of_a_code() {
        let catalogues = crate::product::all().filter_map(crate::product::find);
        let catalogues = catalogues.map(|bytes| Catalogue::parse(bytes).expect("no findings"));
        for error in catalogues.flat_map(|it| it.client_errors) {
            let first = error.shows.split([' ', ',']).next().unwrap_or_default();
            let code = match first.strip_prefix("0x") {
                Some(number) => Code::of_number(u32::from_str_radix(number, 16).expect("hex")),
                None => Code::of_symbol(first).expect("a name of the table"),
            };
            let meaning = code.meaning().expect("an entry");
            for outcome in &error.after {
                assert!(meaning.after.contains(outcome), "{code}: {outcome}");
            }
            assert!(
                error.roles.is_empty() || error.roles == meaning.roles,
                "{code}"
            );
        }
    }

    #[test]
    fn one_code_has_all_its_writings() {
        let code = Code::of_number(0x8007_2ee2);
        assert_eq!(code.numbers(), ["0x80072EE2", "-2147012894", "12002"]);
        assert_eq!(Code::of_win32(12_002), Some(code));
        assert_eq!(Code::of_symbol("ERROR_WINHTTP_TIMEOUT"), Some(code));
        assert_eq!(Code::of_symbol("ERROR_INTERNET_TIMEOUT"), Some(code));
        assert_eq!(code.facility().as_deref(), Some("7, Windows"));
        assert_eq!(code.to_string(), "0x80072EE2");
    }

    #[test]
    fn a_status_is_one_code_however_it_is_written() {
        let code = Code::Status(403);
        assert_eq!(Code::of_number(0x8019_0193), code);
        assert_eq!(Code::of_symbol("BG_E_HTTP_ERROR_403"), Some(code));
        assert_eq!(Code::of_status(403), Some(code));
        assert_eq!(Code::of_status(200), None);
        assert_eq!(Code::of_number(0x8019_00c8), Code::Hresult(0x8019_00c8));
        let meaning = code.meaning().expect("known");
        assert_eq!(meaning.after, [Outcome::HttpForbidden]);
    }

    #[test]
    fn what_no_table_has_is_not_guessed() {
        let code = Code::of_number(0x87d0_0999);
        assert_eq!(code.meaning(), None);
        assert_eq!(
            code.facility().as_deref(),
            Some("2000, the client of Configuration Manager")
        );
        assert_eq!(
            Code::of_number(0x8abc_0001).facility().as_deref(),
            Some("700")
        );
        assert_eq!(Code::of_win32(12_345), None);
        assert_eq!(Code::of_symbol("ERROR_NO_SUCH_THING"), None);
    }

    #[test]
    fn a_log_is_known_by_its_name_and_by_that_of_its_copies() {
        for name in [
            "CcmMessaging.log",
            "ccmmessaging.LOG",
            "CcmMessaging-20261123-101500.log",
            "CcmMessaging.lo_",
        ] {
            let log = log_file(name).expect(name);
            assert_eq!(log.roles, [Role::ManagementPoint], "{name}");
        }
        assert!(log_file("CcmMessagingOther.log").is_none());
        assert!(log_file("some.log").is_none());
    }
}
