//! The form of a grant, as pages show it.

use std::time::Duration;

use serde::Deserialize;

use crate::authz::compile::MfaSetting;
use crate::console::choice::{Choice, Field};
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{GroupNames, conditions};
use crate::live::Live;
use crate::model::difference::revision;
use crate::model::grant::{Conditions, Effect, Grant, Mfa, Reach, What, Who};
use crate::model::group::PeopleNames;
use crate::model::id::{GroupId, Subject};
use crate::model::route::Route;
use crate::model::time::{Instant, Timestamp};
use crate::web::link::Link;

/// The form that adds or changes a grant: empty, as the grant is, or as it was sent.
#[derive(Debug, Clone)]
pub struct GrantForm {
    /// Where it is sent.
    pub action: Link,
    /// The grant's id; none when one is added.
    pub id: Option<String>,
    /// Of the grant that it was made from; empty for a new one.
    pub revision: String,
    /// The page without it, while a grant is changed.
    pub cancel: Option<Link>,
    /// Conditions that it does not show and leaves as they are.
    pub kept: Vec<String>,
    /// What is wrong with the whole ("Somebody published release 8 meanwhile").
    pub problem: Option<String>,
    /// `effect`: one of [`EFFECTS`].
    pub effect: Field,
    /// `who_kind`: one of [`WHO_KINDS`].
    pub who_kind: Field,
    /// `who`: group name or id, role, or subject.
    pub who: Field,
    /// `what`: one of [`WHATS`].
    pub what: Field,
    /// `methods`: names, when `what` is `methods`.
    pub methods: Field,
    /// `reach`: one of [`REACHES`].
    pub reach: Field,
    /// `networks`: CIDRs, separated by blanks or commas.
    pub networks: Field,
    /// `mfa`: one of [`MFAS`].
    pub mfa: Field,
    /// What can be typed into `who`.
    pub who_hint: &'static str,
    /// What the settings make of `mfa`.
    pub mfa_hint: String,
    /// `until`: `2026-12-31T18:00`, in UTC.
    pub until: Field,
    /// `reason`
    pub reason: Field,
    /// `ticket`
    pub ticket: Field,
    /// Groups with a name, to choose from.
    pub groups: Vec<KnownGroup>,
    /// What sending it does.
    pub sending: String,
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
pub const WHO_KINDS: [(&str, &str); 7] = [
    ("group", "Members of a group"),
    ("role", "Holders of an app role"),
    ("person", "One person"),
    ("workload", "One service"),
    ("tenants", "People of tenants"),
    ("signed_in", "Everyone signed in"),
    ("everyone", "Everyone, without sign-in"),
];
/// Values and labels of `effect`.
pub const EFFECTS: [(&str, &str); 2] = [("permit", "May"), ("forbid", "May never")];
/// Values and labels of `what`.
pub const WHATS: [(&str, &str); 4] = [
    ("read", "Read"),
    ("write", "Change"),
    ("all", "Read and change"),
    ("methods", "Use these methods"),
];
/// Values and labels of `reach`.
pub const REACHES: [(&str, &str); 2] =
    [("below", "This route and those below"), ("only", "This route only")];
/// Values and labels of `mfa`.
pub const MFAS: [(&str, &str); 2] = [("optional", "Not needed"), ("required", "Needed")];

/// How long from now a grant may last, to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// A day.
    Day,
    /// A week.
    Week,
    /// Thirty days.
    Month,
    /// Ninety days.
    Quarter,
}

impl Ends {
    /// Every choice, the shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// What is sent.
    pub fn value(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// What is read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Day => "1 day",
            Self::Week => "1 week",
            Self::Month => "1 month",
            Self::Quarter => "3 months",
        }
    }

    /// How long that is.
    pub fn days(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
        }
    }

    /// The end, from now.
    pub(super) fn after(self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_hours(24 * u64::from(self.days())))
    }
}

/// As the field has it.
pub(super) fn typed_end(at: Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

const WHO: &str = "A group by name or object id, an app role, or an account id, alone or as Name <account id>, where the id alone decides. Leave empty for signed-in people and everyone.";

/// The same for those who may read people.
pub(super) const WHO_BY_NAME: &str = "A group by name or object id, an app role, or a person by name, by user name, by account id, or by both as Name <account id>. Leave empty for signed-in people and everyone.";

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
            id: None,
            revision: String::new(),
            cancel: None,
            kept: Vec::new(),
            problem: None,
            effect: Field::of("permit"),
            who_kind: Field::of("group"),
            who: Field::default(),
            who_hint: WHO,
            what: Field::of("read"),
            methods: Field::default(),
            reach: Field::of("below"),
            networks: Field::default(),
            mfa: Field::of("optional"),
            mfa_hint: mfa_hint.to_owned(),
            until: Field::default(),
            reason: Field::default(),
            ticket: Field::default(),
            groups: groups.collect(),
            sending: "Goes into the draft. Nobody gets in before it is published.".to_owned(),
        }
    }

    /// The form that changes a grant, as the grant is.
    pub(super) fn of(grant: &Grant, names: &GroupNames, form: Self) -> Self {
        let (who_kind, who) = who(&grant.who, names);
        let (what, methods) = what(&grant.what);
        let Conditions { networks, mfa, until, .. } = &grant.when;
        let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
        let until = until.map(|Instant(at)| typed_end(at));
        Self {
            action: urls::change_grant(&grant.route, &grant.id),
            id: Some(grant.id.to_string()),
            revision: revision(grant),
            cancel: Some(urls::route(&grant.route)),
            kept: kept(grant),
            effect: Field::of(if grant.effect == Effect::Forbid { "forbid" } else { "permit" }),
            who_kind: Field::of(who_kind),
            who: Field::of(&who),
            what: Field::of(what),
            methods: Field::of(&methods),
            reach: Field::of(if grant.reach == Reach::Only { "only" } else { "below" }),
            networks: Field::of(&networks.join(" ")),
            mfa: Field::of(if *mfa == Mfa::Required { "required" } else { "optional" }),
            until: Field::of(until.as_deref().unwrap_or_default()),
            reason: Field::of(&grant.reason),
            ticket: Field::of(&grant.ticket),
            sending: "Goes into the draft. What is in force stays until it is published."
                .to_owned(),
            ..form
        }
    }

    /// Buttons that fill in `until`.
    pub fn ends(&self) -> [Ends; 4] {
        Ends::ALL
    }

    /// Options of `effect`.
    pub fn effects(&self) -> Vec<Choice> {
        Choice::list(&EFFECTS, &self.effect.value)
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
            &mut self.effect,
            &mut self.who_kind,
            &mut self.who,
            &mut self.what,
            &mut self.methods,
            &mut self.reach,
            &mut self.networks,
            &mut self.until,
            &mut self.mfa,
            &mut self.reason,
            &mut self.ticket,
        ];
        Field::focus_first_wrong(fields);
    }
}

/// `who_kind` and `who`.
fn who(who: &Who, names: &GroupNames) -> (&'static str, String) {
    match who {
        Who::Group(id) => ("group", group(id, names)),
        Who::Role(role) => ("role", role.to_string()),
        Who::Person(subject) => ("person", somebody(subject, names)),
        Who::Workload(subject) => ("workload", somebody(subject, names)),
        Who::Tenants(ids) => {
            ("tenants", ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        }
        Who::SignedIn => ("signed_in", String::new()),
        Who::Everyone => ("everyone", String::new()),
    }
}

/// `Ann Lee <account id>`, where the reader may know the name; the id alone says who it is, and is what is read again.
pub(super) fn somebody(subject: &Subject, names: &GroupNames) -> String {
    match names.people() {
        PeopleNames::Whole | PeopleNames::Short => subject.to_string(),
        PeopleNames::Known(known) => known
            .get(subject)
            .map_or_else(|| subject.to_string(), |name| format!("{name} <{subject}>")),
    }
}

/// An account that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account<'a> {
    /// The name before its id.
    pub(super) name: Option<&'a str>,
    /// Its id, which says who it is.
    pub(super) subject: Subject,
}

/// The account in what was typed: its id, alone or behind a name.
pub(super) fn account(typed: &str) -> Option<Account<'_>> {
    let behind = typed.rsplit_once('<');
    let behind = behind.and_then(|(name, rest)| Some((name, rest.trim_end().strip_suffix('>')?)));
    let (name, id) = behind.map_or((None, typed), |(name, id)| (Some(name.trim()), id));
    let subject = id.trim().parse().ok()?;
    Some(Account { name: name.filter(|name| !name.is_empty()), subject })
}

/// The name of a group, where it leads back to this very group; else its object id.
fn group(id: &GroupId, names: &GroupNames) -> String {
    let name = names.name(id).filter(|name| names.called(name).as_slice() == [id]);
    name.map_or_else(|| id.to_string(), str::to_owned)
}

/// `what` and `methods`.
fn what(what: &What) -> (&'static str, String) {
    match what {
        What::Read => ("read", String::new()),
        What::Write => ("write", String::new()),
        What::All => ("all", String::new()),
        What::Methods(methods) => {
            let names: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
            ("methods", names.join(" "))
        }
    }
}

/// The conditions that the form does not show.
fn kept(grant: &Grant) -> Vec<String> {
    let mut when = grant.when.clone();
    (when.networks, when.mfa, when.until) = (Vec::new(), Mfa::Optional, None);
    conditions(&when).into_iter().map(|condition| condition.text).collect()
}
