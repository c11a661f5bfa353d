//! What waits in the draft: each change against the live release, with who made it last.
//!
//! Every page of the console stands on this, so what was read is kept until the draft or the live release is another:
//! both are numbered, and the numbers are all that is read while they stay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Store;
use super::error::StoreError;
use super::outbox::Author;
use super::releases::ReleaseLine;
use super::sqlite::{Tx, failed};
use crate::model::difference::{self, Difference};
use crate::model::id::ReleaseNumber;
use crate::model::indexed::IndexedBook;
use crate::model::rule_book::Release;
use crate::model::time::Timestamp;

/// The draft beside the release that it would follow.
#[derive(Debug, Default)]
pub struct Draft {
    /// The live release; none when nothing was published yet.
    pub live: Option<ReleaseLine>,
    /// Its rule book; the empty one for none.
    pub in_force: Arc<IndexedBook>,
    /// The rule book as it is being edited.
    pub book: Arc<IndexedBook>,
    /// In what they differ.
    pub pending: Vec<Pending>,
}

/// A change that waits for its publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// What, before and after.
    pub difference: Difference,
    /// Who had the last hand in it, and when.
    pub author: Option<Author>,
}

impl Draft {
    /// The number of the live release; 0 for none.
    pub fn based_on(&self) -> ReleaseNumber {
        self.live.as_ref().map_or_else(ReleaseNumber::default, |live| live.number)
    }

    /// The number of the release that it would become.
    pub fn next(&self) -> ReleaseNumber {
        ReleaseNumber(self.based_on().0.saturating_add(1))
    }
}

/// The draft as it was read last.
pub(super) type Kept = Arc<Mutex<Option<(Mark, Arc<Draft>)>>>;

/// Which draft beside which live release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    version: i64,
    live: ReleaseNumber,
}

type Authors = HashMap<(String, String), Author>;

impl Store {
    /// The draft with all that waits in it.
    ///
    /// # Errors
    /// When the database fails, a row can't be read, or the live release is not what was written.
    pub async fn pending(&self) -> Result<Arc<Draft>, StoreError> {
        let doing = "read the draft";
        let mut connection = self.pool.acquire().await.map_err(failed(&self.pool, doing))?;
        let mark = self.mark(&mut connection).await?;
        let kept = self.drafts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, draft)) = kept.filter(|(of, _)| *of == mark) {
            return Ok(draft);
        }
        drop(connection);
        // One transaction sees one state of the draft, whoever is writing meanwhile.
        let mut tx = self.pool.begin().await.map_err(failed(&self.pool, doing))?;
        let mark = self.mark(&mut tx).await?;
        let draft = Arc::new(self.read_pending(&mut tx, mark.live).await?);
        let mut kept = self.drafts.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((mark, Arc::clone(&draft)));
        Ok(draft)
    }

    async fn mark(&self, connection: &mut sqlx::SqliteConnection) -> Result<Mark, StoreError> {
        let (version, live): (i64, i64) = sqlx::query_as(
            r"
            SELECT version, (SELECT COALESCE(MAX(number), 0) FROM release) FROM draft_version
            ",
        )
        .fetch_one(connection)
        .await
        .map_err(failed(&self.pool, "read which draft there is"))?;
        Ok(Mark { version, live: ReleaseNumber(live) })
    }

    async fn read_pending(&self, tx: &mut Tx, live: ReleaseNumber) -> Result<Draft, StoreError> {
        let book = IndexedBook::from(self.draft_in(tx).await?);
        // A release never changes, so it may be read beside the transaction.
        let live = self.release(live).await?;
        let (live, in_force) = live.map_or_else(Default::default, parted);
        let differences = difference::between(&in_force, &book);
        let mut authors =
            if differences.is_empty() { Authors::new() } else { self.authors(tx).await? };
        let pending = differences.into_iter().map(|difference| {
            let key = (difference.kind.as_str().to_owned(), difference.id.clone());
            Pending { author: authors.remove(&key), difference }
        });
        let (pending, in_force) = (pending.collect::<Vec<_>>(), Arc::new(in_force));
        // What does not differ is one, and is compiled once.
        let book = if pending.is_empty() { Arc::clone(&in_force) } else { Arc::new(book) };
        Ok(Draft { live, in_force, book, pending })
    }

    /// Says that the draft is another one from here on.
    pub(super) async fn draft_changed(&self, tx: &mut Tx) -> Result<(), StoreError> {
        sqlx::query("UPDATE draft_version SET version = version + 1")
            .execute(&mut **tx)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "count a change of the draft"))
    }

    /// Who changed or removed each object of the draft last.
    async fn authors(&self, tx: &mut Tx) -> Result<Authors, StoreError> {
        let rows: Vec<(String, String, i64, String)> = sqlx::query_as(
            r"
            SELECT kind, id, changed_at, changed_by FROM draft_object
            UNION ALL
            SELECT kind, id, removed_at, removed_by FROM draft_removal
            ",
        )
        .fetch_all(&mut **tx)
        .await
        .map_err(failed(&self.pool, "read who changed the draft"))?;
        let author = |at, by| Author { by, at: Timestamp::from_micros(at) };
        Ok(rows.into_iter().map(|(kind, id, at, by)| ((kind, id), author(at, by))).collect())
    }

    /// Notes who removed an object from the draft.
    pub(super) async fn removed(
        &self,
        tx: &mut Tx,
        (kind, id): (&str, &str),
        author: &Author,
    ) -> Result<(), StoreError> {
        sqlx::query(
            r"
            INSERT INTO draft_removal (kind, id, removed_at, removed_by) VALUES ($1, $2, $3, $4)
            ON CONFLICT (kind, id) DO UPDATE SET
                removed_at = excluded.removed_at,
                removed_by = excluded.removed_by
            ",
        )
        .bind(kind)
        .bind(id)
        .bind(author.at.as_micros())
        .bind(&author.by)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "note a removal from the draft"))
    }

    /// Forgets the removal of an object that is back.
    pub(super) async fn returned(
        &self,
        tx: &mut Tx,
        (kind, id): (&str, &str),
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM draft_removal WHERE kind = $1 AND id = $2")
            .bind(kind)
            .bind(id)
            .execute(&mut **tx)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "forget a removal from the draft"))
    }

    /// Forgets all removals: the draft was published, so none waits any more.
    pub(super) async fn removals_published(&self, tx: &mut Tx) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM draft_removal")
            .execute(&mut **tx)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "forget the removals from the draft"))?;
        self.draft_changed(tx).await
    }
}

/// A release without the texts that are kept for auditors: how lists show it, and its rule book.
fn parted(release: Release) -> (Option<ReleaseLine>, IndexedBook) {
    let Release { number, rule_book, sha256, published_at: at, published_by: by, note, .. } =
        release;
    let line = ReleaseLine { number, author: Author { by, at }, note, sha256 };
    (Some(line), IndexedBook::from(rule_book))
}
