//! The draft: the one working copy of the rule book, one row per object.
//!
//! Every object carries a revision that counts its changes. Writing a whole rule book touches only the rows that differ.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::collision::Collision;
use super::error::StoreError;
use super::outbox::{Author, Change};
use super::sqlite::{Tx, begin, failed};
use super::{Store, bad_row};
use crate::model::difference::{self, Difference, ObjectKind};
use crate::model::id::{GroupId, InvalidId};
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

/// How often an object of the draft was changed, and by whom last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Which kind of object.
    pub kind: ObjectKind,
    /// The object's id.
    pub id: String,
    /// 1 when it was added; one more with each change.
    pub revision: i64,
    /// The last change.
    pub changed: Author,
}

/// An edit of the draft: what somebody read, and what it shall be. Only objects that differ are touched.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// The rule book that the author read.
    pub from: &'a RuleBook,
    /// The same, edited.
    pub to: &'a RuleBook,
}

impl Store {
    /// The draft as a rule book, each list sorted by id.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn draft(&self) -> Result<RuleBook, StoreError> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT kind, id, body FROM draft_object ORDER BY kind, id")
                .fetch_all(&self.pool)
                .await
                .map_err(failed(&self.pool, "read the draft"))?;
        assemble(rows)
    }

    /// The revisions of all objects in the draft.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn draft_revisions(&self) -> Result<Vec<Revision>, StoreError> {
        let rows: Vec<(String, String, i64, i64, String)> = sqlx::query_as(
            r"
            SELECT kind, id, revision, changed_at, changed_by
            FROM draft_object ORDER BY kind, id
            ",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read the draft"))?;
        rows.into_iter()
            .map(|(kind, id, revision, at, by)| {
                let kind = kind_of(&kind, &id)?;
                let changed = Author { by, at: Timestamp::from_micros(at) };
                Ok(Revision { kind, id, revision, changed })
            })
            .collect()
    }

    /// Brings the objects in which `edit` differs into the draft, with a change record of each in the same transaction, and
    /// gives what was changed. What others did to other objects stays.
    ///
    /// # Errors
    /// `Collided` when somebody else changed one of these objects since it was read; Twice when two objects of one kind
    /// share an id; else as the database fails. Nothing is changed then.
    pub async fn save_draft(
        &self,
        edit: Edit<'_>,
        author: &Author,
    ) -> Result<Vec<Difference>, StoreError> {
        let mut tx = begin(&self.pool, "save the draft").await?;
        let changed = self.edit_draft(&mut tx, edit, author).await?;
        tx.commit().await.map_err(failed(&self.pool, "save the draft"))?;
        Ok(changed)
    }

    /// Throws the edits of the draft away: it becomes what the live release is. Recorded as one change with what was thrown
    /// away. `seen` is the content hash of the draft that the author looked at, where they did.
    ///
    /// # Errors
    /// `DraftMoved` when the draft is not what was looked at; else as the database fails. Nothing is changed then.
    pub async fn discard_draft(
        &self,
        seen: Option<&str>,
        author: &Author,
    ) -> Result<Vec<Difference>, StoreError> {
        let mut tx = begin(&self.pool, "discard the draft").await?;
        let draft = self.draft_in(&mut tx).await?;
        if seen.is_some_and(|seen| draft.content_hash() != seen) {
            return Err(StoreError::DraftMoved);
        }
        let gone = difference::between(&draft, &self.live_in(&mut tx).await?);
        if !gone.is_empty() {
            self.apply(&mut tx, &gone, author).await?;
            let change = Change {
                action: "draft_discarded".to_owned(),
                object: "draft".to_owned(),
                before: gone
                    .iter()
                    .map(|one| (one.object(), one.before.clone()))
                    .map(pair)
                    .collect(),
                after: gone.iter().map(|one| (one.object(), one.after.clone())).map(pair).collect(),
            };
            self.add_to_outbox(&mut tx, author, &[change]).await?;
        }
        tx.commit().await.map_err(failed(&self.pool, "discard the draft"))?;
        Ok(gone)
    }

    /// [`Self::save_draft`] inside a transaction of the caller.
    pub(super) async fn edit_draft(
        &self,
        tx: &mut Tx,
        edit: Edit<'_>,
        author: &Author,
    ) -> Result<Vec<Difference>, StoreError> {
        once(edit.to)?;
        let draft = difference::objects(&self.draft_in(tx).await?);
        let (mut changed, mut collisions) = (Vec::new(), Vec::new());
        for wanted in difference::between(edit.from, edit.to) {
            let now = draft.get(&(wanted.kind, wanted.id.clone())).cloned();
            if now == wanted.after {
                continue;
            }
            if now == wanted.before {
                changed.push(wanted);
            } else {
                let by = self.last_author(tx, &wanted).await?.map(|Author { by, at }| (by, at));
                collisions.push(Collision { wanted, now, by });
            }
        }
        if !collisions.is_empty() {
            return Err(StoreError::Collided(collisions));
        }
        self.apply(tx, &changed, author).await?;
        let records: Vec<_> = changed.iter().map(record).collect();
        self.add_to_outbox(tx, author, &records).await?;
        Ok(changed)
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        changes: &[Difference],
        author: &Author,
    ) -> Result<(), StoreError> {
        for Difference { kind, id, after, .. } in changes {
            match after {
                Some(body) => {
                    self.put_object(tx, (kind.as_str(), id, &body.to_string()), author).await?;
                }
                None => self.drop_object(tx, (kind.as_str(), id), author).await?,
            }
        }
        self.draft_changed(tx).await
    }

    pub(super) async fn draft_in(&self, tx: &mut Tx) -> Result<RuleBook, StoreError> {
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT kind, id, body FROM draft_object ORDER BY kind, id")
                .fetch_all(&mut **tx)
                .await
                .map_err(failed(&self.pool, "read the draft"))?;
        assemble(rows)
    }

    /// Who changed an object last, or removed it.
    async fn last_author(
        &self,
        tx: &mut Tx,
        Difference { kind, id, .. }: &Difference,
    ) -> Result<Option<Author>, StoreError> {
        let doing = "look up who changed an object";
        let found: Option<(String, i64)> = sqlx::query_as(
            r"
            SELECT changed_by, changed_at FROM draft_object WHERE kind = $1 AND id = $2
            UNION ALL
            SELECT removed_by, removed_at FROM draft_removal WHERE kind = $1 AND id = $2
            ",
        )
        .bind(kind.as_str())
        .bind(id)
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed(&self.pool, doing))?;
        Ok(found.map(|(by, at)| Author { by, at: Timestamp::from_micros(at) }))
    }

    async fn drop_object(
        &self,
        tx: &mut Tx,
        (kind, id): (&str, &str),
        author: &Author,
    ) -> Result<(), StoreError> {
        self.removed(tx, (kind, id), author).await?;
        sqlx::query("DELETE FROM draft_object WHERE kind = $1 AND id = $2")
            .bind(kind)
            .bind(id)
            .execute(&mut **tx)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, "remove an object from the draft"))
    }

    async fn put_object(
        &self,
        tx: &mut Tx,
        (kind, id, body): (&str, &str, &str),
        author: &Author,
    ) -> Result<(), StoreError> {
        self.returned(tx, (kind, id)).await?;
        sqlx::query(
            r"
            INSERT INTO draft_object (kind, id, body, revision, changed_at, changed_by)
            VALUES ($1, $2, $3, 1, $4, $5)
            ON CONFLICT (kind, id) DO UPDATE SET
                body = excluded.body,
                revision = draft_object.revision + 1,
                changed_at = excluded.changed_at,
                changed_by = excluded.changed_by
            WHERE draft_object.body <> excluded.body
            ",
        )
        .bind(kind)
        .bind(id)
        .bind(body)
        .bind(author.at.as_micros())
        .bind(&author.by)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "write an object of the draft"))
    }
}

/// The change record of one difference.
fn record(one: &Difference) -> Change {
    Change {
        action: format!("{}_{}", one.kind.as_str(), one.act().as_str()),
        object: one.object(),
        before: one.before.clone().unwrap_or_default(),
        after: one.after.clone().unwrap_or_default(),
    }
}

fn pair((object, content): (String, Option<Value>)) -> (String, Value) {
    (object, content.unwrap_or_default())
}

/// Refuses two objects of one kind and id.
fn once(book: &RuleBook) -> Result<(), StoreError> {
    let mut seen = BTreeSet::new();
    let apps = book.apps.iter().map(|own| (ObjectKind::App, own.id.as_str()));
    let routes = book.routes.iter().map(|own| (ObjectKind::Route, own.id.as_str()));
    let grants = book.grants.iter().map(|own| (ObjectKind::Grant, own.id.as_str()));
    let policies = book.policies.iter().map(|own| (ObjectKind::Policy, own.id.as_str()));
    let assertions = book.assertions.iter().map(|own| (ObjectKind::Assertion, own.id.as_str()));
    for (kind, id) in apps.chain(routes).chain(grants).chain(policies).chain(assertions) {
        if !seen.insert((kind, id)) {
            return Err(StoreError::Twice { kind: kind.as_str(), id: id.to_owned() });
        }
    }
    Ok(())
}

fn assemble(rows: Vec<(String, String, String)>) -> Result<RuleBook, StoreError> {
    let mut book = RuleBook::default();
    for (kind, id, body) in rows {
        match kind_of(&kind, &id)? {
            ObjectKind::App => book.apps.push(parse(&id, &body)?),
            ObjectKind::Route => book.routes.push(parse(&id, &body)?),
            ObjectKind::Grant => book.grants.push(parse(&id, &body)?),
            ObjectKind::Policy => book.policies.push(parse(&id, &body)?),
            ObjectKind::Assertion => book.assertions.push(parse(&id, &body)?),
            ObjectKind::GroupName => {
                let group: GroupId =
                    id.parse().map_err(|e: InvalidId| bad_row("draft_object", &id, e))?;
                book.group_names.insert(group, parse(&id, &body)?);
            }
        }
    }
    // Engines order text differently; the order that counts is ours.
    Ok(book.sorted())
}

fn parse<T: DeserializeOwned>(id: &str, body: &str) -> Result<T, StoreError> {
    serde_json::from_str(body).map_err(|e| bad_row("draft_object", id, e))
}

fn kind_of(word: &str, id: &str) -> Result<ObjectKind, StoreError> {
    ObjectKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| bad_row("draft_object", id, format!("`{word}` is not a kind of object")))
}
