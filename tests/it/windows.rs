//! The Windows executable under wine: it says what the Linux one says, of the lab, of real sockets and of wrong files.
//!
//! Wine hands Windows programs Linux's sockets: what Windows itself says of refusals and silence is not shown here.
//! `scripts/build-windows --trial` builds the executable; that the sources have changed since, nothing here notices.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::ends::EndsWithTest;
use crate::support::{ports, schemas};
use serde_json::Value;
use tempfile::TempDir;

/// No run takes longer, and what does is ended.
const LONGEST: Duration = Duration::from_secs(120);

fn executable() -> PathBuf {
    let name = "target/trial/portproof.exe";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    assert!(
        path.exists(),
        "{name} is needed: scripts/build-windows --trial builds it, and so does scripts/test"
    );
    path
}

/// A Windows of its own for this run of the tests, gone with the last of them.
struct Windows {
    folder: TempDir,
}

impl Windows {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let windows = Self { folder };
        let begun = windows.command("wineboot").arg("--init").spawn();
        let begun = begun.expect("wine is needed: apt-get install wine wine64");
        assert!(ended(begun).success(), "wineboot failed");
        // In the session that made it, wine 8 finds no service that was added.
        windows.end();
        windows
    }

    /// Ends all that runs in it.
    fn end(&self) {
        let _ = self
            .command("wineserver")
            .args(["--kill", "--wait"])
            .status();
    }

    /// The one that other tests use at this moment, or a new one.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Windows>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let new = Arc::new(Self::new());
            *shared = Arc::downgrade(&new);
            new
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("WINEPREFIX", self.folder.path().join("prefix"))
            .env("WINEDEBUG", "-all")
            // Neither .NET nor a browser is asked for at the start.
            .env("WINEDLLOVERRIDES", "mscoree=;mshtml=")
            .env_remove("DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts the program in a folder; what it prints goes to files there, for wine's own processes keep pipes open.
    fn start(&self, folder: &Path, arguments: &[&str]) -> Child {
        let mut command = self.command("wine");
        command.arg(executable()).args(arguments);
        printing_into(folder, command)
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a run of a program ended with and printed.
#[derive(Debug)]
struct Ran {
    status: i32,
    out: String,
    err: String,
}

fn printing_into(folder: &Path, mut command: Command) -> Child {
    let file = |name| File::create(folder.join(name)).expect("a file");
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"))
        .spawn()
        .expect("the program, under wine: apt-get install wine wine64")
}

fn ended(mut child: Child) -> ExitStatus {
    let deadline = Instant::now() + LONGEST;
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("not ended within {LONGEST:?}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn ran(folder: &Path, child: Child) -> Ran {
    of(folder, ended(child)).unwrap_or_else(|why| panic!("{why}"))
}

/// # Errors
/// Where a signal ended it: a Windows program has none, so it was wine itself.
fn of(folder: &Path, status: ExitStatus) -> Result<Ran, String> {
    let text = |name| fs::read_to_string(folder.join(name)).expect("what it printed");
    let (out, err) = (text("stdout"), text("stderr"));
    match status.code() {
        Some(status) => Ok(Ran { status, out, err }),
        None => Err(format!("{status}: {err}")),
    }
}

/// The same command by the Windows executable and by the one that was built for this system.
fn both(files: &[(&str, &str)], arguments: &[&str]) -> [Ran; 2] {
    let folders = [(); 2].map(|()| TempDir::new().expect("a temporary folder"));
    for (name, text) in files {
        for folder in &folders {
            fs::write(folder.path().join(name), text).expect("written");
        }
    }
    let [there, here] = folders.each_ref().map(TempDir::path);
    let windows = Windows::shared();
    let under_wine = of(there, ended(windows.start(there, arguments)));
    // Seen once, while other builds had the machine; a second time it would be no accident.
    let under_wine = under_wine.unwrap_or_else(|_| ran(there, windows.start(there, arguments)));
    [under_wine, ran(here, native(here, arguments))]
}

fn report(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no report: {ran:?}"))
}

/// Verdict, cause and level of each flow.
fn verdicts(report: &Value) -> BTreeMap<String, [String; 3]> {
    let flows = report["flows"].as_array().expect("flows").iter();
    let word = |flow: &Value, key| flow[key].as_str().unwrap_or_default().to_string();
    let judged = flows.map(|flow| {
        let judged = ["verdict", "cause", "level"].map(|key| word(flow, key));
        (word(flow, "id"), judged)
    });
    judged.collect()
}

fn is_valid(report: &Value) {
    schemas::assert_valid("report", report);
}

#[test]
fn the_lab_has_the_same_verdicts_as_on_linux() {
    let [windows, linux] = both(&[], &["check", "--lab", "--format", "json"]);
    assert_eq!((windows.status, linux.status), (1, 1), "{}", windows.err);
    let seen = report(&windows);
    is_valid(&seen);
    let verdicts_there = verdicts(&seen);
    assert_eq!(verdicts_there, verdicts(&report(&linux)));
    assert!(verdicts_there.len() > 100, "{}", verdicts_there.len());
    assert!(
        windows.err.contains("this platform has no silent listener"),
        "{}",
        windows.err
    );
    assert!(!linux.err.contains("no silent listener"), "{}", linux.err);
    let host = |ran: &Ran| report(ran)["vantages"][0]["host"].clone();
    assert_eq!(
        host(&windows).as_str().map(str::to_lowercase),
        host(&linux).as_str().map(str::to_lowercase)
    );
}

#[test]
fn the_lab_in_words_names_the_five_faults() {
    let [windows, _] = both(&[], &["check", "--lab"]);
    assert_eq!(windows.status, 1, "{}", windows.err);
    for finding in [
        "EXPOSED internet>ibs01:3389/tcp  open",
        "WRONG internet>ibs01:80/tcp  not-http",
        "BLOCKED internet>ibs01:8443/tcp  no-answer",
        "DOWN internet>ibs01:8531/tcp  nobody-listens",
        "WRONG internet>ibs02:443/tcp  certificate-name",
    ] {
        assert!(windows.out.contains(finding), "{finding}: {}", windows.out);
    }
}

#[test]
fn a_healthy_lab_has_nothing_to_report() {
    let [windows, _] = both(&[], &["check", "--lab", "--healthy"]);
    assert_eq!(windows.status, 0, "{}{}", windows.out, windows.err);
    assert!(windows.out.contains("Nothing has to be done."));
}

#[test]
fn the_plan_is_the_same_to_the_byte() {
    let example = include_str!("../../probes.yaml");
    let files = [("probes.yaml", example)];
    for format in ["text", "json"] {
        let [windows, linux] = both(&files, &["plan", "probes.yaml", "--format", format]);
        assert_eq!(windows.status, 0, "{}", windows.err);
        assert!(windows.out.len() > 1_000, "{}", windows.out);
        assert_eq!(windows.out, linux.out, "{format}");
    }
}

#[test]
fn findings_in_a_file_of_a_windows_editor_stand_at_their_line_and_column() {
    let wrong = include_str!("../../probes.yaml").replace("zone: perimeter", "zone: perimetre");
    assert!(wrong.contains("perimetre"));
    let line = 1 + wrong
        .lines()
        .position(|line| line.contains("perimetre"))
        .expect("the fault");
    let as_notepad_writes = format!("\u{feff}{}", wrong.replace('\n', "\r\n"));
    let files = [("wrong.yaml", as_notepad_writes.as_str())];
    let [windows, linux] = both(&files, &["check", "wrong.yaml"]);
    assert_eq!((windows.status, linux.status), (2, 2));
    assert!(
        windows.err.contains(&format!("wrong.yaml:{line}:")),
        "{}",
        windows.err
    );
    assert_eq!(windows.err, linux.err);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let [windows, _] = both(&[], &["check", "nowhere.yaml"]);
    assert_eq!(windows.status, 2);
    assert!(windows.err.contains("nowhere.yaml"), "{}", windows.err);
}

/// A site with an open, a mute and a closed port of this host.
fn site(open: u16, closed: u16) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007 }}\n\
         zones:\n  outside: {{ networks: [\"198.51.100.0/24\"] }}\n  inside: {{ networks: [\"127.0.0.0/8\"] }}\n\
         systems:\n  here:\n    zone: inside\n    addresses: {{ default: 127.0.0.1 }}\n    roles: [dns]\n\
         flows:\n  - {{ from: outside, to: here, port: {open}, need: required, why: \"open\" }}\n  \
         - {{ from: outside, to: here, port: {closed}, need: required, why: \"closed\" }}\n\
         probing: {{ second_look: off, sweep: none, rate: max }}\n"
    )
}

#[test]
fn open_and_closed_ports_of_this_host_are_told_apart_with_both_ends_in_the_evidence() {
    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let open_port = open.local_addr().expect("an address").port();
    let closed = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let closed_port = closed.local_addr().expect("an address").port();
    drop(closed);
    let text = site(open_port, closed_port);
    let arguments = [
        "check",
        "site.yaml",
        "--from",
        "outside",
        "--format",
        "json",
    ];
    let [windows, linux] = both(&[("site.yaml", text.as_str())], &arguments);
    assert_eq!(windows.status, 1, "{windows:?}");
    let seen = report(&windows);
    is_valid(&seen);
    let judged = verdicts(&seen);
    let of = |port: u16| judged[&format!("outside>here:{port}/tcp")].clone();
    assert_eq!(of(open_port)[..2], ["ok", "answered"]);
    assert_eq!(of(closed_port)[..2], ["down", "nobody-listens"]);
    assert_eq!(judged, verdicts(&report(&linux)));
    for flow in seen["flows"].as_array().expect("flows") {
        for attempt in flow["evidence"]["attempts"].as_array().expect("attempts") {
            let local = attempt["local"].as_str().unwrap_or_default();
            assert!(local.starts_with("127.0.0.1:"), "{attempt}");
        }
    }
}

#[test]
fn ctrl_c_ends_a_run_and_the_report_is_written() {
    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = open.local_addr().expect("an address").port();
    // A thousand ports, one a second.
    let text = site(port, 9).replace(
        "sweep: none, rate: max",
        "sweep: \"20000-21000\", authorised: \"the test\", rate: 1/s",
    );
    let folder = TempDir::new().expect("a temporary folder");
    fs::write(folder.path().join("site.yaml"), text).expect("written");
    let windows = Windows::shared();
    let arguments = [
        "check",
        "site.yaml",
        "--from",
        "outside",
        "--format",
        "json",
        "--output",
        "report.json",
    ];
    let child = windows.start(folder.path(), &arguments);
    until_said(folder.path(), "about to try");
    thread::sleep(Duration::from_secs(2));
    let pressed = Instant::now();
    press_ctrl_c(&child);
    let ran = ran(folder.path(), child);
    assert!(
        pressed.elapsed() < Duration::from_secs(10),
        "{:?}",
        pressed.elapsed()
    );
    let written = fs::read_to_string(folder.path().join("report.json")).expect("a report");
    let seen: Value = serde_json::from_str(&written).expect("JSON");
    is_valid(&seen);
    assert_ne!(ran.status, 0, "{ran:?}");
}

/// A site whose system is this host, with ports to stand in for.
fn listened_site([tcp, https, udp]: [u16; 3]) -> String {
    format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}\n\
         zones:\n  internet: {{ networks: [\"127.0.0.0/8\"] }}\n  perimeter: {{ networks: [\"192.0.2.0/24\"] }}\n\
         systems:\n  web: {{ zone: perimeter, addresses: {{ default: 127.0.0.1 }}, roles: [console] }}\n\
         probing: {{ second_look: off, timeout: 1s, rate: max, sweep: none }}\n\
         flows:\n  - {{ from: internet, to: web, port: {tcp}, need: required }}\n  - {{ from: internet, to: web, port: {https}, protocol: https, need: required }}\n  \
         - {{ from: internet, to: web, port: {udp}, transport: udp, need: required }}\n"
    )
}

/// Waits until a program that prints into a folder has said something.
fn until_said(folder: &Path, words: &str) {
    let deadline = Instant::now() + LONGEST;
    let said = || fs::read_to_string(folder.join("stderr")).unwrap_or_default();
    while !said().contains(words) {
        assert!(Instant::now() < deadline, "no {words:?} in: {}", said());
        thread::sleep(Duration::from_millis(50));
    }
}

fn press_ctrl_c(child: &Child) {
    // Wine gives its programs a Ctrl-C for an interrupt.
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill").success());
}

fn native(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portproof"));
    command.args(arguments);
    printing_into(folder, command)
}

#[test]
fn it_listens_and_checks_with_itself_and_with_the_linux_program() {
    let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").expect("loopback"));
    let ports = held
        .each_ref()
        .map(|socket| socket.local_addr().expect("an address").port());
    drop(held);
    let folders = [(); 3].map(|()| TempDir::new().expect("a temporary folder"));
    for folder in &folders {
        fs::write(folder.path().join("site.yaml"), listened_site(ports)).expect("written");
        // As an editor of Windows ends its lines.
        fs::write(
            folder.path().join("token"),
            "a token that both sides share\r\n",
        )
        .expect("written");
    }
    let [there, here, listening] = folders.each_ref().map(TempDir::path);
    let listen = [
        "listen",
        "site.yaml",
        "--as",
        "web",
        "--token-file",
        "token",
        "--for",
        "5m",
        "--log",
        "log.json",
    ];
    let check = [
        "check",
        "site.yaml",
        "--from",
        "internet",
        "--token-file",
        "token",
        "--format",
        "json",
    ];
    let windows = Windows::shared();

    let proves_all = |checked: &Ran| {
        let seen = report(checked);
        is_valid(&seen);
        let judged = verdicts(&seen);
        for (port, transport) in ports.iter().zip(["tcp", "tcp", "udp"]) {
            let flow = &judged[&format!("internet>web:{port}/{transport}")];
            assert_eq!(flow[..2], ["ok", "listener-answered"], "{port}/{transport}");
        }
        assert_eq!(checked.status, 0, "{}", checked.err);
    };

    let listener = windows.start(listening, &listen);
    until_said(listening, "standing in for web");
    let under_wine = ran(there, windows.start(there, &check));
    proves_all(&under_wine);
    assert!(!under_wine.err.contains("are traced"), "{}", under_wine.err);
    let on_linux = ran(here, native(here, &check));
    proves_all(&on_linux);
    assert!(on_linux.err.contains("are traced"), "{}", on_linux.err);
    press_ctrl_c(&listener);
    let ended = ran(listening, listener);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.err.contains("6 proved"), "{}", ended.err);
    let log = fs::read_to_string(listening.join("log.json")).expect("a log");
    assert_eq!(log.matches("\"proved\"").count(), 6, "{log}");

    let listener = native(listening, &listen);
    until_said(listening, "standing in for web");
    proves_all(&ran(there, windows.start(there, &check)));
    press_ctrl_c(&listener);
    assert_eq!(ran(listening, listener).status, 0);
}

/// DLLs of Windows 7 and Windows Server 2008 R2.
const OLD_ENOUGH: [&str; 12] = [
    "advapi32.dll",
    "bcrypt.dll",
    "crypt32.dll",
    "iphlpapi.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ncrypt.dll",
    "ntdll.dll",
    "secur32.dll",
    "user32.dll",
    "userenv.dll",
    "ws2_32.dll",
];

/// Functions of Windows 8 and later that Rust programs ask for, in DLLs that Windows 7 has as well.
const TOO_NEW: [&str; 4] = [
    "GetSystemTimePreciseAsFileTime",
    "GetHostNameW",
    "SetThreadDescription",
    "GetTempPath2W",
];

/// What a program of Windows itself says of a command to the service manager.
fn managed(windows: &Windows, arguments: &[&str]) -> Ran {
    let folder = TempDir::new().expect("a temporary folder");
    let mut command = windows.command("wine");
    command.args(arguments);
    let begun = printing_into(folder.path(), command);
    ran(folder.path(), begun)
}

/// Wine ends its services with the last program that is none. This one goes on.
fn no_service(windows: &Windows) -> EndsWithTest {
    let mut command = windows.command("wine");
    let waits = command.arg("cmd").stdin(Stdio::piped()).spawn();
    EndsWithTest(waits.expect("wine is needed: apt-get install wine wine64"))
}

/// A path of this system, as a program under wine names it.
fn as_windows_names(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}

#[test]
fn as_a_service_it_begins_and_stops_when_its_manager_says_so() {
    let (windows, folder) = (Windows::shared(), TempDir::new().expect("a folder"));
    let file = |name: &str| folder.path().join(name);
    let open = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = open.local_addr().expect("an address").port();
    let site = site(port, ports::free(Ipv4Addr::LOCALHOST).port());
    fs::write(file("probes.yaml"), site).expect("written");
    fs::write(
        file("serve.yaml"),
        "history: runs\nchecks: { pri: { site: probes.yaml, from: outside, force_vantage: true, every: 2s, jitter: 1ms } }\n",
    )
    .expect("written");
    let [serve, log] = [file("serve.yaml"), file("serve.log")].map(|path| as_windows_names(&path));
    let words = ["serve", &serve, "--service", "--log", &log];

    // Whoever types the command learns who it is for.
    let child = windows.start(folder.path(), &words);
    assert_eq!(ran(folder.path(), child).status, 2);
    let said = fs::read_to_string(file("serve.log")).expect("text");
    assert!(said.contains("sc.exe start NAME"), "{said}");

    serves_its_manager(&windows, "portproof", &words, &file("serve.log"), "run 2: ");
    let listed = native(folder.path(), &["history", "--keep", "runs"]);
    let listed = ran(folder.path(), listed);
    assert!(
        listed.status == 0 && listed.out.contains("outside"),
        "{listed:?}"
    );
}

/// Registers the program as a service, and starts it. Waits until its log has some words, and stops it.
fn serves_its_manager(
    windows: &Windows,
    name: &str,
    arguments: &[&str],
    log: &Path,
    awaited: &str,
) {
    let line = format!(
        "\"{}\" {}",
        as_windows_names(&executable()),
        arguments.join(" ")
    );
    let _goes_on = no_service(windows);
    let well = |arguments: &[&str]| {
        let ended = managed(windows, arguments);
        assert_eq!(ended.status, 0, "{arguments:?}: {ended:?}");
    };
    let until = |words: &str| {
        let deadline = Instant::now() + LONGEST;
        loop {
            let said = fs::read_to_string(log).unwrap_or_default();
            if said.contains(words) {
                return;
            }
            assert!(Instant::now() < deadline, "{words}: {said}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    well(&["sc", "create", name, "binPath=", &line]);
    // It waits until the service says that it has begun.
    well(&["net", "start", name]);
    until(awaited);
    // It waits until the service says that it has stopped.
    well(&["net", "stop", name]);
    until("stopping: ");
    well(&["sc", "delete", name]);
}

#[test]
fn an_agent_as_a_service_waits_for_its_server_and_stops_when_its_manager_says_so() {
    let (windows, folder) = (Windows::shared(), TempDir::new().expect("a folder"));
    let nobody = ports::free(Ipv4Addr::LOCALHOST);
    let write = [
        "agent",
        "--write-server-config",
        "fleet",
        "--server",
        "127.0.0.1",
        "--agent=outside=internet",
    ];
    let written = ran(folder.path(), native(folder.path(), &write));
    assert_eq!(written.status, 0, "{written:?}");
    let file = |name: &str| folder.path().join("fleet/agent-outside").join(name);
    let agent = fs::read_to_string(file("agent.yaml")).expect("text");
    let agent = agent.replace("127.0.0.1:4222", &nobody.to_string());
    fs::write(file("agent.yaml"), agent).expect("written");
    let [agent, log] = [file("agent.yaml"), file("log")].map(|path| as_windows_names(&path));
    let words = ["agent", &agent, "--service", "--log", &log];
    serves_its_manager(
        &windows,
        "portproof-agent",
        &words,
        &file("log"),
        "the NATS server is not reached: ",
    );
}

#[test]
fn it_asks_for_nothing_that_windows_7_has_not() {
    let said = Command::new("x86_64-w64-mingw32-objdump")
        .arg("--private-headers")
        .arg(executable())
        .output();
    let said =
        said.expect("x86_64-w64-mingw32-objdump is needed: apt-get install gcc-mingw-w64-x86-64");
    let said = String::from_utf8_lossy(&said.stdout);
    let libraries: Vec<String> = said
        .lines()
        .filter_map(|line| line.trim().strip_prefix("DLL Name: "))
        .map(str::to_lowercase)
        .collect();
    assert!(
        libraries.contains(&"ws2_32.dll".to_string()),
        "{libraries:?}"
    );
    for library in &libraries {
        assert!(OLD_ENOUGH.contains(&library.as_str()), "{library}");
    }
    for function in TOO_NEW {
        assert!(!said.contains(function), "{function}");
    }
}

/// What PowerShell 5 could not read would be noticed on Windows only.
#[test]
fn the_script_that_registers_the_daily_check_is_powershell() {
    let script = include_str!("../../contrib/scheduled-task.ps1");
    let mut parser = tree_sitter::Parser::new();
    let language = tree_sitter_powershell::LANGUAGE.into();
    parser.set_language(&language).expect("the grammar");
    let tree = parser.parse(script, None).expect("a tree");
    assert!(!tree.root_node().has_error(), "{}", tree.root_node());
}

#[test]
fn the_daily_check_leaves_what_its_own_run_said() {
    let folder = TempDir::new().expect("a temporary folder");
    let folder = folder.path();
    let batch = include_str!("../../contrib/daily-check.cmd");
    let ends = |end| batch.matches(end).count();
    assert_eq!(ends("\n"), ends("\r\n"), "cmd loses its place elsewhere");
    fs::create_dir_all(folder.join("data/portproof/reports")).expect("a folder");
    fs::create_dir(folder.join("program (x86)")).expect("a folder");
    fs::write(folder.join("program (x86)/daily-check.cmd"), batch).expect("written");
    fs::copy(executable(), folder.join("program (x86)/portproof.exe")).expect("copied");
    // The command line that scheduled-task.ps1 gives the task.
    let here = format!("Z:{}", folder.display().to_string().replace('/', "\\"));
    let task = format!(
        "@set \"ProgramData={here}\\data\"\r\n\
         @%SystemRoot%\\System32\\cmd.exe /d /c \"\"{here}\\program (x86)\\daily-check.cmd\" \
         --notify-on change --from outside --no-path\"\r\n\
         @exit /b %ERRORLEVEL%\r\n"
    );
    fs::write(folder.join("task.cmd"), task).expect("written");
    let last = folder.join("data/portproof/reports/last.txt");
    let windows = Windows::shared();
    let run = |file: &str| {
        fs::write(folder.join("data/portproof/probes.yaml"), file).expect("written");
        let mut cmd = windows.command("wine");
        cmd.args(["cmd", "/d", "/c", "task.cmd"]);
        let ran = ran(folder, printing_into(folder, cmd));
        let said = fs::read_to_string(&last).expect("what it said");
        assert!(said.starts_with("portproof on "), "{said}");
        let ended = said.lines().last().unwrap_or_default().to_string();
        assert!(
            ended.starts_with(&format!("Exit status {} on ", ran.status)),
            "{said}"
        );
        (ran.status, said)
    };

    let open = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = open.local_addr().expect("an address").port();
    let closed = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let closed_port = closed.local_addr().expect("an address").port();
    let (status, said) = run(&site(port, closed_port));
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("Nothing is wrong, and no earlier run"),
        "{said}"
    );
    assert!(said.contains("with --notify-on nothing changed"), "{said}");

    let (status, said) = run("site: { code: PRI");
    assert_eq!(status, 2, "{said}");
    assert!(!said.contains("Nothing has to be done."), "{said}");
    assert!(said.contains("error[not-yaml]"), "{said}");
    assert!(said.contains(": no report: "), "{said}");

    drop(closed);
    let (status, said) = run(&site(port, closed_port));
    assert_eq!(status, 4, "{said}");
    for part in [
        "The run before this one had no report.",
        "1 worse, ",
        &format!("DOWN outside>here:{closed_port}/tcp"),
        ": something changed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("not-yaml"), "{said}");

    let (status, said) = run(&site(port, closed_port));
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("Nothing has changed since run "), "{said}");

    fs::remove_file(folder.join("program (x86)/portproof.exe")).expect("removed");
    let (status, said) = run(&site(port, closed_port));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("portproof.exe is not there"), "{said}");
}

/// `openssl s_server` that speaks TLS 1.0 alone, at a port of its own.
struct OldServer {
    child: Child,
    port: u16,
}

impl OldServer {
    fn start(folder: &Path) -> Self {
        let address = ports::free(Ipv4Addr::LOCALHOST);
        let child = Command::new("openssl")
            .args([
                "s_server",
                "-www",
                "-tls1",
                "-cipher",
                "AES128-SHA@SECLEVEL=0",
            ])
            .args(["-cert", "server.pem", "-key", "server.key", "-accept"])
            .arg(address.to_string())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is needed: scripts/test installs it");
        let server = Self {
            child,
            port: address.port(),
        };
        let deadline = Instant::now() + LONGEST;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "s_server does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_that_speaks_only_tls_1_0_answers_the_windows_executable_too() {
    let folder = TempDir::new().expect("a temporary folder");
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "300",
        ])
        .args([
            "-keyout",
            "server.key",
            "-out",
            "server.pem",
            "-subj",
            "/CN=old",
        ])
        .args(["-addext", "subjectAltName=DNS:old.example.com"])
        .current_dir(folder.path())
        .output();
    assert!(made.expect("openssl is needed").status.success());
    let root = fs::read_to_string(folder.path().join("server.pem")).expect("a certificate");
    let server = OldServer::start(folder.path());
    let port = server.port;
    let text = format!(
        "site: {{ code: PRI, product: configmgr-2007, crl_check: false }}\n\
         zones:\n  outside: {{ networks: [\"198.51.100.0/24\"] }}\n  inside: {{ networks: [\"127.0.0.0/8\"] }}\n\
         systems:\n  old:\n    zone: inside\n    names: {{ default: old.example.com }}\n    \
         addresses: {{ default: 127.0.0.1 }}\n    roles: [dns]\n\
         flows: [{{ from: outside, to: old, port: {port}, protocol: https, need: required, why: \"old\" }}]\n\
         tls: {{ roots: [server.pem] }}\n\
         probing: {{ second_look: off, sweep: none, dns: off, rate: max }}\n"
    );
    let files = [("site.yaml", text.as_str()), ("server.pem", root.as_str())];
    let arguments = [
        "check",
        "site.yaml",
        "--from",
        "outside",
        "--format",
        "json",
    ];
    for ran in both(&files, &arguments) {
        let report = report(&ran);
        is_valid(&report);
        let flows = report["flows"].as_array().expect("flows");
        let id = format!("outside>old:{port}/tcp");
        let flow = flows.iter().find(|flow| flow["id"] == *id);
        let flow = flow.unwrap_or_else(|| panic!("{report:#}"));
        assert_eq!(flow["verdict"], "ok", "{flow:#}");
        assert_eq!(flow["evidence"]["tls"]["version"], "TLSv1.0", "{flow:#}");
    }
}
