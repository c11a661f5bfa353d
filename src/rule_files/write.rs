//! Writes a rule book as files: ordered by id, one fact per line, nothing that changes by itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use toml::{Table, Value};

use crate::model::id::PolicyId;
use crate::model::problem::{Problem, Problems};
use crate::model::rule_book::RuleBook;

const ROUTES_HEAD: &str = "# Apps, their routes, and the names of groups.\n";
const GRANTS_HEAD: &str = "# Who may do what on which route, under which conditions, until when.\n";

const ASSERTIONS_HEAD: &str = "# What must be true of the rules, whoever edits them next.\n";

/// The order in which keys are written; a key that is not named follows by its name.
const APP_KEYS: [&str; 6] = ["id", "name", "origins", "upstream", "cors_origins", "header_aliases"];
const ROUTE_KEYS: [&str; 10] = [
    "name",
    "pattern",
    "title",
    "websockets",
    "letter_case",
    "encoded_slashes",
    "listing",
    "disclosure",
    "owner",
    "labels",
];
const GRANT_KEYS: [&str; 9] =
    ["id", "effect", "who", "what", "route", "reach", "when", "reason", "ticket"];
const ASSERTION_KEYS: [&str; 5] = ["id", "can", "cannot", "nobody_but", "reason"];

/// Writes `book` into the folder `dir`, which is made when it is missing. Files of policies that the book no longer has
/// are removed, or they would come back with the next import.
///
/// # Errors
/// As [`texts`]; when a file can't be written; when the folder holds `.cedar` files but no `routes.toml`: then it is
/// not a rule book of ours, and nothing in it is touched.
pub fn write(book: &RuleBook, dir: &Path) -> Result<(), Problems> {
    let files = texts(book)?;
    let failed = |path: &Path, error: std::io::Error| {
        Problems(vec![Problem::new(
            path.display().to_string(),
            format!("can't be written: {error}"),
        )])
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, error))?;
    let stale = stale(dir, &files).map_err(|error| failed(dir, error))?;
    if !stale.is_empty() && !dir.join("routes.toml").exists() {
        let what =
            "holds .cedar files but no routes.toml; choose an empty folder or an earlier export";
        return Err(Problems(vec![Problem::new(dir.display().to_string(), what)]));
    }
    for (name, text) in &files {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    for name in stale {
        let path = dir.join(name);
        std::fs::remove_file(&path).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Policy files in `dir` that are not among `files`.
fn stale(dir: &Path, files: &BTreeMap<String, String>) -> std::io::Result<Vec<String>> {
    let mut stale = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        let is_policy =
            name.strip_suffix(".cedar").is_some_and(|stem| stem.parse::<PolicyId>().is_ok());
        if is_policy && !files.contains_key(&name) {
            stale.push(name);
        }
    }
    Ok(stale)
}

/// The files of `book`, by name.
///
/// # Errors
/// When a route's app is not in the book: there is no place for it in the files.
pub fn texts(book: &RuleBook) -> Result<BTreeMap<String, String>, Problems> {
    let mut files = BTreeMap::new();
    files.insert("routes.toml".to_owned(), routes(book)?);
    files.insert("grants.toml".to_owned(), grants(book)?);
    if !book.assertions.is_empty() {
        files.insert("assertions.toml".to_owned(), assertions(book)?);
    }
    for policy in &book.policies {
        files.insert(format!("{}.cedar", policy.id), policy.text.clone());
    }
    Ok(files)
}

fn routes(book: &RuleBook) -> Result<String, Problems> {
    let mut orphans = Vec::new();
    for route in &book.routes {
        if !book.apps.iter().any(|app| app.id == *route.id.app()) {
            let what = format!("its app `{}` is not in the rule book", route.id.app());
            orphans.push(Problem::new(format!("route {}", route.id), what));
        }
    }
    let mut text = Problems::none_in(orphans, ROUTES_HEAD.to_owned())?;
    if !book.group_names.is_empty() {
        block(&mut text, "[group_names]", &table(&book.group_names)?, &[]);
    }
    let mut apps: Vec<_> = book.apps.iter().collect();
    apps.sort_by(|a, b| a.id.cmp(&b.id));
    for app in apps {
        block(&mut text, "[[app]]", &table(app)?, &APP_KEYS);
        let mut routes: Vec<_> =
            book.routes.iter().filter(|route| *route.id.app() == app.id).collect();
        routes.sort_by(|a, b| a.id.cmp(&b.id));
        for route in routes {
            let mut entry = table(route)?;
            entry.remove("id");
            entry.insert("name".to_owned(), Value::String(route.id.name().to_owned()));
            block(&mut text, "[[app.route]]", &entry, &ROUTE_KEYS);
        }
    }
    Ok(text)
}

fn grants(book: &RuleBook) -> Result<String, Problems> {
    let mut text = GRANTS_HEAD.to_owned();
    let mut grants: Vec<_> = book.grants.iter().collect();
    grants.sort_by(|a, b| a.id.cmp(&b.id));
    for grant in grants {
        block(&mut text, "[[grant]]", &table(grant)?, &GRANT_KEYS);
    }
    Ok(text)
}

fn assertions(book: &RuleBook) -> Result<String, Problems> {
    let mut text = ASSERTIONS_HEAD.to_owned();
    let mut assertions: Vec<_> = book.assertions.iter().collect();
    assertions.sort_by(|a, b| a.id.cmp(&b.id));
    for assertion in assertions {
        block(&mut text, "[[assertion]]", &table(assertion)?, &ASSERTION_KEYS);
    }
    Ok(text)
}

fn table(value: &impl Serialize) -> Result<Table, Problems> {
    Table::try_from(value).map_err(|error| {
        Problems(vec![Problem::new("rule book", format!("can't be spelled as TOML: {error}"))])
    })
}

/// Appends one table: its header and one line per key, nested tables inline.
fn block(text: &mut String, header: &str, table: &Table, order: &[&str]) {
    let place = |key: &str| order.iter().position(|known| *known == key).unwrap_or(order.len());
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| (place(key), (*key).clone()));
    text.push('\n');
    text.push_str(header);
    text.push('\n');
    for (key, value) in entries {
        text.push_str(&spelled(key));
        text.push_str(" = ");
        text.push_str(&value.to_string());
        text.push('\n');
    }
}

/// A key as TOML spells it: bare where it may be.
fn spelled(key: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if key.bytes().all(bare) { key.to_owned() } else { Value::String(key.to_owned()).to_string() }
}
