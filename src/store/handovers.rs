//! Hand-overs: how a session of the gate's host reaches an app's host without a cookie that spans both.
//!
//! The app's host begins one under a cookie of its own; the gate attaches a session and a one-time code that is valid
//! for 30 seconds; the app's host takes it with that code. The code is bound to the host, the transaction and the return
//! path by being in their row. It is burned by the first look, also by a look from another browser or host: so nobody
//! can sign another person's browser in (no sign-in CSRF).

use std::time::Duration;

use super::error::StoreError;
use super::secret_hash::SecretHash;
use super::sign_ins::{IN_ALL, PENDING, PER_BROWSER, PER_SOURCE, asked, kept};
use super::sqlite::{Tx, begin, failed};
use super::{Store, bad_row};
use crate::model::host::{Host, InvalidHost};
use crate::model::id::{InvalidId, SessionId};
use crate::model::record::ClientAddress;
use crate::model::session::StepUp;
use crate::model::time::Timestamp;

/// How long a one-time code is valid.
const CODE: Duration = Duration::from_secs(30);

const MAKING_ROOM: &str = "make room for a hand-over";

/// A transaction that an app's host began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Its id, which travels through the gate.
    pub id: SecretHash,
    /// The cookie of the app's host that binds it to the browser.
    pub browser: SecretHash,
    /// The app's host.
    pub host: Host,
    /// Where to go afterwards on that host: a path with its query.
    pub return_path: String,
    /// What the person has to prove first.
    pub step_up: StepUp,
}

/// What came of looking for a hand-over. Whatever it is, the same code finds nothing afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoverTaken {
    /// The one that this browser began on this host.
    Taken {
        /// The session to make a child of.
        session: SessionId,
        /// Where to go.
        return_path: String,
    },
    /// No such code: never given, used before, or the session has ended.
    Unknown,
    /// The 30 seconds are over.
    Expired,
    /// Begun by another browser.
    OtherBrowser,
    /// Meant for another host.
    OtherHost,
}

type Columns = (String, String, String, i64, Option<String>);

impl Store {
    /// Keeps a transaction for 10 minutes. The oldest of a browser with 20, or of a client's neighbourhood with 200, gives way; when
    /// 10 000 are under way, the oldest of the fullest neighbourhood does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_handover(
        &self,
        handover: &Handover,
        client: ClientAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = begin(&self.pool, "begin a hand-over").await?;
        let source = client.neighbourhood().to_string();
        self.make_room_for_handover(&mut tx, (&handover.browser, &source), now).await?;
        sqlx::query(
            r"
            INSERT INTO handover
                (id_hash, browser_hash, source, host, return_path, step_up, made_at, ends_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ",
        )
        .bind(handover.id.as_str())
        .bind(handover.browser.as_str())
        .bind(source)
        .bind(handover.host.as_str())
        .bind(&handover.return_path)
        .bind(kept(&handover.step_up))
        .bind(now.as_micros())
        .bind(now.plus(PENDING).as_micros())
        .execute(&mut *tx)
        .await
        .map_err(failed(&self.pool, "begin a hand-over"))?;
        tx.commit().await.map_err(failed(&self.pool, "begin a hand-over"))
    }

    /// The transaction with this id while it waits for a session; none when it is over, or has its code already.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn handover(
        &self,
        id: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<Handover>, StoreError> {
        let row: Option<(String, String, String, Option<String>)> = sqlx::query_as(
            r"
            SELECT browser_hash, host, return_path, step_up FROM handover
            WHERE id_hash = $1 AND ends_at > $2 AND code_hash IS NULL
            ",
        )
        .bind(id.as_str())
        .bind(now.as_micros())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "read a hand-over"))?;
        let Some((browser, host, return_path, step_up)) = row else { return Ok(None) };
        let host = host.parse().map_err(|e: InvalidHost| bad_row("handover", id, e))?;
        let browser = SecretHash::stored(browser);
        let step_up = asked(step_up).map_err(|e| bad_row("handover", id, e))?;
        Ok(Some(Handover { id: id.clone(), browser, host, return_path, step_up }))
    }

    /// Attaches a session and its one-time code, once per transaction; the code is valid for 30 seconds. `false` when the
    /// transaction is unknown, over, or has a code already.
    ///
    /// # Errors
    /// When the session has ended, or the database fails.
    pub async fn grant_handover(
        &self,
        id: &SecretHash,
        (code, session): (&SecretHash, &SessionId),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        sqlx::query(
            r"
            UPDATE handover SET code_hash = $2, session = $3, ends_at = $4
            WHERE id_hash = $1 AND ends_at > $5 AND code_hash IS NULL
            ",
        )
        .bind(id.as_str())
        .bind(code.as_str())
        .bind(session.as_str())
        .bind(now.plus(CODE).as_micros())
        .bind(now.as_micros())
        .execute(&self.pool)
        .await
        .map(|done| done.rows_affected() == 1)
        .map_err(failed(&self.pool, "attach a session to a hand-over"))
    }

    /// Takes the hand-over with this code, once, for the browser and host that show it.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn take_handover(
        &self,
        code: &SecretHash,
        (browser, host): (&SecretHash, &Host),
        now: Timestamp,
    ) -> Result<HandoverTaken, StoreError> {
        let row: Option<Columns> = sqlx::query_as(
            r"
            DELETE FROM handover WHERE code_hash = $1
            RETURNING browser_hash, host, return_path, ends_at, session
            ",
        )
        .bind(code.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "take a hand-over"))?;
        let Some((owner, target, return_path, ends_at, Some(session))) = row else {
            return Ok(HandoverTaken::Unknown);
        };
        if now.as_micros() >= ends_at {
            return Ok(HandoverTaken::Expired);
        }
        if target != host.as_str() {
            return Ok(HandoverTaken::OtherHost);
        }
        if owner != browser.as_str() {
            return Ok(HandoverTaken::OtherBrowser);
        }
        let session = session.parse().map_err(|e: InvalidId| bad_row("handover", code, e))?;
        Ok(HandoverTaken::Taken { session, return_path })
    }

    /// Removes hand-overs whose time is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_handovers(&self, now: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM handover WHERE ends_at <= $1")
            .bind(now.as_micros())
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(failed(&self.pool, "sweep hand-overs"))
    }

    /// Leaves room for one more row of this browser, of this source and over all.
    async fn make_room_for_handover(
        &self,
        tx: &mut Tx,
        (browser, source): (&SecretHash, &str),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.drop_handovers_over(tx, now).await?;
        self.drop_handovers_of_browser(tx, browser).await?;
        self.drop_handovers_of_source(tx, source).await?;
        if self.handovers_in_all(tx).await? >= IN_ALL {
            self.drop_handover_of_fullest_source(tx).await?;
        }
        Ok(())
    }

    async fn drop_handovers_over(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM handover WHERE ends_at <= $1")
            .bind(now.as_micros())
            .execute(&mut **tx)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, MAKING_ROOM))
    }

    async fn drop_handovers_of_browser(
        &self,
        tx: &mut Tx,
        browser: &SecretHash,
    ) -> Result<(), StoreError> {
        sqlx::query(
            r"
            DELETE FROM handover WHERE browser_hash = $1 AND id_hash NOT IN (
                SELECT id_hash FROM handover WHERE browser_hash = $1
                ORDER BY made_at DESC, id_hash LIMIT $2
            )
            ",
        )
        .bind(browser.as_str())
        .bind(PER_BROWSER - 1)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, MAKING_ROOM))
    }

    async fn drop_handovers_of_source(&self, tx: &mut Tx, source: &str) -> Result<(), StoreError> {
        sqlx::query(
            r"
            DELETE FROM handover WHERE source = $1 AND id_hash NOT IN (
                SELECT id_hash FROM handover WHERE source = $1
                ORDER BY made_at DESC, id_hash LIMIT $2
            )
            ",
        )
        .bind(source)
        .bind(PER_SOURCE - 1)
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, MAKING_ROOM))
    }

    async fn handovers_in_all(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT COUNT(*) FROM handover")
            .fetch_one(&mut **tx)
            .await
            .map_err(failed(&self.pool, MAKING_ROOM))
    }

    /// Of sources that are equally full, the one that waits longest loses its oldest row.
    async fn drop_handover_of_fullest_source(&self, tx: &mut Tx) -> Result<(), StoreError> {
        sqlx::query(
            r"
            DELETE FROM handover WHERE id_hash = (
                SELECT id_hash FROM handover WHERE source = (
                    SELECT source FROM handover GROUP BY source
                    ORDER BY COUNT(*) DESC, MIN(made_at), source LIMIT 1
                )
                ORDER BY made_at, id_hash LIMIT 1
            )
            ",
        )
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, MAKING_ROOM))
    }
}
