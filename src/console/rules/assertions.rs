//! Assertions: what must stay true, tried against the draft; added and removed there.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::editing::people;
use super::entry::read_who;
use super::form::{WHATS, WHO_KINDS};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::{Answer, see_other};
use crate::console::choice::Choice;
use crate::console::claims::{BrokenClaim, sentence};
use crate::console::guard::Admitted;
use crate::console::saving::{Unsaved, save};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::GroupNames;
use crate::model::assertion::{Access, Assertion, Claim, Exclusive, Given};
use crate::model::difference::revision;
use crate::model::grant::{Reach, What};
use crate::model::known::Known;
use crate::model::rule_book::RuleBook;
use crate::publishing::Review;
use crate::web::link::Link;
use crate::web::page::{self, Frame, Notice, Tone};

/// All assertions of the draft, and whether they hold.
#[derive(Debug, Clone, Template)]
#[template(path = "console/rules/assertions.html")]
pub struct AssertionsPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// What came of the form just sent.
    pub outcome: Option<Notice>,
    /// Those that break first.
    pub rows: Vec<AssertionRow>,
    /// Whether they could be tried at all.
    pub tried: Option<&'static str>,
    /// The form, for those who may edit.
    pub form: Option<AssertionForm>,
}

/// One assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionRow {
    /// Its id.
    pub id: String,
    /// What is asserted, as a sentence.
    pub claim: String,
    /// Why it matters.
    pub reason: String,
    /// What breaks it.
    pub broken: Option<BrokenClaim>,
    /// Where it is removed, for those who may.
    pub remove: Option<Link>,
    /// Of the assertion as it is shown.
    pub revision: String,
}

/// The form that adds one, as it was sent or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionForm {
    /// Where it is sent.
    pub action: Link,
    /// What was typed.
    pub typed: Entry,
}

impl AssertionForm {
    /// Options of `claim`.
    pub fn claims(&self) -> Vec<Choice> {
        Choice::list(&CLAIMS, &self.typed.claim)
    }

    /// Options of `who_kind`.
    pub fn who_kinds(&self) -> Vec<Choice> {
        Choice::list(&WHO_KINDS, &self.typed.who_kind)
    }

    /// Options of `what`.
    pub fn whats(&self) -> Vec<Choice> {
        let three: Vec<_> = WHATS.into_iter().filter(|(value, _)| *value != "methods").collect();
        Choice::list(&three, &self.typed.what)
    }
}

/// Values and labels of `claim`.
pub const CLAIMS: [(&str, &str); 3] =
    [("can", "Can"), ("cannot", "Cannot"), ("nobody_but", "Nobody but them can")];

/// The form as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<Ignored>,
    /// `id`
    pub id: String,
    /// `claim`: one of [`CLAIMS`].
    pub claim: String,
    /// `who_kind`
    pub who_kind: String,
    /// `who`
    pub who: String,
    /// `what`
    pub what: String,
    /// `place`: an app and a path, or the id of a route.
    pub place: String,
    /// `reason`
    pub reason: String,
}

/// A field that the guard has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "IgnoredAny")]
struct Ignored;

impl From<IgnoredAny> for Ignored {
    fn from(_: IgnoredAny) -> Self {
        Self
    }
}

/// Answers with the list.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    respond(&console, &asked, (StatusCode::OK, None, empty())).await
}

fn empty() -> Entry {
    let word = str::to_owned;
    Entry { claim: word("can"), who_kind: word("group"), what: word("read"), ..Entry::default() }
}

/// Adds an assertion to the draft.
pub(super) async fn add(console: Arc<Console>, asked: Admitted) -> Answer {
    let entry: Entry = asked.form().await?;
    let drafted = asked.shown(&console).await?.drafted();
    let people = people(&console, &asked, (&entry.who_kind, entry.who.trim())).await?;
    let assertion = match read(&entry, (&drafted.names, people.as_ref())) {
        Ok(assertion) => assertion,
        Err(why) => {
            return wrong(&console, &asked, (StatusCode::UNPROCESSABLE_ENTITY, why, entry)).await;
        }
    };
    if drafted.book.assertions.iter().any(|other| other.id == assertion.id) {
        let why = "There is an assertion of this id already. Choose another one.".to_owned();
        return wrong(&console, &asked, (StatusCode::CONFLICT, why, entry)).await;
    }
    let mut to = drafted.book.book().clone();
    to.assertions.push(assertion);
    finish(&console, &asked, (&drafted.book, &to), entry).await
}

/// The form that removes one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Removing {
    #[serde(rename = "_csrf", default)]
    _csrf: Option<IgnoredAny>,
    revision: String,
}

/// Removes an assertion from the draft.
pub(super) async fn remove(console: Arc<Console>, asked: Admitted) -> Answer {
    let Removing { revision: seen, .. } = asked.form().await?;
    let drafted = asked.shown(&console).await?.drafted();
    let mut all = drafted.book.assertions.iter();
    let found = all.find(|one| one.id.as_str() == asked.param("assertion"));
    let found = found.ok_or_else(|| Box::new(asked.no_page()))?;
    if seen != revision(found) {
        let why =
            "Somebody else changed this assertion meanwhile, so it was not removed.".to_owned();
        return wrong(&console, &asked, (StatusCode::CONFLICT, why, empty())).await;
    }
    let mut to = drafted.book.book().clone();
    to.assertions.retain(|one| one.id != found.id);
    finish(&console, &asked, (&drafted.book, &to), empty()).await
}

async fn finish(
    console: &Console,
    asked: &Admitted,
    edit: (&RuleBook, &RuleBook),
    entry: Entry,
) -> Answer {
    match save(console, asked, edit).await?.done() {
        Ok(()) => Ok(see_other(&urls::assertions())),
        Err(Unsaved { status, why }) => wrong(console, asked, (status, why, entry)).await,
    }
}

async fn wrong(
    console: &Console,
    asked: &Admitted,
    (status, text, entry): (StatusCode, String, Entry),
) -> Answer {
    respond(console, asked, (status, Some(Notice { tone: Tone::Bad, text }), entry)).await
}

async fn respond(
    console: &Console,
    asked: &Admitted,
    (status, outcome, typed): (StatusCode, Option<Notice>, Entry),
) -> Answer {
    let shown = asked.shown(console).await?;
    let drafted = shown.drafted();
    let review = asked.review(console, drafted.book.clone()).await?;
    let may = asked.may(console, ConsoleAction::EditDraft);
    let offered = |one: &Assertion| AssertionRow {
        remove: may.then(|| urls::remove_assertion(&one.id)),
        ..row(one, (&drafted, &review))
    };
    let mut rows: Vec<_> = drafted.book.assertions.iter().map(offered).collect();
    rows.sort_by_key(|row| row.broken.is_none());
    let page = AssertionsPage {
        frame: shown.framed(asked.frame("Assertions", Section::Assertions)?),
        outcome,
        rows,
        tried: review.next.is_none().then_some(
            "The draft does not compile, so no assertion could be tried. Its page says what is wrong.",
        ),
        form: may.then(|| AssertionForm { action: urls::assertions(), typed }),
    };
    Ok(page::console(status, &page.frame, &page))
}

fn row(one: &Assertion, (drafted, review): (&Shown, &Review)) -> AssertionRow {
    let broken = review.broken.iter().find(|broken| broken.assertion == one.id);
    AssertionRow {
        id: one.id.to_string(),
        claim: sentence(&one.claim, &drafted.names),
        reason: one.reason.clone(),
        broken: broken.map(|broken| BrokenClaim::of(broken, drafted)),
        remove: None,
        revision: revision(one),
    }
}

/// What the form asks for.
fn read(entry: &Entry, known: (&GroupNames, Option<&Known>)) -> Result<Assertion, String> {
    let said = |text: &str| text.to_owned();
    let id = entry.id.trim().parse();
    let id = id.map_err(|_| said("Choose an id of a to z, 0 to 9 and -, at most 64."))?;
    let who = read_who((&entry.who_kind, entry.who.trim()), known)?;
    let what = match entry.what.as_str() {
        "read" => What::Read,
        "write" => What::Write,
        "all" => What::All,
        _ => return Err(said("Choose what they do.")),
    };
    let reason = entry.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > 500 || reason.chars().any(char::is_control) {
        return Err(said("Say in one line why it matters, in at most 500 characters."));
    }
    let place = entry.place.trim();
    let access = || {
        let wrong = || said("Give the app and a path, such as intranet /finance/q3.");
        let (app, path) = place.split_once(' ').ok_or_else(wrong)?;
        let app = app.parse().map_err(|_| wrong())?;
        let (path, given) = (path.trim().to_owned(), Given::default());
        Ok::<_, String>(Access { who: who.clone(), what: what.clone(), app, path, given })
    };
    let claim = match entry.claim.as_str() {
        "can" => Claim::Can(access()?),
        "cannot" => Claim::Cannot(access()?),
        "nobody_but" => {
            let route = place
                .parse()
                .map_err(|_| said("Give the id of a route, such as intranet/finance."))?;
            Claim::NobodyBut(Exclusive { who: vec![who], what, route, reach: Reach::Below })
        }
        _ => return Err(said("Choose what is asserted.")),
    };
    Ok(Assertion { id, claim, reason })
}
