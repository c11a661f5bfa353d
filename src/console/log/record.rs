//! Records of the log as pages show them: read leniently, for a page must show even what a later program wrote.
//!
//! Everything here came from a request and may be hostile. It is text, and templates escape all of it.

use serde_json::Value;

use crate::model::id::{DecisionId, ReleaseNumber, RouteId, SessionId, Subject};
use crate::model::query::app;
use crate::model::record::{Reason, RecordLine, Verdict};
use crate::model::time::Timestamp;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{PersonName, Tone};

use super::fact::{Fact, text_of};
use crate::console::choice::{Badge, Named};
use crate::console::showing::Shown;
use crate::console::{urls, words};

/// The door of apps, as records have it.
const PROXY: &str = "proxy";

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRow {
    /// Its id.
    pub id: String,
    /// Its page.
    pub link: Link,
    /// The list with it beside, where there is one.
    pub beside: Option<Link>,
    /// The value of `aria-selected`, for the one that stands beside the list.
    pub chosen: Option<&'static str>,
    /// When.
    pub at: Moment,
    /// Allow or deny.
    pub verdict: Badge,
    /// Who asked.
    pub who: PersonName,
    /// Their page; none for whoever is nobody known.
    pub person: Option<Link>,
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The canonical path.
    pub path: String,
    /// The route that the path matched.
    pub route: Option<Named>,
    /// Why, in words.
    pub reason: String,
    /// The rules that decided.
    pub rules: Vec<Named>,
    /// Where it came from.
    pub client: String,
    /// How long deciding took, in milliseconds, as text.
    pub millis: String,
}

/// A record, read as far as it can be.
#[derive(Debug, Clone)]
pub(in crate::console) struct RecordView {
    id: DecisionId,
    at: Timestamp,
    kind: String,
    raw: String,
    body: Value,
    principal: Value,
}

impl DecisionRow {
    /// What became of the request, in a word.
    pub fn heading(&self) -> &'static str {
        match self.verdict.tone {
            Tone::Good => "Allowed",
            Tone::Bad => "Denied",
            Tone::Careful | Tone::Plain => "Decided",
        }
    }
}

/// The rules that are in force: what names in records link to.
#[derive(Debug, Clone, Copy)]
pub(in crate::console) struct Rules<'a>(pub(in crate::console) &'a Shown);

impl RecordView {
    /// Reads a record. What is no JSON is shown as nothing.
    pub(in crate::console) fn of(line: &RecordLine) -> Self {
        let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Self {
            id: line.id,
            at: line.at,
            kind: line.kind.clone(),
            raw: line.body.clone(),
            body: json(&line.body),
            principal: json(line.principal.as_deref().unwrap_or_default()),
        }
    }

    /// Whether it is about a request.
    pub(super) fn is_request(&self) -> bool {
        self.kind == "decision" || self.kind == "refusal"
    }

    /// Its JSON, as it was written.
    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// The proof that it is in the log.
    pub(super) fn proof(&self) -> Link {
        urls::proof(&self.id)
    }

    fn app(&self) -> Option<&str> {
        let text = |name| self.body.get(name).and_then(Value::as_str);
        app(text("app"), text("route"))
    }

    /// The simulator with everything taken from this record; none for what no release decided on.
    pub(super) fn simulated(&self) -> Option<Link> {
        let of_app = self.kind == "decision" && self.app().is_some();
        of_app.then(|| urls::simulate_from(&self.id))
    }

    /// Its row in the list.
    pub(in crate::console) fn row(&self, rules: Rules<'_>) -> DecisionRow {
        let route = self.text("route");
        DecisionRow {
            id: self.id.to_string(),
            link: urls::decision(&self.id),
            beside: None,
            chosen: None,
            at: Moment::new(self.at),
            verdict: self.badge(),
            who: self.who(),
            person: self.subject().as_ref().map(urls::person),
            method: self.text("method"),
            host: self.text("host"),
            path: self.text("path"),
            route: (!route.is_empty()).then(|| rules.route(&route)),
            reason: self.reason(),
            rules: self.rules().iter().map(|name| rules.rule(name)).collect(),
            client: self.text("client"),
            millis: self.millis(),
        }
    }

    /// What is not an allow was kept out.
    fn verdict(&self) -> Verdict {
        if self.text("verdict") == Verdict::Allow.as_str() { Verdict::Allow } else { Verdict::Deny }
    }

    fn badge(&self) -> Badge {
        if self.kind == "refusal" {
            return Badge { word: "Refused", icon: "circle-x", tone: Tone::Bad };
        }
        Badge::verdict(self.verdict())
    }

    fn who(&self) -> PersonName {
        let field = |key: &str| text_of(self.principal.get(key));
        let subject = text_of(self.body.get("principal").and_then(|of| of.get("id")));
        let person = |name: String, user_name: String| PersonName { name, user_name };
        match field("kind").as_str() {
            "user" if field("name").is_empty() => person(field("user_name"), String::new()),
            "user" => person(field("name"), field("user_name")),
            "workload" => person(field("client"), "service".to_owned()),
            "anonymous" => person("Not signed in".to_owned(), String::new()),
            _ if self.kind == "refusal" => person("Not known".to_owned(), String::new()),
            _ => person(subject, String::new()),
        }
    }

    /// Who asked, by their lasting identity.
    pub(super) fn subject(&self) -> Option<Subject> {
        text_of(self.body.get("principal").and_then(|of| of.get("id"))).parse().ok()
    }

    /// Whether somebody was only sent to sign in.
    pub(in crate::console) fn is_unsigned(&self) -> bool {
        self.reason_code() == Some(Reason::NotSignedIn)
    }

    /// Whether it is about an app; everything else is Cedargate's own.
    pub(in crate::console) fn is_of_app(&self) -> bool {
        self.text("door") == PROXY
    }

    fn reason_code(&self) -> Option<Reason> {
        Reason::from_word(&self.text("reason"))
    }

    fn reason(&self) -> String {
        match self.reason_code() {
            Some(reason) => words::reason(reason).to_owned(),
            None if self.kind == "refusal" => refusal(&self.text("refusal")).to_owned(),
            None => "Not said".to_owned(),
        }
    }

    pub(super) fn explanation(&self) -> &'static str {
        match self.reason_code() {
            Some(Reason::Granted) if self.rules().is_empty() => {
                "Everybody who is signed in may see what concerns them."
            }
            Some(Reason::Granted) => "The rules named here open it, and no rule closes it.",
            Some(Reason::NoGrant) => "No rule opens it to this person as things stood then.",
            Some(Reason::NotSignedIn) => {
                "It is not open to everyone, and nobody was signed in. They were sent to sign in."
            }
            Some(Reason::Forbidden) => "The rules named here close it, whatever else opens it.",
            Some(Reason::PolicyError) => {
                "A rule could not be evaluated. Everything is refused then, to be safe."
            }
            Some(Reason::NoRoute) => {
                "The rule book has no route for it, and what has none is closed."
            }
            None => "It was refused before there was anything to decide.",
        }
    }

    fn rules(&self) -> Vec<String> {
        let rules = self.body.get("rules").and_then(Value::as_array);
        rules.into_iter().flatten().map(|rule| text_of(Some(rule))).collect()
    }

    fn millis(&self) -> String {
        let micros = self.body.get("duration_us").and_then(Value::as_u64);
        micros.map_or_else(String::new, |us| format!("{}.{}", us / 1_000, us % 1_000 / 100))
    }

    pub(super) fn asked(&self) -> Vec<Fact> {
        let mut facts = vec![
            Fact::code("Action", &self.action()),
            Fact::code("Host", &self.text("host")),
            Fact::code("From", &self.text("client")),
            Fact::prose("Door", &self.text("door")),
            Fact::code("Session", &self.text("session")).leading(self.of_session()),
            Fact::prose("Multi-factor sign-in", self.mfa()),
            Fact::code("Path parameters", &self.params()),
            Fact::code("Request", &self.text("request")),
            Fact::code("Account", &text_of(self.body.get("principal").and_then(|of| of.get("id")))),
        ];
        facts.retain(|fact| !fact.value.is_empty());
        facts
    }

    /// All that was asked in this session.
    fn of_session(&self) -> Option<Link> {
        let session: SessionId = self.text("session").parse().ok()?;
        Some(urls::decisions_where(&format!("session:{session}")))
    }

    /// An action that is the method is not spelled beside it.
    fn action(&self) -> String {
        let action = self.text("action");
        let left_out = action.is_empty() && self.kind == "decision";
        if left_out { self.text("method") } else { action }
    }

    pub(super) fn decided(&self, rules: Rules<'_>) -> Vec<Fact> {
        let (release, route) = (self.text("release"), self.text("route"));
        let changes = release
            .parse::<i64>()
            .ok()
            .filter(|number| *number > 0)
            .map(|number| urls::difference(ReleaseNumber(number - 1), ReleaseNumber(number)));
        let app = self.app().unwrap_or_default();
        let mut facts = vec![
            Fact::prose("Release", &release).leading(changes),
            Fact::code("App", app).leading(rules.app(app)),
            Fact::code("Route", &route).leading(rules.route(&route).link),
            Fact::code("Errors", &self.errors()),
            Fact::prose("Took", &self.took()),
        ];
        facts.retain(|fact| !fact.value.is_empty());
        facts
    }

    fn took(&self) -> String {
        let millis = self.millis();
        if millis.is_empty() { millis } else { format!("{millis} ms") }
    }

    fn errors(&self) -> String {
        let errors = self.body.get("errors").and_then(Value::as_array);
        let errors: Vec<_> = errors.into_iter().flatten().map(|one| text_of(Some(one))).collect();
        errors.join("; ")
    }

    fn circumstance(&self, key: &str) -> Option<&Value> {
        self.body.get("circumstances")?.get(key)
    }

    fn mfa(&self) -> &'static str {
        match self.circumstance("mfa").and_then(Value::as_str) {
            Some("met") => "Met",
            Some("not_met") => "Not met",
            Some(_) | None => "",
        }
    }

    fn params(&self) -> String {
        let params = self.circumstance("params").and_then(Value::as_object);
        let pairs = params.into_iter().flatten();
        let pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", text_of(Some(value)))).collect();
        pairs.join(" ")
    }

    /// Groups by the names that they have now, and roles.
    pub(super) fn memberships(&self, rules: Rules<'_>) -> Vec<String> {
        let all = |key: &str| {
            let list = self.principal.get(key).and_then(Value::as_array);
            list.into_iter().flatten().map(|one| text_of(Some(one))).collect::<Vec<_>>()
        };
        let groups = all("groups").into_iter().map(|id| rules.group(id));
        groups.chain(all("roles")).chain(all("directory_roles")).collect()
    }

    fn text(&self, key: &str) -> String {
        text_of(self.body.get(key))
    }
}

impl Rules<'_> {
    fn app(self, name: &str) -> Option<Link> {
        self.0.book.apps.iter().find(|app| app.id.as_str() == name).map(|app| urls::app(&app.id))
    }

    fn route(self, name: &str) -> Named {
        let id = name.parse::<RouteId>().ok().filter(|id| self.0.route(id).is_some());
        Named { name: name.to_owned(), link: id.map(|id| urls::route(&id)) }
    }

    fn rule(self, name: &str) -> Named {
        let grant = name.strip_prefix("grant:").and_then(|id| self.0.grant(id));
        let link = grant.map(|grant| urls::grant(&grant.route, &grant.id));
        Named { name: name.to_owned(), link }
    }

    fn group(self, id: String) -> String {
        let group = id.parse().ok();
        group.map_or(id, |group| self.0.names.label(&group))
    }
}

/// Why a request was refused before anything was decided, in words.
fn refusal(word: &str) -> &'static str {
    match word {
        "unknown_host" => "No app has this host",
        "ambiguous_host" => "The host can't be read in one way only",
        "ambiguous_path" => "The path can't be read in one way only",
        "too_long" => "The address is too long",
        "bad_headers" => "The headers contradict each other",
        "bad_token" => "The token is not accepted",
        "not_found" => "Nothing is at this address",
        "method_not_allowed" => "The method is not forwarded",
        "too_many" => "Too many refused requests",
        "forged_form" => "The form was not sent by our page",
        _ => "Refused before anything was decided",
    }
}
