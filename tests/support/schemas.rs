//! What the program writes is as its own published schema says.

use std::process::Command;

use serde_json::Value;

/// Asserts that a document fits the schema that `portproof schema OF` prints.
pub(crate) fn assert_valid(of: &str, document: &Value) {
    let schema = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["schema", of])
        .output()
        .expect("it runs");
    let schema: Value = serde_json::from_slice(&schema.stdout).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a good schema");
    let errors = validator.iter_errors(document);
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
