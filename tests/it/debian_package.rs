//! The Debian package: it is built of this build, as lintian wants it, and installed where nothing of it stays.
//!
//! It is installed over this system's own files in a mount namespace: what is written goes to memory and ends with the
//! test. Needs root.

mod every_day;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

fn run(mut command: Command, needs: &str) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{needs} is needed, scripts/test installs it: {error}"))
}

fn words(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

/// The package, built once for all tests.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<PathBuf> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut build = Command::new(root.join("scripts/package-deb"));
        build.arg(env!("CARGO_BIN_EXE_portproof"));
        let built = run(build, "scripts/package-deb");
        assert!(built.status.success(), "{}", words(&built));
        let folder = root.join("target/deb");
        let name = |path: &PathBuf| path.extension().is_some_and(|it| it == "deb");
        let files = std::fs::read_dir(folder).expect("target/deb").flatten();
        let mut packages = files.map(|file| file.path()).filter(name);
        let package = packages.next().expect("a package");
        assert_eq!(packages.next(), None, "one package");
        package
    })
}

/// Runs a script in a copy of this system that has the package.
fn installed(script: &str) -> String {
    const AROUND: &str = r#"
        set -e
        over=$3
        mount -t tmpfs none "$over"
        mkdir "$over/written" "$over/work" "$over/root"
        mount -t overlay none -o "lowerdir=/,upperdir=$over/written,workdir=$over/work" "$over/root"
        mount -t proc none "$over/root/proc"
        mount --rbind /dev "$over/root/dev"
        cp "$1" "$over/root/portproof.deb"
        printf 'set -e; cd /; dpkg --no-triggers --install /portproof.deb >/dev/null\n%s\n' "$2" >"$over/root/script"
        exec chroot "$over/root" bash /script
    "#;
    let over = tempfile::tempdir().expect("a temporary folder");
    let mut unshare = Command::new("unshare");
    unshare
        .args([
            "--mount",
            "--propagation",
            "private",
            "bash",
            "-c",
            AROUND,
            "installed",
        ])
        .arg(package())
        .arg(script)
        .arg(over.path());
    let output = run(unshare, "unshare");
    assert!(output.status.success(), "{script}: {}", words(&output));
    words(&output)
}

#[test]
fn lintian_finds_nothing() {
    let mut lintian = Command::new("lintian");
    lintian
        .args(["--allow-root", "--fail-on", "error,warning"])
        .arg(package());
    let said = run(lintian, "lintian");
    assert!(said.status.success(), "{}", words(&said));
}

#[test]
fn it_installs_runs_for_nobody_and_goes_without_a_trace() {
    let said = installed(
        "portproof --version; cd /usr/share/doc/portproof/examples; for site in {.,*}/probes.yaml; do \
         portproof plan $site | head -1; done; cd /; setpriv --reuid 65534 --regid 65534 --clear-groups portproof check --lab --healthy | \
         grep blocked; dpkg --listfiles portproof >/files; mkdir -p /var/lib/private/portproof; ln -s \
         private/portproof /var/lib/portproof; touch /var/lib/portproof/history.sqlite; echo \
         /var/lib/private/portproof/history.sqlite >>/files; dpkg --purge portproof >/dev/null; \
         while read -r file; do [ -d $file ] || [ ! -e $file ] || echo left: $file; done </files; \
         [ -e /usr/bin/portproof ] || [ -L /var/lib/portproof ] || echo gone",
    );
    assert!(
        said.starts_with(concat!("portproof ", env!("CARGO_PKG_VERSION"), "\n")),
        "{said}"
    );
    let examples = fs::read_dir("examples").expect("the examples");
    let shapes = examples.filter(|it| it.as_ref().is_ok_and(|it| it.path().is_dir()));
    assert_eq!(
        said.matches("\nSite ").count(),
        shapes.count() + 1,
        "{said}"
    );
    assert!(said.contains(" 0 blocked, 0 down, 0 wrong"), "{said}");
    assert!(said.contains("gone\n"), "{said}");
    assert!(!said.contains("left:"), "{said}");
}

#[test]
fn every_command_has_a_page_that_man_renders() {
    let mut help = Command::new(env!("CARGO_BIN_EXE_portproof"));
    help.arg("--help");
    let help = words(&run(help, "the program"));
    let commands = help
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .expect("commands");
    let commands: Vec<&str> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 5, "{commands:?}");
    let pages = installed(&format!(
        "export MANWIDTH=100; for command in {}; do man --warnings --no-justification \
         portproof-$command; echo =====; done; man portproof",
        commands.join(" ")
    ));
    assert!(!pages.contains("warning:"), "{pages}");
    let pages: Vec<&str> = pages.split("=====\n").collect();
    assert_eq!(pages.len(), commands.len() + 1);
    for (page, command) in pages.iter().zip(commands) {
        for part in [
            "NAME",
            &format!("portproof-{command} - "),
            "SYNOPSIS",
            "DESCRIPTION",
            "portproof(1)",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
    let page = pages.last().expect("the program's own page");
    for part in [
        "EXAMPLES",
        "\n       portproof check --lab",
        "EXIT STATUS",
        "portproof-check(1)",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn the_shells_complete_commands_and_options() {
    let said = installed(
        r#"
source /usr/share/bash-completion/completions/portproof
COMP_WORDS=(portproof che) COMP_CWORD=1
_portproof portproof che portproof
echo bash: ${COMPREPLY[@]}
echo fish: $(fish --command 'complete --do-complete "portproof check --hea"')
zsh -f -c '
  fpath=(/usr/share/zsh/vendor-completions $fpath)
  autoload -U compinit && compinit -u -D
  print zsh: $_comps[portproof]
  autoload +X _portproof && functions _portproof | grep -c -e --healthy'
zsh -n /usr/share/zsh/vendor-completions/_portproof
"#,
    );
    for shell in ["bash: check\n", "fish: --healthy ", "zsh: _portproof\n"] {
        assert!(said.contains(shell), "{shell}: {said}");
    }
}

#[test]
fn its_units_start_what_it_installs_and_the_timer_is_off() {
    let said = installed(
        "cat /lib/systemd/system/portproof.service; find /lib/systemd/system /etc/systemd/system \
         | grep portproof",
    );
    assert!(
        said.contains("ExecStart=/usr/bin/portproof check "),
        "{said}"
    );
    assert!(!said.contains("/usr/local"), "{said}");
    for unit in [
        "/portproof.service\n",
        "/portproof.timer\n",
        "/portproof-mail@.service\n",
        "/portproof-serve.service\n",
        "/portproof-agent.service\n",
    ] {
        // Enabled, it would be in a folder of its target as well.
        assert_eq!(said.matches(unit).count(), 1, "{unit}: {said}");
    }
}
