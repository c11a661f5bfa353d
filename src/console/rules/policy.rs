//! A hand-written policy: its text, what is wrong with it, and the way into the draft.
//!
//! The page is whole as a form: *Check* says what is wrong and saves nothing, *Save to draft* saves what is sound. Neither
//! ever loses what was typed.

use std::sync::Arc;

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::policies::{Findings, Spot};
use crate::authz::console::ConsoleAction;
use crate::authz::layout::formatted;
use crate::authz::problem::Object;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::changes::change::TextLine;
use crate::console::guard::Admitted;
use crate::console::saving::{removal, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::difference::{ObjectKind, revision};
use crate::model::id::PolicyId;
use crate::model::line_diff::{self, Mark};
use crate::model::policy::Policy;
use crate::model::rule_book::RuleBook;
use crate::web::hx::HxOut;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};
use crate::web::stretch::ROWS;

/// One policy, or a new one.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rules/policy.html", blocks = ["problems"])]
pub struct PolicyPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The list.
    pub up: Link,
    /// What came of the form just sent.
    pub outcome: Option<Notice>,
    /// Whether only the block goes out: it tells the outcome itself then.
    pub part: Part,
    /// Its id, as typed for a new one.
    pub id: String,
    /// Whether there is one of this id already.
    pub stage: Stage,
    /// Its text, as typed.
    pub text: String,
    /// Of the policy that the form was made from; empty for a new one.
    pub revision: String,
    /// What somebody else made of it meanwhile, and what was typed, line by line.
    pub versions: Option<[Vec<TextLine>; 2]>,
    /// What is wrong with it, each with its line and column.
    pub problems: Vec<Spot>,
    /// What is most likely not meant.
    pub lints: Vec<Spot>,
    /// What is wrong with the rest of the draft.
    pub elsewhere: Vec<String>,
    /// Where the form is sent, for those who may edit.
    pub action: Option<Link>,
    /// Where it is removed.
    pub remove: Option<Link>,
    /// The first of the routes that it can speak of, and of the groups by name and id.
    pub nouns: Nouns,
}

/// What a policy can speak of. Of many the first are named: whoever leaves the page loses what they typed, so the rest is
/// not another page of this one.
#[derive(Debug, Clone, Default)]
pub struct Nouns {
    /// Ids of routes.
    pub routes: Vec<String>,
    /// How many more there are, in words, and where.
    pub more_routes: Option<(String, Link)>,
    /// Groups by name and id.
    pub groups: Vec<[String; 2]>,
    /// How many more there are, in words, and where.
    pub more_groups: Option<(String, Link)>,
}

impl Nouns {
    fn of(shown: &Shown) -> Self {
        let (drafted, groups) = (shown.drafted(), shown.names.all());
        let routes = &drafted.book.routes;
        let more = |count: usize, noun: &str, list: Link| match count.saturating_sub(ROWS) {
            0 => None,
            1 => Some((format!("The other {noun}"), list)),
            more => Some((format!("The other {more} {noun}s"), list)),
        };
        Self {
            routes: routes.iter().take(ROWS).map(|route| route.id.to_string()).collect(),
            more_routes: more(routes.len(), "route", urls::routes()),
            more_groups: more(groups.len(), "group", urls::groups()),
            groups: groups
                .into_iter()
                .take(ROWS)
                .map(|(id, name)| [name.to_owned(), id.to_string()])
                .collect(),
        }
    }
}

/// Whether a policy is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is being written for the first time.
    New,
    /// It is in the draft.
    Kept,
}

/// How much of the page goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Page,
    /// The block `problems`; what was typed stays on the screen as it is.
    Problems,
}

impl PolicyPage {
    /// Whether its id is still to be chosen.
    pub fn is_new(&self) -> bool {
        self.stage == Stage::New
    }

    /// Whether the block tells what came of the form.
    pub fn tells_outcome(&self) -> bool {
        self.part == Part::Problems
    }
}

/// What a new policy begins with.
const SKELETON: &str = "permit (\n  principal,\n  action in [Action::\"read\"],\n  resource in Route::\"app/route\"\n) when {\n  context.mfa\n};\n";

/// The form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    revision: String,
    #[serde(default)]
    id: Option<String>,
    text: String,
    /// `check`, `format` or `save`.
    order: String,
}

/// Answers with an empty editor.
pub(super) async fn new(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let mut page = empty(&shown, asked.frame("New policy", Section::Policies)?);
    page.action = Some(urls::new_policy());
    SKELETON.clone_into(&mut page.text);
    Ok(page::editing(StatusCode::OK, &page.frame, &page))
}

/// Answers with the editor of a policy, as it stands in the draft.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let drafted = shown.drafted();
    let policy = find(&drafted.book, &asked).ok_or_else(|| Box::new(asked.no_page()))?;
    let mut page = filled(&console, &asked, (&shown, policy))?;
    let review = asked.review(&console, drafted.book.clone()).await?;
    page.tell(&policy.id, &Findings::of(&console, &drafted, &review));
    Ok(page::editing(StatusCode::OK, &page.frame, &page))
}

/// Checks or saves a new policy.
pub(super) async fn add(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: Entry = asked.form().await?;
    let shown = asked.shown(&console).await?;
    let drafted = shown.drafted();
    let mut page = empty(&shown, asked.frame("New policy", Section::Policies)?);
    page.action = Some(urls::new_policy());
    let typed = entry.id.as_deref().unwrap_or_default().trim().to_owned();
    typed.clone_into(&mut page.id);
    entry.text.clone_into(&mut page.text);
    let Ok(id) = typed.parse::<PolicyId>() else {
        page.bad("Choose an id of a to z, 0 to 9 and -, at most 64.");
        return Ok(answer(&asked, StatusCode::UNPROCESSABLE_ENTITY, page));
    };
    if drafted.book.policies.iter().any(|policy| policy.id == id) {
        page.bad("There is a policy of this id already. Choose another one.");
        return Ok(answer(&asked, StatusCode::CONFLICT, page));
    }
    decide(&console, &asked, (page, &drafted, id, entry)).await
}

/// Checks or saves a policy that there is.
pub(super) async fn change(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: Entry = asked.form().await?;
    let shown = asked.shown(&console).await?;
    let drafted = shown.drafted();
    let Some(policy) = find(&drafted.book, &asked) else {
        return gone(&console, &asked, (&shown, &entry)).await;
    };
    let mut page = filled(&console, &asked, (&shown, policy))?;
    if entry.revision != revision(policy) {
        let typed = entry.text.replace("\r\n", "\n");
        page.versions = Some(beside(&policy.text, &typed));
        page.text = typed;
        page.bad(if asked.hx.wants_fragment() { MOVED } else { MOVED_WITH_BOTH });
        return Ok(answer(&asked, StatusCode::CONFLICT, page));
    }
    let id = policy.id.clone();
    decide(&console, &asked, (page, &drafted, id, entry)).await
}

const MOVED: &str = "Somebody else changed this policy meanwhile. Save, and both versions stand beside each other; nothing is lost by it.";

const MOVED_WITH_BOTH: &str = "Somebody else changed this policy meanwhile, so nothing was saved. Both versions stand below; saving now puts yours in the place of theirs.";

/// What was typed, as a new policy: the one that it was to change is not there any more.
async fn gone(console: &Console, asked: &Admitted, (shown, entry): (&Shown, &Entry)) -> Answer {
    let id: PolicyId = asked.param("policy").parse().map_err(|_| Box::new(asked.no_page()))?;
    let how = removal(console, asked, (shown, ObjectKind::Policy, id.as_str())).await?;
    let mut page = empty(shown, asked.frame("New policy", Section::Policies)?);
    page.action = Some(urls::new_policy());
    page.id = id.to_string();
    entry.text.clone_into(&mut page.text);
    page.bad(&format!("{how}, so nothing was saved. Saving now adds it anew."));
    Ok(answer(asked, StatusCode::CONFLICT, page))
}

/// The page, or its part that htmx replaces: whichever it is, what was typed is not lost.
fn answer(asked: &Admitted, status: StatusCode, page: PolicyPage) -> Response {
    if !asked.hx.wants_fragment() {
        return page::editing(status, &page.frame, &page);
    }
    let said = page.outcome.as_ref().map_or_else(|| page.found(), |notice| notice.text.clone());
    let hx = HxOut::new().announce(&said);
    let part = PolicyPage { part: Part::Problems, ..page };
    (hx, page::editing(status, &part.frame, &part.as_problems())).into_response()
}

/// Removes a policy from the draft.
pub(super) async fn remove(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: Removing = asked.form().await?;
    let shown = asked.shown(&console).await?;
    let drafted = shown.drafted();
    let policy = find(&drafted.book, &asked).ok_or_else(|| Box::new(asked.no_page()))?;
    let mut page = filled(&console, &asked, (&shown, policy))?;
    if entry.revision != revision(policy) {
        page.bad("Somebody else changed this policy meanwhile, so it was not removed.");
        return Ok(page::editing(StatusCode::CONFLICT, &page.frame, &page));
    }
    let mut to = drafted.book.book().clone();
    to.policies.retain(|other| other.id != policy.id);
    match save(&console, &asked, (&drafted.book, &to)).await?.done() {
        Ok(()) => Ok(see_other(&urls::policies())),
        Err(unsaved) => {
            page.bad(&unsaved.why);
            Ok(page::editing(unsaved.status, &page.frame, &page))
        }
    }
}

/// The form that removes one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removing {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    revision: String,
}

/// Does what the form orders with a policy that may be saved as far as its id goes.
async fn decide(
    console: &Console,
    asked: &Admitted,
    (mut page, drafted, id, entry): (PolicyPage, &Shown, PolicyId, Entry),
) -> Answer {
    // Browsers end lines as mail does.
    let mut policy = Policy { id: id.clone(), text: entry.text.replace("\r\n", "\n") };
    let laid_out = (entry.order == "format").then(|| formatted(&policy)).and_then(Result::ok);
    policy.text = laid_out.unwrap_or(policy.text);
    policy.text.clone_into(&mut page.text);
    let mut to = drafted.book.book().clone();
    to.policies.retain(|other| other.id != id);
    to.policies.push(policy);
    if entry.order == "save" {
        match save(console, asked, (&drafted.book, &to)).await?.done() {
            Ok(()) => return Ok(see_other(&urls::policy(&id))),
            Err(unsaved) if unsaved.status == StatusCode::CONFLICT => {
                let now = asked.shown(console).await?.drafted();
                let theirs = now.book.policies.iter().find(|policy| policy.id == id);
                page.revision = theirs.map(revision).unwrap_or_default();
                page.versions = theirs.map(|theirs| beside(&theirs.text, &page.text));
                page.bad(&unsaved.why);
                return Ok(answer(asked, unsaved.status, page));
            }
            Err(_) => page.bad("Nothing was saved. What is wrong stands below the text."),
        }
    }
    let review = asked.review(console, Arc::new(to.into())).await?;
    page.tell(&id, &Findings::of(console, drafted, &review));
    let sound = page.problems.is_empty() && page.elsewhere.is_empty();
    if sound && page.outcome.is_none() {
        let text = "It compiles and validates. Nothing is saved yet.".to_owned();
        page.outcome = Some(Notice { tone: Tone::Good, text });
    }
    let status = if sound { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(answer(asked, status, page))
}

fn find<'a>(book: &'a RuleBook, asked: &Admitted) -> Option<&'a Policy> {
    book.policies.iter().find(|policy| policy.id.as_str() == asked.param("policy"))
}

/// Two texts beside each other: of each its own lines, marked where the other has none of them.
fn beside(theirs: &str, yours: &str) -> [Vec<TextLine>; 2] {
    let all = line_diff::between(theirs, yours);
    let of = |other: Mark| {
        let own = all.iter().filter(|line| line.mark != other).cloned();
        own.map(TextLine::new).collect()
    };
    [of(Mark::Comes), of(Mark::Goes)]
}

fn filled(
    console: &Console,
    asked: &Admitted,
    (shown, policy): (&Shown, &Policy),
) -> Result<PolicyPage, Box<Response>> {
    let frame = asked.frame(policy.id.as_str(), Section::Policies)?;
    let may = asked.may(console, ConsoleAction::EditDraft);
    Ok(PolicyPage {
        id: policy.id.to_string(),
        stage: Stage::Kept,
        text: policy.text.clone(),
        revision: revision(policy),
        action: may.then(|| urls::policy(&policy.id)),
        remove: may.then(|| urls::remove_policy(&policy.id)),
        ..empty(shown, frame)
    })
}

fn empty(shown: &Shown, frame: Frame) -> PolicyPage {
    PolicyPage {
        frame: shown.framed(frame),
        up: urls::policies(),
        outcome: None,
        part: Part::Page,
        id: String::new(),
        stage: Stage::New,
        text: String::new(),
        revision: String::new(),
        versions: None,
        problems: Vec::new(),
        lints: Vec::new(),
        elsewhere: Vec::new(),
        action: None,
        remove: None,
        nouns: Nouns::of(shown),
    }
}

impl PolicyPage {
    fn bad(&mut self, text: &str) {
        self.outcome = Some(Notice { tone: Tone::Bad, text: text.to_owned() });
    }

    /// What was found, in one line.
    fn found(&self) -> String {
        match self.problems.len() + self.lints.len() + self.elsewhere.len() {
            0 => "It compiles and validates. Nothing is saved yet.".to_owned(),
            number => format!("{} found.", count(number, "problem")),
        }
    }

    fn tell(&mut self, id: &PolicyId, found: &Findings) {
        let object = Object::Policy(id.clone());
        self.problems = found.problems(&object);
        self.lints = found.lints(&object);
        self.elsewhere = found.elsewhere(&object);
    }
}
