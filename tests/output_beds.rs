//! Ends by force and full disks: the earlier report is whole, or the new one is.
#![cfg(unix)]

mod files;

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use files::{Bed, printed, said};
use portproof::report::VerifyingKey;
use serde_json::Value;

/// How often a run is ended at a random moment.
const KILLS: u32 = 60;
/// How large the report is, at the least.
const SIZE: usize = 20_000_000;

/// A report of 20 MB in `big.json`: that of the lab, with long reasons.
fn big_report(bed: &Bed) {
    let mut report: Value = serde_json::from_str(&bed.text("bad.json")).expect("JSON");
    let flows = report["flows"].as_array_mut().expect("flows");
    let each = SIZE / flows.len();
    for flow in flows {
        flow["why"] = Value::String("because ".repeat(each / 8 + 1));
    }
    fs::write(bed.path("big.json"), report.to_string()).expect("written");
}

/// Whether a report has a signature that fits, as `--verify` looks for it.
fn is_signed(bed: &Bed, report: &[u8], key: &VerifyingKey) -> bool {
    ["r.json.sig", "r.json.sig.next"].iter().any(|name| {
        let signature = fs::read(bed.path(name));
        signature.is_ok_and(|it| key.verify(report, &it).is_ok())
    })
}

/// What is not the kernel's to choose: moments spread over a run, the same in each run of this test.
fn moments(most: Duration) -> impl Iterator<Item = Duration> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..KILLS).map(move |number| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let random = (state >> 33) as f64 / f64::from(1_u32 << 31);
        // Two of three while it is written, which is the second half.
        let share = if number % 3 == 0 {
            random
        } else {
            0.5 + random / 2.0
        };
        most.mul_f64(share)
    })
}

#[test]
fn sixty_ends_by_force_lose_no_report_and_leave_no_half() {
    let bed = Bed::new();
    big_report(&bed);
    let key = VerifyingKey::read(&fs::read(bed.path("dmz.pub")).expect("a key")).expect("a key");
    let write = [
        "report", "big.json", "--format", "json", "-o", "r.json", "--sign", "dmz.key",
    ];
    let begun = Instant::now();
    assert_eq!(bed.run(&write).status.code(), Some(1));
    let whole = begun.elapsed();
    let new = fs::read(bed.path("r.json")).expect("a report");
    assert!(new.len() >= SIZE);
    let earlier = fs::read(bed.path("good.json")).expect("a report");
    let (mut lost, mut halves, mut unsigned, mut litter) = (0, 0, 0, 0);
    let (mut kept, mut replaced) = (0, 0);
    for (number, moment) in moments(whole.mul_f64(1.1)).enumerate() {
        let again = [
            "report",
            "good.json",
            "--format",
            "json",
            "-o",
            "r.json",
            "--sign",
            "dmz.key",
        ];
        assert_eq!(bed.run(&again).status.code(), Some(0));
        let mut child = bed
            .command(&write)
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        sleep(moment);
        // Ctrl-C and SIGTERM end this command as SIGKILL does.
        let signal = ["-KILL", "-INT", "-TERM"][number % 3];
        let killed = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        killed.expect("it runs");
        child.wait().expect("it ends");
        match fs::read(bed.path("r.json")) {
            Err(_) => lost += 1,
            Ok(report) if report != earlier && report != new => halves += 1,
            Ok(report) => {
                *(if report == new {
                    &mut replaced
                } else {
                    &mut kept
                }) += 1;
                unsigned += u32::from(!is_signed(&bed, &report, &key));
            }
        }
        for name in bed.names(".portproof") {
            litter += 1;
            fs::remove_file(bed.path(&name)).expect("removed");
        }
    }
    assert_eq!(
        (lost, halves, unsigned),
        (0, 0, 0),
        "lost, halves, without a signature that fits"
    );
    assert!(
        kept > 0 && replaced > 0,
        "all ends fell on one side: {kept}, {replaced}"
    );
    std::fs::write("/tmp/outt/kills", format!("{kept} {replaced} {litter}")).unwrap();
    // Between the name and the place are microseconds; beside that nothing has a name.
    assert!(litter <= 1, "{litter} files were left");
}

/// Runs lines in a mount namespace of their own, where `disk` is a file system of 64 KiB.
fn on_a_small_disk(bed: &Bed, lines: &str) -> std::process::Output {
    fs::create_dir_all(bed.path("disk")).expect("a folder");
    let own = ["unshare", "--user", "--map-root-user", "--mount"];
    let lines = format!("set -e; mount -t tmpfs -o size=64k none disk; set +e; {lines}");
    let ended = bed.shell(&own, &lines);
    assert!(
        !said(&ended).contains("unshare: ") && !said(&ended).contains("mount: "),
        "{}: this test needs root, or a user who may make user namespaces",
        said(&ended)
    );
    ended
}

#[test]
fn a_full_disk_keeps_the_earlier_report_and_the_result_goes_to_standard_output() {
    let bed = Bed::new();
    let expected = printed(&bed.run(&["report", "bad.json", "--format", "json"]));
    assert!(expected.len() > 64 << 10, "it must not fit");
    for sign in ["", "--sign dmz.key"] {
        let lines = format!(
            "$P report good.json -o disk/r.json {sign}; cp disk/r.json before
             $P report bad.json --format json -o disk/r.json {sign} > out; s=$?
             cmp disk/r.json before || exit 99
             ls -A disk > names
             [ -z '{sign}' ] || openssl pkeyutl -verify -pubin -inkey dmz.pub -rawin -in disk/r.json -sigfile disk/r.json.sig || exit 98
             exit $s"
        );
        let ended = on_a_small_disk(&bed, &lines);
        assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
        assert_eq!(bed.text("out"), expected);
        let said = said(&ended);
        assert!(
            said.contains("portproof: the result went to standard output, because its file could not be written: writing disk/r.json: No space left on device"),
            "{said}"
        );
        let names = if sign.is_empty() {
            "r.json\n"
        } else {
            "r.json\nr.json.sig\n"
        };
        assert_eq!(bed.text("names"), names);
    }
}

#[test]
fn a_refused_rename_keeps_the_result() {
    let bed = Bed::new();
    let expected = printed(&bed.run(&["report", "bad.json"]));
    // A file that is mounted cannot be replaced.
    let lines = "echo earlier > disk/r.txt; mount --bind disk/r.txt disk/r.txt
                 $P report bad.json -o disk/r.txt > out; s=$?; cp disk/r.txt after; exit $s";
    let ended = on_a_small_disk(&bed, lines);
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    assert!(
        said(&ended).contains("the result went to standard output"),
        "{}",
        said(&ended)
    );
    assert_eq!(
        (bed.text("out"), bed.text("after").as_str()),
        (expected, "earlier\n")
    );
    let ended = on_a_small_disk(
        &bed,
        "mount -o remount,ro disk; $P check --lab -o disk/r.txt",
    );
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    assert!(
        said(&ended).contains("no file can be made in the folder disk: Read-only file system"),
        "{}",
        said(&ended)
    );
    assert!(!said(&ended).contains("about to try"), "{}", said(&ended));
}

#[test]
fn a_log_that_cannot_be_written_at_the_end_goes_to_standard_output() {
    let bed = Bed::new();
    fs::write(bed.path("token"), "0123456789abcdef0123456789abcdef").expect("written");
    let site = "site: { code: PRI, product: configmgr-2007, crl_check: false }
zones: { internet: { networks: [\"127.0.0.0/8\"] }, perimeter: { networks: [\"192.0.2.0/24\"] } }
firewalls: { front-end: { between: [internet, perimeter] } }
systems: { web: { zone: perimeter, addresses: { default: 127.0.0.1 }, roles: [console] } }
probing: { sweep: none }
flows: [{ from: internet, to: web, port: 47113, need: required }]
";
    fs::write(bed.path("site.yaml"), site).expect("written");
    let lines = "ip link set lo up 2>/dev/null
                 $P listen site.yaml --as web --for 3s --token-file token --log disk/a.json > out & p=$!
                 while [ ! -e disk/a.json ]; do sleep 0.1; done
                 head -c 64k /dev/zero > disk/full 2>/dev/null
                 wait $p";
    let ended = on_a_small_disk(&bed, lines);
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    let log: Value = serde_json::from_str(&bed.text("out")).expect("a log");
    assert_eq!(log["system"], "web");
}
