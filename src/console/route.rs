//! One route: who gets in, as sentences, and a form that adds a grant.
//!
//! The Cedar text is for reading. There is no way back from text to grants, by design.

use askama::Template;

use crate::model::grant::{Effect, Grant};
use crate::web::link::Link;
use crate::web::page::{Frame, Notice};

use super::cedar_text::Token;
use super::choice::{Badge, Choice, Field, Focus};
use super::words::{self, Condition, GroupNames, GroupNote};

/// One route. The block `access` is what htmx swaps after the form was sent.
#[derive(Debug, Clone, Template)]
#[template(path = "console/route.html", blocks = ["access"])]
pub struct RoutePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list of routes.
    pub up: Link,
    /// The app's name.
    pub app: String,
    /// The path pattern.
    pub pattern: String,
    /// What it is.
    pub title: String,
    /// A warning: public, or nobody.
    pub badge: Option<Badge>,
    /// The decisions made on this route.
    pub decisions: Option<Link>,
    /// What came of the form just sent; inside the block, so that both ways of sending show it.
    pub outcome: Option<Notice>,
    /// The release in force, when only the block goes out: the frame already on the screen names an older one.
    pub moved: Option<String>,
    /// Grants that open it, own ones first.
    pub permits: Vec<GrantRow>,
    /// Grants that close it.
    pub forbids: Vec<GrantRow>,
    /// Ids of hand-written policies that may apply.
    pub policies: Vec<String>,
    /// The form, for people who may add grants.
    pub form: Option<GrantForm>,
    /// What the grants are compiled to.
    pub cedar: Vec<Token>,
}

/// One grant as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// Its id.
    pub id: String,
    /// Whether it opens or closes.
    pub effect: Effect,
    /// Whom it speaks of.
    pub who: String,
    /// The object id, for a group.
    pub group: Option<String>,
    /// What is to be said of the group.
    pub note: Option<GroupNote>,
    /// What kind of principal that is.
    pub kind: &'static str,
    /// What they may do.
    pub what: String,
    /// Under which conditions.
    pub conditions: Vec<Condition>,
    /// How far it reaches.
    pub reach: &'static str,
    /// Why it exists.
    pub reason: Option<String>,
    /// The route above that it comes from, when it is inherited.
    pub from: Option<Inherited>,
}

/// A route above that a grant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inherited {
    /// Its path pattern.
    pub name: String,
    /// Its page.
    pub link: Link,
}

impl GrantRow {
    /// The grant in words; `from` is the route it comes from when that is another one.
    pub fn new(grant: &Grant, names: &GroupNames, from: Option<Inherited>) -> Self {
        let (group, note) = words::group(&grant.who, names);
        Self {
            id: grant.id.to_string(),
            effect: grant.effect,
            who: words::who(&grant.who, names),
            group,
            note,
            kind: words::kind(&grant.who),
            what: words::what(&grant.what, grant.effect),
            conditions: words::conditions(&grant.when),
            reach: words::reach(grant.reach),
            reason: (!grant.reason.is_empty()).then(|| grant.reason.clone()),
            from,
        }
    }

    /// The id of its element, which records link to.
    pub fn anchor(&self) -> String {
        format!("grant-{}", self.id)
    }

    /// Between who and what.
    pub fn verb(&self) -> &'static str {
        words::verb(self.effect)
    }

    /// Name of its icon in the sprite.
    pub fn icon(&self) -> &'static str {
        match self.effect {
            Effect::Permit => "circle-check",
            Effect::Forbid => "circle-x",
        }
    }
}

/// The form that adds a grant, as it was sent or empty.
#[derive(Debug, Clone)]
pub struct GrantForm {
    /// Where it is sent.
    pub action: Link,
    /// The release that the person was looking at.
    pub based_on: i64,
    /// What is wrong with the whole ("Somebody published release 8 meanwhile").
    pub problem: Option<String>,
    /// `who_kind`: one of [`WHO_KINDS`].
    pub who_kind: Field,
    /// `who`: group name or id, role, or subject.
    pub who: Field,
    /// `what`: one of [`WHATS`].
    pub what: Field,
    /// `reach`: one of [`REACHES`].
    pub reach: Field,
    /// `networks`: CIDRs, separated by blanks or commas.
    pub networks: Field,
    /// `mfa`: one of [`MFAS`].
    pub mfa: Field,
    /// What the settings make of `mfa`.
    pub mfa_hint: String,
    /// `until`: `2026-12-31T18:00`, in UTC.
    pub until: Field,
    /// `reason`
    pub reason: Field,
    /// Groups with a name, to choose from.
    pub groups: Vec<KnownGroup>,
    /// What sending it does ("Takes effect at once, as release 8.").
    pub effect: String,
}

/// A group with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGroup {
    /// What it is called.
    pub name: String,
    /// Its object id.
    pub id: String,
}

/// Values and labels of `who_kind`.
pub const WHO_KINDS: [(&str, &str); 6] = [
    ("group", "Members of a group"),
    ("role", "Holders of an app role"),
    ("person", "One person"),
    ("workload", "One service"),
    ("signed_in", "Everyone signed in"),
    ("everyone", "Everyone, without sign-in"),
];
/// Values and labels of `what`.
pub const WHATS: [(&str, &str); 3] =
    [("read", "Read"), ("write", "Change"), ("all", "Read and change")];
/// Values and labels of `reach`.
pub const REACHES: [(&str, &str); 2] =
    [("below", "This route and those below"), ("only", "This route only")];
/// Values and labels of `mfa`.
pub const MFAS: [(&str, &str); 2] = [("optional", "Not needed"), ("required", "Needed")];

impl GrantForm {
    /// Options of `who_kind`.
    pub fn who_kinds(&self) -> Vec<Choice> {
        Choice::list(&WHO_KINDS, &self.who_kind.value)
    }

    /// Options of `what`.
    pub fn whats(&self) -> Vec<Choice> {
        Choice::list(&WHATS, &self.what.value)
    }

    /// Options of `reach`.
    pub fn reaches(&self) -> Vec<Choice> {
        Choice::list(&REACHES, &self.reach.value)
    }

    /// Options of `mfa`.
    pub fn mfas(&self) -> Vec<Choice> {
        Choice::list(&MFAS, &self.mfa.value)
    }

    /// Gives the focus to the first field with a message, in the order of the page.
    pub fn focus_first_error(&mut self) {
        let fields = [
            &mut self.who_kind,
            &mut self.who,
            &mut self.what,
            &mut self.reach,
            &mut self.networks,
            &mut self.until,
            &mut self.mfa,
            &mut self.reason,
        ];
        if let Some(first) = fields.into_iter().find(|field| field.is_wrong()) {
            first.focus = Focus::Here;
        }
    }
}
