//! The draft: the one working copy of the rule book, one row per object.
//!
//! Every object carries a revision that counts its changes. Writing a whole rule book touches only the rows that differ.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use super::outbox::{Author, Change};
use super::sqlite::{Tx, begin, failed};
use super::{Store, bad_row};
use crate::model::id::{GroupId, InvalidId};
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;

/// The kinds of objects in a rule book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// An app.
    App,
    /// A route.
    Route,
    /// A grant.
    Grant,
    /// A hand-written policy.
    Policy,
    /// A test of the rules.
    Assertion,
    /// The name of a group.
    GroupName,
}

impl ObjectKind {
    const ALL: [Self; 6] =
        [Self::App, Self::Route, Self::Grant, Self::Policy, Self::Assertion, Self::GroupName];

    /// The word in the `kind` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Route => "route",
            Self::Grant => "grant",
            Self::Policy => "policy",
            Self::Assertion => "assertion",
            Self::GroupName => "group_name",
        }
    }
}

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

/// A change of the whole draft.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'a> {
    /// The draft as the author read it.
    pub from: &'a RuleBook,
    /// The draft as it shall be.
    pub to: &'a RuleBook,
}

/// Objects by kind and id, as JSON.
type Objects = BTreeMap<(&'static str, String), String>;

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

    /// Makes `edit.to` the draft if it still is `edit.from`; the changes go to the outbox in the same transaction.
    ///
    /// # Errors
    /// `DraftMoved` when somebody else changed the draft since it was read; Twice when two objects of one kind share an id;
    /// else as the database fails. Nothing is changed then.
    pub async fn save_draft(
        &self,
        edit: Edit<'_>,
        author: &Author,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let mut tx = begin(&self.pool, "save the draft").await?;
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT kind, id, body FROM draft_object ORDER BY kind, id")
                .fetch_all(&mut *tx)
                .await
                .map_err(failed(&self.pool, "read the draft"))?;
        if assemble(rows)? != sorted(edit.from) {
            return Err(StoreError::DraftMoved);
        }
        self.write_draft(&mut tx, edit.to, author).await?;
        self.add_to_outbox(&mut tx, author, changes).await?;
        tx.commit().await.map_err(failed(&self.pool, "save the draft"))
    }

    /// Makes the rows of the draft equal to `rule_book`, inside a transaction of the caller.
    pub(super) async fn write_draft(
        &self,
        tx: &mut Tx,
        rule_book: &RuleBook,
        author: &Author,
    ) -> Result<(), StoreError> {
        let wanted = objects(rule_book)?;
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT kind, id FROM draft_object")
            .fetch_all(&mut **tx)
            .await
            .map_err(failed(&self.pool, "read the draft"))?;
        for (kind, id) in rows {
            let kind = kind_of(&kind, &id)?.as_str();
            if !wanted.contains_key(&(kind, id.clone())) {
                self.drop_object(tx, kind, &id).await?;
            }
        }
        for ((kind, id), body) in &wanted {
            self.put_object(tx, (kind, id, body), author).await?;
        }
        Ok(())
    }

    async fn drop_object(&self, tx: &mut Tx, kind: &str, id: &str) -> Result<(), StoreError> {
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

/// The rule book with each list sorted by id, so that equal rule books are equal bytes.
pub(super) fn sorted(rule_book: &RuleBook) -> RuleBook {
    let mut sorted = rule_book.clone();
    sorted.apps.sort_by(|a, b| a.id.cmp(&b.id));
    sorted.routes.sort_by(|a, b| a.id.cmp(&b.id));
    sorted.grants.sort_by(|a, b| a.id.cmp(&b.id));
    sorted.policies.sort_by(|a, b| a.id.cmp(&b.id));
    sorted.assertions.sort_by(|a, b| a.id.cmp(&b.id));
    sorted
}

fn objects(rule_book: &RuleBook) -> Result<Objects, StoreError> {
    let mut objects = Objects::new();
    for app in &rule_book.apps {
        add(&mut objects, (ObjectKind::App, app.id.as_str()), app)?;
    }
    for route in &rule_book.routes {
        add(&mut objects, (ObjectKind::Route, route.id.as_str()), route)?;
    }
    for grant in &rule_book.grants {
        add(&mut objects, (ObjectKind::Grant, grant.id.as_str()), grant)?;
    }
    for policy in &rule_book.policies {
        add(&mut objects, (ObjectKind::Policy, policy.id.as_str()), policy)?;
    }
    for assertion in &rule_book.assertions {
        add(&mut objects, (ObjectKind::Assertion, assertion.id.as_str()), assertion)?;
    }
    for (group, name) in &rule_book.group_names {
        add(&mut objects, (ObjectKind::GroupName, group.as_str()), name)?;
    }
    Ok(objects)
}

fn add(
    objects: &mut Objects,
    (kind, id): (ObjectKind, &str),
    object: &impl Serialize,
) -> Result<(), StoreError> {
    let kind = kind.as_str();
    let body = serde_json::to_string(object).map_err(|e| bad_row("draft_object", id, e))?;
    match objects.insert((kind, id.to_owned()), body) {
        Some(_) => Err(StoreError::Twice { kind, id: id.to_owned() }),
        None => Ok(()),
    }
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
    Ok(sorted(&book))
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
