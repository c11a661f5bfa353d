//! The house rules that a compiler does not check: layers, owners of outside crates, sizes, first lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of `src` and its layer; a module imports only from strictly lower layers.
const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("authz", 1),
    ("config", 1),
    ("idp", 1),
    ("keys", 1),
    ("rule_files", 1),
    ("store", 1),
    ("telemetry", 1),
    ("audit", 2),
    ("live", 2),
    ("publishing", 2),
    ("replay", 2),
    ("groups", 3),
    ("session", 3),
    // Below the doors, because their tests sign people in through it; it knows nothing but the model.
    ("sim", 4),
    ("web", 4),
    ("console", 5),
    ("gateway", 5),
    ("login", 5),
    ("portal", 5),
    ("app", 6),
    ("demo", 7),
    ("commands", 8),
    ("lib", 9),
    ("main", 10),
];

/// Outside crates with one owner (or a few named ones): who may name them.
const OWNERS: &[(&str, &[&str])] = &[
    ("cedar_policy", &["authz"]),
    ("cedar_policy_formatter", &["authz"]),
    ("miette", &["authz"]),
    ("stacker", &["authz"]),
    ("strsim", &["authz", "model"]),
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("rustix", &["store"]),
    ("openidconnect", &["idp"]),
    ("arc_swap", &["live"]),
    ("matchit", &["authz"]),
    ("hyper_util::client", &["gateway", "idp"]),
    ("askama", &["web", "login", "portal", "console", "sim", "demo"]),
    ("chacha20poly1305", &["keys"]),
    ("prometheus_client", &["telemetry"]),
    ("clap", &["commands", "demo", "main"]),
    ("anyhow", &["app", "commands", "demo", "main"]),
];

const MAX_LINES: usize = 500;
const MAX_TEMPLATE_LINES: usize = 150;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A source file: its path below `src`, its top module, and its text without comments.
struct Source {
    path: String,
    module: String,
    text: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let module = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let comment = |line: &&str| !line.trim_start().starts_with("//");
        let code = text.lines().filter(comment).collect::<Vec<_>>().join("\n");
        Source { path, module, text, code }
    };
    files_below(&src, ".rs").into_iter().map(read).collect()
}

fn is_test(path: &str) -> bool {
    path.contains("tests/") || path.ends_with("tests.rs")
}

/// Module names that follow `crate::` anywhere in the code.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    };
    code.split("crate::").skip(1).map(word).filter(|name| !name.is_empty()).collect()
}

#[test]
fn modules_import_only_from_lower_layers() {
    let layers: BTreeMap<&str, u8> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.path != "lib.rs") {
        let Some(own) = layers.get(source.module.as_str()) else {
            wrong.push(format!("{}: `{}` has no layer", source.path, source.module));
            continue;
        };
        for import in imports(&source.code) {
            let lower = layers.get(import.as_str()).is_none_or(|layer| layer < own);
            if import != source.module && !lower {
                wrong.push(format!("{}: imports crate::{import}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not go strictly down:\n{}", wrong.join("\n"));
}

#[test]
fn files_of_a_folder_do_not_import_each_other_in_a_ring() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let name_of =
        |path: &str| path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let all: Vec<Source> = sources().into_iter().filter(|source| !is_test(&source.path)).collect();
    let names: BTreeSet<String> = all.iter().map(|source| name_of(&source.path)).collect();
    for source in all.iter().filter(|source| !source.path.ends_with("mod.rs")) {
        let own = name_of(&source.path);
        let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
        let absolute = source.code.replace("super::", &format!("crate::{parent}::"));
        for used in absolute.split("crate::").skip(1) {
            let hit = names.iter().filter(|name| {
                let after = used.strip_prefix(name.as_str());
                after.is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            });
            if let Some(target) = hit.max_by_key(|name| name.len())
                && *target != own
            {
                graph.entry(own.clone()).or_default().insert(target.clone());
            }
        }
    }
    for start in graph.keys() {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = graph[start].iter().collect();
        while let Some(next) = open.pop() {
            assert!(next != start, "{start} imports itself by way of others: {:?}", graph[start]);
            if seen.insert(next) {
                open.extend(graph.get(next).into_iter().flatten());
            }
        }
    }
}

#[test]
fn outside_crates_have_one_owner() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, owners) in OWNERS {
            let named = source.code.contains(&format!("{name}::"));
            if named && !owners.contains(&source.module.as_str()) {
                wrong.push(format!("{}: names {name}, which belongs to {owners:?}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines", source.path));
        }
        if !source.text.starts_with("//!") && !source.text.starts_with("#![doc") {
            wrong.push(format!("{}: does not start with `//!`", source.path));
        }
        for name in ["util", "utils", "helpers", "common", "manager", "misc"] {
            if source.code.contains(&format!("mod {name};")) {
                wrong.push(format!("{}: a module named `{name}` says nothing", source.path));
            }
        }
    }
    for path in files_below(&root().join("templates"), ".html") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > MAX_TEMPLATE_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_pure_modules_neither_wait_nor_read_a_clock_nor_draw_lots() {
    let forbidden = [
        "async ",
        ".await",
        "Clock::System",
        "SystemTime",
        "getrandom",
        "std::fs",
        "std::net::Tcp",
    ];
    let pure = |source: &Source| ["model", "authz"].contains(&source.module.as_str());
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| pure(source) && source.path != "model/time.rs") {
        for word in forbidden.iter().filter(|word| source.code.contains(**word)) {
            wrong.push(format!("{}: {word}", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Text that came from people never becomes Cedar by joining strings; grants are compiled as JSON.
#[test]
fn cedar_text_is_never_glued_together() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !is_test(&source.path)) {
        let joins = ["format!(", "push_str(", "concat!(", "write!("];
        for line in source.code.lines().filter(|line| joins.iter().any(|join| line.contains(join)))
        {
            if line.contains("permit") && line.contains('(') && line.contains("principal")
                || line.contains("forbid(")
                || line.contains("permit(")
            {
                wrong.push(format!("{}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
