//! The draft's review: what it would change, what is wrong with it, and the way to its publication.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::change::{self, Cedar, Change, Parts, Telling};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::author::{Accounts, AuthorName};
use crate::console::claims::BrokenClaim;
use crate::console::directory::known::known;
use crate::console::guard::Admitted;
use crate::console::saving::{Saved, Unsaved, save, unsaved};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::count;
use crate::model::difference::{Difference, ObjectKind, revised};
use crate::model::id::ReleaseNumber;
use crate::publishing::{Content, Order, Review, SecondPerson};
use crate::store::Author;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Notice, Tone};
use crate::web::stretch::Stretch;

/// What is wrong is said so often: whoever mends these sees the next ones.
const SENTENCES: usize = 20;

/// The review of the draft.
#[derive(Debug, Clone, Template)]
#[template(path = "console/changes/draft.html")]
pub struct DraftPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The whole in one line.
    pub summary: String,
    /// What came of the form just sent.
    pub outcome: Option<Notice>,
    /// The release that was just published.
    pub published: Option<Published>,
    /// What waits, or a page of it.
    pub changes: Vec<Change>,
    /// Which part of what waits that is.
    pub stretch: Option<Stretch>,
    /// Which page that is, for the forms that come back to it.
    pub number: usize,
    /// Where one of them is undone, for those who may.
    pub undo: Option<Link>,
    /// The policies that go, come or change.
    pub cedar: Cedar,
    /// What is wrong; then it can't be published.
    pub problems: Vec<String>,
    /// Assertions that break; then it can't be published.
    pub broken: Vec<BrokenClaim>,
    /// How many more break, in words.
    pub more_broken: Option<String>,
    /// How many assertions hold, in words.
    pub asserted: String,
    /// What is valid and most likely not meant.
    pub lints: Vec<String>,
    /// Who would gain and lose, for those who may see it.
    pub impact: Option<Link>,
    /// Names what is reviewed.
    pub content: String,
    /// Who approved of it, and when.
    pub approvals: Vec<Approval>,
    /// Whether somebody else must.
    pub second: Option<&'static str>,
    /// The form that approves, for those who may.
    pub approve: Option<Link>,
    /// The form that publishes, for those who may, once nothing is in its way.
    pub publish: Option<PublishForm>,
    /// What was typed into that form, where it has gone.
    pub note: Option<String>,
}

impl DraftPage {
    /// Whether this is not the first page of what waits.
    pub fn is_further(&self) -> bool {
        self.number > 1
    }
}

/// A release that was just published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub number: i64,
    /// What it changed.
    pub difference: Link,
    /// The one before it, and where that is brought back, for those who may.
    pub back: Option<(i64, Link)>,
}

/// Who approved of the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: AuthorName,
    /// When.
    pub at: Moment,
}

/// The form that publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishForm {
    /// Where it is sent.
    pub action: Link,
    /// The release that the draft was reviewed against.
    pub based_on: i64,
    /// The release that it becomes.
    pub next: i64,
    /// Why, as typed.
    pub note: String,
}

/// What was just done, as the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DraftQuery {
    /// The release that was published.
    published: Option<ReleaseNumber>,
    /// The release that was brought back.
    restored: Option<ReleaseNumber>,
    page: usize,
    cedar: usize,
}

/// What a page tells before anything else.
#[derive(Debug)]
enum News {
    Nothing,
    /// What came of the form just sent.
    Said(Notice),
    Published(ReleaseNumber),
}

/// Answers with the review.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let DraftQuery { published, restored, page, cedar } = asked.query()?;
    let back = |number| {
        let text = format!(
            "Release {number} was brought back into the draft. It is not in force before the draft is published."
        );
        News::Said(Notice { tone: Tone::Good, text })
    };
    let news = published.map(News::Published).or(restored.map(back)).unwrap_or(News::Nothing);
    respond(&console, &asked, (StatusCode::OK, news, String::new()), Parts { page, cedar }).await
}

/// The form that undoes one change.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    kind: String,
    id: String,
    /// Of the object in the draft, as it was seen; empty for one that was removed.
    revision: String,
    /// The page of the draft that it was seen on.
    #[serde(default)]
    page: usize,
}

impl Undo {
    fn back(&self) -> Link {
        let draft = urls::draft();
        if self.page > 1 { draft.with_query("page", &self.page.to_string()) } else { draft }
    }

    /// The part of the draft that it was seen in.
    fn parts(&self) -> Parts {
        Parts { page: self.page, ..Parts::default() }
    }
}

/// Makes one object of the draft what it is in force.
pub(super) async fn undo(console: Arc<Console>, asked: Admitted) -> Answer {
    let form: Undo = asked.form().await?;
    let shown = asked.shown(&console).await?;
    let kind = ObjectKind::ALL.into_iter().find(|kind| kind.as_str() == form.kind);
    let one = kind.and_then(|kind| shown.waiting(kind, &form.id)).cloned();
    let Some(one) = one else { return Ok(see_other(&form.back())) };
    if form.revision != change::drafted(&one) {
        let why = format!(
            "Nothing was undone: the {} {} was changed again meanwhile. This is how it is now.",
            one.kind.as_str(),
            one.id
        );
        let unsaved = Unsaved { status: StatusCode::CONFLICT, why };
        return failed(&console, &asked, (unsaved, String::new()), form.parts()).await;
    }
    let back = Difference { before: one.after, after: one.before, ..one };
    let drafted = shown.drafted();
    let to = revised(&drafted.book, &back).ok_or_else(|| Box::new(asked.said().unavailable()))?;
    match save(&console, &asked, (&drafted.book, &to)).await?.done() {
        Ok(()) => Ok(see_other(&form.back())),
        Err(unsaved) => failed(&console, &asked, (unsaved, String::new()), form.parts()).await,
    }
}

/// The form that approves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approving {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    content: String,
}

/// Approves of the draft as it was reviewed.
pub(super) async fn approve(console: Arc<Console>, asked: Admitted) -> Answer {
    let form: Approving = asked.form().await?;
    let author = asked.author(&console)?;
    let approved = console.publishing.approve(&form.content, author).await;
    let saved = match approved {
        Ok(()) => {
            console.doorkeeper.audit.changes_made();
            Saved::Done
        }
        Err(refusal) => unsaved(&console, &asked, refusal).await?,
    };
    match saved.done() {
        Ok(()) => Ok(see_other(&urls::draft())),
        Err(unsaved) => failed(&console, &asked, (unsaved, String::new()), Parts::default()).await,
    }
}

/// The form that publishes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Publication {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    content: String,
    based_on: ReleaseNumber,
    note: String,
}

/// Publishes the draft as it was reviewed; it is in force before the answer goes out.
pub(super) async fn publish(console: Arc<Console>, asked: Admitted) -> Answer {
    let Publication { content, based_on, note, .. } = asked.form().await?;
    if let Err(why) = check_note(&note) {
        let unsaved = Unsaved { status: StatusCode::UNPROCESSABLE_ENTITY, why: why.to_owned() };
        return failed(&console, &asked, (unsaved, note), Parts::default()).await;
    }
    let author = asked.author(&console)?;
    let order = Order {
        content: Content::Draft { content },
        based_on,
        note: note.trim().to_owned(),
        author,
    };
    match console.publishing.publish(order).await {
        Ok((release, snapshot)) => {
            console.doorkeeper.audit.changes_made();
            console.doorkeeper.live.install(snapshot);
            let number = release.number.to_string();
            Ok(see_other(&urls::draft().with_query("published", &number)))
        }
        Err(refusal) => match unsaved(&console, &asked, refusal).await?.done() {
            Ok(()) => Ok(see_other(&urls::draft())),
            Err(Unsaved { status, why }) => {
                let why = why.replace("Nothing was saved", "Nothing was published");
                let unsaved = Unsaved { status, why };
                failed(&console, &asked, (unsaved, note), Parts::default()).await
            }
        },
    }
}

/// What a note is refused for.
fn check_note(note: &str) -> Result<(), &'static str> {
    let typed = note.trim();
    if typed.is_empty() {
        return Err("Nothing was published: say in the note what this release is for.");
    }
    if typed.chars().count() > 500 || typed.chars().any(char::is_control) {
        return Err("Nothing was published: the note takes at most 500 characters, in one line.");
    }
    Ok(())
}

async fn failed(
    console: &Console,
    asked: &Admitted,
    (Unsaved { status, why }, note): (Unsaved, String),
    parts: Parts,
) -> Answer {
    let notice = Notice { tone: Tone::Bad, text: why };
    respond(console, asked, (status, News::Said(notice), note), parts).await
}

async fn respond(
    console: &Console,
    asked: &Admitted,
    (status, news, note): (StatusCode, News, String),
    parts: Parts,
) -> Answer {
    let shown = asked.shown(console).await?;
    let review = asked.review(console, shown.drafted().book).await?;
    let frame = asked.frame("Draft", Section::Draft)?;
    let known = known(console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let accounts = Accounts::of(console, asked);
    let telling = Telling { names: &shown.names, known: &known, accounts };
    let mut page = filled(console, (&shown, &review, telling), parts, frame);
    match news {
        News::Nothing => {}
        News::Said(notice) => page.outcome = Some(notice),
        // Whatever the address says, only what is in force is said to be.
        News::Published(number) => {
            page.published = (number == review.based_on && number.0 > 0)
                .then(|| published(console, asked, number));
        }
    }
    offer(console, asked, (&mut page, &review, note));
    Ok(page::console(status, &page.frame, &page))
}

/// The one before it is brought back by whoever may edit the draft.
fn published(console: &Console, asked: &Admitted, number: ReleaseNumber) -> Published {
    let before = ReleaseNumber(number.0.saturating_sub(1));
    let may = before.0 > 0 && asked.may(console, ConsoleAction::EditDraft);
    Published {
        number: number.0,
        difference: urls::difference(before, number),
        back: may.then(|| (before.0, urls::restore(before))),
    }
}

/// The forms that this person may use.
fn offer(
    console: &Console,
    asked: &Admitted,
    (page, review, note): (&mut DraftPage, &Review, String),
) {
    let waits = !review.differences.is_empty();
    let may = |action| waits && asked.may(console, action);
    let sound = review.sound().is_ok();
    let me = asked.caller.principal.subject().map(ToString::to_string);
    let is_other = |approval: &Author| Some(&approval.by) != me.as_ref();
    let needs_second = console.publishing.second() == SecondPerson::Required
        && !review.approvals.iter().any(is_other);
    let approved = review.approvals.iter().any(|approval| !is_other(approval));
    page.undo = may(ConsoleAction::EditDraft).then(urls::undo);
    page.impact = (review.next.is_some() && may(ConsoleAction::SeeImpact)).then(urls::impact);
    page.approve = (sound
        && !approved
        && may(ConsoleAction::Approve)
        && console.publishing.second() == SecondPerson::Required)
        .then(urls::approve);
    page.second = (waits && needs_second).then_some(SECOND);
    page.publish = (sound && !needs_second && may(ConsoleAction::Publish)).then(|| PublishForm {
        action: urls::publish(),
        based_on: review.based_on.0,
        next: review.based_on.0.saturating_add(1),
        note: note.clone(),
    });
    page.note = Some(note).filter(|note| page.publish.is_none() && !note.is_empty());
}

const SECOND: &str = "Publishing takes two: somebody else than whoever publishes has to approve of exactly this draft. Any edit voids an approval.";

fn filled(
    console: &Console,
    (shown, review, telling): (&Shown, &Review, Telling<'_>),
    parts: Parts,
    frame: Frame,
) -> DraftPage {
    let pending: Vec<_> = shown.pending().iter().collect();
    let waiting = pending.len();
    let (pending, stretch) = parts.of_changes(pending, &urls::draft());
    let drafted = shown.drafted();
    let problems = review.problems.iter().flat_map(|error| &error.problems);
    let (all, broken) = (review.book.assertions.len(), review.broken.len());
    DraftPage {
        summary: summary(waiting, review.based_on),
        frame: shown.framed_without_bar(frame),
        outcome: None,
        published: None,
        changes: pending.into_iter().map(|one| telling.one(one)).collect(),
        stretch,
        number: parts.page,
        undo: None,
        cedar: parts.of_cedar(review.cedar.clone(), &urls::draft()),
        problems: first(problems.map(ToString::to_string).collect()),
        broken: review
            .broken
            .iter()
            .take(SENTENCES)
            .map(|one| BrokenClaim::of(one, &drafted))
            .collect(),
        more_broken: more(broken.saturating_sub(SENTENCES)),
        asserted: asserted(all, all.saturating_sub(broken)),
        lints: first(
            review
                .lints_of_changes(&shown.names, console.clock.now())
                .iter()
                .map(ToString::to_string)
                .collect(),
        ),
        impact: None,
        content: review.content.clone(),
        approvals: review
            .approvals
            .iter()
            .map(|Author { by, at }| Approval {
                by: AuthorName::of(by, (telling.known, telling.accounts)),
                at: Moment::new(*at),
            })
            .collect(),
        second: None,
        approve: None,
        publish: None,
        note: None,
    }
}

/// The first of many sentences, and how many more there are.
fn first(mut all: Vec<String>) -> Vec<String> {
    let more = more(all.len().saturating_sub(SENTENCES));
    all.truncate(SENTENCES);
    all.extend(more);
    all
}

/// How many are not said; none when all are.
fn more(number: usize) -> Option<String> {
    (number > 0).then(|| format!("And {number} more."))
}

/// How many assertions hold, of all.
fn asserted(all: usize, held: usize) -> String {
    let verb = if all == 1 || held == 1 { "holds" } else { "hold" };
    match all {
        0 => "There are no assertions.".to_owned(),
        all => format!("{held} of {} {verb}.", count(all, "assertion")),
    }
}

fn summary(changes: usize, based_on: ReleaseNumber) -> String {
    match (changes, based_on.0) {
        (0, 0) => "Nothing is published yet, and nothing waits.".to_owned(),
        (0, number) => format!("Nothing waits: the draft is what release {number} is."),
        (changes, 0) => format!("{} would be the first release.", count(changes, "change")),
        (changes, number) => {
            format!("{} to release {number}, not in force yet.", count(changes, "change"))
        }
    }
}
