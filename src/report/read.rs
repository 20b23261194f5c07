//! A report from a file, perhaps somebody else's: bounded by who reads the file, and checked before anybody believes it.

use super::ReportDocument;

/// The schema of the reports that this program reads and writes.
pub(super) const SCHEMA: &str = "portproof.report/1";

/// Reads a report.
///
/// # Errors
/// In words, as the rest of a sentence that begins with the file's name: what is wrong, where, and what would be right.
pub fn read(bytes: &[u8]) -> Result<ReportDocument, String> {
    const RIGHT: &str = "a report is what `portproof check --format json` writes";
    let named: Named = serde_json::from_slice(bytes)
        .map_err(|error| format!("is no JSON object with a `schema`: {error}; {RIGHT}"))?;
    if named.schema != SCHEMA {
        return Err(format!(
            "has the schema `{}`, not `{SCHEMA}`; {RIGHT}",
            crate::diagnostic::visible(&named.schema)
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("is no whole report: {error}; {RIGHT}"))
}

/// What is read before all else.
#[derive(serde::Deserialize)]
struct Named {
    schema: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_schema_is_named() {
        let error = read(br#"{"schema": "portproof.plan/1", "flows": []}"#).expect_err("refused");
        assert!(error.contains("`portproof.plan/1`"), "{error}");
        assert!(error.contains("check --format json"), "{error}");
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        let error =
            read(b"{\"schema\": \"portproof.report/1\",\n \"flows\": []}").expect_err("refused");
        assert!(error.contains("missing field"), "{error}");
        assert!(error.contains("line 2"), "{error}");
        assert!(read(b"").is_err());
        assert!(read(b"[[[[").is_err());
    }
}
