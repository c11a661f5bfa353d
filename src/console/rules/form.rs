//! The form that adds a grant, as pages show it.

use crate::authz::compile::MfaSetting;
use crate::console::choice::{Choice, Field, Focus};
use crate::console::showing::Shown;
use crate::console::urls;
use crate::live::Live;
use crate::model::route::Route;
use crate::web::link::Link;

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
    /// The form that adds a grant to a route, empty.
    pub(super) fn empty(shown: &Shown, route: &Route, live: &Live) -> Self {
        let names = shown.names.all().into_iter();
        let groups =
            names.map(|(id, name)| KnownGroup { name: name.to_owned(), id: id.to_string() });
        let mfa_hint = match live.terms().mfa {
            MfaSetting::Configured => {
                "Needed means: the session met the authentication context of the settings."
            }
            MfaSetting::Empty => {
                "Can't be asked for: the settings name no authentication context (entra.mfa_context)."
            }
        };
        Self {
            action: urls::grants(&route.id),
            based_on: shown.number.0,
            problem: None,
            who_kind: Field::of("group"),
            who: Field::default(),
            what: Field::of("read"),
            reach: Field::of("below"),
            networks: Field::default(),
            mfa: Field::of("optional"),
            mfa_hint: mfa_hint.to_owned(),
            until: Field::default(),
            reason: Field::default(),
            groups: groups.collect(),
            effect: format!("Takes effect at once, as release {}.", shown.next()),
        }
    }

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
