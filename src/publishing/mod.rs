//! The one way in which a rule book becomes a release.
//!
//! ```text
//! edit ──> draft ──> review ──> publish ──> release        roll back: an old release, published again
//!            └──> discard        (approve)
//! ```
//!
//! A [`Review`] says what a draft would change, in words and as Cedar, what is wrong with it and which assertions break,
//! and names the draft by its content hash. What is published is what has that hash, on top of the release that was live
//! then: otherwise it is refused and nothing changes.
//!
//! **Invariant**: a rule book that does not compile or breaks an assertion never becomes a release, whichever way it comes.
//!
//! **Invariant**: where a second person is required, nothing becomes a release that nobody but its publisher has approved.

mod compilations;

use std::collections::HashSet;
use std::sync::Arc;

use self::compilations::{Compilation, Compilations};
use crate::authz::assertions::{self, Broken};
use crate::authz::compile::{CompileError, Terms, compile};
use crate::authz::lints::Lint;
use crate::authz::problem::Problem;
use crate::authz::snapshot::Snapshot;
use crate::model::difference::{self, Difference};
use crate::model::group::GroupNames;
use crate::model::id::ReleaseNumber;
use crate::model::indexed::IndexedBook;
use crate::model::line_diff::{self, Line};
use crate::model::rule_book::{Release, RuleBook};
use crate::model::time::Timestamp;
use crate::store::{Author, Draft, Edit, Publication, Store, StoreError};

/// Whether publishing needs somebody else's approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondPerson {
    /// Whoever may publish, may do so alone.
    #[default]
    Off,
    /// Somebody else must have approved of the same content.
    Required,
}

/// Publishes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Publishing {
    store: Store,
    terms: Terms,
    second: SecondPerson,
    compilations: Compilations,
}

/// What a rule book would change.
#[derive(Debug)]
pub struct Review {
    /// The release that is live.
    pub based_on: ReleaseNumber,
    /// The rule book's content hash: what an approval and a publication are bound to.
    pub content: String,
    /// The rule book.
    pub book: Arc<IndexedBook>,
    /// Each object that differs from the live release.
    pub differences: Vec<Difference>,
    /// The policies that go, come or change, line by line.
    pub cedar: Vec<Line>,
    /// What is wrong with it; then nothing can be published.
    pub problems: Option<CompileError>,
    /// Assertions that it breaks as of this minute; then nothing can be published, which tries them anew.
    pub broken: Vec<Broken>,
    /// Who approved of it.
    pub approvals: Vec<Author>,
    /// The live release, compiled; none when it does not compile under the present settings.
    pub live: Option<Arc<Snapshot>>,
    /// The rule book, compiled; none when something is wrong with it.
    pub next: Option<Arc<Snapshot>>,
    compilation: Arc<Compilation>,
}

/// What is published.
#[derive(Debug, Clone)]
pub enum Content {
    /// The draft, as it was reviewed.
    Draft {
        /// Its content hash.
        content: String,
    },
    /// A rule book of its own, such as a folder of files.
    Book(Box<RuleBook>),
    /// An old release.
    Release(ReleaseNumber),
}

/// An order to publish.
#[derive(Debug, Clone)]
pub struct Order {
    /// What.
    pub content: Content,
    /// The release that was live when it was reviewed.
    pub based_on: ReleaseNumber,
    /// Why.
    pub note: String,
    /// Who and when.
    pub author: Author,
}

/// Why nothing was published. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The rule book is wrong.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It is sound, but not what was asserted of it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Broken(Vec<Broken>),
    /// Somebody else has to approve first. It is in the draft now, with whatever others are drafting.
    #[error(
        "publishing needs a second person (`console.second_person`): it is in the draft, {content}; once somebody else has approved of it with `cedargate rules approve {content}`, `cedargate rules publish {content}` puts it in force"
    )]
    Second {
        /// The content hash to approve of.
        content: String,
    },
    /// The release does not exist.
    #[error("there is no release {0}")]
    Unknown(ReleaseNumber),
    /// The draft was changed, somebody published, two people changed one object, or the database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Compiling broke off: a fault of ours.
    #[error("compiling the rule book broke off")]
    Panicked(#[source] tokio::task::JoinError),
}

impl Publishing {
    /// For the rules in `store`, which must fit `terms`.
    pub fn new(store: Store, terms: Terms, second: SecondPerson) -> Self {
        Self { store, terms, second, compilations: Compilations::default() }
    }

    /// Brings an edit into the draft, and gives what it changed.
    ///
    /// A draft may be wrong, but no edit makes it so: what is wrong already does not keep anybody from editing on.
    ///
    /// # Errors
    /// With all that would be wrong and is not so far; when somebody else changed the same objects; when the database
    /// fails. Nothing is changed then.
    pub async fn edit(&self, edit: Edit<'_>, author: &Author) -> Result<Vec<Difference>, Refusal> {
        let worse = self.worse(edit, author).await?;
        if worse.is_empty() {
            return Ok(self.store.save_draft(edit, author).await?);
        }
        Err(CompileError { problems: worse }.into())
    }

    /// What is wrong after an edit and was not before it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worse(&self, edit: Edit<'_>, author: &Author) -> Result<Vec<Problem>, Refusal> {
        let mut after = self.wrong_with(edit.to, author).await?;
        if !after.is_empty() {
            let before = self.wrong_with(edit.from, author).await?;
            after.retain(|problem| !before.contains(problem));
        }
        Ok(after)
    }

    async fn wrong_with(&self, book: &RuleBook, author: &Author) -> Result<Vec<Problem>, Refusal> {
        match self.compiled(book.clone(), author.clone()).await {
            Ok(_) => Ok(Vec::new()),
            Err(Refusal::Compile(error)) => Ok(error.problems),
            Err(other) => Err(other),
        }
    }

    /// Whether publishing needs somebody else's approval.
    pub fn second(&self) -> SecondPerson {
        self.second
    }

    /// What the draft would change.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn review(&self, now: Author) -> Result<Review, Refusal> {
        let draft = self.store.pending().await?;
        self.review_beside(&draft, Arc::clone(&draft.book), now).await
    }

    /// What a rule book would change. One that the store gives as it is, the draft or the live release, is compiled once
    /// for all who ask.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn review_of(&self, book: Arc<IndexedBook>, now: Author) -> Result<Review, Refusal> {
        let draft = self.store.pending().await?;
        self.review_beside(&draft, book, now).await
    }

    async fn review_beside(
        &self,
        draft: &Draft,
        book: Arc<IndexedBook>,
        now: Author,
    ) -> Result<Review, Refusal> {
        let old = self.compilations.of(&draft.in_force, draft, &self.terms).await?;
        let new = self.compilations.of(&book, draft, &self.terms).await?;
        let broken = new.broken(now.at).await?.to_vec();
        let based_on = draft.based_on();
        let approvals = self.store.approvals((&new.content, based_on)).await?;
        let differences = if Arc::ptr_eq(&book, &draft.book) {
            draft.pending.iter().map(|pending| pending.difference.clone()).collect()
        } else {
            difference::between(&draft.in_force, &book)
        };
        Ok(Review {
            based_on,
            content: new.content.clone(),
            book,
            differences,
            cedar: changed_lines(&old.cedar, &new.cedar),
            problems: new.snapshot.as_ref().err().cloned(),
            broken,
            approvals,
            live: old.snapshot.as_ref().ok().cloned(),
            next: new.snapshot.as_ref().ok().cloned(),
            compilation: new,
        })
    }

    /// Approves of the draft with this content, as it stands against the live release.
    ///
    /// # Errors
    /// When the draft has other content, is wrong, or breaks an assertion; or the database fails.
    pub async fn approve(&self, content: &str, author: Author) -> Result<(), Refusal> {
        let review = self.review(author.clone()).await?;
        if review.content != content {
            return Err(StoreError::DraftMoved.into());
        }
        review.sound()?;
        Ok(self.store.approve((content, review.based_on), &author).await?)
    }

    /// Publishes, and gives the release with the snapshot that decides for it.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn publish(&self, order: Order) -> Result<(Release, Snapshot), Refusal> {
        let Order { content, based_on, note, author } = order;
        let (book, draft) = self.content(content).await?;
        if !self.is_approved(&book.content_hash(), based_on, &author).await? {
            return Err(self.submitted(book, draft, author).await);
        }
        let number = ReleaseNumber(based_on.0.saturating_add(1));
        let compiled = self.compiled_as(book, number, author.clone()).await?;
        let Compiled { book: rule_book, snapshot, broken } = compiled;
        if !broken.is_empty() {
            return Err(Refusal::Broken(broken));
        }
        let (cedar, schema) = (snapshot.cedar(), snapshot.schema().to_owned());
        let Author { by, at } = author;
        let publication = Publication { based_on, rule_book, cedar, schema, note, by, at, draft };
        Ok((self.store.publish(publication).await?, snapshot))
    }

    /// The rule book to publish, and the content hash that the draft must keep until then.
    async fn content(&self, content: Content) -> Result<(RuleBook, Option<String>), Refusal> {
        match content {
            Content::Book(book) => Ok((*book, None)),
            Content::Release(number) => {
                let release = self.store.release(number).await?;
                Ok((release.ok_or(Refusal::Unknown(number))?.rule_book, None))
            }
            Content::Draft { content } => {
                let draft = self.store.draft().await?;
                if draft.content_hash() != content {
                    return Err(StoreError::DraftMoved.into());
                }
                Ok((draft, Some(content)))
            }
        }
    }

    async fn is_approved(
        &self,
        content: &str,
        based_on: ReleaseNumber,
        author: &Author,
    ) -> Result<bool, Refusal> {
        if self.second == SecondPerson::Off {
            return Ok(true);
        }
        let approvals = self.store.approvals((content, based_on)).await?;
        Ok(approvals.iter().any(|approval| approval.by != author.by))
    }

    /// Brings what must not be published yet into the draft, where it can be approved of, and says so.
    async fn submitted(&self, book: RuleBook, draft: Option<String>, author: Author) -> Refusal {
        let submit = async || {
            if let Some(content) = draft {
                return Ok(content);
            }
            let compiled = self.compiled(book, author.clone()).await?;
            if !compiled.broken.is_empty() {
                return Err(Refusal::Broken(compiled.broken));
            }
            let live = self.store.live().await?.map(|live| live.rule_book).unwrap_or_default();
            let edit = Edit { from: &live, to: &compiled.book };
            self.store.save_draft(edit, &author).await?;
            Ok(self.store.draft().await?.content_hash())
        };
        submit().await.map_or_else(|refusal| refusal, |content| Refusal::Second { content })
    }

    async fn compiled(&self, book: RuleBook, now: Author) -> Result<Compiled, Refusal> {
        self.compiled_as(book, ReleaseNumber::default(), now).await
    }

    /// Off the threads that answer requests: a large book takes seconds.
    async fn compiled_as(
        &self,
        book: RuleBook,
        number: ReleaseNumber,
        now: Author,
    ) -> Result<Compiled, Refusal> {
        let terms = self.terms.clone();
        let compiled = tokio::task::spawn_blocking(move || {
            let snapshot = compile(&book, number, &terms)?;
            let broken = assertions::run(&book, &snapshot, now.at);
            Ok::<_, CompileError>(Compiled { book, snapshot, broken })
        });
        Ok(compiled.await.map_err(Refusal::Panicked)??)
    }
}

/// A rule book with its snapshot, and the assertions that it breaks.
struct Compiled {
    book: RuleBook,
    snapshot: Snapshot,
    broken: Vec<Broken>,
}

impl Review {
    /// Whether it could be published.
    ///
    /// # Errors
    /// With what is wrong or breaks.
    pub fn sound(&self) -> Result<(), Refusal> {
        match (&self.problems, self.broken.as_slice()) {
            (Some(problems), _) => Err(Refusal::Compile(problems.clone())),
            (None, []) => Ok(()),
            (None, broken) => Err(Refusal::Broken(broken.to_vec())),
        }
    }

    /// What to look at before publishing, sorted, as of this minute; nothing can be told of what does not compile.
    pub fn lints(&self, names: &GroupNames, now: Timestamp) -> Arc<[Lint]> {
        self.compilation.lints(names, now)
    }

    /// Those of them that speak of something that the draft changes.
    pub fn lints_of_changes(&self, names: &GroupNames, now: Timestamp) -> Vec<Lint> {
        if self.differences.is_empty() {
            return Vec::new();
        }
        let changed: HashSet<_> = self.differences.iter().map(|one| one.id.as_str()).collect();
        let touched =
            |lint: &&Lint| lint.problem.to_string().split('`').any(|word| changed.contains(word));
        self.lints(names, now).iter().filter(touched).cloned().collect()
    }

    /// The differences in words, a line for each.
    pub fn lines(&self) -> Vec<String> {
        let names = GroupNames::new(self.book.group_names.clone(), Arc::default());
        self.differences.iter().flat_map(|one| one.lines(&names)).collect()
    }
}

/// Policies that are in one text and not in the other: `-` before lines that go, `+` before lines that come. Of a policy
/// that is in both with other content, all lines.
pub fn changed_lines(before: &str, after: &str) -> Vec<Line> {
    if before == after {
        return Vec::new();
    }
    let (old, new): (HashSet<_>, HashSet<_>) =
        (before.split("\n\n").collect(), after.split("\n\n").collect());
    let gone = before.split("\n\n").filter(|text| !new.contains(text));
    let mut come: Vec<_> = after.split("\n\n").filter(|text| !old.contains(text)).collect();
    let mut lines = Vec::new();
    for text in gone {
        let namesake = come.iter().position(|other| is_namesake(text, other));
        let other = namesake.map_or("", |at| come.remove(at));
        lines.extend(line_diff::between(text, other));
    }
    lines.extend(come.into_iter().flat_map(|text| line_diff::between("", text)));
    lines
}

/// Whether two policies begin with the same annotation, which is their id.
fn is_namesake(one: &str, other: &str) -> bool {
    let first =
        |text: &str| text.lines().next().filter(|line| line.starts_with('@')).map(str::to_owned);
    first(one).is_some_and(|name| first(other) == Some(name))
}

#[cfg(test)]
mod tests;
