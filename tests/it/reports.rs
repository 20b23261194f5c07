//! Reports in files, as a user has them: joined, signed, verified by OpenSSL too, and compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::program::run_in as portproof;
use crate::support::unbroken::unbroken;
use crate::support::{lab, schemas};
use serde_json::{Value, json};

/// Runs OpenSSL in a folder: whether it came to a good end.
fn openssl(folder: &Path, arguments: &str) -> bool {
    let status = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    status
        .expect("openssl is needed: scripts/test installs it")
        .success()
}

/// A document that is as its schema says.
fn valid(schema: &str, text: &str) -> Value {
    let document: Value = serde_json::from_str(text).expect("JSON");
    schemas::assert_valid(schema, &document);
    document
}

fn flow<'a>(report: &'a Value, id: &str) -> &'a Value {
    let mut flows = report["flows"].as_array().expect("flows").iter();
    let found = flows.find(|flow| flow["id"] == id);
    found.unwrap_or_else(|| panic!("{id}"))
}

/// A folder with the site file of the lab, and a report of the lab in `lab.json`.
fn folder_with(report: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy("probes.yaml", folder.path().join("probes.yaml")).expect("copied");
    fs::write(folder.path().join("lab.json"), report).expect("written");
    folder
}

/// Writes a changed copy of a report.
fn change(folder: &Path, from: &str, to: &str, change: impl FnOnce(&mut Value)) {
    let text = fs::read_to_string(folder.join(from)).expect("a report");
    let mut report: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut report);
    fs::write(folder.join(to), report.to_string()).expect("written");
}

#[test]
fn one_report_is_shown_as_check_shows_it() {
    let folder = folder_with(lab::report());
    let folder = folder.path();
    let (status, out, err) = portproof(folder, &["report", "lab.json", "--format", "json"]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert_eq!(
        out,
        fs::read_to_string(folder.join("lab.json")).expect("the report")
    );
    valid("report", &out);
    let (status, out, _) = portproof(folder, &["report", "lab.json"]);
    assert_eq!(status, 1);
    assert!(out.contains("Who has to act: firewall team: 2 rules, server team: 1 host"));
    assert!(!out.contains("Coverage"));
}

#[test]
fn with_the_site_file_every_flow_that_nobody_tried_is_named() {
    let folder = folder_with(lab::report());
    let folder = folder.path();
    let (_, plan, _) = portproof(folder, &["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan).expect("JSON");
    let list = |key: &str| plan[key].as_array().expect("a list");
    let ports = list("forbidden").iter().map(|it| {
        let set = &plan["port_sets"][it["ports"].as_str().expect("a name")];
        set.as_array().expect("a set").len()
    });
    let planned = list("flows").len() + ports.sum::<usize>();
    let arguments = ["report", "lab.json", "--site", "probes.yaml"];
    let (status, out, err) = portproof(folder, &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(status, 1, "{err}");
    let report = valid("report", &out);
    let coverage = &report["coverage"];
    let count = |key: &str| coverage[key].as_u64().expect("a number") as usize;
    assert_eq!(count("tried") + count("untried"), planned);
    let starts = coverage["starts"].as_array().expect("starts");
    let ids = starts
        .iter()
        .flat_map(|start| start["ids"].as_array().expect("ids"));
    let ids: Vec<&Value> = ids.collect();
    assert_eq!(ids.len(), count("untried"));
    assert!(ids.contains(&&json!("cm01>ibs01:445/tcp")));

    // Without it the report itself knows how many there are, and where they start.
    change(folder, "lab.json", "other.json", |report| {
        report["vantages"][0]["host"] = json!("another");
    });
    let (_, out, _) = portproof(folder, &["report", "lab.json", "other.json"]);
    let said = format!("at least {} were not by anybody", count("untried"));
    assert!(out.contains(&said), "{out}");
    assert!(out.contains("from intranet, cm01: "), "{out}");

    let mut text = fs::read(folder.join("probes.yaml")).expect("the file");
    text.extend(b"# a remark\n");
    fs::write(folder.join("changed.yaml"), text).expect("written");
    let (status, _, err) = portproof(folder, &["report", "lab.json", "--site", "changed.yaml"]);
    assert_eq!(status, 2);
    assert!(
        err.contains("different site files") && err.contains("changed.yaml"),
        "{err}"
    );
}

/// Reports that this program wrote before the evidence of a flow was the observation itself.
const EARLIER: [&str; 2] = ["lab.json", "firewalls.json"];

fn earlier(file: &str) -> Vec<u8> {
    fs::read(Path::new("tests/it/reports_of_format_1").join(file)).expect("a report")
}

#[test]
fn a_report_of_the_earlier_format_says_what_it_said() {
    for file in EARLIER {
        let old: Value = serde_json::from_slice(&earlier(file)).expect("JSON");
        assert_eq!(old["schema"], "portproof.report/1");
        let folder = folder_with(&earlier(file));
        let (_, out, err) = portproof(folder.path(), &["report", "lab.json", "--format", "json"]);
        assert_eq!(err, "", "{file}");
        let new = valid("report", &out);
        assert_eq!(new["schema"], "portproof.report/2");
        assert_eq!(new["summary"], old["summary"]);
        for before in old["flows"].as_array().expect("flows") {
            let id = before["id"].as_str().expect("an id");
            let now = flow(&new, id);
            for key in ["state", "verdict", "cause", "level", "owner", "advice"] {
                assert_eq!(now[key], before[key], "{file} {id} {key}");
            }
        }
        let (_, text, _) = portproof(folder.path(), &["report", "lab.json", "--verbose"]);
        for before in old["flows"].as_array().expect("flows") {
            for key in ["distance", "likely", "said", "painted"] {
                let words = before["evidence"][key].as_str().unwrap_or_default();
                let shown = unbroken(&text);
                assert!(shown.contains(words), "{file} {key} {words}\n{text}");
            }
        }
    }
}

#[test]
fn reports_of_both_formats_are_joined_and_compared() {
    let folder = folder_with(lab::report());
    let folder = folder.path();
    fs::write(folder.join("earlier.json"), earlier(EARLIER[0])).expect("written");
    let (status, out, err) = portproof(
        folder,
        &[
            "report",
            "lab.json",
            "earlier.json",
            "--mixed-files",
            "--format",
            "json",
        ],
    );
    assert_eq!(status, 1, "{err}");
    let joined = valid("report", &out);
    assert_eq!(joined["vantages"].as_array().map(Vec::len), Some(2));
    let blocked = flow(&joined, "internet>ibs01:8443/tcp");
    assert_eq!(blocked["verdict"], "blocked", "{blocked:#}");
    assert_eq!(blocked["also"].as_array().map(Vec::len), Some(1));

    let (_, out, err) = portproof(
        folder,
        &["diff", "earlier.json", "lab.json", "--format", "json"],
    );
    let changes = valid("diff", &out);
    assert!(changes["changed"].is_array(), "{err}{changes:#}");
}

#[test]
fn two_vantages_become_one_report_in_any_order() {
    let folder = folder_with(lab::report());
    let folder = folder.path();
    let broken = "internet>ibs01:8443/tcp";
    change(folder, "lab.json", "later.json", |report| {
        report["vantages"][0]["host"] = json!("another");
        let flows = report["flows"].as_array_mut().expect("flows");
        for flow in flows.iter_mut().filter(|flow| flow["id"] == broken) {
            flow["state"] = json!("open");
            flow["evidence"]["state"] = json!("open");
            flow["verdict"] = json!("ok");
            flow["cause"] = json!("answered");
            flow["level"] = json!("note");
            flow["owner"] = Value::Null;
        }
        report["summary"]["ok"] = json!(111);
        report["summary"]["blocked"] = json!(0);
    });
    let json = ["--format", "json"];
    let one = portproof(
        folder,
        &[&["report", "lab.json", "later.json"], &json[..]].concat(),
    );
    let other = portproof(
        folder,
        &[&["report", "later.json", "lab.json"], &json[..]].concat(),
    );
    assert_eq!(one, other);
    assert_eq!(one.0, 1, "{}", one.2);
    let report = valid("report", &one.1);
    assert_eq!(flow(&report, broken)["verdict"], "blocked");
    assert_eq!(report["contradictions"][0]["flow"], broken);
    assert_eq!(report["vantages"].as_array().map(Vec::len), Some(2));
    let (_, text, _) = portproof(folder, &["report", "lab.json", "later.json"]);
    assert!(text.contains("Contradictions") && text.contains("From, and to"));
    for line in text
        .split("From, and to")
        .nth(1)
        .expect("a matrix")
        .lines()
        .take(8)
    {
        assert!(line.chars().count() <= 80, "{line}");
    }
    fs::write(folder.join("joined.json"), &one.1).expect("written");
    let (status, _, err) = portproof(folder, &["report", "joined.json", "lab.json"]);
    assert_eq!(status, 2);
    assert!(err.contains("is a joined report"), "{err}");
    assert_eq!(portproof(folder, &["report", "joined.json"]).0, 1);
}

#[test]
fn a_word_that_is_none_and_a_file_that_is_no_report_are_refused() {
    let folder = folder_with(lab::healthy());
    let folder = folder.path();
    assert_eq!(portproof(folder, &["report", "lab.json"]).0, 0);
    change(folder, "lab.json", "bad.json", |report| {
        report["flows"][0]["verdict"] = json!("0k");
    });
    for command in [
        &["report", "bad.json"][..],
        &["report", "lab.json", "bad.json"],
        &["diff", "lab.json", "bad.json"],
    ] {
        let (status, out, err) = portproof(folder, command);
        assert_eq!((status, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("bad.json"), "{err}");
        assert!(err.contains("the verdict `0k` is none"), "{err}");
    }
    let (status, _, err) = portproof(folder, &["report", "probes.yaml"]);
    assert_eq!(status, 2);
    assert!(err.contains("a report is what"), "{err}");
    let (status, _, err) = portproof(folder, &["report", "nowhere.json"]);
    assert_eq!(status, 2);
    assert!(err.contains("reading the report nowhere.json"), "{err}");
}

#[test]
fn what_is_signed_here_openssl_verifies_and_what_openssl_signs_is_verified_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for name in ["dmz", "other"] {
        assert!(openssl(
            folder,
            &format!("genpkey -algorithm ed25519 -out {name}.key")
        ));
        assert!(openssl(
            folder,
            &format!("pkey -in {name}.key -pubout -out {name}.pub")
        ));
    }
    let check = ["check", "--lab", "--healthy", "--format", "json"];
    let signed = ["--output", "lab.json", "--sign", "dmz.key"];
    let (status, _, err) = portproof(folder, &[&check[..], &signed[..]].concat());
    assert_eq!(status, 0, "{err}");
    assert!(!err.contains("may read the signing key"), "{err}");
    let verify = "pkeyutl -verify -pubin -inkey dmz.pub -rawin -in lab.json -sigfile lab.json.sig";
    assert!(openssl(folder, verify));
    assert!(!openssl(folder, &verify.replace("dmz.pub", "other.pub")));

    let report = |arguments: &[&str]| {
        let (status, _, err) = portproof(folder, &[&["report", "lab.json"], arguments].concat());
        (status, err)
    };
    assert_eq!(report(&["--verify", "dmz.pub"]).0, 0);
    assert_eq!(
        report(&["--verify", "other.pub", "--verify", "dmz.pub"]).0,
        0
    );
    let (status, err) = report(&["--verify", "other.pub"]);
    assert_eq!(status, 2);
    assert!(err.contains("lab.json is not to be believed"), "{err}");
    let (status, err) = report(&["--verify", "dmz.key"]);
    assert_eq!(status, 2);
    assert!(err.contains("wants the public one"), "{err}");

    // Signed by the other tool.
    assert!(openssl(
        folder,
        "pkeyutl -sign -inkey other.key -rawin -in lab.json -out lab.json.sig"
    ));
    assert_eq!(report(&["--verify", "other.pub"]).0, 0);
    assert_eq!(report(&["--verify", "dmz.pub"]).0, 2);

    // Changed by one byte, cut short, or without a signature.
    let text = fs::read_to_string(folder.join("lab.json")).expect("the report");
    fs::write(folder.join("lab.json"), text.replacen("note", "mote", 1)).expect("written");
    assert_eq!(report(&["--verify", "other.pub"]).0, 2);
    fs::write(folder.join("lab.json"), text).expect("written");
    fs::write(folder.join("lab.json.sig"), "short").expect("written");
    let (status, err) = report(&["--verify", "other.pub"]);
    assert_eq!(status, 2);
    assert!(err.contains("has not 64 bytes"), "{err}");
    fs::remove_file(folder.join("lab.json.sig")).expect("removed");
    let (status, err) = report(&["--verify", "other.pub"]);
    assert_eq!(status, 2);
    assert!(err.contains("lab.json is not signed"), "{err}");

    // What was joined is signed too.
    let (status, err) = report(&["--output", "joined.txt", "--sign", "dmz.key"]);
    assert_eq!(status, 0, "{err}");
    assert!(openssl(folder, &verify.replace("lab.json", "joined.txt")));
}

#[test]
fn a_key_that_cannot_sign_is_refused_before_anything_is_tried() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    assert!(openssl(folder, "genpkey -algorithm ed25519 -out dmz.key"));
    assert!(openssl(folder, "pkey -in dmz.key -pubout -out dmz.pub"));
    assert!(openssl(folder, "genpkey -algorithm RSA -out rsa.key"));
    assert!(openssl(
        folder,
        "genpkey -algorithm ed25519 -aes256 -pass pass:secret -out locked.key"
    ));
    let sign = |key: &str| {
        let arguments = ["check", "--lab", "--output", "out.json", "--sign", key];
        let (status, _, err) = portproof(folder, &arguments);
        assert_eq!(status, 2, "{err}");
        assert!(!err.contains("about to try"), "{err}");
        err
    };
    assert!(sign("rsa.key").contains("is not Ed25519"));
    assert!(sign("locked.key").contains("is encrypted"));
    assert!(sign("dmz.pub").contains("holds no private key"));
    assert!(sign("nowhere.key").contains("reading the key nowhere.key"));
    let (status, _, err) = portproof(folder, &["check", "--lab", "--sign", "dmz.key"]);
    assert_eq!(status, 2);
    assert!(err.contains("--output"), "{err}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_brings_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    assert!(openssl(folder, "genpkey -algorithm ed25519 -out dmz.key"));
    fs::write(folder.join("lab.json"), lab::healthy()).expect("written");
    for (mode, warned) in [(0o600, false), (0o644, true), (0o640, true)] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.join("dmz.key"), permissions).expect("permissions");
        let arguments = ["report", "lab.json", "--output", "o", "--sign", "dmz.key"];
        let (status, _, err) = portproof(folder, &arguments);
        assert_eq!(status, 0, "{err}");
        assert_eq!(
            err.contains("may read the signing key"),
            warned,
            "{mode:o}: {err}"
        );
    }
}

#[test]
fn a_lab_that_breaks_is_worse_and_one_that_is_mended_is_better() {
    let folder = folder_with(lab::healthy());
    let folder = folder.path();
    fs::rename(folder.join("lab.json"), folder.join("healthy.json")).expect("renamed");
    let broken = [
        "check",
        "--lab",
        "--format",
        "json",
        "--output",
        "broken.json",
    ];
    assert_eq!(portproof(folder, &broken).0, 1);
    let diff = |old: &str, new: &str| {
        let (status, out, err) = portproof(folder, &["diff", old, new, "--format", "json"]);
        assert_eq!(err, "");
        (status, valid("diff", &out))
    };
    let ids = |diff: &Value, part: &str| -> Vec<String> {
        let all = diff[part].as_array().expect("changes").iter();
        all.filter_map(|change| change["id"].as_str().map(str::to_string))
            .collect()
    };
    let planted = [
        "internet>ibs01:3389/tcp",
        "internet>ibs01:80/tcp",
        "internet>ibs01:8443/tcp",
        "internet>ibs01:8531/tcp",
        "internet>ibs02:443/tcp",
    ];
    let (status, worse) = diff("healthy.json", "broken.json");
    assert_eq!(status, 1);
    assert_eq!(ids(&worse, "worse"), planted);
    assert!(ids(&worse, "better").is_empty() && ids(&worse, "gone").is_empty());
    let (status, better) = diff("broken.json", "healthy.json");
    assert_eq!(status, 0);
    assert_eq!(ids(&better, "better"), planted);
    let swapped = better["notes"][0].as_str().expect("a note");
    assert!(swapped.contains("swapped"), "{swapped}");
    let (status, same) = diff("broken.json", "broken.json");
    assert_eq!((status, same["unchanged"].as_u64()), (0, Some(115)));

    change(folder, "broken.json", "fewer.json", |report| {
        report["flows"] = json!([]);
        report["summary"] = json!({"ok":0,"blocked":0,"down":0,"wrong":0,"exposed":0,"unknown":0});
    });
    let (status, gone) = diff("broken.json", "fewer.json");
    assert_eq!((status, ids(&gone, "gone").len()), (0, 115));
    let (status, new) = diff("fewer.json", "broken.json");
    assert_eq!((status, ids(&new, "added").len()), (1, 115));

    let (status, text, _) = portproof(folder, &["diff", "healthy.json", "broken.json"]);
    assert_eq!(status, 1);
    assert!(
        text.contains(
            "\nWorse\n  ok kept-closed (note) -> exposed open (error)\n    \
             internet>ibs01:3389/tcp\n    do: "
        ),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no colours into a pipe");
}
