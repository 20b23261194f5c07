//! Running portproof in a bed, without any privilege, and reading its report.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::scene::{Flow, Host, Scene};
use crate::support::bed::Bed;
use crate::support::executable;
use crate::{ground, privilege};

/// The part of a report that the matrix compares.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) flows: Vec<Said>,
}

/// What was said of one flow. What a run has no reason to write is absent.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) need: String,
    pub(crate) state: String,
    pub(crate) verdict: String,
    pub(crate) cause: String,
    pub(crate) level: String,
    pub(crate) owner: Option<String>,
    pub(crate) evidence: Evidence,
    /// The evidence as it was written, for whoever looks into a wrong one.
    #[serde(skip)]
    pub(crate) raw: Value,
}

impl Said {
    /// When the first try left; times of one form sort as text.
    pub(crate) fn first_try(&self) -> Option<&str> {
        self.evidence.attempts.iter().map(|it| it.at.as_str()).min()
    }

    /// When the last try left.
    pub(crate) fn last_try(&self) -> Option<&str> {
        self.evidence.attempts.iter().map(|it| it.at.as_str()).max()
    }
}

#[derive(Debug, Deserialize)]
#[serde(from = "Value")]
pub(crate) struct Evidence {
    pub(crate) control: Option<String>,
    pub(crate) reset_by: Option<String>,
    pub(crate) rejected: Option<Rejected>,
    pub(crate) path: Option<Walk>,
    pub(crate) ports: Option<Ports>,
    pub(crate) attempts: Vec<Attempt>,
}

/// A value of a report that must be there as it is meant.
fn read_as<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|why| panic!("{why}: {value}"))
}

/// The claims of an observation with the names that the site file gives beside it.
impl From<Value> for Evidence {
    fn from(it: Value) -> Self {
        let names = &it["names"];
        let firewall = |hop: &Value, by: Option<&str>| {
            let translates = by == it["address"].as_str() && it["translated_at"] == *hop;
            let named = names["firewalls"][by?].as_str();
            let translator = names["translator"].as_str().filter(|_| translates);
            named.or(translator).map(str::to_string)
        };
        let edge = |hop: &Value| Edge {
            hop: read_as(&hop[0]),
            by: read_as(&hop[1]),
            firewall: firewall(&hop[0], hop[1].as_str()),
        };
        let some = |value: &Value| (!value.is_null()).then(|| edge(value));
        let hop = |hop: &Value| {
            let answer = &hop["answer"];
            let (by, result) = match answer {
                Value::String(word) => (None, word.as_str()),
                _ if answer["expired"].is_string() => (answer["expired"].as_str(), "expired"),
                _ => (answer["rejected"]["by"].as_str(), "rejected"),
            };
            Hop {
                hop: read_as(&hop["number"]),
                by: by.map(str::to_string),
                firewall: firewall(&hop["number"], by),
                result: result.to_string(),
            }
        };
        let (path, rejected) = (&it["path"], &it["state"]["rejected"]);
        let dropped = &path["dropped"];
        Self {
            control: read_as(&it["control"]),
            reset_by: read_as(&it["state"]["closed"]["reset_by"]),
            rejected: rejected.is_object().then(|| Rejected {
                firewall: read_as(&names["rejecting"]),
                ..read_as(rejected)
            }),
            path: path.is_object().then(|| Walk {
                hops: path["hops"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(hop)
                    .collect(),
                dropped: dropped.is_object().then(|| Dropped {
                    after: some(&dropped["after"]),
                    before: some(&dropped["before"]["router"]),
                    by: read_as(&names["suspects"]["firewalls"]),
                    host: read_as(&names["suspects"]["host"]),
                }),
            }),
            ports: read_as(&it["source_ports"]),
            attempts: read_as(&it["attempts"]),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) at: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Rejected {
    pub(crate) icmp_type: Option<u8>,
    pub(crate) icmp_code: Option<u8>,
    pub(crate) by: Option<String>,
    pub(crate) firewall: Option<String>,
}

/// How far tries with a short TTL came.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) hops: Vec<Hop>,
    pub(crate) dropped: Option<Dropped>,
}

#[derive(Debug)]
pub(crate) struct Hop {
    pub(crate) hop: usize,
    pub(crate) by: Option<String>,
    pub(crate) firewall: Option<String>,
    pub(crate) result: String,
}

/// Between which hops a packet is lost, and who may do it.
#[derive(Debug)]
pub(crate) struct Dropped {
    pub(crate) after: Option<Edge>,
    pub(crate) before: Option<Edge>,
    pub(crate) by: Vec<String>,
    pub(crate) host: bool,
}

#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) hop: usize,
    pub(crate) by: Option<String>,
    pub(crate) firewall: Option<String>,
}

/// How often source ports opened and how often they did not.
#[derive(Debug, Deserialize)]
pub(crate) struct Ports {
    pub(crate) tried: usize,
    pub(crate) open: usize,
    pub(crate) blocked: usize,
    pub(crate) alone: Option<Alone>,
}

/// What connections met that were made one at a time.
#[derive(Debug, Deserialize)]
pub(crate) struct Alone {
    pub(crate) open: usize,
    pub(crate) refused: usize,
}

/// What a run of the program came to.
pub(crate) struct Run {
    pub(crate) status: Option<i32>,
    pub(crate) report: Report,
}

/// The program, where nobody may read it.
pub(crate) struct Program {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Program {
    /// A copy of the program that cargo built, or of the one that `PORTPROOF_MATRIX_PROGRAM` names.
    pub(crate) fn copy() -> Self {
        let built = std::env::var_os("PORTPROOF_MATRIX_PROGRAM")
            .map_or_else(|| assert_cmd::cargo::cargo_bin("portproof"), PathBuf::from);
        let folder = open_folder();
        let path = folder.path().join("portproof");
        executable::copy(&built, &path);
        Self {
            path,
            _folder: folder,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// `portproof check` of a site file, from the prober's namespace of a scene.
    pub(crate) fn check(&self, bed: &Bed, scene: &Scene, site: &str) -> Run {
        let folder = open_folder();
        let file = folder.path().join("probes.yaml");
        fs::write(&file, site).expect("a site file");
        let mut command = bed.command(ground::prober(scene), &privilege::none());
        command
            .arg(&self.path)
            .args(["check", "--format", "json", "--no-gentle"])
            .args(["--from", scene.vantage_name()])
            .arg(&file);
        let output = command.output().expect("the program runs");
        let report = read(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "no report ({error}): {}\n{site}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        Run {
            status: output.status.code(),
            report,
        }
    }
}

fn read(report: &[u8]) -> serde_json::Result<Report> {
    let mut report: Value = serde_json::from_slice(report)?;
    let flows: Vec<Value> = serde_json::from_value(report["flows"].take())?;
    let one = |mut flow: Value| -> serde_json::Result<Said> {
        let mut said: Said = serde_json::from_value(flow.clone())?;
        said.raw = flow["evidence"].take();
        Ok(said)
    };
    Ok(Report {
        flows: flows.into_iter().map(one).collect::<Result<_, _>>()?,
    })
}

/// A folder that every user may read.
pub(crate) fn open_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    folder
}

/// The id of a flow in the report.
pub(crate) fn id_of(scene: &Scene, host: &Host, flow: &Flow) -> String {
    format!("{}>{}:{}/tcp", scene.vantage_name(), host.name, flow.port)
}

/// The exit status that the verdicts of a report ask for, by the rules of the command line.
pub(crate) fn status_of(report: &Report) -> i32 {
    let failed = |said: &Said| {
        ["blocked", "down", "wrong", "exposed"].contains(&said.verdict.as_str())
            && said.level == "error"
    };
    let open = |said: &Said| said.verdict == "unknown" && said.level != "note";
    if report.flows.iter().any(failed) {
        1
    } else if report.flows.iter().any(open) {
        3
    } else {
        0
    }
}
