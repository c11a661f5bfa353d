//! Routes: the places of an app that rules speak of, and how each is to be treated.

use serde::{Deserialize, Serialize};

use super::id::RouteId;
pub use super::pattern::{Crossing, InvalidPattern, PathPattern, PatternSegment};

/// A path pattern of one app: the Cedar resource that requests are decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// `<app>/<name>`.
    pub id: RouteId,
    /// Which canonical paths it covers.
    pub pattern: PathPattern,
    /// What it is, in a few words for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Whether WebSocket upgrades may pass.
    #[serde(default, skip_serializing_if = "WebSockets::is_refused")]
    pub websockets: WebSockets,
    /// Whether `/Admin` and `/admin` are one place.
    #[serde(default, skip_serializing_if = "LetterCase::is_kept")]
    pub letter_case: LetterCase,
    /// Whether a segment may hold an encoded slash.
    #[serde(default, skip_serializing_if = "EncodedSlashes::is_refused")]
    pub encoded_slashes: EncodedSlashes,
    /// Whether the portal shows it to those who may open it.
    #[serde(default, skip_serializing_if = "Listing::is_listed")]
    pub listing: Listing,
    /// How much somebody who is refused is told.
    #[serde(default, skip_serializing_if = "Disclosure::is_brief")]
    pub disclosure: Disclosure,
    /// Whom to ask for access: a name, a team, an address; shown to whoever is refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Free words that policies can look at (`resource.labels`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// Whether letters of a path are compared as they are or without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterCase {
    /// `/Admin` is another path than `/admin`.
    #[default]
    Kept,
    /// The path is folded to lower case (ASCII letters, never the digits of an escape) before it is matched, decided on,
    /// recorded and forwarded: for apps that don't tell `/Admin` from `/admin`.
    Folded,
}

impl LetterCase {
    fn is_kept(&self) -> bool {
        *self == Self::Kept
    }
}

/// Whether `%2F` may stand in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodedSlashes {
    /// Such a path is answered 400.
    #[default]
    Refused,
    /// It stays as it is, part of its segment, and is never decoded by us.
    Kept,
}

impl EncodedSlashes {
    fn is_refused(&self) -> bool {
        *self == Self::Refused
    }
}

/// Whether the portal shows a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// To those who may open it.
    #[default]
    Listed,
    /// To nobody; it opens all the same.
    Unlisted,
}

impl Listing {
    fn is_listed(&self) -> bool {
        *self == Self::Listed
    }
}

/// How much a refused person is told of the reason; records keep all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// What nobody could tell from a route that does not exist, page or JSON. What is refused before anything is decided stays
    /// as it is: an upgrade, or an encoded slash, on a route that takes none.
    Silent,
    /// The kind of reason.
    #[default]
    Brief,
    /// The missing group or role by name, and the conditions that were not met.
    Helpful,
}

impl Disclosure {
    fn is_brief(&self) -> bool {
        *self == Self::Brief
    }
}

impl Route {
    /// A route with this pattern, and everything else as it is where nobody says otherwise.
    pub fn new(id: RouteId, pattern: PathPattern) -> Self {
        Self {
            id,
            pattern,
            title: String::new(),
            websockets: WebSockets::default(),
            letter_case: LetterCase::default(),
            encoded_slashes: EncodedSlashes::default(),
            listing: Listing::default(),
            disclosure: Disclosure::default(),
            owner: String::new(),
            labels: Vec::new(),
        }
    }
}

/// Whether WebSocket upgrades may pass on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebSockets {
    /// An upgrade is answered 400; nothing is forwarded.
    #[default]
    Refused,
    /// An upgrade from an origin of the app is decided like any GET.
    Allowed,
}

impl WebSockets {
    fn is_refused(&self) -> bool {
        *self == Self::Refused
    }
}
