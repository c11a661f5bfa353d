//! Reads a folder of rule files: every problem at once, each with file and line.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::model::app::{App, HeaderAlias, Upstream};
use crate::model::assertion::Assertion;
use crate::model::grant::Grant;
use crate::model::host::Origin;
use crate::model::id::{AppId, GroupId, RouteId};
use crate::model::policy::Policy;
use crate::model::problem::{Problem, Problems, line_at};
use crate::model::route::{
    Disclosure, EncodedSlashes, LetterCase, Listing, PathPattern, Route, WebSockets,
};
use crate::model::rule_book::RuleBook;

/// Bytes of one file, far more than the largest rule book takes.
const LARGEST_FILE: u64 = 128 << 20;

/// Where each object of a rule book was read, so that what is wrong with it can be told by file and line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places(BTreeMap<(&'static str, String), String>);

impl Places {
    /// `rules/grants.toml:12`: where the object of this kind (`app`, `route`, `grant`, `assertion`, `policy`) with this
    /// id begins. A policy is a whole file.
    pub fn of(&self, kind: &'static str, id: &str) -> Option<&str> {
        self.0.get(&(kind, id.to_owned())).map(String::as_str)
    }
}

/// Reads the rule book in the folder `dir`. Everything comes ordered by id.
///
/// # Errors
/// As [`read_with_places`].
pub fn read(dir: &Path) -> Result<RuleBook, Problems> {
    Ok(read_with_places(dir)?.0)
}

/// Reads the rule book in the folder `dir`, and says where everything stands in it. Everything comes ordered by id.
///
/// # Errors
/// Every problem at once: unreadable or unknown files, TOML that does not hold what it should, ids that occur twice,
/// grants on routes that do not exist. `routes.toml` must be there: an empty folder is more likely the wrong one.
pub fn read_with_places(dir: &Path) -> Result<(RuleBook, Places), Problems> {
    let mut reader = Reader::default();
    let name = dir.display().to_string();
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => reader.open(&entry.path()),
                    Err(error) => reader.problem(&name, format!("can't list the folder: {error}")),
                }
            }
        }
        Err(error) => {
            reader.problem(&name, format!("can't list the folder: {error}"));
            return Err(Problems(reader.problems));
        }
    }
    reader.finish(&format!("{name}/routes.toml"))
}

/// Reads a rule book from named texts, as if they were the files of a folder.
///
/// # Errors
/// As [`read`].
pub fn read_texts(files: &[(&str, &str)]) -> Result<RuleBook, Problems> {
    let mut reader = Reader::default();
    for (name, text) in files {
        let text = File { place: (*name).to_owned(), text: (*text).to_owned() };
        reader.files.insert((*name).to_owned(), text);
    }
    Ok(reader.finish("routes.toml")?.0)
}

/// One file: what people call it, and what it says.
struct File {
    place: String,
    text: String,
}

/// What was read so far, and what is wrong with it.
#[derive(Default)]
struct Reader {
    files: BTreeMap<String, File>,
    book: RuleBook,
    places: Places,
    problems: Vec<Problem>,
}

/// An app as `routes.toml` spells it: its routes lie inside it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppEntry {
    id: AppId,
    name: String,
    origins: Vec<Origin>,
    upstream: Option<Upstream>,
    #[serde(default)]
    cors_origins: Vec<Origin>,
    #[serde(default)]
    header_aliases: Vec<HeaderAlias>,
}

/// A route as `routes.toml` spells it: its app is the table around it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteEntry {
    name: String,
    pattern: PathPattern,
    #[serde(default)]
    title: String,
    #[serde(default)]
    websockets: WebSockets,
    #[serde(default)]
    letter_case: LetterCase,
    #[serde(default)]
    encoded_slashes: EncodedSlashes,
    #[serde(default)]
    listing: Listing,
    #[serde(default)]
    disclosure: Disclosure,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    labels: Vec<String>,
}

impl RouteEntry {
    fn route(self, id: RouteId) -> Route {
        Route {
            id,
            pattern: self.pattern,
            title: self.title,
            websockets: self.websockets,
            letter_case: self.letter_case,
            encoded_slashes: self.encoded_slashes,
            listing: self.listing,
            disclosure: self.disclosure,
            owner: self.owner,
            labels: self.labels,
        }
    }
}

impl Reader {
    fn open(&mut self, path: &Path) {
        let place = path.display().to_string();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return self.problem(&place, "has a name that is not Unicode; rename or remove it");
        };
        if name.starts_with('.') {
            return;
        }
        if path.is_dir() {
            return self
                .problem(&place, "is a folder, and folders are not read; move its files up");
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("toml" | "cedar")) {
            return;
        }
        if std::fs::metadata(path).is_ok_and(|file| file.len() > LARGEST_FILE) {
            return self.problem(&place, format!("is larger than {} MiB", LARGEST_FILE >> 20));
        }
        match std::fs::read_to_string(path) {
            Ok(text) => {
                self.files.insert(name.to_owned(), File { place, text });
            }
            Err(error) => self.problem(&place, format!("can't be read: {error}")),
        }
    }

    fn finish(mut self, routes: &str) -> Result<(RuleBook, Places), Problems> {
        let mut files = std::mem::take(&mut self.files);
        match files.remove("routes.toml") {
            Some(file) => self.routes(&file),
            None => self.problem(routes, "is missing; a rule book names its apps and routes there"),
        }
        if let Some(file) = files.remove("grants.toml") {
            self.grants(&file);
        }
        if let Some(file) = files.remove("assertions.toml") {
            self.assertions(&file);
        }
        for (name, file) in files {
            match name.strip_suffix(".cedar") {
                Some(stem) => self.policy(stem, file),
                None => self.problem(
                    &file.place,
                    "is not a rule file; only routes.toml, grants.toml, assertions.toml and *.cedar are",
                ),
            }
        }
        self.book.apps.sort_by(|a, b| a.id.cmp(&b.id));
        self.book.routes.sort_by(|a, b| a.id.cmp(&b.id));
        self.book.grants.sort_by(|a, b| a.id.cmp(&b.id));
        self.book.policies.sort_by(|a, b| a.id.cmp(&b.id));
        self.book.assertions.sort_by(|a, b| a.id.cmp(&b.id));
        Problems::none_in(self.problems, (self.book, self.places))
    }

    fn policy(&mut self, stem: &str, file: File) {
        match stem.parse() {
            Ok(id) => {
                self.places.0.insert(("policy", stem.to_owned()), file.place);
                self.book.policies.push(Policy { id, text: file.text });
            }
            Err(error) => self.problem(&file.place, format!("the file's name: {error}")),
        }
    }

    fn routes(&mut self, file: &File) {
        for (key, value) in self.tables(file) {
            match key.as_str() {
                "group_names" => {
                    let names: Option<BTreeMap<GroupId, String>> = self.entry(file, &value);
                    self.book.group_names = names.unwrap_or_default();
                }
                "app" => self.each(file, value, Self::app),
                _ => self.problem(&at(file, &value), unknown(&key, "`app` and `group_names`")),
            }
        }
    }

    fn app(&mut self, file: &File, mut value: Spanned<DeValue<'_>>) {
        let routes = match value.get_mut() {
            DeValue::Table(table) => table.remove("route"),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => None,
        };
        let entry: Option<AppEntry> = self.entry(file, &value);
        // Routes of an app that can't be read are still read, so that their problems are told as well.
        let app = entry.as_ref().map(|entry| entry.id.clone());
        let place = at(file, &value);
        if let Some(AppEntry { id, name, origins, upstream, cors_origins, header_aliases }) = entry
        {
            self.once(&place, "app", id.as_str());
            self.book.apps.push(App { id, name, origins, upstream, cors_origins, header_aliases });
        }
        if let Some(routes) = routes {
            self.each(file, routes, |reader, file, value| reader.route(file, &value, app.as_ref()));
        }
    }

    fn route(&mut self, file: &File, value: &Spanned<DeValue<'_>>, app: Option<&AppId>) {
        let Some(entry) = self.entry::<RouteEntry>(file, value) else { return };
        let Some(app) = app else { return };
        match RouteId::new(app, &entry.name) {
            Ok(id) => {
                self.once(&at(file, value), "route", id.as_str());
                self.book.routes.push(entry.route(id));
            }
            Err(error) => self.problem(&at(file, value), format!("{error}")),
        }
    }

    fn grants(&mut self, file: &File) {
        for (key, value) in self.tables(file) {
            if key == "grant" {
                self.each(file, value, |reader, file, value| reader.grant(file, &value));
            } else {
                self.problem(&at(file, &value), unknown(&key, "`grant`"));
            }
        }
    }

    fn grant(&mut self, file: &File, value: &Spanned<DeValue<'_>>) {
        let Some(grant) = self.entry::<Grant>(file, value) else { return };
        self.once(&at(file, value), "grant", grant.id.as_str());
        if !self.book.routes.iter().any(|route| route.id == grant.route) {
            let what = format!("grant `{}` names `{}`, which is no route", grant.id, grant.route);
            self.problem(&at(file, value), format!("{what}; add it to routes.toml or correct it"));
        }
        self.book.grants.push(grant);
    }

    fn assertions(&mut self, file: &File) {
        for (key, value) in self.tables(file) {
            if key == "assertion" {
                self.each(file, value, |reader, file, value| reader.assertion(file, &value));
            } else {
                self.problem(&at(file, &value), unknown(&key, "`assertion`"));
            }
        }
    }

    fn assertion(&mut self, file: &File, value: &Spanned<DeValue<'_>>) {
        let Some(assertion) = self.entry::<Assertion>(file, value) else { return };
        self.once(&at(file, value), "assertion", assertion.id.as_str());
        self.book.assertions.push(assertion);
    }

    /// The top level of a file: its keys and their values.
    fn tables<'f>(&mut self, file: &'f File) -> Vec<(String, Spanned<DeValue<'f>>)> {
        let (table, errors) = DeTable::parse_recoverable(&file.text);
        for error in &errors {
            let line = line_at(&file.text, error.span().map_or(0, |span| span.start));
            let place = format!("{}:{line}", file.place);
            self.problem(&place, format!("is not TOML: {}", error.message()));
        }
        if !errors.is_empty() {
            return Vec::new();
        }
        table
            .into_inner()
            .into_iter()
            .map(|(key, value)| (key.into_inner().into_owned(), value))
            .collect()
    }

    /// Calls `take` with every entry of a list of tables.
    fn each<'f>(
        &mut self,
        file: &File,
        list: Spanned<DeValue<'f>>,
        take: impl Fn(&mut Self, &File, Spanned<DeValue<'f>>),
    ) {
        let place = at(file, &list);
        if let DeValue::Array(entries) = list.into_inner() {
            entries.into_iter().for_each(|entry| take(self, file, entry));
        } else {
            self.problem(&place, "must be a list of tables, written with double brackets: [[…]]");
        }
    }

    fn entry<T: DeserializeOwned>(
        &mut self,
        file: &File,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<T> {
        let read = T::deserialize(ValueDeserializer::from(value.clone()));
        read.map_err(|error| {
            let offset = error.span().unwrap_or_else(|| value.span()).start;
            let place = format!("{}:{}", file.place, line_at(&file.text, offset));
            self.problem(&place, error.message());
        })
        .ok()
    }

    fn once(&mut self, place: &str, kind: &'static str, id: &str) {
        if self.places.0.insert((kind, id.to_owned()), place.to_owned()).is_some() {
            self.problem(place, format!("{kind} `{id}` is there twice; ids are unique"));
        }
    }

    fn problem(&mut self, place: &str, what: impl Into<String>) {
        self.problems.push(Problem::new(place, what));
    }
}

/// `file:line` of a value.
fn at(file: &File, value: &Spanned<DeValue<'_>>) -> String {
    format!("{}:{}", file.place, line_at(&file.text, value.span().start))
}

fn unknown(key: &str, known: &str) -> String {
    format!("`{key}` is not a known key here; known: {known}")
}
