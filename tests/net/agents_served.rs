//! The daemon with agents: each run is of all zones, and the page says which agent was heard when.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, path::Path};

use serde_json::Value;

use crate::support::fleet::{Process, Stage};

/// Asks the daemon's page, and prints the answer.
const ASK: &str = "import sys, urllib.request
print(urllib.request.urlopen('http://127.0.0.1:2001' + sys.argv[1], timeout=20).read().decode())
";

/// What the page answers, on the host of the hub.
fn answer(stage: &Stage, path: &str) -> String {
    let place = stage.zones.place("cm01");
    let output = Command::new(&place[0])
        .args(&place[1..])
        .args(["/usr/bin/python3", "-c", ASK, path])
        .output();
    String::from_utf8(output.expect("Python is needed").stdout).expect("text")
}

/// The check, once it looks like this.
fn until(stage: &Stage, daemon: &Process, is_so: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        let list: Value =
            serde_json::from_str(&answer(stage, "/api/v1/checks")).unwrap_or_default();
        let check = &list["checks"][0];
        if is_so(check) {
            return check.clone();
        }
        assert!(Instant::now() < end, "{check:#}\n{}", daemon.said());
        sleep(Duration::from_millis(200));
    }
}

fn agent<'a>(check: &'a Value, name: &str) -> &'a Value {
    let mut agents = check["agents"].as_array().into_iter().flatten();
    agents.find(|it| it["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn each_run_is_of_all_zones_and_a_lost_agent_is_seen_on_the_page() {
    let mut stage = Stage::new(&[]);
    let hub = stage.folder("hub");
    let serve = format!(
        "history: runs\npage: 127.0.0.1:2001\nchecks: {{ all: {{ site: {}, agents: agents.yaml, every: 8s, jitter: 1ms, sweep_every: 24h, gentle: false }} }}\n",
        Path::new(&stage.bed.site_file())
            .canonicalize()
            .expect("it is there")
            .display()
    );
    fs::write(hub.join("serve.yaml"), serve).expect("written");
    let program = assert_cmd::cargo::cargo_bin("portproof");
    let place = stage.zones.place("cm01");
    let daemon = Process::start(&place, &hub, &program, &["serve", "serve.yaml"]);
    daemon.until("shows the checks");

    let first = until(&stage, &daemon, |it| it["run"].is_number());
    assert_eq!(
        first["place"], "internet and intranet as cm01 and perimeter as ibs01",
        "{first:#}"
    );
    for (name, place) in [("outside", "internet"), ("ibs01", "perimeter as ibs01")] {
        let agent = agent(&first, name);
        assert_eq!(
            (&agent["lost"], &agent["place"]),
            (&false.into(), &place.into()),
            "{first:#}"
        );
        assert_eq!(agent["version"], env!("CARGO_PKG_VERSION"));
        assert!(agent["summary"]["unknown"].is_number(), "{agent:#}");
    }
    // What is needed alone is tried next, and what must not pass stands as it was seen.
    let second = until(&stage, &daemon, |it| {
        it["run"].as_i64() > first["run"].as_i64()
    });
    let count = |check: &Value| -> u64 {
        let summary = check["summary"].as_object().into_iter().flatten();
        summary.filter_map(|(_, count)| count.as_u64()).sum()
    };
    assert_eq!(count(&second), count(&first), "{first:#}{second:#}");
    assert!(answer(&stage, "/checks/all").contains("agent outside on host"));

    // Between two runs: one that it has begun would wait for it for a minute.
    let heard = agent(&second, "outside")["heard"].clone();
    stage.agents[0].kill();
    let lost = until(&stage, &daemon, |it| agent(it, "outside")["lost"] == true);
    assert!(
        agent(&lost, "outside")["heard"].as_str() >= heard.as_str(),
        "{lost:#}"
    );
    assert_eq!(agent(&lost, "ibs01")["lost"], false, "{lost:#}");
    let page = answer(&stage, "/");
    assert!(page.contains("did not answer in the last run"), "{page}");

    stage.agents[0] = stage.agent("outside", "client");
    until(&stage, &daemon, |it| agent(it, "outside")["lost"] == false);
}
