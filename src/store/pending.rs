//! What waits in the draft: each change against the live release, with who made it last.

use std::collections::HashMap;

use super::Store;
use super::error::StoreError;
use super::outbox::Author;
use super::sqlite::{Tx, failed};
use crate::model::difference::{self, Difference};
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::{Release, RuleBook};
use crate::model::time::Timestamp;

/// The draft beside the release that it would follow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The live release; none when nothing was published yet.
    pub live: Option<Release>,
    /// The rule book as it is being edited.
    pub book: RuleBook,
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

type Authors = HashMap<(String, String), Author>;

impl Store {
    /// The draft with all that waits in it.
    ///
    /// # Errors
    /// When the database fails, a row can't be read, or the live release is not what was written.
    pub async fn pending(&self) -> Result<Draft, StoreError> {
        let (book, live) = (self.draft().await?, self.live().await?);
        let differences = match &live {
            Some(live) => difference::between(&live.rule_book, &book),
            None => difference::between(&RuleBook::default(), &book),
        };
        let mut authors =
            if differences.is_empty() { Authors::new() } else { self.authors().await? };
        let pending = differences.into_iter().map(|difference| {
            let key = (difference.kind.as_str().to_owned(), difference.id.clone());
            Pending { author: authors.remove(&key), difference }
        });
        Ok(Draft { pending: pending.collect(), live, book })
    }

    /// Who changed or removed each object of the draft last.
    async fn authors(&self) -> Result<Authors, StoreError> {
        let rows: Vec<(String, String, i64, String)> = sqlx::query_as(
            r"
            SELECT kind, id, changed_at, changed_by FROM draft_object
            UNION ALL
            SELECT kind, id, removed_at, removed_by FROM draft_removal
            ",
        )
        .fetch_all(&self.pool)
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
            .map_err(failed(&self.pool, "forget the removals from the draft"))
    }
}
