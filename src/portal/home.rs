//! The portal's first page: who I am, what I may open, how to leave.
//!
//! It lists only what this person may open, so that it never becomes an inventory of what there is.

use askama::Template;

use crate::web::contact::Contact;
use crate::web::link::Link;
use crate::web::page::Frame;

/// My access.
#[derive(Debug, Clone, Template)]
#[template(path = "portal/home.html")]
pub struct HomePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What this person may open.
    pub apps: Vec<AppTile>,
    /// Who this person is to us.
    pub me: Me,
    /// The console, when this person may use it.
    pub console: Option<Link>,
    /// The page that asks before signing out.
    pub sign_out: Link,
    /// Whom to ask for access.
    pub contact: Option<Contact>,
}

/// One application that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTile {
    /// Its name.
    pub name: String,
    /// Its host, for showing.
    pub host: String,
    /// Where it opens.
    pub link: Link,
    /// What may be done there ("Read and change").
    pub may: String,
    /// What parts of it depend on ("Changes need multi-factor sign-in").
    pub condition: Option<String>,
}

impl AppTile {
    /// The letter on the tile.
    pub fn initial(&self) -> String {
        let first = self.name.chars().find(|c| c.is_alphanumeric());
        first.map_or_else(|| "·".to_owned(), |c| c.to_uppercase().collect())
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
    /// Since when and until when, in words.
    pub session: String,
    /// The lasting identity.
    pub subject: String,
}
