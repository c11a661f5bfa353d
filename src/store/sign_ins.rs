//! Sign-ins that went to Entra and have not come back, kept on the gate's own host.
//!
//! A sign-in is taken once: the row is gone with the first look, whoever looked. The number of rows is bounded per
//! browser, per client address and over all, because anybody can begin one. A bound that is met never refuses anybody: it
//! pushes out old rows of whoever has the most.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::error::StoreError;
use super::secret_hash::SecretHash;
use super::sqlite::{Tx, begin, failed, from_columns};
use super::{Store, bad_row};
use crate::model::id::{InvalidId, SessionId};
use crate::model::record::ClientAddress;
use crate::model::session::{InvalidStepUp, StepUp};
use crate::model::time::Timestamp;

/// How long a person may take at Entra.
pub(super) const PENDING: Duration = Duration::from_mins(10);

/// Sign-ins that one browser may have under way (one per tab); the oldest gives way.
pub(super) const PER_BROWSER: i64 = 20;

/// Sign-ins that the clients of one address (IPv6: of one /64) may have under way; the oldest gives way. It is far below
/// [`IN_ALL`], so that nobody fills the table from one place, and far above what an office behind one address needs.
pub(super) const PER_SOURCE: i64 = 200;

/// Sign-ins under way over all. Whoever comes then pushes out the oldest of the fullest source: to refuse newcomers
/// would let a flood lock everybody out.
pub(super) const IN_ALL: i64 = 10_000;

const MAKING_ROOM: &str = "make room for a sign-in";

/// A sign-in under way.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// `state`, which comes back with the answer.
    pub state: SecretHash,
    /// The cookie that binds it to the browser.
    pub browser: SecretHash,
    /// `nonce`, which must be in the ID token.
    pub nonce: SecretString,
    /// The PKCE verifier (RFC 7636).
    pub verifier: SecretString,
    /// Where to go afterwards.
    pub destination: Destination,
    /// What the person was asked to prove.
    pub step_up: StepUp,
    /// The session that the proof is for; without one a new session begins.
    pub session: Option<SessionId>,
    /// Whether Entra was asked once already.
    pub round: Round,
}

/// How often a sign-in went to Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// This is the first time.
    First,
    /// It came back with an answer that asks for one repetition, and this is that.
    Again,
}

/// Where a sign-in leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A path of the gate's own host.
    Page(String),
    /// Back to an app's host, through the hand-over with this id.
    Handover(SecretHash),
}

/// What came of looking for a sign-in. Whatever it is, the same state finds nothing afterwards.
#[derive(Debug)]
pub enum SignInTaken {
    /// The one that this browser began.
    Taken(Box<SignIn>),
    /// Never begun, taken before, or pushed out.
    Unknown,
    /// Older than 10 minutes.
    Expired,
    /// Begun by another browser.
    OtherBrowser,
}

struct Row {
    browser_hash: String,
    nonce: String,
    verifier: String,
    return_path: Option<String>,
    handover_hash: Option<String>,
    step_up: Option<String>,
    session: Option<String>,
    round: i64,
    ends_at: i64,
}

from_columns!(Row {
    browser_hash,
    nonce,
    verifier,
    return_path,
    handover_hash,
    step_up,
    session,
    round,
    ends_at
});

impl Store {
    /// Keeps a sign-in for 10 minutes. The oldest of a browser with 20, or of a client's neighbourhood with 200, gives way; when
    /// 10 000 are under way, the oldest of the fullest neighbourhood does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_sign_in(
        &self,
        sign_in: &SignIn,
        client: ClientAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = begin(&self.pool, "begin a sign-in").await?;
        let source = client.neighbourhood().to_string();
        self.make_room_for_sign_in(&mut tx, (&sign_in.browser, &source), now).await?;
        let (page, handover) = match &sign_in.destination {
            Destination::Page(path) => (Some(path.as_str()), None),
            Destination::Handover(id) => (None, Some(id.as_str())),
        };
        sqlx::query(
            r"
            INSERT INTO sign_in
                (state_hash, browser_hash, source, nonce, verifier, return_path, handover_hash,
                step_up, session, round, made_at, ends_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ",
        )
        .bind(sign_in.state.as_str())
        .bind(sign_in.browser.as_str())
        .bind(source)
        .bind(sign_in.nonce.expose_secret())
        .bind(sign_in.verifier.expose_secret())
        .bind(page)
        .bind(handover)
        .bind(kept(&sign_in.step_up))
        .bind(sign_in.session.as_ref().map(SessionId::as_str))
        .bind(match sign_in.round {
            Round::First => 1_i64,
            Round::Again => 2,
        })
        .bind(now.as_micros())
        .bind(now.plus(PENDING).as_micros())
        .execute(&mut *tx)
        .await
        .map_err(failed(&self.pool, "begin a sign-in"))?;
        tx.commit().await.map_err(failed(&self.pool, "begin a sign-in"))
    }

    /// Takes the sign-in with this `state`, once.
    ///
    /// # Errors
    /// When the database fails or the row can't be read.
    pub async fn take_sign_in(
        &self,
        state: &SecretHash,
        browser: &SecretHash,
        now: Timestamp,
    ) -> Result<SignInTaken, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            r"
            DELETE FROM sign_in WHERE state_hash = $1
            RETURNING browser_hash, nonce, verifier, return_path, handover_hash, step_up, session,
                round, ends_at
            ",
        )
        .bind(state.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(failed(&self.pool, "take a sign-in"))?;
        let Some(row) = row else { return Ok(SignInTaken::Unknown) };
        if now.as_micros() >= row.ends_at {
            return Ok(SignInTaken::Expired);
        }
        if row.browser_hash != browser.as_str() {
            return Ok(SignInTaken::OtherBrowser);
        }
        Ok(SignInTaken::Taken(Box::new(read(state, row)?)))
    }

    /// Removes sign-ins whose 10 minutes are over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_sign_ins(&self, now: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM sign_in WHERE ends_at <= $1")
            .bind(now.as_micros())
            .execute(&self.pool)
            .await
            .map(|done| done.rows_affected())
            .map_err(failed(&self.pool, "sweep sign-ins"))
    }

    /// Leaves room for one more row of this browser, of this source and over all.
    async fn make_room_for_sign_in(
        &self,
        tx: &mut Tx,
        (browser, source): (&SecretHash, &str),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.drop_sign_ins_over(tx, now).await?;
        self.drop_sign_ins_of_browser(tx, browser).await?;
        self.drop_sign_ins_of_source(tx, source).await?;
        if self.sign_ins_in_all(tx).await? >= IN_ALL {
            self.drop_sign_in_of_fullest_source(tx).await?;
        }
        Ok(())
    }

    async fn drop_sign_ins_over(&self, tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sign_in WHERE ends_at <= $1")
            .bind(now.as_micros())
            .execute(&mut **tx)
            .await
            .map(|_| ())
            .map_err(failed(&self.pool, MAKING_ROOM))
    }

    async fn drop_sign_ins_of_browser(
        &self,
        tx: &mut Tx,
        browser: &SecretHash,
    ) -> Result<(), StoreError> {
        sqlx::query(
            r"
            DELETE FROM sign_in WHERE browser_hash = $1 AND state_hash NOT IN (
                SELECT state_hash FROM sign_in WHERE browser_hash = $1
                ORDER BY made_at DESC, state_hash LIMIT $2
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

    async fn drop_sign_ins_of_source(&self, tx: &mut Tx, source: &str) -> Result<(), StoreError> {
        sqlx::query(
            r"
            DELETE FROM sign_in WHERE source = $1 AND state_hash NOT IN (
                SELECT state_hash FROM sign_in WHERE source = $1
                ORDER BY made_at DESC, state_hash LIMIT $2
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

    async fn sign_ins_in_all(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT COUNT(*) FROM sign_in")
            .fetch_one(&mut **tx)
            .await
            .map_err(failed(&self.pool, MAKING_ROOM))
    }

    /// Of sources that are equally full, the one that waits longest loses its oldest row.
    async fn drop_sign_in_of_fullest_source(&self, tx: &mut Tx) -> Result<(), StoreError> {
        sqlx::query(
            r"
            DELETE FROM sign_in WHERE state_hash = (
                SELECT state_hash FROM sign_in WHERE source = (
                    SELECT source FROM sign_in GROUP BY source
                    ORDER BY COUNT(*) DESC, MIN(made_at), source LIMIT 1
                )
                ORDER BY made_at, state_hash LIMIT 1
            )
            ",
        )
        .execute(&mut **tx)
        .await
        .map(|_| ())
        .map_err(failed(&self.pool, MAKING_ROOM))
    }
}

fn read(state: &SecretHash, row: Row) -> Result<SignIn, StoreError> {
    let wrong = |why: &'static str| bad_row("sign_in", state, why);
    let destination = match (row.return_path, row.handover_hash) {
        (Some(path), None) => Destination::Page(path),
        (None, Some(id)) => Destination::Handover(SecretHash::stored(id)),
        (Some(_), Some(_)) | (None, None) => return Err(wrong("it must lead to one place")),
    };
    let session = row.session.map(|id| id.parse()).transpose();
    Ok(SignIn {
        state: state.clone(),
        browser: SecretHash::stored(row.browser_hash),
        nonce: row.nonce.into(),
        verifier: row.verifier.into(),
        destination,
        step_up: asked(row.step_up).map_err(|e| bad_row("sign_in", state, e))?,
        session: session.map_err(|e: InvalidId| bad_row("sign_in", state, e))?,
        round: match row.round {
            1 => Round::First,
            2 => Round::Again,
            _ => return Err(wrong("it can't have gone to Entra that often")),
        },
    })
}

/// A step-up as rows keep it: nothing where nothing is asked for.
pub(super) fn kept(step_up: &StepUp) -> Option<String> {
    (!step_up.is_empty()).then(|| step_up.to_string())
}

/// What [`kept`] made.
pub(super) fn asked(kept: Option<String>) -> Result<StepUp, InvalidStepUp> {
    kept.map_or_else(|| Ok(StepUp::default()), |text| text.parse())
}
