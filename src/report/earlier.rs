//! Reports of the format before this one, `portproof.report/1`, in the form of this one.
//!
//! That format has words where this one has the observation, so what it tells is less. Its words are kept and shown as they
//! stand (`Evidence::earlier`); the observation beside them is what joining and the advice need of it. No required flow is
//! judged again by what other vantages saw, because what was known in the run is not all there.

use serde_json::{Map, Value, json};

use super::whole::SCHEMA;

/// The schema of the reports that are read here.
pub(super) const EARLIER: &str = "portproof.report/1";

/// A report of the earlier format in the form of this one.
pub(super) fn upgraded(mut report: Value) -> Value {
    for flows in ["/flows", "/change/flows"] {
        let flows = report.pointer_mut(flows).and_then(Value::as_array_mut);
        for flow in flows
            .into_iter()
            .flatten()
            .filter(|flow| flow["evidence"].is_object())
        {
            flow["evidence"] = evidence(flow);
        }
    }
    if let Some(report) = report.as_object_mut() {
        report.insert("schema".to_string(), SCHEMA.into());
    }
    report
}

/// A state or the result of a try, of which nothing but its word is known.
fn word(word: &Value) -> Value {
    match word.as_str() {
        Some("closed") => json!({"closed": {"reset_by": "either"}}),
        Some("rejected") => json!({"rejected": {"says": "unreachable"}}),
        Some("unresolved") => json!({"unresolved": "not-asked"}),
        Some("unreachable") => json!({"unreachable": "refused"}),
        Some("not-tried") => json!({"not-tried": "interrupted"}),
        _ => word.clone(),
    }
}

fn evidence(flow: &Value) -> Value {
    let old = &flow["evidence"];
    let address = old["attempts"][0]["remote"].as_str().and_then(host);
    let painted = !old["painted"].is_null();
    let (start, end) = (&flow["from"]["zone"], &flow["to"]["zone"]);
    json!({
        "address": address, "state": state(flow), "depth": old["depth"], "attempts": attempts(old),
        "confidence": old["confidence"], "witnessed": old["witnessed"], "held_back": old["held_back"] == true,
        "conversations": old["conversations"], "went_silent": old["went_silent"], "speaks": old["speaks"],
        "source_ports": old["ports"], "rejected_by": old["rejected"]["sender"], "dead_by": old["dead_by"],
        "translated_at": old["translated"]["hop"], "via": old["proxy"]["url"],
        // Which sign it was makes no difference to whether the host itself spoke.
        "painted": painted.then_some("host-is-dead"),
        "http": old["http"], "lists": list(&old["lists"]), "tls": if old["tls"].is_object() { tls(&old["tls"]) } else { Value::Null },
        "spoken": some(&old["spoken"], spoken), "path": some(&old["path"], path),
        "listener": some(&old["listener"], |it| listener(it, flow, address)),
        "control": old["control"], "joined": old["joined"], "arrived": old["arrived"],
        "between_zones": !end.is_null() && start != end,
        "in_stead": flow["cause"] == "in-stead" || flow["cause"] == "ipsec-required",
        "inside_ipsec": flow["ipsec"] == true,
        "names": names(old), "earlier": words(old), "others": others(old, address),
    })
}

fn some(old: &Value, new: impl FnOnce(&Value) -> Value) -> Value {
    match old {
        Value::Null => Value::Null,
        old => new(old),
    }
}

fn list(old: &Value) -> &[Value] {
    old.as_array().map_or(&[], Vec::as_slice)
}

/// The address of an address with a port.
fn host(end: &str) -> Option<&str> {
    let (host, _) = end.rsplit_once(':')?;
    Some(host.trim_matches(['[', ']']))
}

fn state(flow: &Value) -> Value {
    let (old, cause) = (&flow["evidence"], flow["cause"].as_str());
    let (said, rejected) = (&old["proxy"]["said"], &old["rejected"]);
    let stopped = match cause {
        Some("proxy-refused") => "rule",
        Some("proxy-login") => "login",
        Some("proxy-hung-up") => "hung-up",
        Some("proxy-silent") => "waiting",
        Some("unreached-by-proxy") if flow["owner"] == "dns" => "name",
        Some("unreached-by-proxy") => "server",
        _ => "no-proxy",
    };
    match flow["state"].as_str() {
        _ if !said.is_null() => json!({"stopped": {"why": stopped, "said": said}}),
        Some("closed") if !old["reset_by"].is_null() => {
            json!({"closed": {"reset_by": old["reset_by"]}})
        }
        Some("rejected") if rejected.is_object() => json!({"rejected": rejected}),
        _ => word(&flow["state"]),
    }
}

/// The tries; those that did not leave the host say nothing.
fn attempts(old: &Value) -> Value {
    let sent = list(&old["attempts"])
        .iter()
        .filter(|it| it["result"] != "trouble" && it.is_object());
    let new = sent.cloned().map(|mut attempt| {
        attempt["result"] = word(&attempt["result"]);
        attempt
    });
    new.collect()
}

fn spoken(old: &Value) -> Value {
    let port = |it: &Value| {
        let seen = json!({"state": word(&it["state"]), "depth": null, "attempts": attempts(it)});
        json!({"port": it["port"], "services": it["services"], "seen": seen})
    };
    let ports: Vec<Value> = list(&old["ports"]).iter().map(port).collect();
    json!({"protocol": old["protocol"], "facts": old["facts"], "ports": ports})
}

fn path(old: &Value) -> Value {
    let hop = |hop: &Value| {
        let answer = match hop["result"].as_str() {
            Some("expired") => json!({"expired": hop["by"]}),
            Some("rejected") => json!({"rejected": {"says": "unreachable", "by": hop["by"]}}),
            _ => hop["result"].clone(),
        };
        json!({"number": hop["hop"], "answer": answer, "tries": 0})
    };
    let end = |hop: &Value| json!([hop["hop"], hop["by"]]);
    let dropped = |old: &Value| {
        let before = match &old["before"] {
            Value::Null => json!({"host": old["distance"]}),
            router => json!({"router": end(router)}),
        };
        json!({"after": some(&old["after"], end), "before": before})
    };
    let hops: Vec<Value> = list(&old["hops"]).iter().map(hop).collect();
    let working: Vec<Value> = list(&old["working"]).iter().map(end).collect();
    let dropped = some(&old["dropped"], dropped);
    json!({"hops": hops, "working": working, "nearer": false, "enough": 0, "dropped": dropped})
}

fn listener(old: &Value, flow: &Value, address: Option<&str>) -> Value {
    let accepted = old["accepted_at"]
        .as_str()
        .and_then(|it| it.rsplit(':').next());
    let accepted = accepted.and_then(|port| port.parse::<u16>().ok());
    let port = match old["port_translated"] == true {
        true => flow["port"].clone(),
        false => json!(accepted),
    };
    json!({
        "system": old["system"], "run": old["run"], "sent_from": old["sent_from"], "seen_from": old["seen_from"],
        "accepted_at": old["accepted_at"], "port": port,
        "aimed_at": address.filter(|_| old["destination_nat"] == true),
    })
}

/// What a client certificate came to, and where TLS ends, stands among the words.
fn tls(old: &Value) -> Value {
    let mut new = old.clone();
    new["key_proven"] = json!(old["key"] == "proven");
    new["ends"] = Value::Null;
    new
}

fn names(old: &Value) -> Value {
    let (path, rejected) = (&old["path"], &old["rejected"]);
    let bounds = [&path["dropped"]["after"], &path["dropped"]["before"]];
    let hops = list(&path["hops"])
        .iter()
        .chain(list(&path["working"]))
        .chain(bounds);
    let named = hops.filter(|hop| !hop["firewall"].is_null() && hop["translates"] != true);
    let named =
        named.filter_map(|hop| Some((hop["by"].as_str()?.to_string(), hop["firewall"].clone())));
    let suspects =
        |it: &Value| json!({"firewalls": it["by"], "host": it["host"], "behind_all": false});
    json!({
        "firewalls": named.collect::<Map<_, _>>(), "translator": old["translated"]["firewall"],
        "rejecting": rejected["firewall"], "rejecting_host": rejected["by_the_host"] == true,
        "suspects": some(&path["dropped"], suspects),
    })
}

/// What it says in words, in the order in which they are shown.
fn words(old: &Value) -> Value {
    let tls = &old["tls"];
    let lost = if old["delivery"]["lost"].is_null() {
        &Value::Null
    } else {
        &old["delivery"]["words"]
    };
    let all = [
        ("", &old["distance"]),
        ("", &old["likely"]),
        ("it ", &old["said"]),
        ("", lost),
        ("", &old["painted"]),
        ("TLS ends at ", &tls["ends"]),
        (
            "a client certificate was asked for, ours: ",
            &tls["client_certificate"]["ours"],
        ),
    ];
    let told = all
        .iter()
        .filter_map(|(before, words)| Some(format!("{before}{}", words.as_str()?)));
    told.collect()
}

/// The other addresses; their tries stand among those of the one that decided.
fn others(old: &Value, decided: Option<&str>) -> Value {
    let all = old["addresses"].as_object().into_iter().flatten();
    let others = all.filter(|(address, _)| Some(address.as_str()) != decided);
    let other = |(address, state): (&String, &Value)| json!({"address": address, "state": word(state), "depth": null, "attempts": [], "control": null, "earlier": []});
    others.map(other).collect()
}
