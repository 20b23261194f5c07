//! The legs of one box in a text report: one table for the box, with the legs that each flow crosses.

use portproof::paragraph::Width;
use portproof::report::{self, Detail};
use serde_json::{Value, json};

fn blocked(id: &str, crosses: &[&str]) -> Value {
    json!({
        "id": id,
        "from": { "zone": "internet", "system": null },
        "to": { "system": "ibs01", "zone": "perimeter", "name": null, "addresses": ["192.0.2.10"] },
        "transport": "tcp", "port": 443, "protocol": "https", "need": "required", "rules": ["client-mp-https"],
        "why": "Why.", "breaks": "", "source": null, "confidence": "documented",
        "declared": { "file": "site.yaml", "line": 1, "column": 1 },
        "crosses": crosses,
        "state": "filtered", "verdict": "blocked", "cause": "no-answer", "level": "error", "owner": "firewall",
        "evidence": { "state": "filtered", "depth": "tcp", "control": null, "attempts": [] },
        "advice": "",
    })
}

fn report(devices: Value) -> String {
    let document = json!({
        "schema": "portproof.report/2",
        "tool": { "name": "portproof", "version": "0.1.0" },
        "site": { "code": "PRI", "product": "configmgr-2007" },
        "vantages": [{
            "zone": "internet", "system": null, "host": "probe7", "addresses": ["198.51.100.10"],
            "started": "2026-11-23T06:00:00Z", "finished": "2026-11-23T06:00:04Z", "config_sha256": "aa".repeat(32),
        }],
        "devices": devices,
        "flows": [
            blocked("internet>cm01:443/tcp", &["front-end", "back-end"]),
            blocked("internet>ibs01:443/tcp", &["front-end"]),
        ],
        "flows_elsewhere": 0, "sweeps": [], "notes": [],
        "summary": { "ok": 0, "blocked": 2, "down": 0, "wrong": 0, "exposed": 0, "unknown": 0 },
    });
    let document = report::read(document.to_string().as_bytes()).expect("a report");
    report::text(&document, Detail::Findings, Width::of_terminal(100))
}

#[test]
fn the_legs_of_one_box_have_one_table() {
    let text = report(json!({ "front-end": "fw-cluster-1", "back-end": "fw-cluster-1" }));
    assert_eq!(text.matches("\nFor ").count(), 1, "{text}");
    let table = text.split("For fw-cluster-1\n").nth(1).expect("its table");
    let rows: Vec<&str> = table.lines().take(3).collect();
    assert!(
        rows[0].ends_with("flow                    legs"),
        "{rows:?}"
    );
    assert!(rows[1].ends_with("front-end, back-end"), "{rows:?}");
    assert!(rows[2].ends_with("front-end"), "{rows:?}");
}

#[test]
fn firewalls_that_are_boxes_of_their_own_have_a_table_each() {
    let text = report(json!({}));
    assert!(text.contains("\nFor back-end\n") && text.contains("\nFor front-end\n"));
    assert!(!text.contains("legs"), "{text}");
}
