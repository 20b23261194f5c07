//! A module imports only modules that stand above it in `src/lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn modules() -> Vec<String> {
    let story = fs::read_to_string("src/lib.rs").expect("src/lib.rs");
    let names = story.lines().filter_map(|line| {
        line.strip_prefix("pub mod ")
            .or_else(|| line.strip_prefix("mod "))?
            .strip_suffix(';')
    });
    names.map(str::to_string).collect()
}

fn module_of(path: &Path) -> String {
    let first = path
        .strip_prefix("src")
        .expect("below src")
        .components()
        .next()
        .expect("a name");
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_string()
}

#[test]
fn imports_go_one_way() {
    let order = modules();
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    let mut checked = 0;
    for path in files
        .iter()
        .filter(|path| !path.ends_with("lib.rs") && !path.ends_with("main.rs"))
    {
        let own = module_of(path);
        let place = order
            .iter()
            .position(|name| *name == own)
            .unwrap_or_else(|| panic!("{own} is not in src/lib.rs"));
        let text = fs::read_to_string(path).expect("a source file");
        for (number, other) in order
            .iter()
            .enumerate()
            .filter(|(number, _)| *number > place)
        {
            for form in [
                format!("crate::{other}::"),
                format!("crate::{other};"),
                format!("use crate::{other} "),
            ] {
                assert!(
                    !text.contains(&form),
                    "{} ({place}) uses {other} ({number})",
                    path.display()
                );
            }
        }
        checked += 1;
    }
    assert!(checked > 30, "only {checked} files were checked");
}

#[test]
fn pure_stages_use_no_sockets_files_or_clocks() {
    for module in [
        "diagnostic.rs",
        "yaml",
        "catalogue",
        "config",
        "site",
        "plan",
        "change",
        "observation",
        "attribution",
        "verdict",
        "report",
        "rules",
        "explain",
    ] {
        let mut files = Vec::new();
        let path = Path::new("src").join(module);
        if path.is_dir() {
            rust_files(&path, &mut files)
        } else {
            files.push(path)
        }
        for path in files {
            let text = fs::read_to_string(&path).expect("a source file");
            for word in [
                "tokio",
                "std::fs",
                "Timestamp::now",
                "Instant::now",
                "TcpStream",
                "println!",
            ] {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}
