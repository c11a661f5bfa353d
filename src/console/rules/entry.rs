//! The form of a grant, as it was sent: every field read, every mistake found at once.
//!
//! Fields that the form does not have are refused, so nothing can be set that the page does not show.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::model::grant::{Effect, Method, Mfa, Reach, What, Who};
use crate::model::id::{GroupId, Subject, TenantId};
use crate::model::known::{Known, KnownPrincipal};
use crate::model::principal::Principal;
use crate::model::time::{Instant, Timestamp};

use super::form::{Account, Ends, GrantForm, WHO_KINDS, account, typed_end};
use crate::console::choice::Field;
use crate::console::words::GroupNames;

/// The form as it was sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantEntry {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    /// Of the grant as it was when the form was made; empty when it is new.
    revision: String,
    effect: String,
    who_kind: String,
    who: String,
    what: String,
    methods: String,
    reach: String,
    networks: String,
    until: String,
    mfa: String,
    reason: String,
    ticket: String,
    /// Pressed to have an end filled in; nothing is saved then.
    #[serde(default)]
    ends: Option<Ends>,
}

/// What the form asks for, when nothing is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) effect: Effect,
    pub(super) who: Who,
    pub(super) what: What,
    pub(super) reach: Reach,
    pub(super) networks: Vec<IpNet>,
    pub(super) mfa: Mfa,
    pub(super) until: Option<Instant>,
    pub(super) reason: String,
    pub(super) ticket: String,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    name: FieldName,
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldName {
    Effect,
    WhoKind,
    Who,
    What,
    Methods,
    Reach,
    Networks,
    Until,
    Mfa,
    Reason,
    Ticket,
}

impl FieldName {
    fn wrong(self, message: &str) -> Wrong {
        Wrong { name: self, message: message.to_owned() }
    }
}

const CHOOSE: &str = "Choose one of these.";
const GUID_OR_NAME: &str =
    "No group has this name. Choose one from the list, or give the group's object id (a GUID).";
const SUBJECT: &str =
    "Give the account id: tenant id and object id, two GUIDs with a dot between them.";
const NOBODY_CALLED: &str = "Nobody who was here has this name or user name. Give it in full, or the account id: tenant id and object id, two GUIDs with a dot between them.";
/// People that are named where a name fits several.
const CANDIDATES: usize = 5;
const NOBODY: &str = "Leave this empty: the choice before it says everything.";

impl GrantEntry {
    /// Of the grant that the form was made from.
    pub(super) fn revision(&self) -> &str {
        &self.revision
    }

    /// Fills in the end that was asked for; false when none was.
    pub(super) fn fill_end(&mut self, now: Timestamp) -> bool {
        let end = self.ends.map(|ends| typed_end(ends.after(now)));
        end.map(|end| self.until = end).is_some()
    }

    /// Puts what was typed into `form`, with a message at each field that is wrong.
    pub(super) fn fill(&self, form: &mut GrantForm, wrong: &[Wrong]) {
        form.effect = Field::of(&self.effect);
        form.who_kind = Field::of(&self.who_kind);
        form.who = Field::of(&self.who);
        form.what = Field::of(&self.what);
        form.methods = Field::of(&self.methods);
        form.reach = Field::of(&self.reach);
        form.networks = Field::of(&self.networks);
        form.until = Field::of(&self.until);
        form.mfa = Field::of(&self.mfa);
        form.reason = Field::of(&self.reason);
        form.ticket = Field::of(&self.ticket);
        for Wrong { name, message } in wrong {
            let field = field(form, *name);
            *field = std::mem::take(field).wrong(message);
        }
        form.focus_first_error();
    }

    /// Reads every field. An end that has passed is taken where the grant has that very one.
    ///
    /// # Errors
    /// With all that is wrong.
    pub(super) fn read(
        &self,
        (names, people): (&GroupNames, Option<&Known>),
        (now, known): (Timestamp, Option<Instant>),
    ) -> Result<Wanted, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let effect = keep(self.effect(), &mut wrong);
        let who = keep(self.who(names, people), &mut wrong);
        let what = keep(self.what(), &mut wrong);
        let reach = keep(self.reach(), &mut wrong);
        let networks = keep(self.networks(), &mut wrong);
        let until = keep(self.until(now, known), &mut wrong);
        let mfa = keep(self.mfa(), &mut wrong);
        let reason = keep(self.reason(), &mut wrong);
        let ticket = keep(self.ticket(), &mut wrong);
        let read = || {
            Some(Wanted {
                effect: effect?,
                who: who?,
                what: what?,
                reach: reach?,
                networks: networks?,
                mfa: mfa?,
                until: until?,
                reason: reason?,
                ticket: ticket?,
            })
        };
        read().ok_or(wrong)
    }

    fn effect(&self) -> Result<Effect, Wrong> {
        match self.effect.as_str() {
            "permit" => Ok(Effect::Permit),
            "forbid" => Ok(Effect::Forbid),
            _ => Err(FieldName::Effect.wrong(CHOOSE)),
        }
    }

    /// The two fields that say whom it is about.
    pub(super) fn about(&self) -> (&str, &str) {
        (&self.who_kind, self.who.trim())
    }

    fn who(&self, names: &GroupNames, people: Option<&Known>) -> Result<Who, Wrong> {
        if !WHO_KINDS.iter().any(|(kind, _)| *kind == self.who_kind) {
            return Err(FieldName::WhoKind.wrong(CHOOSE));
        }
        read_who(self.about(), (names, people)).map_err(|message| FieldName::Who.wrong(&message))
    }

    fn what(&self) -> Result<What, Wrong> {
        match self.what.as_str() {
            "read" => Ok(What::Read),
            "write" => Ok(What::Write),
            "all" => Ok(What::All),
            "methods" => self.methods().map(What::Methods),
            _ => Err(FieldName::What.wrong(CHOOSE)),
        }
    }

    fn methods(&self) -> Result<BTreeSet<Method>, Wrong> {
        let wrong = || FieldName::Methods.wrong("Give methods such as GET, POST or DELETE.");
        let named = words(&self.methods).map(|word| Method::from_name(&word.to_uppercase()));
        let methods = named.collect::<Option<BTreeSet<_>>>().ok_or_else(wrong)?;
        if methods.is_empty() { Err(wrong()) } else { Ok(methods) }
    }

    fn reach(&self) -> Result<Reach, Wrong> {
        match self.reach.as_str() {
            "below" => Ok(Reach::Below),
            "only" => Ok(Reach::Only),
            _ => Err(FieldName::Reach.wrong(CHOOSE)),
        }
    }

    fn mfa(&self) -> Result<Mfa, Wrong> {
        match self.mfa.as_str() {
            "optional" => Ok(Mfa::Optional),
            "required" => Ok(Mfa::Required),
            _ => Err(FieldName::Mfa.wrong(CHOOSE)),
        }
    }

    fn networks(&self) -> Result<Vec<IpNet>, Wrong> {
        let mut networks = Vec::new();
        for word in words(&self.networks) {
            let network = network(word)?;
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        if networks.len() > 20 {
            return Err(FieldName::Networks.wrong("Give at most 20 networks."));
        }
        Ok(networks)
    }

    fn until(&self, now: Timestamp, known: Option<Instant>) -> Result<Option<Instant>, Wrong> {
        let typed = self.until.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        // The browser sends a date and a time without zone; the page says that they are UTC.
        let end: Instant = format!("{typed}Z").parse().map_err(|_| {
            FieldName::Until.wrong("Give a date and a time such as 2026-12-31T18:00.")
        })?;
        if end.0 <= now && known != Some(end) {
            return Err(FieldName::Until.wrong("This moment has passed. Times are in UTC."));
        }
        Ok(Some(end))
    }

    fn reason(&self) -> Result<String, Wrong> {
        let typed = self.reason.trim();
        if typed.is_empty() {
            return Err(FieldName::Reason.wrong("Say why they need it."));
        }
        if typed.chars().count() > 500 || typed.chars().any(char::is_control) {
            return Err(FieldName::Reason.wrong("Use at most 500 characters, in one line."));
        }
        Ok(typed.to_owned())
    }

    fn ticket(&self) -> Result<String, Wrong> {
        let typed = self.ticket.trim();
        if typed.chars().count() > 100 || typed.chars().any(char::is_control) {
            return Err(FieldName::Ticket.wrong("Use at most 100 characters, in one line."));
        }
        Ok(typed.to_owned())
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', ';', '\t', '\r', '\n']).filter(|word| !word.is_empty())
}

fn tenants(typed: &str) -> Result<BTreeSet<TenantId>, String> {
    let wrong = || "Give the tenants' ids (GUIDs), separated by blanks.".to_owned();
    let ids: Result<BTreeSet<_>, _> = words(typed).map(str::parse).collect();
    ids.ok().filter(|ids| !ids.is_empty()).ok_or_else(wrong)
}

fn keep<T>(read: Result<T, Wrong>, wrong: &mut Vec<Wrong>) -> Option<T> {
    read.map_err(|one| wrong.push(one)).ok()
}

/// Whether two fields name somebody: otherwise than by account id, or before it.
pub(super) fn names_somebody((kind, typed): (&str, &str)) -> bool {
    let is_person = kind == "person" || kind == "workload";
    is_person && account(typed).is_none_or(|account| account.name.is_some())
}

/// Whom two fields speak of. Without the people, a person is known by account id alone.
///
/// # Errors
/// With what is wrong, as a sentence.
pub(super) fn read_who(
    (kind, typed): (&str, &str),
    (names, people): (&GroupNames, Option<&Known>),
) -> Result<Who, String> {
    if let Some(people) = people.filter(|_| names_somebody((kind, typed))) {
        return somebody((kind, typed), people);
    }
    let subject =
        || account(typed).map(|account| account.subject).ok_or_else(|| SUBJECT.to_owned());
    match kind {
        "group" => group(typed, names).map(Who::Group),
        "role" => {
            let message = "Give the value of the app role, as it stands in Entra.";
            typed.parse().map(Who::Role).map_err(|_| message.to_owned())
        }
        "person" => subject().map(Who::Person),
        "workload" => subject().map(Who::Workload),
        "tenants" => tenants(typed).map(Who::Tenants),
        "signed_in" if typed.is_empty() => Ok(Who::SignedIn),
        "everyone" if typed.is_empty() => Ok(Who::Everyone),
        "signed_in" | "everyone" => Err(NOBODY.to_owned()),
        _ => Err(CHOOSE.to_owned()),
    }
}

/// A person or service by a name that they alone have: whoever is let in must be the one who was meant.
fn somebody((kind, typed): (&str, &str), people: &Known) -> Result<Who, String> {
    if let Some(account) = account(typed) {
        return by_account(kind, account, people);
    }
    let is_wanted = |one: &KnownPrincipal| match &**one.content {
        Principal::User(_) => kind == "person",
        Principal::Workload(_) => kind == "workload",
        Principal::Anonymous => false,
    };
    let mut found = people.called(typed);
    found.retain(|(_, one)| is_wanted(one));
    match found.as_slice() {
        [(subject, _)] => Ok(one(kind, (*subject).clone())),
        [] => Err(NOBODY_CALLED.to_owned()),
        several => {
            let all: Vec<_> =
                several.iter().take(CANDIDATES).map(|(subject, one)| told(subject, one)).collect();
            Err(format!(
                "Several are called that: {}. Give the user name or the account id of the one you mean.",
                all.join("; ")
            ))
        }
    }
}

/// A person or service by account id. The name before it must be theirs, where that is known: one of the two is not meant.
fn by_account(
    kind: &str,
    Account { name, subject }: Account<'_>,
    people: &Known,
) -> Result<Who, String> {
    match name.zip(people.get(&subject)) {
        Some((name, known)) if !known.is_called(name) => Err(format!(
            "`<{subject}>` is {}, not {name}. Give the one of the two whom you mean.",
            known.content.display_name()
        )),
        Some(_) | None => Ok(one(kind, subject)),
    }
}

fn one(kind: &str, subject: Subject) -> Who {
    if kind == "person" { Who::Person(subject) } else { Who::Workload(subject) }
}

/// `Ann Lee, ann.lee@contoso.com`, and the account id.
fn told(subject: &Subject, one: &KnownPrincipal) -> String {
    let user_name = match &**one.content {
        Principal::User(user) => format!(", {}", user.user_name),
        Principal::Workload(_) | Principal::Anonymous => String::new(),
    };
    format!("{}{user_name}, {subject}", one.content.display_name())
}

/// A group by its object id, or by a name that one group has.
fn group(typed: &str, names: &GroupNames) -> Result<GroupId, String> {
    if let Ok(id) = typed.parse() {
        return Ok(id);
    }
    match names.called(typed).as_slice() {
        [id] => Ok((*id).clone()),
        [] => Err(GUID_OR_NAME.to_owned()),
        [..] => Err("Several groups have this name. Give the object id instead.".to_owned()),
    }
}

fn network(word: &str) -> Result<IpNet, Wrong> {
    let shown: String = word.chars().take(50).collect();
    let network: IpNet = word.parse().map_err(|_| {
        FieldName::Networks.wrong(&format!("`{shown}` is not a network such as 10.20.0.0/16."))
    })?;
    if network.trunc() != network {
        let meant = network.trunc();
        let message = format!("`{shown}` names an address within a network. Did you mean {meant}?");
        return Err(FieldName::Networks.wrong(&message));
    }
    Ok(network)
}

fn field(form: &mut GrantForm, name: FieldName) -> &mut Field {
    match name {
        FieldName::Effect => &mut form.effect,
        FieldName::WhoKind => &mut form.who_kind,
        FieldName::Who => &mut form.who,
        FieldName::What => &mut form.what,
        FieldName::Methods => &mut form.methods,
        FieldName::Reach => &mut form.reach,
        FieldName::Networks => &mut form.networks,
        FieldName::Until => &mut form.until,
        FieldName::Mfa => &mut form.mfa,
        FieldName::Reason => &mut form.reason,
        FieldName::Ticket => &mut form.ticket,
    }
}
