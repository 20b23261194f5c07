//! Where results go: files that are whole at every moment, what stands in for them, and signatures that fit.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Stdio;

use crate::support::files::{Bed, printed, said};
use portproof::report::{SIGNATURE_LENGTH, SigningKey};

/// Every command that writes a result to a file, with what it writes there.
const WRITERS: [&str; 19] = [
    "check --lab",
    "check --lab --format json",
    "check --lab --sign dmz.key",
    "report bad.json",
    "report bad.json --format json",
    "report bad.json --format html",
    "report bad.json --format csv",
    "report bad.json --sign dmz.key",
    "diff good.json bad.json",
    "explain no-answer",
    "explain --format json",
    "plan",
    "plan --format json",
    "plan --format csv",
    "plan --format markdown",
    "plan --format nftables --firewall front-end",
    "plan --format windows --firewall ibs01",
    "plan --format panos --firewall front-end",
    "plan --against probes.yaml",
];

fn with_output(command: &str, output: &str) -> Vec<String> {
    let words = command.split(' ').chain(["--output", output]);
    words.map(str::to_string).collect()
}

fn run(bed: &Bed, command: &str, output: &str) -> std::process::Output {
    let words = with_output(command, output);
    bed.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_wrong_place_is_refused_before_anything_is_tried() {
    let bed = Bed::new();
    fs::create_dir(bed.path("folder")).expect("a folder");
    symlink("circle", bed.path("circle")).expect("a link");
    for command in WRITERS {
        for (place, why) in [
            (
                "nowhere/report",
                "there is no folder nowhere; make it first",
            ),
            ("folder/../folder", "it is a folder; name a file in it"),
            ("probes.yaml/report", "Not a directory"),
            ("circle", "circle"),
            // Nobody makes files there, root neither.
            ("/proc/report", "no file can be made in the folder /proc"),
        ] {
            if command.contains("windows")
                || command.contains("nftables")
                || command.contains("panos")
            {
                // A folder gets a file for each device.
                if place == "folder/../folder" {
                    continue;
                }
            }
            let ended = run(&bed, command, place);
            assert_eq!(
                ended.status.code(),
                Some(2),
                "{command} {place}: {}",
                said(&ended)
            );
            let said = said(&ended);
            assert!(
                said.contains(why) && said.contains(place),
                "{command} {place}: {said}"
            );
            assert!(!said.contains("about to try"), "{command} {place}: {said}");
            assert_eq!(printed(&ended), "", "{command} {place}");
        }
    }
    let ended = bed.run(&["man", "--into", "nowhere"]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(said(&ended).contains("there is no folder nowhere"));
}

#[test]
fn every_command_writes_what_it_would_print_and_leaves_nothing_beside_it() {
    let bed = Bed::new();
    for command in WRITERS {
        let command = command.replace("check --lab", "check --lab --healthy");
        let ended = run(&bed, &command, "out");
        let diff_is_worse = command.starts_with("diff") || command.starts_with("report");
        let expected = i32::from(diff_is_worse);
        assert_eq!(
            ended.status.code(),
            Some(expected),
            "{command}: {}",
            said(&ended)
        );
        assert_eq!(printed(&ended), "", "{command}");
        let text = bed.text("out");
        if !command.starts_with("check") && !command.contains("--sign") {
            let words: Vec<&str> = command.split(' ').collect();
            assert_eq!(text, printed(&bed.run(&words)), "{command}");
        }
        assert!(
            !text.is_empty() && !text.contains('\u{1b}'),
            "{command}: {text}"
        );
        assert!(bed.names(".portproof").is_empty(), "{command}");
    }
}

#[test]
fn a_link_is_followed_and_permissions_stay() {
    let bed = Bed::new();
    fs::create_dir(bed.path("real")).expect("a folder");
    symlink("real/today.json", bed.path("first")).expect("a link");
    symlink("first", bed.path("second")).expect("a link");
    for mode in [0o640, 0o604] {
        let ended = bed.run(&["explain", "no-answer", "-o", "second"]);
        assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
        let link = fs::symlink_metadata(bed.path("second")).expect("a link");
        assert!(link.is_symlink());
        assert!(bed.text("real/today.json").contains("no-answer"));
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(bed.path("first"), permissions).expect("set");
        bed.run(&["explain", "no-answer", "-o", "second"]);
        let there = fs::metadata(bed.path("real/today.json")).expect("a file");
        assert_eq!(there.permissions().mode() & 0o777, mode);
    }
}

#[test]
fn what_is_no_file_is_written_to_straight() {
    let bed = Bed::new();
    let expected = printed(&bed.run(&["explain", "no-answer"]));
    for (lines, printed_there) in [
        ("$P explain no-answer -o -", true),
        ("$P explain no-answer -o /dev/stdout", true),
        ("$P explain no-answer -o /dev/fd/1", true),
        ("$P explain no-answer -o /dev/stdout > out; cat out", true),
        ("$P explain no-answer -o /dev/fd/3 3> out; cat out", true),
        ("$P explain no-answer -o /dev/null", false),
        (
            "mkfifo pipe; cat pipe & $P explain no-answer -o pipe; s=$?; wait; exit $s",
            true,
        ),
        (
            "$P explain no-answer -o >(cat > out; echo done > end); while [ ! -e end ]; do sleep \
             0.1; done; cat out",
            true,
        ),
    ] {
        let ended = bed.shell(&[], lines);
        assert_eq!(ended.status.code(), Some(0), "{lines}: {}", said(&ended));
        let wanted = if printed_there { expected.as_str() } else { "" };
        assert_eq!(printed(&ended), wanted, "{lines}");
    }
    assert!(fs::metadata("/dev/null").is_ok_and(|it| !it.is_file()));
    let ended = bed.run(&[
        "report",
        "good.json",
        "-o",
        "/dev/null",
        "--sign",
        "dmz.key",
    ]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(
        said(&ended).contains("name a file with --output"),
        "{}",
        said(&ended)
    );
}

/// Whether `--verify` believes a file.
fn is_believed(bed: &Bed, file: &str) -> bool {
    let ended = bed.run(&["report", "--verify", "dmz.pub", file]);
    match ended.status.code() {
        Some(0 | 1) => true,
        Some(2) if said(&ended).contains("is not ") => false,
        _ => panic!("{}", said(&ended)),
    }
}

#[test]
fn at_every_step_of_a_replacement_the_report_has_a_signature_that_fits_and_no_wrong_one_is_accepted()
 {
    let bed = Bed::new();
    let key = SigningKey::read(&fs::read(bed.path("dmz.key")).expect("a key")).expect("a key");
    let earlier = fs::read(bed.path("good.json")).expect("a report");
    let new = fs::read(bed.path("bad.json")).expect("a report");
    let put = |name: &str, bytes: Option<&[u8]>| match bytes {
        Some(bytes) => fs::write(bed.path(name), bytes).expect("written"),
        None => drop(fs::remove_file(bed.path(name))),
    };
    let (old, fresh) = (key.sign(&earlier), key.sign(&new));
    let (old, fresh) = (old.as_slice(), fresh.as_slice());
    for (report, signature, next, believed) in [
        (&earlier, Some(old), None, true),
        (&earlier, Some(old), Some(fresh), true),
        (&new, Some(old), Some(fresh), true),
        (&new, Some(fresh), None, true),
        // The first report of a file: there is no earlier signature.
        (&new, None, Some(fresh), true),
        (&new, Some(old), None, false),
        (&earlier, Some(fresh), None, false),
        (&earlier, None, Some(fresh), false),
        (&earlier, Some(fresh), Some(fresh), false),
        (&earlier, None, None, false),
    ] {
        put("r.json", Some(report));
        put("r.json.sig", signature);
        put("r.json.sig.next", next);
        let state = (
            report == &new,
            signature.map(|it| it == fresh),
            next.is_some(),
        );
        assert_eq!(is_believed(&bed, "r.json"), believed, "{state:?}");
        // Whatever a run that ended early left there, the next one ends in a pair.
        let ended = bed.run(&[
            "report", "bad.json", "--format", "json", "-o", "r.json", "--sign", "dmz.key",
        ]);
        assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
        assert!(is_believed(&bed, "r.json"), "{state:?}");
        assert_eq!(bed.names("r.json"), ["r.json", "r.json.sig"], "{state:?}");
    }
}

#[test]
fn a_run_that_cannot_finish_loses_no_signature_that_waits() {
    let bed = Bed::new();
    let key = SigningKey::read(&fs::read(bed.path("dmz.key")).expect("a key")).expect("a key");
    let report = fs::read(bed.path("good.json")).expect("a report");
    fs::write(bed.path("r.json"), &report).expect("written");
    fs::write(bed.path("r.json.sig"), [0; SIGNATURE_LENGTH]).expect("written");
    fs::write(bed.path("r.json.sig.next"), key.sign(&report)).expect("written");
    // A folder in the way of the waiting signature: the second run ends at its own first step.
    let lines = "rm r.json.sig; mkdir r.json.sig; $P report bad.json --format json -o r.json \
        --sign dmz.key > out";
    let ended = bed.shell(&[], lines);
    assert_eq!(ended.status.code(), Some(2), "{}", said(&ended));
    assert_eq!(fs::read(bed.path("r.json")).expect("a report"), report);
    assert_eq!(
        fs::read(bed.path("r.json.sig.next")).expect("a signature"),
        key.sign(&report)
    );
    assert_eq!(
        bed.text("out"),
        printed(&bed.run(&["report", "bad.json", "--format", "json"]))
    );
    assert!(
        said(&ended).contains("the result went to standard output"),
        "{}",
        said(&ended)
    );
}

#[test]
fn a_result_that_is_not_signed_takes_away_the_earlier_signature_and_nothing_else() {
    let bed = Bed::new();
    let signed = ["report", "good.json", "-o", "r.txt", "--sign", "dmz.key"];
    assert_eq!(bed.run(&signed).status.code(), Some(0));
    assert_eq!(bed.names("r.txt"), ["r.txt", "r.txt.sig"]);
    let ended = bed.run(&["report", "bad.json", "-o", "r.txt"]);
    assert!(
        said(&ended).contains("r.txt.sig was the signature of the earlier report"),
        "{}",
        said(&ended)
    );
    assert_eq!(bed.names("r.txt"), ["r.txt"]);
    fs::write(bed.path("r.txt.sig"), "what somebody else wrote").expect("written");
    assert_eq!(said(&bed.run(&["report", "bad.json", "-o", "r.txt"])), "");
    assert_eq!(bed.names("r.txt"), ["r.txt", "r.txt.sig"]);
}

#[test]
fn a_reader_that_verifies_while_reports_are_replaced_is_never_refused() {
    let bed = Bed::new();
    let write = |report: &str| {
        let arguments = [
            "report", report, "--format", "json", "-o", "r.json", "--sign", "dmz.key",
        ];
        bed.run(&arguments).status.code()
    };
    assert_eq!(write("good.json"), Some(0));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for _ in 0..20 {
                assert_eq!(write("bad.json"), Some(1));
                assert_eq!(write("good.json"), Some(0));
            }
        });
        let mut read = 0;
        while !writer.is_finished() {
            assert!(is_believed(&bed, "r.json"));
            read += 1;
        }
        assert!(read > 10, "only {read} times");
    });
}

#[test]
fn an_end_by_ctrl_c_leaves_nothing_beside_the_target() {
    use std::io::BufRead as _;
    let bed = Bed::new();
    let mut child = bed
        .command(&["check", "--lab", "-o", "out.txt"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let said = std::io::BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = said.map_while(Result::ok);
    assert!(
        said.any(|line| line.contains("about to try")),
        "it never began"
    );
    assert!(
        bed.names("out.txt").is_empty(),
        "nothing is there before the end"
    );
    let pid = child.id().to_string();
    assert!(bed.shell(&[], &format!("kill -INT {pid}")).status.success());
    assert!(
        child.wait().expect("it ends").code().is_some(),
        "it ends by itself"
    );
    assert!(
        bed.text("out.txt")
            .starts_with("Site PRI seen from internet")
    );
    assert!(bed.names(".portproof").is_empty());
}
