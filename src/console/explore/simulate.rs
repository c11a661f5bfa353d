//! The simulator: what would be decided if, and why something was decided as it was.
//!
//! The engine that decides answers, under the rules in force, the draft or any release. It is no decision: nothing is
//! opened by it, and nothing but the visit of this page is on record.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::compiled::{compiled, in_force};
use super::outcome::{Outcome, outcome};
use super::question::{Ground, Typed, Wrong};
use crate::authz::console::ConsoleAction;
use crate::authz::snapshot::Snapshot;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::{Field, Picked};
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::grant::Method;
use crate::model::id::{DecisionId, ReleaseNumber};
use crate::model::record::DecisionRecord;
use crate::model::recorded::{Recorded, read_principal};
use crate::store::StoreError;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// Releases that can be chosen: the newest.
const RELEASES: u32 = 50;

/// The simulator.
#[derive(Debug, Clone, Template)]
#[template(path = "console/explore/simulate.html")]
pub struct SimulatePage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The question.
    pub form: QuestionForm,
    /// What must be said of a record that everything was taken from.
    pub notices: Vec<Notice>,
    /// The answer, once a question is asked.
    pub outcome: Option<Outcome>,
}

/// The question as a form.
#[derive(Debug, Clone)]
pub struct QuestionForm {
    /// Where it is sent.
    pub action: Link,
    /// The decision that everything was taken from; may be empty.
    pub from: Field,
    /// Who.
    pub user: Field,
    /// Groups in place of theirs.
    pub groups: Field,
    /// App roles in place of theirs.
    pub roles: Field,
    /// The app.
    pub app: Field,
    /// All apps.
    pub apps: Vec<Picked>,
    /// The method.
    pub method: Field,
    /// All methods.
    pub methods: Vec<Picked>,
    /// The path.
    pub path: Field,
    /// The client's address.
    pub address: Field,
    /// When.
    pub at: Field,
    /// Whether the session met the MFA context: all choices.
    pub mfas: Vec<Picked>,
    /// Authentication contexts.
    pub contexts: Field,
    /// When they proved who they are.
    pub proved: Field,
    /// Under which rules.
    pub release: Field,
    /// All rules that can be chosen.
    pub releases: Vec<Picked>,
}

/// Answers with what would be decided.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let typed: Typed = asked.query()?;
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let live = asked.shown(&console).await?;
    let frame = live.framed(asked.frame("Simulator", Section::Simulator)?);
    let releases = releases(&console, &live).await.map_err(failed)?;
    let recorded = recorded(&console, &asked, &typed.from).await.map_err(failed)?;
    let (typed, recorded, mut wrong) = match recorded {
        Ok(Some(record)) if !typed.is_asked() => {
            (Typed::of_record(&typed.from, &record), Some(record), Vec::new())
        }
        Ok(record) => (typed, record, Vec::new()),
        Err(why) => (typed, None, vec![("from", why)]),
    };
    let mut answer = None;
    if typed.is_asked() && wrong.is_empty() {
        match simulated(&console, &asked, (&typed, recorded.as_ref())).await? {
            Ok(outcome) => answer = Some(outcome),
            Err(more) => wrong = more,
        }
    }
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = SimulatePage {
        frame,
        form: QuestionForm::new((&live, releases), &typed, &wrong),
        notices: recorded.as_ref().map(notices).unwrap_or_default(),
        outcome: answer,
    };
    Ok(page::console(status, &page.frame, &page))
}

type Rules = (Shown, Arc<Snapshot>);

/// Puts the question, or says what is wrong with it.
async fn simulated(
    console: &Arc<Console>,
    asked: &Admitted,
    (typed, recorded): (&Typed, Option<&DecisionRecord>),
) -> Result<Result<Outcome, Vec<Wrong>>, Box<axum::response::Response>> {
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let (shown, snapshot) = match rules(console, asked, &typed.release).await? {
        Ok(rules) => rules,
        Err(why) => return Ok(Err(vec![("release", why)])),
    };
    let known = if asked.may(console, ConsoleAction::ReadPeople) {
        Some(known(console).await.map_err(failed)?)
    } else {
        None
    };
    let now = asked.exchange.at;
    let ground =
        Ground { shown: &shown, snapshot: &snapshot, known: known.as_ref(), recorded, now };
    let asking = match typed.read(ground) {
        Ok(asking) => asking,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let recorded = recorded.cloned();
    let work = move || outcome((&shown, &snapshot), &asking, recorded.as_ref());
    asked.apart(work).await.map(Ok)
}

/// The rules that are asked, compiled; in words why they can't be.
async fn rules(
    console: &Arc<Console>,
    asked: &Admitted,
    release: &str,
) -> Result<Result<Rules, String>, Box<axum::response::Response>> {
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let live = asked.shown(console).await?;
    let number: Option<i64> = release.parse().ok();
    if release.is_empty() || number == Some(live.number.0) {
        let snapshot = in_force(console, asked, &live).await?;
        return Ok(Ok((live, snapshot)));
    }
    let book = match (release, number) {
        ("draft", _) => Some(console.store.draft().await.map_err(failed)?),
        (_, Some(number)) => {
            let found = console.store.release(ReleaseNumber(number)).await.map_err(failed)?;
            found.map(|release| release.rule_book)
        }
        (_, None) => None,
    };
    let Some(book) = book else { return Ok(Err("There is no such release.".to_owned())) };
    let names = console.groups.names(&book.group_names);
    let names = names.with_people(live.names.people().clone());
    let shown = live.with_rules(book, names);
    let number = ReleaseNumber(number.unwrap_or_else(|| shown.next().0));
    let compiled = compiled(console, asked, (&shown, number)).await?;
    Ok(compiled.map(|snapshot| (shown, snapshot)).map_err(|error| match error.problems.first() {
        Some(problem) => format!("These rules do not compile: {problem}"),
        None => "These rules do not compile.".to_owned(),
    }))
}

/// The decision with this id; none when no id is given, and in words why it can't be used.
async fn recorded(
    console: &Console,
    asked: &Admitted,
    from: &str,
) -> Result<Result<Option<DecisionRecord>, String>, StoreError> {
    if from.is_empty() {
        return Ok(Ok(None));
    }
    if !asked.may(console, ConsoleAction::ReadLog) {
        return Ok(Err("Reading a record takes the role of an auditor or an owner.".to_owned()));
    }
    let Ok(id) = from.parse::<DecisionId>() else {
        return Ok(Err("This is no id of a decision.".to_owned()));
    };
    let Some(line) = console.reader.record(id).await? else {
        return Ok(Err("The log has no such record.".to_owned()));
    };
    let read = Recorded::read(id, line.body.as_bytes()).map_err(|error| error.to_string());
    let record = read.and_then(|recorded| {
        let content = read_principal(recorded.principal, line.principal.as_deref().unwrap_or(""))?;
        recorded.with(content).map_err(|error| error.to_string())
    });
    Ok(record.and_then(|record| match record.app {
        Some(_) => Ok(Some(record)),
        None => {
            Err("It was about a page of Cedargate itself, which no release decides on.".to_owned())
        }
    }))
}

/// What must be said of a record.
fn notices(record: &DecisionRecord) -> Vec<Notice> {
    let text = format!(
        "Taken from the record of {}: person, groups and roles as they were then, release, time, address and what the session had met. Query string, headers and body are never recorded; no rule can look at them.",
        crate::web::moment::Moment::new(record.circumstances.now).full()
    );
    vec![Notice { tone: Tone::Plain, text }]
}

async fn releases(console: &Console, live: &Shown) -> Result<Vec<(String, String)>, StoreError> {
    let mut all = vec![
        (String::new(), format!("In force (release {})", live.number)),
        ("draft".to_owned(), "Draft".to_owned()),
    ];
    let newest = console.store.releases(None, RELEASES).await?;
    all.extend(newest.iter().map(|line| {
        let day = crate::web::moment::Moment::new(line.author.at).day();
        (line.number.to_string(), format!("Release {}, {day}", line.number))
    }));
    Ok(all)
}

impl QuestionForm {
    fn new(
        (live, mut releases): (&Shown, Vec<(String, String)>),
        typed: &Typed,
        wrong: &[Wrong],
    ) -> Self {
        let first = wrong.first().map(|(field, _)| *field);
        let field = |name: &'static str, value: &str| {
            let message = wrong.iter().find(|(field, _)| *field == name);
            let field = Field::of(value);
            let field = match message {
                Some((_, why)) => field.wrong(why),
                None => field,
            };
            if first == Some(name) { field.focused() } else { field }
        };
        if !releases.iter().any(|(value, _)| *value == typed.release) {
            releases.push((typed.release.clone(), format!("Release {}", typed.release)));
        }
        let picked = |all: &[(String, String)], chosen: &str| {
            all.iter().map(|(value, label)| Picked::new(value, label, chosen)).collect()
        };
        let apps: Vec<_> =
            live.book.apps.iter().map(|app| (app.id.to_string(), app.name.clone())).collect();
        let method = if typed.method.is_empty() { "GET" } else { &typed.method };
        let methods = Method::ALL
            .iter()
            .map(|method| Picked::new(method.as_str(), method.as_str(), &typed.method));
        let methods: Vec<_> = methods.collect();
        let mfas = [("", "Not met"), ("met", "Met")];
        Self {
            action: urls::simulate(),
            from: field("from", &typed.from),
            user: field("user", &typed.user),
            groups: field("groups", &typed.groups),
            roles: field("roles", &typed.roles),
            app: field("app", &typed.app),
            apps: picked(&apps, &typed.app),
            method: field("method", method),
            methods,
            path: field("path", &typed.path),
            address: field("address", &typed.address),
            at: field("at", &typed.at),
            mfas: mfas.iter().map(|(value, label)| Picked::new(value, label, &typed.mfa)).collect(),
            contexts: field("contexts", &typed.contexts),
            proved: field("proved", &typed.proved),
            release: field("release", &typed.release),
            releases: picked(&releases, &typed.release),
        }
    }
}
