//! Events of the log in words: who did what to which object, why, and how it was before and after.
//!
//! Read leniently, like all records that pages show. A kind that is not known here is told by its own name.

use serde_json::Value;

use crate::model::grant::Grant;
use crate::model::id::{DecisionId, PolicyId, RouteId, Subject};
use crate::model::known::Known;
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::PersonName;

use super::detail;
use super::fact::{Fact, text_of};
use crate::console::choice::Named;
use crate::console::showing::Shown;
use crate::console::urls;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its id.
    pub id: String,
    /// Its page.
    pub link: Link,
    /// When.
    pub at: Moment,
    /// Who did it.
    pub who: PersonName,
    /// All that they did; none for what nobody did.
    pub theirs: Option<Link>,
    /// What happened.
    pub what: String,
    /// To what.
    pub object: Option<Named>,
    /// Why, as far as it was said.
    pub reason: String,
}

/// What names in records stand for.
#[derive(Debug, Clone, Copy)]
pub(in crate::console) struct Names<'a> {
    /// The rules in force.
    pub(in crate::console) shown: &'a Shown,
    /// Who was here.
    pub(in crate::console) known: &'a Known,
}

/// An event, read as far as it can be.
#[derive(Debug, Clone)]
pub(in crate::console) struct EventView {
    id: DecisionId,
    at: Timestamp,
    kind: String,
    raw: String,
    body: Value,
}

/// Facts of events, with what pages call them, in their order.
const FACTS: [(&str, &str); 21] = [
    ("actor", "Account"),
    ("client", "From"),
    ("session", "Session"),
    ("subject", "Whose"),
    ("object", "Object"),
    ("asked", "Asked for"),
    ("asked_by", "Said to be asked by"),
    ("auth_contexts", "Contexts met"),
    ("cause", "Cause"),
    ("detail", "Detail"),
    ("added", "Came"),
    ("removed", "Went"),
    ("version", "Version"),
    ("release", "Release"),
    ("log_key", "Log key"),
    ("records", "Records"),
    ("origin_of_records", "Origin of records"),
    ("upto", "All below number"),
    ("root", "Root over them"),
    ("count", "How many"),
    ("by_ms", "Moved by milliseconds"),
];

/// Where a record may say why.
const REASONS: [&str; 9] = [
    "/reason",
    "/after/reason",
    "/after/note",
    "/before/reason",
    "/why",
    "/cause",
    "/asked",
    "/detail",
    "/after/ticket",
];

impl EventView {
    /// Reads a record. What is no JSON is shown as nothing.
    pub(in crate::console) fn of(line: &RecordLine) -> Self {
        let body = serde_json::from_str(&line.body).unwrap_or_default();
        let (id, at) = (line.id, line.at);
        Self { id, at, kind: line.kind.clone(), raw: line.body.clone(), body }
    }

    /// Whether it is no request's.
    pub(super) fn is_event(&self) -> bool {
        self.kind != "decision" && self.kind != "refusal"
    }

    /// Its JSON, as it was written.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// The proof that it is in the log.
    pub(super) fn proof(&self) -> Link {
        urls::proof(&self.id)
    }

    /// Its row in the list.
    pub(in crate::console) fn row(&self, names: Names<'_>) -> EventRow {
        let actor = self.text("actor");
        EventRow {
            id: self.id.to_string(),
            link: urls::event(&self.id),
            at: Moment::new(self.at),
            who: names.who(&actor),
            theirs: (!actor.is_empty()).then(|| urls::events_of(&actor)),
            what: self.what(),
            object: self.object(names),
            reason: self.reason(),
        }
    }

    /// Time, id, who by id and by name, what, to what, and why: as a file has it.
    pub(in crate::console) fn fields(&self, names: Names<'_>) -> [String; 7] {
        let (actor, action) = (self.text("actor"), self.text("action"));
        let at = self.made_at().unwrap_or(self.at).to_string();
        let name = names.who(&actor).name;
        [at, self.id.to_string(), actor, name, action, self.text("object"), self.reason()]
    }

    fn what(&self) -> String {
        let action = self.text("action");
        match self.kind.as_str() {
            "change" if !action.is_empty() => sentence(&action),
            kind => happened(kind).map_or_else(|| sentence(kind), str::to_owned),
        }
    }

    fn object(&self, names: Names<'_>) -> Option<Named> {
        let object = self.text("object");
        if !object.is_empty() {
            return Some(names.object(object));
        }
        let subject = self.text("subject");
        let about = if subject.is_empty() { self.text("session") } else { subject };
        (!about.is_empty()).then(|| names.person(about))
    }

    fn reason(&self) -> String {
        let said = REASONS.iter().map(|place| detail::sentence(self.body.pointer(place)));
        let said = said.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        // Some are one word of ours; what people wrote stays as it is.
        if self.kind == "session_ended" { sentence(&said) } else { said }
    }

    /// All that it says, one after another.
    pub(super) fn facts(&self, names: Names<'_>) -> Vec<Fact> {
        let fact = |(key, name): &(&str, &'static str)| Fact::code(name, &self.listed(key, names));
        let mut facts: Vec<Fact> = FACTS.iter().map(fact).collect();
        facts.extend(self.made_at().map(|at| Fact::prose("Done at", &Moment::new(at).full())));
        facts.retain(|fact| !fact.value.is_empty());
        facts
    }

    /// When it was done, where that is not when it went into the log.
    fn made_at(&self) -> Option<Timestamp> {
        let keys = ["changed_at", "ended_at", "used_at"];
        let micros = keys.iter().find_map(|key| self.body.get(*key)?.as_i64());
        micros.map(Timestamp::from_micros)
    }

    /// How it was before, laid out; none when there was nothing.
    pub(super) fn before(&self) -> Option<String> {
        self.laid_out("before")
    }

    /// How it is after.
    pub(super) fn after(&self) -> Option<String> {
        self.laid_out("after")
    }

    fn laid_out(&self, key: &str) -> Option<String> {
        let value = self.body.get(key).filter(|value| !value.is_null())?;
        serde_json::to_string_pretty(value).ok()
    }

    fn text(&self, key: &str) -> String {
        text_of(self.body.get(key))
    }

    /// What it says there, without the signs of JSON; details of several parts are told in a sentence instead.
    fn listed(&self, key: &str, names: Names<'_>) -> String {
        match self.body.get(key) {
            Some(Value::Object(_)) if key == "detail" => String::new(),
            Some(Value::Array(all)) => names.listed(all),
            Some(Value::Object(parts)) => {
                let lists = parts.values().filter_map(Value::as_array);
                let lists: Vec<_> = lists.map(|all| names.listed(all)).collect();
                lists.into_iter().filter(|list| !list.is_empty()).collect::<Vec<_>>().join(", ")
            }
            other => text_of(other),
        }
    }
}

impl Names<'_> {
    /// Who did it, as pages name them.
    pub(in crate::console) fn who(self, actor: &str) -> PersonName {
        let of = |name: &str, user_name: &str| PersonName {
            name: name.to_owned(),
            user_name: user_name.to_owned(),
        };
        let subject = actor.parse::<Subject>().ok();
        if let Some(known) = subject.and_then(|subject| self.known.get(&subject)) {
            return of(&known.content.display_name(), "");
        }
        match (actor, actor.strip_prefix("operator:")) {
            (_, Some(name)) => of(name, "at the command line"),
            ("" | "gate", None) => of("Cedargate", ""),
            ("nobody", None) => of("Not signed in", ""),
            (other, None) => of(other, ""),
        }
    }

    /// One after another; groups by the names that they have now.
    fn listed(self, all: &[Value]) -> String {
        let one = |value: &Value| {
            let text = text_of(Some(value));
            text.parse().map_or(text, |group| self.shown.names.label(&group))
        };
        all.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Whose it is, by name where that is known; a session stays what it is.
    fn person(self, text: String) -> Named {
        let subject = text.parse::<Subject>().ok();
        let known = subject.filter(|subject| self.known.get(subject).is_some());
        match known {
            Some(subject) => {
                let name = self.who(&text).name;
                Named { name, link: Some(urls::person(&subject)) }
            }
            None => Named { name: text, link: None },
        }
    }

    /// An object of the rule book, with its page while it is there.
    fn object(self, name: String) -> Named {
        let link = match name.split_once(':') {
            Some(("grant", id)) => self.shown.grant(id).map(Self::grant),
            Some(("route", id)) => self.route(id),
            Some(("policy", id)) => self.policy(id),
            Some(("release", _)) => Some(urls::releases()),
            Some(_) | None => None,
        };
        Named { name, link }
    }

    fn grant(grant: &Grant) -> Link {
        urls::grant(&grant.route, &grant.id)
    }

    fn route(self, id: &str) -> Option<Link> {
        let id: RouteId = id.parse().ok()?;
        self.shown.route(&id).map(|_| urls::route(&id))
    }

    fn policy(self, id: &str) -> Option<Link> {
        let id: PolicyId = id.parse().ok()?;
        self.shown.book.policies.iter().any(|one| one.id == id).then(|| urls::policy(&id))
    }
}

/// What an event's word means.
fn happened(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "started" => "Cedargate started",
        "crash_found" => "The log had ended without a stop",
        "stopped" => "Cedargate stopped",
        "heartbeat" => "Nothing else happened for a minute",
        "sign_in_failed" => "A sign-in was not accepted",
        "stepped_up" => "Proved more at Entra",
        "step_up_failed" => "Came back from Entra without the proof",
        "principal_changed" => "Groups, roles or names changed",
        "recheck_unavailable" => "Entra could not be asked again",
        "clock_step" => "The clock was set",
        "turned_away" => "Requests were turned away",
        "upstream_failed" => "An app did not answer",
        "connection_cut" => "An open connection was cut",
        "restored" => "The log was accepted with a new beginning",
        "key_rotated" => "The log's key was changed",
        "erased" => "Records were blanked",
        "erasure_refused" => "A wish to forget a person was refused",
        "pruned" => "The oldest records were removed",
        "log_read" => "Records were read",
        "log_exported" => "Records were exported",
        "log_verified" => "The log was checked",
        "log_replayed" => "Decisions were decided again",
        "abandoned" => "A record came after its answer",
        "log_overflowed" => "The log's queue was full",
        _ => return None,
    })
}

/// A word of records as a sentence begins: `grant_added` is "Grant added".
fn sentence(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|c| if c == '_' { ' ' } else { c })).collect()
}
