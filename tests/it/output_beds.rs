//! Ends by force and full disks: the earlier report is whole, or the new one is.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::files::{Bed, printed, said};
use portproof::report::{SigningKey, VerifyingKey};
use serde_json::Value;

/// How often a run is ended at a random moment.
const KILLS: u32 = 60;
/// How large the report is, at the least.
const SIZE: usize = 4_000_000;

/// A report of 4 MB in `big.json`: that of the lab, with long reasons.
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

/// Numbers from 0 to 1, the same in each run of this test.
fn shares() -> impl Iterator<Item = f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    })
}

/// Waits until a run has written the first bytes of its file, which has no name yet; false: the run ended before.
fn waits_for_writing(bed: &Bed, child: &mut Child) -> bool {
    let open = format!("/proc/{}/fd", child.id());
    let is_begun = |entry: fs::DirEntry| {
        let stands_for = fs::read_link(entry.path()).unwrap_or_default();
        stands_for.starts_with(bed.root())
            && stands_for.to_string_lossy().ends_with("(deleted)")
            && fs::metadata(entry.path()).is_ok_and(|it| it.len() > 0)
    };
    while child.try_wait().expect("it runs").is_none() {
        let mut files = fs::read_dir(&open).into_iter().flatten().flatten();
        if files.any(is_begun) {
            return true;
        }
        sleep(Duration::from_millis(1));
    }
    false
}

#[test]
fn sixty_ends_by_force_lose_no_report_and_leave_no_half() {
    let bed = Bed::new();
    big_report(&bed);
    let key = VerifyingKey::read(&fs::read(bed.path("dmz.pub")).expect("a key")).expect("a key");
    let key_that_signs = fs::read(bed.path("dmz.key")).expect("a key");
    let key_that_signs = SigningKey::read(&key_that_signs).expect("a key");
    let write = [
        "report", "big.json", "--format", "json", "-o", "r.json", "--sign", "dmz.key",
    ];
    let start = || {
        let mut command = bed.command(&write);
        command.stderr(Stdio::null()).spawn().expect("it starts")
    };
    let begun = Instant::now();
    let mut child = start();
    assert!(waits_for_writing(&bed, &mut child));
    let until_written = begun.elapsed();
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let whole = begun.elapsed();
    let new = fs::read(bed.path("r.json")).expect("a report");
    assert!(new.len() >= SIZE);
    let earlier = fs::read(bed.path("good.json")).expect("a report");
    let (mut lost, mut halves, mut unsigned, mut litter) = (0, 0, 0, 0);
    let mut while_written = 0;
    for (number, share) in (0..KILLS).zip(shares()) {
        drop(fs::remove_file(bed.path("r.json.sig.next")));
        fs::write(bed.path("r.json"), &earlier).expect("written");
        fs::write(bed.path("r.json.sig"), key_that_signs.sign(&earlier)).expect("written");
        let mut child = start();
        if number % 3 == 0 {
            sleep(whole.mul_f64(share));
        } else if waits_for_writing(&bed, &mut child) {
            sleep((whole - until_written).mul_f64(share));
            while_written += u32::from(child.try_wait().expect("it runs").is_none());
        }
        // Ctrl-C and SIGTERM end this command as SIGKILL does. One that has ended has no number any more.
        if child.try_wait().expect("it runs").is_none() {
            let signal = ["-KILL", "-INT", "-TERM"][(number / 3) as usize % 3];
            let mut kill = Command::new("kill");
            kill.args([signal, &child.id().to_string()]);
            let killed = kill.stderr(Stdio::null()).status();
            killed.expect("it runs");
        }
        child.wait().expect("it ends");
        match fs::read(bed.path("r.json")) {
            Err(_) => lost += 1,
            Ok(report) if report != earlier && report != new => halves += 1,
            Ok(report) => unsigned += u32::from(!is_signed(&bed, &report, &key)),
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
        while_written >= KILLS / 6,
        "only {while_written} ends fell into the writing"
    );
    // Between the name and the place are microseconds; apart from that nothing has a name.
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
            said.contains(
                "portproof: the result went to standard output, because its file could \
                 not be written: writing disk/r.json: No space left on device"
            ),
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
probing: { second_look: off, sweep: none }
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
