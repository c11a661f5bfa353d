//! A session as it is kept, and the rows that it is read from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use super::bad_row;
use super::error::StoreError;
use super::sqlite::from_columns;
use crate::model::browser::Browser;
use crate::model::host::Host;
use crate::model::id::{SessionId, Subject};
use crate::model::principal::PrincipalSnapshot;
use crate::model::record::ClientAddress;
use crate::model::time::Timestamp;

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Its name in lists and records.
    pub id: SessionId,
    /// The gate's host, where the person signed in.
    pub host: Host,
    /// Whose it is.
    pub subject: Subject,
    /// The person as the last token described them.
    pub principal: Arc<PrincipalSnapshot>,
    /// Authentication contexts met so far, and when each was met last.
    pub auth_contexts: BTreeMap<String, Timestamp>,
    /// `sid` of Entra's own session.
    pub entra_session: Option<String>,
    /// `login_hint` for signing out at Entra.
    pub login_hint: Option<String>,
    /// The refresh token, sealed; without one groups can't be read again.
    pub refresh_token: Option<Vec<u8>>,
    /// From where the person signed in; none in sessions of an older version.
    pub client: Option<ClientAddress>,
    /// With which browser; none where it did not say.
    pub browser: Option<Browser>,
    /// When the person signed in.
    pub signed_in_at: Timestamp,
    /// When they last proved who they are, at the sign-in or later.
    pub proved_at: Timestamp,
    /// The same as Entra tells it (`auth_time`), when it does.
    pub authenticated_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When groups and roles are due to be read again.
    pub recheck_at: Timestamp,
    /// When groups and roles were last read.
    pub read_at: Timestamp,
    /// When it ends whatever happens.
    pub ends_at: Timestamp,
}

/// A session found through one of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The host that the token belongs to.
    pub host: Host,
    /// The session.
    pub session: StoredSession,
}

pub(super) struct Row {
    id: String,
    host: String,
    subject: String,
    principal: String,
    auth_contexts: String,
    entra_session: Option<String>,
    login_hint: Option<String>,
    refresh_token: Option<String>,
    client: Option<String>,
    browser: Option<String>,
    signed_in_at: i64,
    proved_at: Option<i64>,
    authenticated_at: Option<i64>,
    seen_at: i64,
    recheck_at: i64,
    ends_at: i64,
    read_at: Option<i64>,
}

from_columns!(Row {
    id,
    host,
    subject,
    principal,
    auth_contexts,
    entra_session,
    login_hint,
    refresh_token,
    client,
    browser,
    signed_in_at,
    proved_at,
    authenticated_at,
    seen_at,
    recheck_at,
    read_at,
    ends_at
});

pub(super) struct OpenedRow {
    token_host: String,
    session: Row,
}

impl FromRow<'_, SqliteRow> for OpenedRow {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self { token_host: row.try_get("token_host")?, session: Row::from_row(row)? })
    }
}

pub(super) fn opened(row: OpenedRow) -> Result<Opened, StoreError> {
    let host = parsed(&row.session.id, &row.token_host)?;
    Ok(Opened { host, session: read(row.session)? })
}

pub(super) fn read(row: Row) -> Result<StoredSession, StoreError> {
    let id = &row.id;
    let json = |e: serde_json::Error| bad_row("session", id, e);
    let sealed = row.refresh_token.map(|text| STANDARD.decode(text)).transpose();
    Ok(StoredSession {
        id: parsed(id, id)?,
        host: parsed(id, &row.host)?,
        subject: parsed(id, &row.subject)?,
        principal: PrincipalSnapshot::new(serde_json::from_str(&row.principal).map_err(json)?),
        auth_contexts: contexts(&row.auth_contexts, row.signed_in_at).map_err(json)?,
        entra_session: row.entra_session,
        login_hint: row.login_hint,
        refresh_token: sealed.map_err(|e| bad_row("session", id, e))?,
        client: row.client.map(|text| parsed(id, &text)).transpose()?,
        browser: row.browser.map(|text| parsed(id, &text)).transpose()?,
        signed_in_at: Timestamp::from_micros(row.signed_in_at),
        proved_at: Timestamp::from_micros(row.proved_at.unwrap_or(row.signed_in_at)),
        authenticated_at: row.authenticated_at.map(Timestamp::from_micros),
        seen_at: Timestamp::from_micros(row.seen_at),
        recheck_at: Timestamp::from_micros(row.recheck_at),
        ends_at: Timestamp::from_micros(row.ends_at),
        read_at: Timestamp::from_micros(row.read_at.unwrap_or(row.signed_in_at)),
    })
}

/// Contexts with their times; rows of an older version have no times, and their contexts were met at the sign-in.
fn contexts(
    text: &str,
    signed_in_at: i64,
) -> Result<BTreeMap<String, Timestamp>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Dated(BTreeMap<String, Timestamp>),
        Undated(BTreeSet<String>),
    }
    let at = Timestamp::from_micros(signed_in_at);
    Ok(match serde_json::from_str(text)? {
        Kept::Dated(contexts) => contexts,
        Kept::Undated(contexts) => contexts.into_iter().map(|context| (context, at)).collect(),
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    id: &str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|e: T::Err| bad_row("session", id, e))
}
