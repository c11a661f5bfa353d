//! The page that somebody comes back to after signing in again: what they sent, to be sent now.
//!
//! Where it is not kept any more, or another process had kept it, the page says that it has to be typed again.

use std::sync::Arc;

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use url::form_urlencoded;

use super::kept::KeptForm;
use super::words::{sentence, typed};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::people::known;
use crate::console::sections::Section;
use crate::console::urls;
use crate::model::id::{SessionId, Subject};
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// Back from signing in, with what was not done before.
#[derive(Debug, Clone, Template)]
#[template(path = "console/again.html")]
pub struct AgainPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The way back without it.
    pub up: Link,
    /// What was sent; none when it is not kept any more.
    pub sent: Option<Sent>,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Where.
    pub place: Link,
    /// What sending it does, in a sentence.
    pub deed: String,
    /// What was typed or chosen, as the form shows it.
    pub typed: Vec<TypedField>,
    /// Every field, as it goes out again.
    pub fields: Vec<SentField>,
}

/// Something that was typed or chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedField {
    /// The label of the form.
    pub label: String,
    /// What was typed, or the words of the choice.
    pub value: String,
}

/// A field as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentField {
    /// Its name in the form.
    pub name: String,
    /// What it held.
    pub value: String,
}

impl Sent {
    fn new(KeptForm { place, body, .. }: KeptForm, whose: &str) -> Self {
        let fields = fields(&body);
        let path = place.as_str().split('?').next().unwrap_or_default();
        let field = |name: &str| match name {
            "whose" => whose.to_owned(),
            name => value(&fields, name).to_owned(),
        };
        let deed = sentence(path, field).unwrap_or_else(|| "Send what you had sent.".to_owned());
        let shown = |field: &SentField| {
            let (label, value) = typed(path, (&field.name, &field.value))?;
            Some(TypedField { label, value })
        };
        let typed = fields.iter().filter_map(shown).collect();
        Self { place, deed, typed, fields }
    }
}

fn fields(body: &[u8]) -> Vec<SentField> {
    let fields = form_urlencoded::parse(body).filter(|(name, _)| name != "_csrf");
    let fields = fields
        .map(|(name, value)| SentField { name: name.into_owned(), value: value.into_owned() });
    fields.collect()
}

/// What a field held; empty where there was none.
fn value<'a>(fields: &'a [SentField], name: &str) -> &'a str {
    let field = fields.iter().find(|field| field.name == name);
    field.map_or("", |field| field.value.as_str())
}

/// Answers with the form, to be sent again.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let session = asked.caller.session.as_ref();
    let kept = session
        .and_then(|session| console.kept.find(asked.param("id"), (&session.id, asked.exchange.at)));
    let status = if kept.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let sent = match kept {
        Some(kept) => {
            let whose = whose(&console, &asked, &kept).await?;
            Some(Sent::new(kept, &whose))
        }
        None => None,
    };
    let page = AgainPage {
        frame: shown.framed(asked.frame("Signed in again", Section::Routes)?),
        up: urls::routes(),
        sent,
    };
    Ok(page::console(status, &page.frame, &page))
}

/// Of whom a form speaks that says it by ids, for those who may know.
async fn whose(
    console: &Console,
    asked: &Admitted,
    kept: &KeptForm,
) -> Result<String, Box<Response>> {
    let fields = fields(&kept.body);
    let user = value(&fields, "user").parse::<Subject>().ok();
    let session = value(&fields, "session").parse::<SessionId>().ok();
    let somebody = || Ok("somebody".to_owned());
    if !asked.may(console, ConsoleAction::ReadPeople) || user.is_none() && session.is_none() {
        return somebody();
    }
    if let Some(user) = user {
        let known = known(console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
        return Ok(known.name(&user));
    }
    let Some(id) = session else { return somebody() };
    let found = console.doorkeeper.sessions.find(&id).await;
    let found = found.map_err(|error| Box::new(asked.sessions_unavailable(&error)))?;
    found.map_or_else(somebody, |session| Ok(session.principal.display_name()))
}
