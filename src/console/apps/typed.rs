//! What people type into fields: read in one way, or refused with a sentence that says how to put it right.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::authz::limits::{LONGEST_NAME, MOST_IN_LIST, code_point, is_deceptive};
use crate::model::host::Origin;

/// A text of one line; it may be empty.
pub(super) fn line(typed: &str) -> Result<String, String> {
    let text = typed.trim();
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(format!("Use at most {LONGEST_NAME} characters, in one line."));
    }
    match text.chars().find(|c| is_deceptive(*c)) {
        Some(unseen) => {
            Err(format!("It holds {}, which people can't see. Type it anew.", code_point(unseen)))
        }
        None => Ok(text.to_owned()),
    }
}

/// The lines that hold something, each once.
pub(super) fn lines(typed: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for text in typed.lines().filter(|text| !text.trim().is_empty()) {
        let text = line(text)?;
        if !all.contains(&text) {
            all.push(text);
        }
    }
    if all.len() > MOST_IN_LIST {
        return Err(format!("Give at most {MOST_IN_LIST}, one a line."));
    }
    Ok(all)
}

/// Origins, one a line.
pub(super) fn origins(typed: &str) -> Result<Vec<Origin>, String> {
    lines(typed)?.iter().map(|text| origin(text)).collect()
}

/// One origin.
pub(super) fn origin(typed: &str) -> Result<Origin, String> {
    typed.trim().parse().map_err(|_| {
        let shown: String = typed.trim().chars().take(80).collect();
        format!(
            "`{shown}` is not an origin such as https://payroll.contoso.com: https or http, a host, perhaps a port, and nothing after it."
        )
    })
}

/// One of the words that rule files have for it.
pub(super) fn chosen<T: DeserializeOwned>(typed: &str) -> Result<T, String> {
    serde_json::from_value(Value::from(typed)).map_err(|_| "Choose one of these.".to_owned())
}

/// The word that rule files have for it.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
