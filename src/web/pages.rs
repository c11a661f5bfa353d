//! Pages that any door may have to show: an error, a refusal, and the ends of a session.
//!
//! Each struct holds ready-made words. A page never says more than its reader may know: no policy text, no group ids,
//! nothing of what the browser sent besides the address it asked for.

use askama::Template;

use crate::model::id::DecisionId;

use super::contact::Contact;
use super::link::Link;
use super::moment::Moment;
use super::page::{Frame, Notice, Tone};

/// One thing the reader can do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Where it leads.
    pub link: Link,
    /// A verb and its object.
    pub label: String,
}

/// What the reader quotes when asking for help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// `Decision` or `Request`.
    pub label: &'static str,
    /// Its id.
    pub id: String,
}

/// Something went wrong, or there is nothing here. `frame.title` says what.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The main way on.
    pub action: Option<Action>,
    /// The portal.
    pub home: Option<Link>,
    /// What to quote.
    pub reference: Reference,
    /// The same for programs, as their answers have it.
    pub code: Option<&'static str>,
    /// When.
    pub at: Moment,
    /// Whom to ask.
    pub contact: Option<Contact>,
}

/// Something went wrong while htmx asked for a fragment: goes to `#notices` by `HX-Retarget`, `HX-Reswap: beforeend`.
#[derive(Debug, Clone, Template)]
#[template(path = "notice.html")]
pub struct NoticeFragment {
    /// What is said.
    pub notice: Notice,
    /// What to quote.
    pub reference: Option<Reference>,
}

/// A signed-in person was refused (403).
#[derive(Debug, Clone, Template)]
#[template(path = "denied.html")]
pub struct DeniedPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The route's title, or the app's name.
    pub what: String,
    /// How far that goes ("from here"); empty: in any case.
    pub limit: &'static str,
    /// Why, in one plain sentence.
    pub why: String,
    /// What would help ("Connect to the office network, then try again").
    pub advice: Option<String>,
    /// What they lack, by name, where the route says that they are told.
    pub missing: Option<String>,
    /// How the advice is meant.
    pub tone: Tone,
    /// The main way on: a step-up, or another try.
    pub action: Option<Action>,
    /// Where another account can be chosen.
    pub switch: Option<Link>,
    /// The portal.
    pub home: Option<Link>,
    /// Host and path that were asked for, without the query.
    pub address: String,
    /// The decision to quote.
    pub decision: DecisionId,
    /// When.
    pub at: Moment,
    /// Whom to ask.
    pub contact: Option<Contact>,
}

/// Asks before signing out; the form posts to `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_out.html")]
pub struct SignOutPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the form goes: this host, or `form-action` stops it.
    pub action: Link,
    /// Where "Stay signed in" leads.
    pub back: Link,
}

/// Nobody is signed in here, or not any more.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// How far that goes.
    pub reach: SignedOut,
    /// Where to sign in again.
    pub again: Link,
    /// What helps people whom Entra then does not let in.
    pub hint: &'static str,
}

/// How far somebody is signed out.
#[derive(Debug, Clone)]
pub enum SignedOut {
    /// The session ended just now. The browser may still be signed in at Entra: the link leads to its sign-out, when its
    /// address is known.
    Ended(Option<Link>),
    /// The browser has no session on the gate's own host, and so none for any app.
    Everywhere,
    /// The browser has no session on this host. Only the gate's own host, where the link leads, can tell of others.
    HereOnly(Link),
}

/// The next step of a sign-in is on another origin. The header `Refresh` leads there; the page is for whom it does not.
#[derive(Debug, Clone, Template)]
#[template(path = "onward.html")]
pub struct OnwardPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The next step.
    pub link: Link,
}

/// A sign-in, or a step-up, came back and was not accepted. `frame.title` says what happened.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in_failed.html")]
pub struct SignInFailedPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What did not finish.
    pub eyebrow: &'static str,
    /// How that is meant: not wanting to is no failure.
    pub tone: Tone,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// Who can put it right; nobody where nothing is wrong.
    pub mender: Option<&'static str>,
    /// Where to try again.
    pub again: Option<Link>,
    /// Where another account can be chosen.
    pub switch: Option<Link>,
    /// What to quote.
    pub reference: String,
    /// When.
    pub at: Moment,
    /// Whom to ask.
    pub contact: Option<Contact>,
    /// Entra's own code (`AADSTS50105`); its text is never shown, it may hold what a visitor chose.
    pub code: Option<String>,
    /// Entra's own id for the request.
    pub correlation: Option<String>,
    /// What else helps people who end up here.
    pub hint: Option<&'static str>,
}
