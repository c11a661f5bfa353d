//! What surrounds every page, and how a page becomes an answer.
//!
//! Pages are ordinary documents. Where htmx asks for a part, the handler renders that block of the same template; the
//! answer carries its own policy and nonce either way.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};

use super::assets::File;
use super::headers::{ContentPolicy, Nonce, NonceError, protect_page};
use super::hx;
use super::link::Link;
use crate::model::principal::Principal;

/// What the layouts print around a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Names the scripts of this response.
    pub nonce: Nonce,
    /// What this page is, in a few words: document title and, in the console, the heading.
    pub title: String,
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// Who is signed in, if anybody.
    pub person: Option<PersonName>,
    /// The session's token against forged forms; none when nobody is signed in.
    pub csrf: Option<SecretString>,
    /// Places of the console, grouped; empty on pages for end users.
    pub nav: Vec<NavGroup>,
    /// The release in force, in words ("Release 7, 24 Nov 2026"); console only.
    pub release: Option<String>,
    /// What waits in the draft, while anything does; console only.
    pub draft: Option<DraftBar>,
    /// Something to say once at the top of the page.
    pub notice: Option<Notice>,
}

/// What says on every page that there is a draft, so that nobody takes what they edited for what is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftBar {
    /// How much waits ("3 changes").
    pub text: String,
    /// Where it is reviewed.
    pub review: Link,
    /// Where it is thrown away, for those who may.
    pub discard: Option<Link>,
}

impl Frame {
    /// A frame with a new nonce and a title; everything else is added by whoever knows it.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new(title: &str) -> Result<Self, NonceError> {
        Ok(Self {
            nonce: Nonce::fresh()?,
            title: title.to_owned(),
            theme: Theme::System,
            person: None,
            csrf: None,
            nav: Vec::new(),
            release: None,
            draft: None,
            notice: None,
        })
    }

    /// The token against forged forms, as forms and the script send it back; empty when nobody is signed in.
    pub fn csrf_token(&self) -> &str {
        self.csrf.as_ref().map_or("", |token| token.expose_secret())
    }

    /// Address of the one script.
    pub fn script_url(&self) -> &'static str {
        File::Script.url()
    }

    /// Address of the editor.
    pub fn editor_url(&self) -> &'static str {
        File::Editor.url()
    }

    /// Address of the script that copies what is quoted.
    pub fn copy_url(&self) -> &'static str {
        File::Copy.url()
    }

    /// Address of the style sheet.
    pub fn sheet_url(&self) -> &'static str {
        File::Sheet.url()
    }

    /// Address of the product's mark.
    pub fn mark_url(&self) -> &'static str {
        File::Mark.url()
    }
}

/// The person's choice of colours, kept in a cookie and printed by the server, so that pages never flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The value of `data-theme`; the style sheet ignores `system`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// Who is signed in, for showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName {
    /// Display name.
    pub name: String,
    /// User name.
    pub user_name: String,
}

impl PersonName {
    /// How pages name a principal; nobody has no name.
    pub fn of(principal: &Principal) -> Option<Self> {
        let user_name = match principal {
            Principal::User(user) => user.user_name.clone(),
            Principal::Workload(workload) => workload.client.clone(),
            Principal::Anonymous => return None,
        };
        Some(Self { name: principal.display_name(), user_name })
    }
}

/// Places of the console that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavGroup {
    /// What they have in common.
    pub label: &'static str,
    /// The places.
    pub items: Vec<NavItem>,
}

/// One place of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Its name.
    pub label: &'static str,
    /// Its address.
    pub link: Link,
    /// Name of its icon in the sprite.
    pub icon: &'static str,
    /// Whether the page shown belongs to it.
    pub place: Place,
}

/// Whether a place is the one being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is.
    Here,
    /// It is not.
    Elsewhere,
}

impl NavItem {
    /// Whether to mark it as the current page.
    pub fn is_here(&self) -> bool {
        self.place == Place::Here
    }
}

/// Something said once at the top of a page, such as the outcome of the form just sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What is said, as whole sentences.
    pub text: String,
}

/// How something is meant: a word for the style sheet and an icon, never colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It worked, it opens.
    Good,
    /// Look twice.
    Careful,
    /// It failed, it is closed.
    Bad,
    /// Neither.
    Plain,
}

impl Tone {
    /// Its class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "allow",
            Self::Careful => "warn",
            Self::Bad => "deny",
            Self::Plain => "plain",
        }
    }

    /// Name of its icon in the sprite.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Good => "circle-check",
            Self::Careful => "triangle-alert",
            Self::Bad => "circle-x",
            Self::Plain => "info",
        }
    }
}

/// Answers with a console page or a block of one; `frame` is the one it was rendered with.
pub fn console(status: StatusCode, frame: &Frame, page: &impl Template) -> Response {
    answer(status, ContentPolicy::Scripted(&frame.nonce), page)
}

/// Answers with a console page that has an editor; `frame` is the one it was rendered with.
pub fn editing(status: StatusCode, frame: &Frame, page: &impl Template) -> Response {
    answer(status, ContentPolicy::Editing(&frame.nonce), page)
}

/// Answers with a page that has something to quote; `frame` is the one it was rendered with.
pub fn quoting(status: StatusCode, frame: &Frame, page: &impl Template) -> Response {
    answer(status, ContentPolicy::Quoting(&frame.nonce), page)
}

/// Answers with a page without script.
pub fn still(status: StatusCode, page: &impl Template) -> Response {
    answer(status, ContentPolicy::Still, page)
}

fn answer(status: StatusCode, policy: ContentPolicy<'_>, page: &impl Template) -> Response {
    let (status, content_type, body) = match page.render() {
        Ok(html) => (status, "text/html; charset=utf-8", html),
        Err(error) => {
            tracing::error!(%error, "rendering a page failed");
            let sorry = "The page could not be made.\n".to_owned();
            (StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", sorry)
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::VARY, hx::VARY);
    protect_page(headers, policy);
    response
}
