//! Files that a user names. What is no regular file, or too large, is refused in words and holds up nothing. What is
//! not needed for a command that sends nothing is not missed. Reports are verified wherever one is read.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A refusal takes no time: nothing is waited for, and nothing large is read.
const SOON: Duration = Duration::from_secs(10);

/// Runs the program to its end: its status, what it prints for programs, and what it says.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let begun = Instant::now();
    let [mut out, mut err] = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("portproof"));
    for variable in [
        "PORTPROOF_TOKEN",
        "PORTPROOF_CLIENT_PASSWORD",
        "PORTPROOF_VIA_PASSWORD",
    ] {
        command.env_remove(variable);
    }
    let mut child = command
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a descriptor"))
        .stderr(err.try_clone().expect("a descriptor"))
        .spawn()
        .expect("it starts");
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if begun.elapsed() > SOON {
            child.kill().expect("killed");
            panic!("{arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = |file: &mut File| {
        let mut bytes = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut bytes).expect("read");
        String::from_utf8_lossy(&bytes).into_owned()
    };
    (status.code(), text(&mut out), text(&mut err))
}

/// A site in which nothing is asked of anything but loopback.
fn site(keys: &str) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}
zones:
  internet: {{ networks: [\"127.0.0.0/8\"] }}
  perimeter: {{}}
firewalls: {{ front-end: {{ between: [internet, perimeter] }} }}
systems:
  web: {{ zone: perimeter, addresses: {{ default: 127.0.0.1 }}, roles: [console] }}
probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}
flows:
  - {{ from: internet, to: web, port: 9, need: optional }}
{keys}"
    )
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path();
    let write = |name: &str, text: &str| fs::write(here.join(name), text).expect("written");
    write("site.yaml", &site(""));
    write("roots.yaml", &site("tls: { roots: [named] }\n"));
    write("client.yaml", &site("tls: { client_certificate: named }\n"));
    write(
        "password.yaml",
        &site("tls: { client_certificate: site.yaml, client_password_file: named }\n"),
    );
    write(
        "via.yaml",
        &site("via: { internet: \"http://probe@127.0.0.1:9\" }\nvia_password_file: named\n"),
    );
    let check = ["check", "site.yaml", "--from", "internet"];
    let (_, report, _) = run(here, &[&check[..], &["--format", "json"]].concat());
    write("report.json", &report);
    for (make, name) in [
        ("genpkey -algorithm ed25519 -out", "sign.key"),
        ("pkey -in sign.key -pubout -out", "sign.pub"),
        ("genpkey -algorithm ed25519 -out", "other.key"),
        ("pkey -in other.key -pubout -out", "other.pub"),
    ] {
        openssl(here, &format!("{make} {name}"));
    }
    folder
}

fn openssl(folder: &Path, arguments: &str) {
    let status = Command::new("openssl")
        .current_dir(folder)
        .args(arguments.split(' '))
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("openssl").success(), "{arguments}");
}

/// Commands that read the file `named`, each with what the file is to it and the most bytes of such a file.
const READERS: [(&[&str], &str, u64); 17] = [
    (&["plan", "named"], "site file", 16 << 20),
    (
        &["plan", "site.yaml", "--against", "named"],
        "site file",
        16 << 20,
    ),
    (
        &["plan", "site.yaml", "--catalogue", "named"],
        "catalogue",
        16 << 20,
    ),
    (&["report", "named"], "report", 128 << 20),
    (
        &["report", "report.json", "--site", "named"],
        "site file",
        16 << 20,
    ),
    (&["diff", "report.json", "named"], "report", 128 << 20),
    (
        &["explain", "no-answer", "--report", "named"],
        "report",
        128 << 20,
    ),
    (
        &["plan", "site.yaml", "--format", "csv", "--missing", "named"],
        "report",
        128 << 20,
    ),
    (
        &[
            "check",
            "site.yaml",
            "--from",
            "internet",
            "--resume",
            "named",
        ],
        "report",
        128 << 20,
    ),
    (
        &[
            "listen",
            "site.yaml",
            "--as",
            "web",
            "--token-file",
            "named",
        ],
        "token file",
        4 << 10,
    ),
    (
        &[
            "check",
            "site.yaml",
            "--from",
            "internet",
            "--token-file",
            "named",
        ],
        "token file",
        4 << 10,
    ),
    (
        &[
            "report",
            "report.json",
            "--output",
            "out",
            "--sign",
            "named",
        ],
        "signing key",
        64 << 10,
    ),
    (
        &["report", "report.json", "--verify", "named"],
        "public key",
        64 << 10,
    ),
    (
        &["check", "roots.yaml", "--from", "internet"],
        "file of roots",
        4 << 20,
    ),
    (
        &["check", "client.yaml", "--from", "internet"],
        "client certificate",
        1 << 20,
    ),
    (
        &["check", "password.yaml", "--from", "internet"],
        "password file",
        4 << 10,
    ),
    (
        &["check", "via.yaml", "--from", "internet"],
        "password file",
        4 << 10,
    ),
];

/// Runs every reader of the file, and of a signature; each refuses it with these words.
fn all_refuse(folder: &Path, words: &dyn Fn(&str, u64) -> String) {
    for (arguments, kind, limit) in READERS {
        let (status, out, err) = run(folder, arguments);
        assert_eq!(
            (status, out.as_str()),
            (Some(2), ""),
            "{arguments:?}: {err}"
        );
        let words = words(kind, limit);
        assert!(err.contains(&words), "{arguments:?}: no {words:?} in {err}");
        assert!(!err.contains("about to try"), "nothing may be sent: {err}");
    }
    let signature = folder.join("report.json.sig");
    fs::rename(folder.join("named"), &signature).expect("renamed");
    let arguments = ["report", "report.json", "--verify", "sign.pub"];
    let (status, out, err) = run(folder, &arguments);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains(&words("signature", 4 << 10)), "{err}");
}

#[test]
fn a_folder_is_no_file_and_that_is_said() {
    let folder = folder();
    fs::create_dir(folder.path().join("named")).expect("a folder");
    all_refuse(folder.path(), &|_, _| {
        "it is a folder, and only regular files are read".to_string()
    });
}

#[test]
fn a_file_over_its_limit_is_refused_with_the_limit() {
    let folder = folder();
    let words = |kind: &str, limit: u64| match limit >> 20 {
        0 => format!(
            "it is larger than {} KiB, the limit for a {kind}",
            limit >> 10
        ),
        limit => format!("it is larger than {limit} MiB, the limit for a {kind}"),
    };
    // Sparse: larger than memory and disk.
    let named = File::create(folder.path().join("named")).expect("a file");
    named.set_len(1 << 42).expect("its size");
    all_refuse(folder.path(), &words);
}

#[cfg(unix)]
#[test]
fn a_device_without_an_end_is_refused_unread() {
    let folder = folder();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("named")).expect("a link");
    all_refuse(folder.path(), &|_, _| {
        "it is a device, and only regular files are read".to_string()
    });
}

#[cfg(unix)]
#[test]
fn a_fifo_that_nobody_writes_to_holds_up_nothing() {
    let folder = folder();
    let made = Command::new("mkfifo")
        .arg(folder.path().join("named"))
        .status();
    assert!(made.expect("mkfifo").success());
    all_refuse(folder.path(), &|_, _| {
        "it is a pipe, and only regular files are read: save what comes out of it to a file"
            .to_string()
    });
}

#[cfg(target_os = "linux")]
#[test]
fn standard_input_is_read_where_it_is_a_regular_file() {
    let folder = folder();
    let site = File::open(folder.path().join("site.yaml")).expect("the site");
    let output = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .args(["plan", "/dev/stdin"])
        .stdin(site)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn roots_are_bounded_all_together_too() {
    let folder = folder();
    let names: Vec<String> = (0..5).map(|number| format!("{number}.pem")).collect();
    let made = rcgen::generate_simple_self_signed(vec!["ca".to_string()]).expect("made");
    for name in &names {
        let filled = made.cert.pem() + &"#".repeat(1 << 20);
        fs::write(folder.path().join(name), filled).expect("written");
    }
    let text = site(&format!("tls: {{ roots: [{}] }}\n", names.join(", ")));
    fs::write(folder.path().join("many.yaml"), text).expect("written");
    let (status, _, err) = run(folder.path(), &["check", "many.yaml", "--from", "internet"]);
    assert_eq!(status, Some(2), "{err}");
    assert_eq!(err.matches("error[bad-root]").count(), 1, "{err}");
    assert!(
        err.contains("`3.pem` cannot be read: with the roots before it, it is larger than 4 MiB"),
        "{err}"
    );
}

#[test]
fn a_plan_needs_neither_roots_nor_client_certificate_and_says_that_check_does() {
    let folder = folder();
    let here = folder.path();
    let keys =
        "tls: { roots: [ca.pem], client_certificate: own.pfx, client_password_file: own.txt }\n";
    fs::write(here.join("site.yaml"), site(keys)).expect("written");
    let warnings = |err: &str| {
        ["ca.pem", "own.pfx", "own.txt"]
            .iter()
            .filter(|name| {
                let mut lines = err.lines();
                lines.any(|it| it.contains(": warning[bad-") && it.contains(*name))
            })
            .count()
    };
    for (arguments, marked) in [
        (
            &["plan", "--verbose", "site.yaml"][..],
            "internet>web:9/tcp",
        ),
        (
            &["plan", "site.yaml", "--format", "csv"],
            "firewall,from_zone",
        ),
        (
            &["explain", "internet>web:9/tcp", "site.yaml"],
            "internet>web:9/tcp",
        ),
        (
            &["explain", "client-mp-https", "site.yaml"],
            "client-mp-https",
        ),
    ] {
        let (status, out, err) = run(here, arguments);
        assert_eq!(status, Some(0), "{arguments:?}: {err}");
        assert!(out.contains(marked), "{arguments:?}: {out}");
        assert_eq!(warnings(&err), 3, "{arguments:?}: {err}");
        assert!(err.contains("`portproof check` needs it"), "{err}");
        assert!(!err.contains("error["), "{arguments:?}: {err}");
    }
    let joined = [
        "report",
        "report.json",
        "--site",
        "site.yaml",
        "--mixed-files",
    ];
    let (_, out, err) = run(here, &joined);
    assert_eq!(warnings(&err), 3, "{err}");
    assert!(!out.is_empty() && !err.contains("error["), "{err}");
    // Whoever tries flows has to have them, and hears of all at once.
    let (status, out, err) = run(here, &["check", "site.yaml", "--from", "internet"]);
    assert_eq!((status, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("error[bad-root]: `ca.pem`"), "{err}");
    assert!(err.contains("error[bad-client-certificate]"), "{err}");
    // The credentials of an older file are nobody's concern.
    fs::rename(here.join("site.yaml"), here.join("old.yaml")).expect("renamed");
    fs::write(here.join("site.yaml"), site("")).expect("written");
    let (status, _, err) = run(here, &["plan", "site.yaml", "--against", "old.yaml"]);
    assert_eq!((status, warnings(&err)), (Some(0), 0), "{err}");
}

#[test]
fn every_command_that_reads_a_report_verifies_it() {
    let folder = folder();
    let here = folder.path();
    fs::copy(here.join("report.json"), here.join("unsigned.json")).expect("copied");
    openssl(
        here,
        "pkeyutl -sign -inkey sign.key -rawin -in report.json -out report.json.sig",
    );
    let commands: [&[&str]; 4] = [
        &["report", "report.json"],
        &["diff", "report.json", "report.json"],
        &["explain", "no-answer", "--report", "report.json"],
        &[
            "plan",
            "site.yaml",
            "--format",
            "csv",
            "--missing",
            "report.json",
        ],
    ];
    for command in commands {
        let with = |command: &[&str], keys: &[&str]| {
            let keys = keys.iter().flat_map(|key| ["--verify", *key]);
            let all: Vec<&str> = command.iter().copied().chain(keys).collect();
            run(here, &all)
        };
        let believed = with(command, &["sign.pub"]);
        assert_eq!(believed.0, Some(0), "{command:?}: {}", believed.2);
        assert_eq!(believed.1, with(command, &[]).1, "{command:?}");
        assert_eq!(with(command, &["other.pub", "sign.pub"]).0, Some(0));
        let (status, out, err) = with(command, &["other.pub"]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{command:?}: {err}");
        assert!(err.contains("report.json is not to be believed"), "{err}");
        let unsigned: Vec<&str> = command
            .iter()
            .map(|word| {
                word.strip_prefix("report.json")
                    .map_or(*word, |_| "unsigned.json")
            })
            .collect();
        let (status, out, err) = with(&unsigned, &["sign.pub"]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{unsigned:?}: {err}");
        assert!(err.contains("unsigned.json is not signed"), "{err}");
    }
    // A key without anything to verify is a mistake.
    for alone in [
        &["explain", "no-answer", "--verify", "sign.pub"][..],
        &["plan", "site.yaml", "--verify", "sign.pub"],
    ] {
        let (status, _, err) = run(here, alone);
        assert_eq!(status, Some(2), "{alone:?}: {err}");
    }
}

#[test]
fn whoever_signs_a_run_that_goes_on_with_another_verifies_its_report() {
    let folder = folder();
    let here = folder.path();
    openssl(
        here,
        "pkeyutl -sign -inkey sign.key -rawin -in report.json -out report.json.sig",
    );
    let check = |more: &[&str]| {
        let resumed = ["check", "site.yaml", "--from", "internet"];
        let all: Vec<&str> = resumed.iter().chain(more).copied().collect();
        let (status, out, err) = run(here, &all);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{more:?}: {err}");
        assert!(!err.contains("about to try"), "{err}");
        err
    };
    let signed = [
        "--resume",
        "report.json",
        "--output",
        "out",
        "--sign",
        "sign.key",
    ];
    let err = check(&signed);
    assert!(
        err.contains("name the key that it must be signed with (--verify)"),
        "{err}"
    );
    let err = check(&["--resume", "report.json", "--verify", "other.pub"]);
    assert!(err.contains("report.json is not to be believed"), "{err}");
    // It is believed, and is no report to go on with.
    let err = check(&[&signed[..], &["--verify", "sign.pub"]].concat());
    assert!(
        err.contains("report.json holds no sweep that was interrupted"),
        "{err}"
    );
    let err = check(&["--verify", "sign.pub"]);
    assert!(err.contains("--resume"), "{err}");
}

#[cfg(unix)]
#[test]
fn what_the_environment_names_as_roots_is_bounded_too() {
    let folder = folder();
    for (named, said) in [
        (
            "/dev/zero",
            "it is a device, and only regular files are read",
        ),
        ("/", "it is a folder, and only regular files are read"),
    ] {
        let output = Command::new("timeout")
            .arg("10")
            .arg(assert_cmd::cargo::cargo_bin("portproof"))
            .current_dir(folder.path())
            .env("SSL_CERT_FILE", named)
            .args(["check", "site.yaml", "--from", "internet"])
            .output()
            .expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("SSL_CERT_FILE") && err.contains(said), "{err}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_may_read_brings_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let here = folder.path();
    let token = here.join("token");
    fs::write(&token, "5d0c1a7e93f24b68a1cc70e2\n").expect("written");
    let arguments = [
        "check",
        "site.yaml",
        "--from",
        "internet",
        "--token-file",
        "token",
    ];
    for (mode, warned) in [(0o600, false), (0o644, true), (0o640, true), (0o400, false)] {
        fs::set_permissions(&token, fs::Permissions::from_mode(mode)).expect("permissions");
        let (_, _, err) = run(here, &arguments);
        let said = err.contains("warning: others on this host may read the token file token");
        assert_eq!(said, warned, "{mode:o}: {err}");
        assert!(!err.contains("5d0c1a7e"), "the token is nobody's business");
    }
    // What the service manager lays down is kept by its folder.
    fs::set_permissions(&token, fs::Permissions::from_mode(0o440)).expect("permissions");
    let path = token.display().to_string();
    let output = Command::new(assert_cmd::cargo::cargo_bin("portproof"))
        .current_dir(here)
        .env("CREDENTIALS_DIRECTORY", here)
        .args(&arguments[..5])
        .arg(&path)
        .output()
        .expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!err.contains("may read"), "{err}");
    assert!(err.contains("vantage: zone internet"), "{err}");
}
