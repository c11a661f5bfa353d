//! Releases: immutable, numbered, only ever added. The highest number is the live one; 0 stands for none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::outbox::{Author, Change};
use super::rules::Edit;
use super::sqlite::{Tx, begin, failed};
use super::{Store, bad_row};
use crate::model::difference::{self, Act};
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::{Release, RuleBook};
use crate::model::time::Timestamp;

/// A rule book on its way to become a release: compiled, validated and reviewed against `based_on`.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The release that was live when the change was reviewed.
    pub based_on: ReleaseNumber,
    /// What to publish.
    pub rule_book: RuleBook,
    /// All policies as Cedar text.
    pub cedar: String,
    /// The Cedar schema as JSON.
    pub schema: String,
    /// Why, in the publisher's words.
    pub note: String,
    /// Who publishes, as records name them.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The content hash that the draft must still have when it is the draft that is published.
    pub draft: Option<String>,
}

/// A release as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseLine {
    /// Its number.
    pub number: ReleaseNumber,
    /// When and by whom it was published.
    pub author: Author,
    /// Why.
    pub note: String,
    /// Its content hash.
    pub sha256: String,
}

/// How many objects a release has otherwise than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// That the one before did not have.
    pub added: usize,
    /// That it had otherwise.
    pub changed: usize,
    /// That it alone had.
    pub removed: usize,
}

/// What was counted already.
pub(super) type Tallies = Arc<Mutex<HashMap<ReleaseNumber, Tally>>>;

type Columns = (i64, String, String, String, String, i64, String, String);

impl Store {
    /// Publishes a rule book: a release with the next number is added, what it changes of the live one goes into the draft
    /// as well, and the changes go to the outbox, all in one transaction. What others are drafting stays a draft.
    ///
    /// # Errors
    /// Stale when another release became live since `based_on`; `DraftMoved` when the draft is not any more the one that
    /// was reviewed; `Collided` when somebody is drafting another change of the same object; Twice when two objects share an
    /// id; else as the database fails. Nothing is changed then.
    pub async fn publish(&self, publication: Publication) -> Result<Release, StoreError> {
        let Publication { based_on, rule_book, cedar, schema, note, by, at, draft } = publication;
        let mut tx = begin(&self.pool, "publish a release").await?;
        let number = self.next(&mut tx, based_on).await?;
        if let Some(reviewed) = draft {
            if self.draft_in(&mut tx).await?.content_hash() != reviewed {
                return Err(StoreError::DraftMoved);
            }
            self.removals_published(&mut tx).await?;
        }
        let (rule_book, author) = (rule_book.sorted(), Author { by, at });
        let from = &self.rule_book_of(&mut tx, based_on).await?;
        self.edit_draft(&mut tx, Edit { from, to: &rule_book }, &author).await?;
        let book = serde_json::to_string(&rule_book).map_err(|e| bad_row("release", number, e))?;
        let sha256 = content_hash([&book, &cedar, &schema]);
        let Author { by: published_by, at: published_at } = author.clone();
        let release =
            Release { number, rule_book, cedar, schema, sha256, published_at, published_by, note };
        self.add_release(&mut tx, &release, &book).await?;
        self.add_to_outbox(&mut tx, &author, &[published(&release, based_on)]).await?;
        tx.commit().await.map_err(failed(&self.pool, "publish a release"))?;
        Ok(release)
    }

    /// The number after `based_on`, when that is still the live one.
    async fn next(
        &self,
        tx: &mut Tx,
        based_on: ReleaseNumber,
    ) -> Result<ReleaseNumber, StoreError> {
        let live = self.newest(tx).await?;
        if live == based_on {
            Ok(ReleaseNumber(live.0.saturating_add(1)))
        } else {
            Err(StoreError::Stale { based_on, live })
        }
    }

    /// The rule book of the live release; the empty one when nothing was published yet.
    pub(super) async fn live_in(&self, tx: &mut Tx) -> Result<RuleBook, StoreError> {
        let number = self.newest(tx).await?;
        self.rule_book_of(tx, number).await
    }

    /// The rule book of a release; the empty one of none.
    async fn rule_book_of(
        &self,
        tx: &mut Tx,
        number: ReleaseNumber,
    ) -> Result<RuleBook, StoreError> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT rule_book FROM release WHERE number = $1")
                .bind(number.0)
                .fetch_optional(&mut **tx)
                .await
                .map_err(failed(&self.pool, "read a release"))?;
        let read =
            |text: String| serde_json::from_str(&text).map_err(|e| bad_row("release", number, e));
        text.map_or_else(|| Ok(RuleBook::default()), read)
    }

    /// The number of the live release; 0 when nothing was published yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live_number(&self) -> Result<ReleaseNumber, StoreError> {
        sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) FROM release")
            .fetch_one(&self.pool)
            .await
            .map(ReleaseNumber)
            .map_err(failed(&self.pool, "read the live release's number"))
    }

    /// The live release; none when nothing was published yet.
    ///
    /// # Errors
    /// When the database fails, or the release is not what was written.
    pub async fn live(&self) -> Result<Option<Release>, StoreError> {
        self.release(self.live_number().await?).await
    }

    /// One release.
    ///
    /// # Errors
    /// When the database fails, or the release is not what was written.
    pub async fn release(&self, number: ReleaseNumber) -> Result<Option<Release>, StoreError> {
        let row: Option<Columns> = sqlx::query_as(
            r"
            SELECT number, rule_book, cedar, schema_json, sha256, published_at, published_by, note
            FROM release WHERE number = $1
            ",
        )
        .bind(number.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "read a release"))?;
        row.map(read).transpose()
    }

    /// How many objects a release changed. It never changes itself, so it is counted once.
    ///
    /// # Errors
    /// When the database fails, or one of the two releases is not what was written.
    pub async fn tally(&self, number: ReleaseNumber) -> Result<Tally, StoreError> {
        if let Some(tally) = self.tallies().get(&number).copied() {
            return Ok(tally);
        }
        let before = self.release(ReleaseNumber(number.0.saturating_sub(1))).await?;
        let Some(after) = self.release(number).await? else { return Ok(Tally::default()) };
        let before = before.map(|before| before.rule_book).unwrap_or_default();
        let changed = difference::between(&before, &after.rule_book);
        let of = |act: Act| changed.iter().filter(|one| one.act() == act).count();
        let (added, removed) = (of(Act::Added), of(Act::Removed));
        let tally = Tally { added, changed: of(Act::Changed), removed };
        self.tallies().insert(number, tally);
        Ok(tally)
    }

    fn tallies(&self) -> MutexGuard<'_, HashMap<ReleaseNumber, Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases with a number below `before` (all when none), newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn releases(
        &self,
        before: Option<ReleaseNumber>,
        limit: u32,
    ) -> Result<Vec<ReleaseLine>, StoreError> {
        let rows: Vec<(i64, i64, String, String, String)> = sqlx::query_as(
            r"
            SELECT number, published_at, published_by, note, sha256
            FROM release WHERE number < $1 ORDER BY number DESC LIMIT $2
            ",
        )
        .bind(before.map_or(i64::MAX, |number| number.0))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "list releases"))?;
        let line = |(number, at, by, note, sha256)| {
            let author = Author { by, at: Timestamp::from_micros(at) };
            ReleaseLine { number: ReleaseNumber(number), author, note, sha256 }
        };
        Ok(rows.into_iter().map(line).collect())
    }

    async fn newest(&self, tx: &mut Tx) -> Result<ReleaseNumber, StoreError> {
        sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) FROM release")
            .fetch_one(&mut **tx)
            .await
            .map(ReleaseNumber)
            .map_err(failed(&self.pool, "read the live release's number"))
    }

    async fn add_release(
        &self,
        tx: &mut Tx,
        release: &Release,
        book: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            r"
            INSERT INTO release
                (number, rule_book, cedar, schema_json, sha256, published_at, published_by, note)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ",
        )
        .bind(release.number.0)
        .bind(book)
        .bind(&release.cedar)
        .bind(&release.schema)
        .bind(&release.sha256)
        .bind(release.published_at.as_micros())
        .bind(&release.published_by)
        .bind(&release.note)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "write a release"))
    }
}

fn published(release: &Release, live: ReleaseNumber) -> Change {
    Change {
        action: "release_published".to_owned(),
        object: format!("release:{}", release.number),
        before: serde_json::json!({ "release": live }),
        after: serde_json::json!({
            "release": release.number,
            "sha256": release.sha256,
            "note": release.note,
        }),
    }
}

/// SHA-256 (hex) over the parts, each preceded by its length in bytes and a line feed, so that no byte can move from
/// one part into the next unseen.
pub(super) fn content_hash(parts: [&str; 3]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(format!("{}\n", part.len()));
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}

/// A release whose content does not match its hash was edited behind our back; deciding by it is refused.
fn read(
    (number, book, cedar, schema, sha256, at, published_by, note): Columns,
) -> Result<Release, StoreError> {
    if content_hash([&book, &cedar, &schema]) != sha256 {
        return Err(bad_row("release", number, "its content does not match its hash"));
    }
    let rule_book = serde_json::from_str(&book).map_err(|e| bad_row("release", number, e))?;
    let (number, published_at) = (ReleaseNumber(number), Timestamp::from_micros(at));
    Ok(Release { number, rule_book, cedar, schema, sha256, published_at, published_by, note })
}
