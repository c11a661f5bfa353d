//! The settings as they are in force: every key, its value, and where that came from. Secrets are never shown.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use crate::config::{InForce, Provenance, Shown};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Choice;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// Values and labels of `from`.
const FROM: [(&str, &str); 4] = [
    ("", "Anywhere"),
    ("file", "The file"),
    ("variable", "A variable"),
    ("default", "The default"),
];

/// Every setting.
#[derive(Debug, Clone, Template)]
#[template(path = "console/setup/settings.html")]
pub struct SettingsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the filter is sent, and the page without any.
    pub action: Link,
    /// `q`, as it was typed.
    pub query: String,
    /// What `from` may be.
    pub froms: Vec<Choice>,
    /// The tables of the settings that have something that matches.
    pub sections: Vec<Table>,
}

/// One table of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// For its address.
    pub id: String,
    /// As the file names it.
    pub label: String,
    /// Its keys.
    pub rows: Vec<SettingRow>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingRow {
    /// Its path in the file.
    pub key: &'static str,
    /// What holds; empty where a word says it.
    pub values: Vec<String>,
    /// `Not set`, `None`, or that there is a secret.
    pub word: &'static str,
    /// Where it came from.
    pub from: String,
}

/// How the list is filtered.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SettingsQuery {
    q: String,
    from: String,
}

/// Answers with the settings that match.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: SettingsQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Settings", Section::Settings)?);
    let page = SettingsPage {
        frame,
        action: urls::settings(),
        froms: Choice::list(&FROM, &query.from),
        sections: tables(console.settings.iter().filter(|setting| query.takes(setting))),
        query: query.q,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

impl SettingsQuery {
    fn takes(&self, setting: &InForce) -> bool {
        let is_from = match &setting.from {
            Provenance::File(_) => self.from == "file",
            Provenance::Variable(_) => self.from == "variable",
            Provenance::Default => self.from == "default",
        };
        let wanted = self.q.trim().to_lowercase();
        let row = row(setting);
        let mut texts = row.values.iter().map(String::as_str).chain([row.key, row.word]);
        (is_from || self.from.is_empty()) && texts.any(|text| text.to_lowercase().contains(&wanted))
    }
}

/// In the order of the keys, with the keys of a table together.
fn tables<'a>(settings: impl Iterator<Item = &'a InForce>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for setting in settings {
        let (id, label) = table(setting.key);
        match tables.last_mut().filter(|last| last.id == id) {
            Some(last) => last.rows.push(row(setting)),
            None => tables.push(Table { id, label, rows: vec![row(setting)] }),
        }
    }
    tables
}

fn table(key: &str) -> (String, String) {
    match key.rsplit_once('.') {
        Some((table, _)) => (table.replace('.', "-"), format!("[{table}]")),
        None => ("top".to_owned(), "At the top of the file".to_owned()),
    }
}

fn row(setting: &InForce) -> SettingRow {
    let (values, word) = match &setting.value {
        Shown::Text(text) => (vec![text.clone()], ""),
        Shown::List(all) => (all.clone(), "None"),
        Shown::Secret => (Vec::new(), "Set, and not shown"),
        Shown::NotSet => (Vec::new(), "Not set"),
    };
    let from = match &setting.from {
        Provenance::File(line) => line.clone(),
        Provenance::Variable(name) => name.clone(),
        Provenance::Default => "Default".to_owned(),
    };
    SettingRow { key: setting.key, values, word, from }
}
