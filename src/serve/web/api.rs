//! What `/api/v1` answers, as an OpenAPI document: each path, with the schema of the document that it serves.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Value as Json, json};

use super::checks::ChecksDocument;
use crate::report::ReportDocument;
use crate::serve::news::News;

/// The document.
pub(in crate::serve) fn document() -> Json {
    let settings = SchemaSettings::draft2020_12().with(|it| {
        it.definitions_path = "/components/schemas".into();
        it.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let name = json!([{
        "name": "name", "in": "path", "required": true, "description": "The check, as `serve.yaml` names it.",
        "schema": { "type": "string" },
    }]);
    let mut report = of_json::<ReportDocument>(&mut schemas, "How its flows stand.");
    report["404"] = words("There is no check of this name with a report.");
    let events = schemas.subschema_for::<News>();
    let mut stream = stream(&events);
    stream["503"] = words("As many listen as may.");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "portproof serve",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "How the flows of checked sites stand.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": {
            "/api/v1/checks": { "get": asked("checks", "All checks", of_json::<ChecksDocument>(&mut schemas, "The checks.")) },
            "/api/v1/checks/{name}": { "parameters": name, "get": asked("check", "The report of a check", report) },
            "/api/v1/events": { "get": asked("events", "What happens, as server-sent events", stream) },
            "/api/v1/openapi.json": { "get": asked("openapi", "This document", json!({ "200": {
                "description": "This document.",
                "content": { "application/json": { "schema": { "type": "object" } } },
            }})) },
            "/healthz": { "get": asked("healthy", "Whether runs can be kept", json!({
                "200": words("They can."), "503": words("They cannot, and why."),
            })) },
            "/readyz": { "get": asked("ready", "Whether each check has had a run", json!({
                "200": words("Each has."), "503": words("Some have not: their names."),
            })) },
            "/metrics": { "get": asked("metrics", "All checks as metrics", json!({ "200": {
                "description": "OpenMetrics.",
                "content": { "application/openmetrics-text": { "schema": { "type": "string" } } },
            }})) },
        },
        "components": { "schemas": schemas.take_definitions(true) },
    })
}

fn asked(id: &str, summary: &str, responses: Json) -> Json {
    json!({ "operationId": id, "summary": summary, "responses": responses })
}

fn of_json<T: JsonSchema>(schemas: &mut SchemaGenerator, description: &str) -> Json {
    let schema = schemas.subschema_for::<T>();
    json!({ "200": {
        "description": description,
        "content": { "application/json": { "schema": schema } },
    }})
}

/// OpenAPI has no words for a stream: what each event's `data` holds is said beside it.
fn stream(events: &Schema) -> Json {
    json!({ "200": {
        "description": "Events named `check`. The `data` of each is a document by the schema `x-event`.",
        "content": { "text/event-stream": { "schema": { "type": "string" }, "x-event": events } },
    }})
}

fn words(description: &str) -> Json {
    json!({ "description": description, "content": { "text/plain": { "schema": { "type": "string" } } } })
}
