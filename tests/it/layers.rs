//! How the files of `src` depend on each other, read from their syntax. Imports go one way between modules, and no
//! files stand in a circle. Pure stages call nothing that is not.
//!
//! Every path of a file's code is followed to the file that declares the item: through `use`, and through what a module
//! passes on (`pub use`). Tests inside of `src` are left out. What a method call leads to is not known.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, Macro, UseTree, Visibility};

/// The segments of a path, from `crate` or from the name of another crate.
type Names = Vec<String>;

/// Of each file the files that it uses, with the names that it uses them by.
type Edges<'a> = BTreeMap<&'a Names, BTreeMap<&'a Names, BTreeSet<String>>>;

/// A file of `src`, or one of the snippets of a test.
#[derive(Default)]
struct Module {
    /// Modules inside of it, as it declares them.
    children: Vec<String>,
    /// What it calls by a name of its own, and the path that it imports or passes on by it.
    names: BTreeMap<String, Names>,
    /// Modules of which it takes every name.
    globs: Vec<Names>,
    /// Every path that its code uses.
    used: BTreeSet<Names>,
}

/// Every module of a crate by its path.
struct Crate(BTreeMap<Names, Module>);

impl Crate {
    fn read(root: &Path) -> Self {
        let mut all = Self(BTreeMap::new());
        let source = |path: &[String]| {
            let file = path[1..]
                .iter()
                .fold(root.to_path_buf(), |at, name| at.join(name));
            let candidates = match path.len() {
                1 => vec![root.join("lib.rs")],
                _ => vec![file.with_extension("rs"), file.join("mod.rs")],
            };
            let found = candidates
                .iter()
                .find_map(|file| fs::read_to_string(file).ok());
            found.unwrap_or_else(|| panic!("{candidates:?}"))
        };
        all.add(vec!["crate".to_string()], &source);
        all
    }

    /// Of snippets, each with the path of its module.
    fn of(snippets: &[(&str, &str)]) -> Self {
        let mut all = Self(BTreeMap::new());
        let source = |path: &[String]| {
            let path = path.join("::");
            let found = snippets.iter().find(|(module, _)| *module == path);
            found
                .map(|(_, text)| text.to_string())
                .expect("a snippet for each module")
        };
        all.add(vec!["crate".to_string()], &source);
        all
    }

    fn add(&mut self, path: Names, source: &dyn Fn(&[String]) -> String) {
        let syntax = syn::parse_file(&source(&path)).expect("Rust");
        let mut reader = Reader::default();
        reader.visit_file(&syntax);
        let module = reader.module;
        for child in &module.children {
            self.add(joined(&path, child), source);
        }
        self.0.insert(path, module);
    }

    /// A path of a module's code from the root of a crate on.
    fn whole(&self, module: &[String], path: &[String]) -> Names {
        let (first, rest) = path.split_first().expect("a path has a segment");
        match self.0[module].names.get(first) {
            Some(import) => self.imported(module, import, rest),
            None => self.imported(module, std::slice::from_ref(first), rest),
        }
    }

    /// The same, of what stands in a `use`, and what follows on it.
    fn imported(&self, module: &[String], import: &[String], rest: &[String]) -> Names {
        let mut whole = Names::new();
        for (number, name) in import.iter().chain(rest).enumerate() {
            match name.as_str() {
                "self" | "super" if number == 0 => whole = module.to_vec(),
                name if number == 0 && self.0[module].children.iter().any(|it| it == name) => {
                    whole = joined(module, name);
                }
                name if name != "super" => whole.push(name.to_string()),
                _ => {}
            }
            if name == "super" {
                whole.pop();
            }
        }
        whole
    }

    /// The module that declares what a whole path names; `None` outside of the crate.
    fn declares(&self, path: &[String]) -> Option<&Names> {
        let mut path = path.to_vec();
        // Names are passed on a few times at most.
        for _ in 0..8 {
            let length = (1..=path.len())
                .rev()
                .find(|&it| self.0.contains_key(&path[..it]))?;
            let (at, rest) = path.split_at(length);
            let (at, module) = self.0.get_key_value(at)?;
            let Some((name, rest)) = rest.split_first() else {
                return Some(at);
            };
            let Some(passed_on) = module.names.get(name) else {
                return Some(at);
            };
            path = self.imported(at, passed_on, rest);
        }
        None
    }

    /// The files that each file uses, and what of them.
    fn edges(&self) -> Edges<'_> {
        let mut edges = Edges::new();
        for (path, module) in &self.0 {
            let of_file: &mut BTreeMap<&Names, BTreeSet<String>> = edges.entry(path).or_default();
            for used in module.used.iter().chain(&module.globs) {
                let whole = self.whole(path, used);
                if let Some(file) = self.declares(&whole).filter(|file| *file != path) {
                    of_file.entry(file).or_default().insert(whole.join("::"));
                }
            }
        }
        edges
    }

    /// What files use of each other that stand in a circle. A folder's own file is no part of one: it is the face of the
    /// folder, and what stands inside may use what it declares.
    fn circles(&self) -> Vec<String> {
        let mut edges = self.edges();
        for (file, used) in &mut edges {
            used.retain(|other, _| !file.starts_with(other) && !other.starts_with(file));
        }
        let reached: BTreeMap<_, _> = edges
            .keys()
            .map(|file| (*file, reached(&edges, file)))
            .collect();
        let mut circles = Vec::new();
        for (file, used) in &edges {
            for (other, names) in used
                .iter()
                .filter(|(other, _)| reached[*other].contains(file))
            {
                circles.push(format!(
                    "{} uses {names:?} of {}",
                    file.join("::"),
                    other.join("::")
                ));
            }
        }
        circles
    }

    /// Imports of modules that stand below the importing one.
    fn backwards(&self) -> Vec<String> {
        let order = &self.0[&["crate".to_string()][..]].children;
        let place = |path: &Names| order.iter().position(|name| Some(name) == path.get(1));
        let edges = self.edges();
        let pairs = edges
            .iter()
            .flat_map(|(from, to)| to.keys().map(move |to| (*from, *to)));
        pairs
            .filter(|(from, to)| from.len() > 1 && place(from) < place(to))
            .map(|(from, to)| format!("{} uses {}", from.join("::"), to.join("::")))
            .collect()
    }

    /// What the files of these modules use that reaches out of the program.
    fn impure(&self, modules: &[&str]) -> Vec<String> {
        let is_named = |path: &Names| {
            let path = path[1..].join("::");
            let within =
                |module: &&str| path == **module || path.starts_with(&format!("{module}::"));
            modules.iter().any(within)
        };
        let pure = self.0.iter().filter(|(path, _)| is_named(path));
        let used = pure.flat_map(|(path, module)| module.used.iter().map(move |used| (path, used)));
        used.map(|(path, used)| (path, self.whole(path, used).join("::")))
            .filter(|(_, used)| reaches_out(used))
            .map(|(path, used)| format!("{} uses {used}", path.join("::")))
            .collect()
    }
}

fn joined(path: &[String], name: &str) -> Names {
    path.iter().cloned().chain([name.to_string()]).collect()
}

fn reached<'a>(edges: &Edges<'a>, from: &Names) -> BTreeSet<&'a Names> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Names> = edges[from].keys().copied().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(edges[next].keys());
        }
    }
    reached
}

/// Sockets, files, clocks, processes, threads, the environment, and printing.
fn reaches_out(path: &str) -> bool {
    const CRATES: [&str; 10] = [
        "tokio",
        "socket2",
        "nix",
        "windows_sys",
        "if_addrs",
        "dns_lookup",
        "tempfile",
        "rustls_native_certs",
        "indicatif",
        "ureq",
    ];
    const MODULES: [&str; 7] = [
        "std::fs",
        "std::process",
        "std::env",
        "std::thread",
        "std::os",
        "std::io::std",
        "lettre::transport",
    ];
    const SOCKETS: [&str; 4] = ["Tcp", "Udp", "ToSocketAddrs", "Incoming"];
    const MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
    let (first, _) = path.split_once("::").unwrap_or((path, ""));
    let net = path.strip_prefix("std::net::");
    CRATES.contains(&first)
        || MACROS.contains(&path)
        || MODULES.iter().any(|module| path.starts_with(module))
        || net.is_some_and(|name| SOCKETS.iter().any(|socket| name.starts_with(socket)))
        || (path.ends_with("::now") && !path.starts_with("crate::"))
}

/// Reads the code of one file.
#[derive(Default)]
struct Reader {
    module: Module,
}

impl Reader {
    /// Takes in what a `use` names; what is only passed on is no use of it.
    fn import(&mut self, before: &Names, tree: &UseTree, is_passed_on: bool) {
        let (name, whole) = match tree {
            UseTree::Path(path) => {
                let before = joined(before, &path.ident.to_string());
                return self.import(&before, &path.tree, is_passed_on);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(before, tree, is_passed_on);
                }
                return;
            }
            UseTree::Glob(_) => return self.module.globs.push(before.clone()),
            UseTree::Name(name) if name.ident == "self" => {
                (before.last().cloned().unwrap_or_default(), before.clone())
            }
            UseTree::Name(name) => (
                name.ident.to_string(),
                joined(before, &name.ident.to_string()),
            ),
            UseTree::Rename(rename) => (
                rename.rename.to_string(),
                joined(before, &rename.ident.to_string()),
            ),
        };
        if !is_passed_on {
            self.module.used.insert(whole.clone());
        }
        self.module.names.insert(name, whole);
    }

    /// The paths in the words of a macro, which are no syntax yet.
    fn words(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let mut is_open = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if !is_open {
                        self.done(&mut path);
                    }
                    path.push(ident.to_string());
                    is_open = false;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => is_open = !path.is_empty(),
                TokenTree::Group(group) => {
                    self.done(&mut path);
                    self.words(group.stream());
                }
                _ => self.done(&mut path),
            }
        }
        self.done(&mut path);
    }

    fn done(&mut self, path: &mut Names) {
        if !path.is_empty() {
            self.module.used.insert(std::mem::take(path));
        }
    }
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let mut words = list.tokens.to_string();
            words.retain(|c| !c.is_whitespace());
            words == "test" || words.starts_with("any(test,") || words.starts_with("all(test,")
        }
        _ => attribute.path().is_ident("test"),
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Const(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_of_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        match item.content {
            None => self.module.children.push(item.ident.to_string()),
            Some(_) => visit::visit_item_mod(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_passed_on = !matches!(item.vis, Visibility::Inherited);
        self.import(&Vec::new(), &item.tree, is_passed_on);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string());
        self.module.used.insert(names.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.words(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

/// Stages that are functions of what they are given, and files of that kind among others.
const PURE: [&str; 30] = [
    "diagnostic",
    "paragraph",
    "charset",
    "yaml",
    "product",
    "config",
    "site",
    "plan",
    "change",
    "ticket",
    "observation",
    "attribution",
    "verdict",
    "report",
    "rules",
    "explain",
    "first_file",
    "import",
    "alert::alertmanager",
    "alert::chat",
    "alert::config",
    "alert::headline",
    "alert::message",
    "alert::pace",
    "alert::teams",
    "alert::words",
    "serve::config",
    "serve::confirm",
    "serve::follow",
    "serve::schedule",
];

const NOTHING: [&str; 0] = [];

static SRC: LazyLock<Crate> = LazyLock::new(|| Crate::read(Path::new("src")));

#[test]
fn imports_go_one_way() {
    assert!(SRC.0.len() > 200, "only {} files were read", SRC.0.len());
    assert_eq!(SRC.backwards(), NOTHING);
}

#[test]
fn no_files_stand_in_a_circle() {
    let circles = SRC.circles();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn pure_stages_reach_out_to_nothing() {
    assert_eq!(SRC.impure(&PURE), NOTHING);
}

/// Three modules, of which the second has two files.
fn planted<'a>(first: &'a str, folder: &'a str, inner: &'a str, other: &'a str) -> Crate {
    Crate::of(&[
        ("crate", "mod first; mod second; #[cfg(test)] mod tests;"),
        ("crate::first", first),
        ("crate::second", folder),
        ("crate::second::inner", inner),
        ("crate::second::other", other),
    ])
}

const FOLDER: &str = "mod inner; mod other; pub use other::Named; pub struct Face;";

#[test]
fn a_circle_is_found_however_its_files_name_each_other() {
    for (inner, other) in [
        ("use super::other::go;", "fn go() { super::inner::went() }"),
        (
            "fn f(it: super::Named) {}",
            "pub struct Named(crate::second::inner::It);",
        ),
        (
            "fn f() { assert!(super::other::IS) }",
            "use crate::second::inner as near; fn f() { near::g() }",
        ),
    ] {
        let all = planted("", FOLDER, inner, other);
        let found = all.circles();
        assert_eq!(found.len(), 2, "{inner} {other}: {found:?}");
        assert!(
            found[0].starts_with("crate::second::inner uses "),
            "{found:?}"
        );
    }
}

#[test]
fn what_is_no_circle_is_not_taken_for_one() {
    for (folder, inner, other) in [
        (FOLDER, "use super::other::go;", "fn go() {}"),
        // The folder's own file calls what is inside, and what is inside uses its face.
        (
            "mod inner; mod other; pub struct Face; fn f() { inner::f() }",
            "use super::Face;",
            "",
        ),
        (
            FOLDER,
            "use super::other::go;",
            "#[cfg(test)] mod tests { use super::super::inner::went; }",
        ),
        (
            FOLDER,
            "use super::other::go;",
            "use std::inner::went; fn f(inner: u8) { inner }",
        ),
    ] {
        let found = planted("", folder, inner, other).circles();
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn an_import_from_below_is_found() {
    let all = planted(
        "use crate::second::{self, inner::It};",
        FOLDER,
        "",
        "use crate::first::f;",
    );
    let expected = [
        "crate::first uses crate::second",
        "crate::first uses crate::second::inner",
    ];
    assert_eq!(all.backwards(), expected);
    assert_eq!(
        planted("", FOLDER, "", "use crate::first::f;").backwards(),
        NOTHING
    );
}

#[test]
fn what_reaches_out_is_found_by_what_is_called_not_by_its_name() {
    let impure = |code: &str| planted(code, FOLDER, "", "").impure(&["first"]).len();
    for code in [
        "use std::time::Instant; fn f() { Instant::now(); }",
        "fn f() { let now = jiff::Timestamp::now; }",
        "use std::fs as disk; fn f() { disk::read(\"a\"); }",
        "fn f() { assert!(std::fs::exists(\"a\").is_ok()) }",
        "fn f() { println!(\"a\") }",
        "fn f(stream: std::net::TcpStream) {}",
        "use tokio::time::sleep;",
        "fn f() -> std::process::ExitCode { std::process::ExitCode::SUCCESS }",
    ] {
        assert!(impure(code) > 0, "{code}");
    }
    for code in [
        "// tokio, std::fs and Instant::now",
        "const A: &str = \"std::fs::read println!\";",
        "use std::net::{IpAddr, SocketAddr}; use std::time::Duration;",
        "use jiff::Timestamp; fn f(now: Timestamp) -> Timestamp { now }",
        "#[cfg(test)] mod tests { fn f() { std::fs::read(\"a\"); } }",
        "use crate::second::clock; fn f() { clock::now() }",
    ] {
        assert_eq!(impure(code), 0, "{code}");
    }
}
