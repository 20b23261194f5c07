//! Reports and logs of arrivals from a file, perhaps somebody else's: bounded by who reads the file, and checked before
//! anybody believes them.
//!
//! A word that its closed set does not have is refused by name (`words`), never taken for a good one. A verdict `0k` is
//! no `ok`. Texts are left as they are: whoever shows them escapes them.

use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::Value;
use serde_json::error::Category;

use super::count::summary;
use super::earlier::{EARLIER, upgraded};
use super::whole::SCHEMA;
use super::{ARRIVALS_SCHEMA, ArrivalsDocument, ReportDocument, ReportFlow};
use crate::diagnostic::visible;

/// What a good report is.
const REPORT: &str = "a report is what `portproof check --format json` writes";

/// What a good log of arrivals is.
const ARRIVALS: &str = "a log of arrivals is what `portproof listen --log` writes";

/// What a file may hold that is joined.
#[derive(Clone, Debug, PartialEq)]
pub enum Joinable {
    /// A report.
    Report(Box<ReportDocument>),
    /// What reached a listener.
    Arrivals(Box<ArrivalsDocument>),
}

/// Reads a report.
///
/// # Errors
/// In words, as the rest of a sentence that begins with the file's name: what is wrong, where, and what would be right.
pub fn read(bytes: &[u8]) -> Result<ReportDocument, String> {
    match schema(bytes, REPORT)?.as_str() {
        SCHEMA => report(bytes),
        EARLIER => earlier_report(bytes),
        other => Err(another(other, SCHEMA, REPORT)),
    }
}

/// Reads a log of arrivals.
///
/// # Errors
/// As [`read`].
pub fn read_arrivals(bytes: &[u8]) -> Result<ArrivalsDocument, String> {
    match schema(bytes, ARRIVALS)?.as_str() {
        ARRIVALS_SCHEMA => arrivals(bytes),
        other => Err(another(other, ARRIVALS_SCHEMA, ARRIVALS)),
    }
}

/// Reads a report or a log of arrivals.
///
/// # Errors
/// As [`read`].
pub fn read_joinable(bytes: &[u8]) -> Result<Joinable, String> {
    match schema(bytes, REPORT)?.as_str() {
        ARRIVALS_SCHEMA => arrivals(bytes).map(|log| Joinable::Arrivals(Box::new(log))),
        _ => read(bytes).map(|report| Joinable::Report(Box::new(report))),
    }
}

fn schema(bytes: &[u8], right: &str) -> Result<String, String> {
    /// What is read before all else.
    #[derive(serde::Deserialize)]
    struct Named {
        schema: String,
    }
    let named: Named = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        _ if bytes.trim_ascii().is_empty() => format!("is empty; {right}"),
        Category::Data => format!("is JSON without a `schema` that says what it is; {right}"),
        Category::Syntax | Category::Eof | Category::Io => format!(
            "is not JSON (line {}, column {}); {right}",
            error.line(),
            error.column()
        ),
    })?;
    Ok(named.schema)
}

fn another(found: &str, wanted: &str, right: &str) -> String {
    format!("has the schema {}, not `{wanted}`; {right}", quoted(found))
}

fn not_whole(what: &str, why: &serde_json::Error, flow: Option<String>, right: &str) -> String {
    let why = visible(&why.to_string());
    let place = match flow {
        Some(id) => format!(", in the flow {}", quoted(&id)),
        None => String::new(),
    };
    format!("is no whole {what}: {why}{place}; {right}")
}

/// The id of the first flow of a report that cannot be read.
fn refused_flow(report: Result<Value, serde_json::Error>) -> Option<String> {
    let report = report.ok()?;
    let mut flows = report["flows"].as_array()?.iter();
    let refused = flows.find(|flow| ReportFlow::deserialize(*flow).is_err());
    Some(refused?.get("id")?.as_str()?.to_string())
}

fn earlier_report(bytes: &[u8]) -> Result<ReportDocument, String> {
    let is_json = |why: serde_json::Error| not_whole("report", &why, None, REPORT);
    let value = upgraded(serde_json::from_slice(bytes).map_err(is_json)?);
    let report = ReportDocument::deserialize(&value);
    let report = report.map_err(|why| {
        let flow = refused_flow(Ok(value));
        not_whole("report", &why, flow, REPORT)
    })?;
    adds_up(report)
}

fn report(bytes: &[u8]) -> Result<ReportDocument, String> {
    let mut report: ReportDocument = serde_json::from_slice(bytes).map_err(|why| {
        let flow = refused_flow(serde_json::from_slice(bytes));
        not_whole("report", &why, flow, REPORT)
    })?;
    // Room for four tries was made for each flow that has one.
    for flow in &mut report.flows {
        flow.evidence.seen.attempts.shrink_to_fit();
    }
    adds_up(report)
}

/// A report whose parts go together.
fn adds_up(report: ReportDocument) -> Result<ReportDocument, String> {
    if report.vantages.is_empty() {
        return Err(format!("names no vantage; {REPORT}"));
    }
    for vantage in &report.vantages {
        is_time("`started`", &vantage.started)?;
        is_time("`finished`", &vantage.finished)?;
    }
    for flow in &report.flows {
        let of_it = |why| format!("{why}, in the flow {}", quoted(&flow.flow.id));
        places(flow, report.vantages.len()).map_err(of_it)?;
        states(flow).map_err(of_it)?;
    }
    if summary(&report.flows) != report.summary {
        return Err(format!(
            "counts other flows in its `summary` than it holds; {REPORT}"
        ));
    }
    Ok(report)
}

/// Whether every vantage that is meant is there.
fn places(flow: &ReportFlow, vantages: usize) -> Result<(), String> {
    let of_others = flow.also.iter().map(|answer| answer.vantage);
    match flow.vantage.into_iter().chain(of_others).max() {
        Some(place) if place >= vantages => {
            Err(format!("means vantage {place}, and names only {vantages}"))
        }
        _ => Ok(()),
    }
}

/// Whether the word of a flow's state is that of what was seen.
fn states(flow: &ReportFlow) -> Result<(), String> {
    let (word, seen) = (flow.state, flow.evidence.seen.word());
    match word == seen || flow.evidence.earlier.is_some() {
        true => Ok(()),
        false => Err(format!(
            "has the state `{word}`, and what was seen is `{seen}`"
        )),
    }
}

fn arrivals(bytes: &[u8]) -> Result<ArrivalsDocument, String> {
    let log: ArrivalsDocument = serde_json::from_slice(bytes)
        .map_err(|why| not_whole("log of arrivals", &why, None, ARRIVALS))?;
    is_time("`started`", &log.started)?;
    is_time("`finished`", &log.finished)?;
    Ok(log)
}

fn is_time(what: &str, text: &str) -> Result<(), String> {
    match text.parse::<Timestamp>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("has in {what} {}, which is no time", quoted(text))),
    }
}

/// A stranger's text as part of a sentence.
fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = text.chars().take(LONGEST).collect();
    let dots = match text.chars().nth(LONGEST) {
        Some(_) => "...",
        None => "",
    };
    format!("`{}{dots}`", visible(&short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use serde_json::json;

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut value = serde_json::to_value(sample::report("internet", "probe7")).expect("JSON");
        change(&mut value);
        read(value.to_string().as_bytes()).expect_err("refused")
    }

    #[test]
    fn another_schema_is_named() {
        let error = read(br#"{"schema": "portproof.plan/1", "flows": []}"#).expect_err("refused");
        assert!(error.contains("`portproof.plan/1`"), "{error}");
        assert!(error.contains("check --format json"), "{error}");
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let error =
            read(b"{\"schema\": \"portproof.report/2\",\n \"flows\": []}").expect_err("refused");
        assert!(error.contains("missing field"), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_is_no_report_is_told_for_what_it_is() {
        for (bytes, said) in [
            (&b" \n"[..], "is empty; "),
            (b"{\"schema\"", "is not JSON (line 1, column 9); "),
            (b"\xff\x00", "is not JSON (line 1, column 1); "),
            (b"site: {}\n", "is not JSON (line 1, column 1); "),
            (b"{\"a\": 1}", "is JSON without a `schema`"),
            (b"[[[[", "is JSON without a `schema`"),
        ] {
            let error = read(bytes).expect_err("refused");
            assert!(error.starts_with(said), "{error}");
            assert!(error.contains("portproof check --format json"), "{error}");
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = sample::report("internet", "probe7");
        let text = serde_json::to_string(&report).expect("JSON");
        assert_eq!(read(text.as_bytes()), Ok(report.clone()));
        assert_eq!(
            read_joinable(text.as_bytes()),
            Ok(Joinable::Report(Box::new(report)))
        );
    }

    #[test]
    fn a_word_that_is_none_is_refused_by_its_name_and_never_taken_for_a_good_one() {
        for (key, word) in [
            ("verdict", "0k"),
            ("verdict", "OK"),
            ("level", "notice"),
            ("cause", "fine\u{1b}[2J"),
            ("state", "opened"),
            ("need", "wanted"),
            ("owner", "nobody"),
            ("transport", "sctp"),
        ] {
            let error = refused(|value| value["flows"][0][key] = json!(word));
            assert!(error.contains(key), "{error}");
            assert!(error.contains(&visible(word)), "{error}");
            assert!(
                error.contains(&sample::report("", "").flows[0].flow.id),
                "{error}"
            );
            assert_eq!(visible(&error), error);
        }
        let error = refused(|value| value["flows"][0]["evidence"]["control"] = json!("mine"));
        assert!(error.contains("control `mine`"), "{error}");
    }

    #[test]
    fn what_an_honest_report_never_has_is_refused() {
        let one = json!({"state": "open", "depth": null, "attempts": [], "control": null});
        let error = refused(|value| {
            value["flows"][0]["evidence"]["others"] = vec![one.clone(); 257].into();
        });
        assert!(error.contains("257 entries, more than 256"), "{error}");
        // Addresses of addresses, or ports of ports, as deep as a file can have them.
        for (inner, outer) in [
            (
                r#""others":[{"state":"open","depth":null,"attempts":[],"control":null,"#,
                "}]",
            ),
            (
                r#""spoken":{"protocol":"","facts":{},"ports":[{"port":1,"services":[],"seen":{"state":"open","depth":null,"attempts":[],"#,
                "}}]}",
            ),
        ] {
            let deep = |times: usize| {
                let inner = inner.repeat(times) + r#""via":null"# + &outer.repeat(times);
                let text = serde_json::to_string(&sample::report("internet", "p")).expect("JSON");
                text.replacen(
                    r#""state":"open","depth""#,
                    &format!(r#"{inner},"state":"open","depth""#),
                    1,
                )
            };
            assert!(read(deep(1).as_bytes()).is_ok(), "{}", deep(1));
            for times in [3, 20, 200] {
                let error = read(deep(times).as_bytes()).expect_err("refused");
                assert!(error.contains("too deeply") || times > 20, "{error}");
            }
        }
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let error = refused(|value| value["summary"]["ok"] = json!(99));
        assert!(error.contains("summary"), "{error}");
        let error = refused(|value| value["vantages"] = json!([]));
        assert!(error.contains("no vantage"), "{error}");
        let error = refused(|value| value["vantages"][0]["started"] = json!("yesterday"));
        assert!(error.contains("`yesterday`, which is no time"), "{error}");
        let error = refused(|value| value["flows"][0]["state"] = json!("filtered"));
        assert!(
            error.contains("`filtered`, and what was seen is `open`"),
            "{error}"
        );
        let error = refused(|value| value["flows"][0]["vantage"] = json!(7));
        assert!(error.contains("vantage 7"), "{error}");
    }
}
