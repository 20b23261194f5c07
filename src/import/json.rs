//! JSON, as `ConvertTo-Json` and the AdminService write it.

use serde_json::Value;

/// The values of a text. The parser goes 128 levels deep and no deeper.
///
/// # Errors
/// What is wrong with it, and where.
pub(super) fn tree(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Eof => format!(
                "it is JSON that ends in the middle ({place}): it was cut off; export it again"
            ),
            _ => format!("it is no JSON that can be read ({place}): export it again"),
        }
    })
}
