//! Groups and what Entra calls them.
//!
//! What Entra said of a group is written together with the outbox row that says what changed, so that no rename and no
//! deletion goes unrecorded.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::error::StoreError;
use super::outbox::{Author, Change};
use super::sqlite::{Tx, begin, failed, from_columns};
use super::{Store, bad_row};
use crate::model::group::KnownGroup;
use crate::model::id::{GroupId, InvalidId};
use crate::model::principal::Principal;
use crate::model::time::Timestamp;

/// Sessions whose groups count as carried of late: the ones used last.
const SESSIONS: i64 = 2_000;

/// What Entra said of groups.
#[derive(Debug, Clone, Copy)]
pub struct LookUp<'a> {
    /// Those that it was asked about.
    pub asked: &'a BTreeSet<GroupId>,
    /// Names of those that it knows.
    pub found: &'a BTreeMap<GroupId, String>,
    /// Those that people carry.
    pub carried: &'a BTreeSet<GroupId>,
    /// When.
    pub at: Timestamp,
}

struct Row {
    id: String,
    name: Option<String>,
    former_name: Option<String>,
    renamed_at: Option<i64>,
    gone_at: Option<i64>,
    seen_at: Option<i64>,
    checked_at: Option<i64>,
}

from_columns!(Row { id, name, former_name, renamed_at, gone_at, seen_at, checked_at });

impl Store {
    /// All groups that are known, by id.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn known_groups(&self) -> Result<BTreeMap<GroupId, KnownGroup>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            r"
            SELECT id, name, former_name, renamed_at, gone_at, seen_at, checked_at
            FROM known_group
            ",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read the names of groups"))?;
        rows.into_iter().map(|row| read(row).map(|group| (group.id.clone(), group))).collect()
    }

    /// The groups of the people who were here last.
    ///
    /// # Errors
    /// When the database fails or a row can't be read.
    pub async fn groups_of_sessions(&self) -> Result<BTreeSet<GroupId>, StoreError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT id, principal FROM session ORDER BY seen_at DESC LIMIT $1")
                .bind(SESSIONS)
                .fetch_all(&self.pool)
                .await
                .map_err(failed(&self.pool, "read the groups of sessions"))?;
        let mut groups = BTreeSet::new();
        for (id, principal) in rows {
            match serde_json::from_str(&principal).map_err(|e| bad_row("session", &id, e))? {
                Principal::User(user) => groups.extend(user.groups),
                Principal::Workload(_) | Principal::Anonymous => {}
            }
        }
        Ok(groups)
    }

    /// Keeps what Entra said, and records what changed since it was asked before. `true` when something did.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn keep_groups(&self, look_up: LookUp<'_>) -> Result<bool, StoreError> {
        let mut tx = begin(&self.pool, "keep the names of groups").await?;
        let mut changes = Vec::new();
        for id in look_up.asked {
            let before = self.known_group(&mut tx, id).await?;
            let after = seen_now(before.as_ref(), id, look_up);
            changes.extend(before.and_then(|before| change(&before, &after)));
            self.put_group(&mut tx, &after).await?;
        }
        let author = Author { by: "gate".to_owned(), at: look_up.at };
        self.add_to_outbox(&mut tx, &author, &changes).await?;
        tx.commit().await.map_err(failed(&self.pool, "keep the names of groups"))?;
        Ok(!changes.is_empty())
    }

    /// Forgets groups that nobody asked about since `before`: neither rules nor people bring them up any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_groups(&self, before: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM known_group WHERE checked_at < $1")
            .bind(before.as_micros())
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(failed(&self.pool, "forget groups"))
    }

    async fn known_group(
        &self,
        tx: &mut Tx,
        id: &GroupId,
    ) -> Result<Option<KnownGroup>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            r"
            SELECT id, name, former_name, renamed_at, gone_at, seen_at, checked_at
            FROM known_group WHERE id = $1
            ",
        )
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await
        .map_err(failed(&self.pool, "read the name of a group"))?;
        row.map(read).transpose()
    }

    async fn put_group(&self, tx: &mut Tx, group: &KnownGroup) -> Result<(), StoreError> {
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
        sqlx::query(
            r"
            INSERT INTO known_group
                (id, name, former_name, renamed_at, gone_at, seen_at, checked_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (id) DO UPDATE SET
                name = excluded.name,
                former_name = excluded.former_name,
                renamed_at = excluded.renamed_at,
                gone_at = excluded.gone_at,
                seen_at = excluded.seen_at,
                checked_at = excluded.checked_at
            ",
        )
        .bind(group.id.as_str())
        .bind(&group.name)
        .bind(&group.former_name)
        .bind(micros(group.renamed_at))
        .bind(micros(group.gone_at))
        .bind(micros(group.seen_at))
        .bind(micros(group.checked_at))
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, "keep the name of a group"))
    }
}

/// A group after a look-up.
fn seen_now(before: Option<&KnownGroup>, id: &GroupId, look_up: LookUp<'_>) -> KnownGroup {
    let LookUp { found, carried, at, .. } = look_up;
    let known = before.cloned();
    let mut group = known.unwrap_or_else(|| KnownGroup {
        id: id.clone(),
        name: None,
        former_name: None,
        renamed_at: None,
        gone_at: None,
        seen_at: None,
        checked_at: None,
    });
    group.checked_at = Some(at);
    if carried.contains(id) {
        group.seen_at = Some(at);
    }
    match found.get(id) {
        Some(name) => {
            let former = group.name.replace(name.clone()).filter(|former| former != name);
            if former.is_some() {
                (group.former_name, group.renamed_at) = (former, Some(at));
            }
            group.gone_at = None;
        }
        None => group.gone_at = group.gone_at.or(Some(at)),
    }
    group
}

/// What is recorded of the difference; none when there is nothing to say. A group that was never found is no news.
fn change(before: &KnownGroup, after: &KnownGroup) -> Option<Change> {
    let action = match (before.gone_at, after.gone_at) {
        (None, Some(_)) if before.name.is_some() => "group_deleted",
        (Some(_), None) => "group_found",
        _ if before.name.is_some() && before.name != after.name => "group_renamed",
        _ => return None,
    };
    let name = |group: &KnownGroup| match &group.name {
        Some(name) if group.gone_at.is_none() => json!({ "name": name }),
        Some(_) | None => Value::Null,
    };
    Some(Change {
        action: action.to_owned(),
        object: format!("group:{}", after.id),
        before: name(before),
        after: name(after),
    })
}

fn read(row: Row) -> Result<KnownGroup, StoreError> {
    let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let id = row.id.parse().map_err(|e: InvalidId| bad_row("known_group", &row.id, e))?;
    Ok(KnownGroup {
        id,
        name: row.name,
        former_name: row.former_name,
        renamed_at: at(row.renamed_at),
        gone_at: at(row.gone_at),
        seen_at: at(row.seen_at),
        checked_at: at(row.checked_at),
    })
}
