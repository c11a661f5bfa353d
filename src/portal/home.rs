//! The portal's first page: who I am, what I may open, what it takes, how to leave.
//!
//! It lists only what this person may open, so that it never becomes an inventory of what there is.

use askama::Template;

use crate::web::contact::Contact;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, Tone};
use crate::web::pages::Action;
use crate::web::stretch::Stretch;

/// My access.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/home.html")]
pub struct HomePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What the list is filtered by; empty: nothing.
    pub q: String,
    /// What this person may open, app by app; without what the filter leaves out.
    pub apps: Vec<AppCard>,
    /// Which part of it that is; none when it is all.
    pub stretch: Option<Stretch>,
    /// Who this person is to us.
    pub me: Me,
    /// The console, when this person may use it.
    pub console: Option<Link>,
    /// Where the form goes that has groups read again.
    pub read_again: Link,
    /// Where they are signed in.
    pub sessions: Link,
    /// The page that asks before signing out.
    pub sign_out: Link,
    /// Whom to ask for access.
    pub contact: Option<Contact>,
}

/// One application of which something can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCard {
    /// Its name.
    pub name: String,
    /// Its host, for showing.
    pub host: String,
    /// Where it opens.
    pub link: Link,
    /// What of it can be opened.
    pub routes: Vec<RouteLine>,
}

/// One route that can be opened, now or under conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLine {
    /// Its title, or where it is.
    pub title: String,
    /// Where it is, as people read addresses: what depends on what is asked for is left out.
    pub place: String,
    /// Where it opens; none where that depends on what is asked for.
    pub link: Option<Link>,
    /// Whether it opens now.
    pub state: State,
    /// What may be done there: `Read and change`.
    pub may: &'static str,
    /// Through what: `through Finance`.
    pub why: Vec<String>,
    /// When that ends by itself.
    pub until: Option<Until>,
    /// What it takes to do more.
    pub needs: Vec<Need>,
}

/// Whether a route opens now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Ready,
    /// Parts of it do.
    Partly,
    /// It would under conditions.
    If,
}

/// The end of access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Until {
    /// In words.
    pub text: String,
    /// Careful where it is near.
    pub tone: Tone,
}

/// What it takes to do more than now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// For what: `To change`.
    pub to: &'static str,
    /// In words: `only from certain networks`.
    pub text: String,
    /// Where it can be given at once.
    pub action: Option<Action>,
}

impl HomePage {
    /// Whether a part may be missing because of the filter.
    pub fn is_filtered(&self) -> bool {
        !self.q.is_empty()
    }
}

impl AppCard {
    /// The letter on the card.
    pub fn initial(&self) -> String {
        let first = self.name.chars().find(|c| c.is_alphanumeric());
        first.map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect())
    }
}

impl State {
    /// The word on the badge.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Partly => "Ready in parts",
            Self::If => "Ready if…",
        }
    }

    /// How it is meant.
    pub fn tone(self) -> Tone {
        match self {
            Self::Ready | Self::Partly => Tone::Good,
            Self::If => Tone::Careful,
        }
    }
}

/// Who this person is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Display name.
    pub name: String,
    /// User name.
    pub user_name: String,
    /// E-mail address, when the token had one.
    pub email: Option<String>,
    /// `Guest`, for accounts of another tenant.
    pub guest: Option<&'static str>,
    /// Groups by name and roles, those that rules mention.
    pub memberships: Vec<String>,
    /// When groups and roles were last read.
    pub read: Option<Moment>,
    /// Since when and until when, in words.
    pub session: String,
    /// The lasting identity.
    pub subject: String,
}
