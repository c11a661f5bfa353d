//! The page that somebody comes back to after signing in again: what they sent, to be sent now.
//!
//! Where it is not kept any more, or another process had kept it, the page says that it has to be typed again.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use url::form_urlencoded;

use super::kept::KeptForm;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::urls;
use crate::web::link::Link;
use crate::web::page::{self, Frame};

/// Fields that say of what a form was made; whoever typed the others did not type these.
const UNTYPED: [&str; 5] = ["_csrf", "revision", "content", "based_on", "order"];

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
    /// Every field, as it goes out again.
    pub fields: Vec<SentField>,
}

/// A field of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentField {
    /// Its name in the form.
    pub name: String,
    /// What it held.
    pub value: String,
}

impl SentField {
    /// Its name in words.
    pub fn label(&self) -> String {
        self.name.replace('_', " ")
    }

    /// Whether to show it: somebody typed or chose it.
    pub fn is_shown(&self) -> bool {
        !self.value.is_empty() && !UNTYPED.contains(&self.name.as_str())
    }
}

impl Sent {
    fn new(KeptForm { place, body, .. }: KeptForm) -> Self {
        let fields = form_urlencoded::parse(&body).filter(|(name, _)| name != "_csrf");
        let fields = fields
            .map(|(name, value)| SentField { name: name.into_owned(), value: value.into_owned() });
        Self { place, fields: fields.collect() }
    }
}

/// Answers with the form, to be sent again.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let session = asked.caller.session.as_ref();
    let kept = session
        .and_then(|session| console.kept.find(asked.param("id"), (&session.id, asked.exchange.at)));
    let status = if kept.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let page = AgainPage {
        frame: shown.framed(asked.frame("Signed in again", Section::Routes)?),
        up: urls::routes(),
        sent: kept.map(Sent::new),
    };
    Ok(page::console(status, &page.frame, &page))
}
