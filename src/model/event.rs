//! What happens besides decisions and must be on record: sign-ins, sessions, changes, and trouble of our own.

use std::collections::BTreeSet;

use serde::Serialize;

use super::acceptance::{Anew, FoundLog, Lost, Removal};
use super::actor::Actor;
use super::client_address::ClientAddress;
use super::cut::ConnectionCut;
use super::id::{AppRole, DirectoryRole, GroupId, ReleaseNumber, SessionId, Subject};
use super::principal::Principal;
use super::time::Timestamp;

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The person signed out.
    SignedOut,
    /// The person signed out at Entra, which told us.
    SignedOutAtEntra,
    /// The person ended it from another session of theirs.
    EndedElsewhere,
    /// A new sign-in in the same browser took its place.
    Replaced,
    /// Entra refused to renew it.
    RefusedByEntra,
    /// The person has too many; the oldest went.
    TooMany,
    /// Its idle or absolute limit passed.
    Expired,
    /// Its refresh token can't be opened: the key is not the one that sealed it.
    KeyLost,
    /// Its start could not be recorded, so nobody was let in by it.
    NotRecorded,
    /// Somebody ended it in the console.
    Revoked,
}

impl SessionEnd {
    const ALL: [Self; 10] = [
        Self::SignedOut,
        Self::SignedOutAtEntra,
        Self::EndedElsewhere,
        Self::Replaced,
        Self::RefusedByEntra,
        Self::TooMany,
        Self::Expired,
        Self::KeyLost,
        Self::NotRecorded,
        Self::Revoked,
    ];

    /// The word in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutAtEntra => "signed_out_at_entra",
            Self::EndedElsewhere => "ended_elsewhere",
            Self::Replaced => "replaced",
            Self::RefusedByEntra => "refused_by_entra",
            Self::TooMany => "too_many",
            Self::Expired => "expired",
            Self::KeyLost => "key_lost",
            Self::NotRecorded => "not_recorded",
            Self::Revoked => "revoked",
        }
    }

    /// What a word of [`SessionEnd::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == word)
    }
}

/// Groups, app roles and directory roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Memberships {
    /// Object ids of groups.
    pub groups: BTreeSet<GroupId>,
    /// Values of app roles.
    pub roles: BTreeSet<AppRole>,
    /// Template ids of directory roles.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub directory_roles: BTreeSet<DirectoryRole>,
}

impl Memberships {
    /// What `one` has and `other` has not. Only people have groups; whatever is no person has nothing here.
    pub fn only_of(one: &Principal, other: &Principal) -> Self {
        let (Principal::User(one), Principal::User(other)) = (one, other) else {
            return Self::default();
        };
        Self {
            groups: one.groups.difference(&other.groups).cloned().collect(),
            roles: one.roles.difference(&other.roles).cloned().collect(),
            directory_roles: one
                .directory_roles
                .difference(&other.directory_roles)
                .cloned()
                .collect(),
        }
    }
}

/// What was done with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogUseKind {
    /// Records were read.
    Read,
    /// Records were written into a file.
    Exported,
    /// The log was checked.
    Verified,
    /// Decisions were decided again.
    Replayed,
}

impl LogUseKind {
    /// The word in the `kind` column, and the action of the outbox row that it comes from.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Read => "log_read",
            Self::Exported => "log_exported",
            Self::Verified => "log_verified",
            Self::Replayed => "log_replayed",
        }
    }

    /// The opposite of [`Self::kind`].
    pub fn from_kind(word: &str) -> Option<Self> {
        let all = [Self::Read, Self::Exported, Self::Verified, Self::Replayed];
        all.into_iter().find(|how| how.kind() == word)
    }
}

/// That somebody used the log from the command line.
#[derive(Debug, Clone, Serialize)]
pub struct LogUse {
    /// Who.
    pub actor: Actor,
    /// For what.
    pub how: LogUseKind,
    /// Which records, and what came of it.
    pub detail: serde_json::Value,
    /// When. The envelope's `at` is when it was taken over from the outbox of `cedargate.db`.
    pub used_at: Timestamp,
}

/// The kind of the record that a stop in order leaves.
pub const STOPPED: &str = "stopped";

/// Something besides a request's decision that auditors must be able to see.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The gate started.
    Started {
        /// Its version.
        version: &'static str,
        /// The release in force.
        release: ReleaseNumber,
        /// The hash of its content; none where nothing was published yet.
        #[serde(skip_serializing_if = "Option::is_none")]
        release_sha256: Option<String>,
        /// The key that signs the log from here on, as C2SP verifier key.
        log_key: String,
    },
    /// The log ended without a stop: the process was killed, or the machine failed. Noted by the start after it.
    CrashFound {
        /// Records of this origin at that time.
        records: u64,
    },
    /// Nothing else was recorded for a minute: the log is alive and has no gap here.
    Heartbeat,
    /// The gate drained and stopped.
    Stopped,
    /// Somebody signed in.
    SignedIn {
        /// Who.
        actor: Actor,
        /// Their new session.
        session: SessionId,
        /// From where.
        client: ClientAddress,
        /// Authentication contexts that the ID token vouches for.
        auth_contexts: BTreeSet<String>,
    },
    /// A sign-in came back from Entra and was not accepted.
    SignInFailed {
        /// Which check failed, as a short fixed word.
        cause: String,
        /// Detail for the operator: error code, never a token or a text of the visitor's choosing.
        detail: String,
        /// From where.
        client: ClientAddress,
    },
    /// A session ended.
    SessionEnded {
        /// Who caused it.
        actor: Actor,
        /// Which.
        session: SessionId,
        /// Whose.
        subject: Subject,
        /// Why.
        why: SessionEnd,
        /// More for the operator, such as Entra's code; may be empty.
        detail: String,
        /// When. The envelope's `at` is when it was taken over from the outbox of `cedargate.db`.
        ended_at: Timestamp,
    },
    /// Somebody who was signed in was asked to prove more at Entra, and did.
    SteppedUp {
        /// Who.
        actor: Actor,
        /// Their session; it stays, under new tokens.
        session: SessionId,
        /// What was asked: `c1`, `max_age=300`, or both.
        asked: String,
        /// Authentication contexts that the new ID token vouches for.
        auth_contexts: BTreeSet<String>,
        /// From where.
        client: ClientAddress,
    },
    /// Somebody who was signed in was asked to prove more at Entra, and came back without it. Their session stays as it
    /// was.
    StepUpFailed {
        /// Who.
        actor: Actor,
        /// Their session.
        session: SessionId,
        /// What was asked: `c1`, `max_age=300`, or both.
        asked: String,
        /// Which check failed, as a short fixed word.
        cause: String,
        /// Detail for the operator: error code, never a token or a text of the visitor's choosing.
        detail: String,
        /// From where.
        client: ClientAddress,
    },
    /// A re-check or a step-up found other groups, roles or names.
    PrincipalChanged {
        /// Whose.
        actor: Actor,
        /// In which session.
        session: SessionId,
        /// Content hash before.
        before: String,
        /// Content hash after.
        after: String,
        /// Groups and roles that came; empty when only names changed.
        added: Memberships,
        /// Groups and roles that went; empty when only names changed.
        removed: Memberships,
    },
    /// A re-check could not reach Entra; the session keeps what it had.
    RecheckUnavailable {
        /// Which session.
        session: SessionId,
        /// What failed.
        detail: String,
    },
    /// The machine's clock was set: it moved by more than the time that passed.
    ClockStep {
        /// Milliseconds that it was set ahead; negative when it was set back.
        by_ms: i64,
    },
    /// A change of the rule book or a release: taken over from the outbox of `cedargate.db`.
    Change {
        /// Number of the outbox row; each is taken over exactly once.
        outbox: i64,
        /// Who.
        actor: String,
        /// What: `grant_added`, `release_published`, …
        action: String,
        /// Which object.
        object: String,
        /// The object before, as JSON; null when it is new.
        before: serde_json::Value,
        /// The object after, as JSON; null when it is gone.
        after: serde_json::Value,
        /// When the change was made. The envelope's `at` is when it was taken over.
        #[serde(rename = "changed_at")]
        at: Timestamp,
    },
    /// Requests that were answered 429 since the last such record; one for all of them.
    TurnedAway {
        /// From where.
        client: ClientAddress,
        /// How many.
        count: u64,
    },
    /// An allowed request whose upstream failed.
    UpstreamFailed {
        /// The decision that allowed it.
        decision: String,
        /// Status of our answer: 502 or 504.
        status: u16,
        /// What failed, without addresses of the visitor's choosing.
        cause: String,
    },
    /// An open connection was cut.
    ConnectionCut(Box<ConnectionCut>),
    /// The log was given a new beginning, because it did not continue what was known of it. The first record of its
    /// origin.
    Restored {
        /// Who accepted it.
        actor: Actor,
        /// Why.
        reason: String,
        /// What was known: the last checkpoint beside the key; none when there was none that could be read.
        known: Option<String>,
        /// What was found: the newest origin of the file and how many records it has.
        found: Option<String>,
        /// The root over those, base64; none where some are missing or can't be read.
        root: Option<String>,
        /// All logs of the file that have records, oldest first.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        logs: Vec<FoundLog>,
        /// What was vouched for by checkpoints that were kept elsewhere, or by an acceptance before, and was not found.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        lost: Vec<Lost>,
        /// The newest release of the database of rules: what was decided under later ones can't be explained any more.
        release: ReleaseNumber,
    },
    /// Another key signs the log from the next record on. The checkpoint over this record carries both signatures.
    KeyRotated {
        /// Who changed it.
        actor: Actor,
        /// The key so far, as C2SP verifier key.
        before: String,
        /// The key from now on.
        after: String,
    },
    /// Records are blanked: their content goes, their hashes stay. Written before it is done.
    Erased {
        /// Who asked for it.
        actor: Actor,
        /// Why.
        reason: String,
        /// Whose log they are in.
        #[serde(rename = "origin_of_records")]
        origin: String,
        /// Their numbers: `3-5,9,12`.
        records: String,
    },
    /// A wish that a person be forgotten was in the log's file, and is taken away unfulfilled: the log's key did not sign it, or
    /// signed it long ago.
    ErasureRefused {
        /// Who asked, as the wish says.
        asked_by: String,
        /// Why, as the wish says.
        reason: String,
    },
    /// The oldest records are removed, because they are older than they are kept: those of a log that has ended at last as a
    /// whole. Written before it is done.
    Pruned {
        /// Which.
        #[serde(flatten)]
        removal: Removal,
        /// What is older than this is not kept.
        before: Timestamp,
        /// What they say that must stay known.
        #[serde(rename = "said_anew", skip_serializing_if = "Anew::is_empty")]
        anew: Anew,
    },
    /// Somebody read, exported, checked or replayed the log from the command line.
    LogUsed(Box<LogUse>),
    /// An entry that became durable when nobody waited for it any more: its request was answered 503, or the client had
    /// left. Nothing followed from it.
    Abandoned {
        /// The place of that entry.
        entry: String,
    },
    /// Entries that were refused because the log's queue was full; their requests were answered 503.
    LogOverflowed {
        /// How many since the last such record.
        count: u64,
    },
}

impl Event {
    /// The word in the `kind` column.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::CrashFound { .. } => "crash_found",
            Self::Heartbeat => "heartbeat",
            Self::Stopped => STOPPED,
            Self::SignedIn { .. } => "signed_in",
            Self::SignInFailed { .. } => "sign_in_failed",
            Self::SessionEnded { .. } => "session_ended",
            Self::SteppedUp { .. } => "stepped_up",
            Self::StepUpFailed { .. } => "step_up_failed",
            Self::PrincipalChanged { .. } => "principal_changed",
            Self::RecheckUnavailable { .. } => "recheck_unavailable",
            Self::ClockStep { .. } => "clock_step",
            Self::Change { .. } => "change",
            Self::TurnedAway { .. } => "turned_away",
            Self::UpstreamFailed { .. } => "upstream_failed",
            Self::ConnectionCut(_) => "connection_cut",
            Self::Restored { .. } => "restored",
            Self::KeyRotated { .. } => "key_rotated",
            Self::Erased { .. } => "erased",
            Self::ErasureRefused { .. } => "erasure_refused",
            Self::Pruned { .. } => "pruned",
            Self::LogUsed(used) => used.how.kind(),
            Self::Abandoned { .. } => "abandoned",
            Self::LogOverflowed { .. } => "log_overflowed",
        }
    }

    /// The one person or workload whom it is about; none for what the gate or an operator did.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::SessionEnded { subject, .. } => Some(subject),
            Self::SignedIn { actor, .. }
            | Self::SteppedUp { actor, .. }
            | Self::StepUpFailed { actor, .. }
            | Self::PrincipalChanged { actor, .. } => match actor {
                Actor::Subject(subject) => Some(subject),
                Actor::Operator(_) | Actor::Gate | Actor::Nobody => None,
            },
            Self::Started { .. }
            | Self::CrashFound { .. }
            | Self::Heartbeat
            | Self::Stopped
            | Self::SignInFailed { .. }
            | Self::RecheckUnavailable { .. }
            | Self::ClockStep { .. }
            | Self::Change { .. }
            | Self::TurnedAway { .. }
            | Self::UpstreamFailed { .. }
            | Self::ConnectionCut(_)
            | Self::Restored { .. }
            | Self::KeyRotated { .. }
            | Self::Erased { .. }
            | Self::ErasureRefused { .. }
            | Self::Pruned { .. }
            | Self::LogUsed(_)
            | Self::Abandoned { .. }
            | Self::LogOverflowed { .. } => None,
        }
    }
}
