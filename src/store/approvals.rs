//! Approvals: who said of a draft's content, against a release, that it may go live.

use super::Store;
use super::error::StoreError;
use super::outbox::{Author, Change};
use super::sqlite::{begin, failed};
use crate::model::id::ReleaseNumber;
use crate::model::time::Timestamp;

impl Store {
    /// Puts down that `author` approves of this content; once is enough.
    ///
    /// # Errors
    /// When the database fails; nothing is changed then.
    pub async fn approve(
        &self,
        (content, based_on): (&str, ReleaseNumber),
        author: &Author,
    ) -> Result<(), StoreError> {
        let doing = "write an approval";
        let mut tx = begin(&self.pool, doing).await?;
        let written = sqlx::query(
            r"
            INSERT INTO approval (content_hash, based_on, approved_by, approved_at)
            VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
            ",
        )
        .bind(content)
        .bind(based_on.0)
        .bind(&author.by)
        .bind(author.at.as_micros())
        .execute(&mut *tx)
        .await
        .map_err(failed(&self.pool, doing))?;
        if written.rows_affected() > 0 {
            let change = Change {
                action: "draft_approved".to_owned(),
                object: format!("draft:{content}"),
                before: serde_json::json!({ "release": based_on }),
                after: serde_json::json!({ "sha256": content }),
            };
            self.add_to_outbox(&mut tx, author, &[change]).await?;
        }
        tx.commit().await.map_err(failed(&self.pool, doing))
    }

    /// Who approved of this content against this release.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn approvals(
        &self,
        (content, based_on): (&str, ReleaseNumber),
    ) -> Result<Vec<Author>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            r"
            SELECT approved_by, approved_at FROM approval
            WHERE content_hash = $1 AND based_on = $2 ORDER BY approved_at, approved_by
            ",
        )
        .bind(content)
        .bind(based_on.0)
        .fetch_all(&self.pool)
        .await
        .map_err(failed(&self.pool, "read approvals"))?;
        Ok(rows.into_iter().map(|(by, at)| Author { by, at: Timestamp::from_micros(at) }).collect())
    }
}
