//! Who asks: a person, a service with its own token, or nobody known.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::id::{AppRole, DirectoryRole, GroupId, Subject};

/// Who asks for something. A Cedar entity: `User`, `Workload` or `Anonymous`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Principal {
    /// A person who signed in.
    User(User),
    /// A service that came with its own token.
    Workload(Workload),
    /// Nobody we know.
    Anonymous,
}

/// A person, as the last token (or re-check) described them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The lasting identity.
    pub subject: Subject,
    /// `preferred_username`: for showing, never for deciding.
    pub user_name: String,
    /// `name`: for showing. People can edit it.
    pub name: String,
    /// `email`, when the token had one: for showing. Not verified.
    pub email: Option<String>,
    /// Whether the account comes from another tenant.
    pub guest: GuestStatus,
    /// Object ids of all groups, complete: an overage was resolved before this value was made.
    pub groups: BTreeSet<GroupId>,
    /// Values of the app roles of our own registration.
    pub roles: BTreeSet<AppRole>,
    /// Directory roles, which are powers over the whole tenant and none that this app gave. An attribute to rules, never
    /// a parent, so that none can be taken for an app role.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub directory_roles: BTreeSet<DirectoryRole>,
}

/// Whether a person belongs to the tenant or is invited into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestStatus {
    /// An account of the tenant itself.
    Member,
    /// An invited account of another tenant or provider.
    Guest,
}

/// A service that calls with its own access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Tenant and object id of its service principal.
    pub subject: Subject,
    /// Its client id, for showing.
    pub client: String,
    /// App roles that it was given.
    pub roles: BTreeSet<AppRole>,
}

/// SHA-256 over a principal's content: equal exactly when everything that rules can see is equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalHash(pub [u8; 32]);

impl PrincipalHash {
    /// That of this content.
    pub fn of(content: &[u8]) -> Self {
        Self(Sha256::digest(content).into())
    }
}

impl Principal {
    /// The lasting identity; anonymous has none.
    pub fn subject(&self) -> Option<&Subject> {
        match self {
            Self::User(user) => Some(&user.subject),
            Self::Workload(workload) => Some(&workload.subject),
            Self::Anonymous => None,
        }
    }

    /// Whether somebody signed in or came with a token.
    pub fn is_known(&self) -> bool {
        self.subject().is_some()
    }

    /// A name to show to people: display name, else user name, else the subject.
    pub fn display_name(&self) -> String {
        match self {
            Self::User(user) if !user.name.is_empty() => user.name.clone(),
            Self::User(user) if !user.user_name.is_empty() => user.user_name.clone(),
            Self::User(user) => user.subject.to_string(),
            Self::Workload(workload) => workload.client.clone(),
            Self::Anonymous => "Not signed in".to_owned(),
        }
    }

    /// The content as JSON; sets are sorted, so equal principals give equal bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A principal as they are at one moment, with the hash of that content, made once: sessions keep it, decisions are
/// remembered under it, and the audit log keeps the content once under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalSnapshot {
    content: Principal,
    hash: PrincipalHash,
    reference: String,
}

impl PrincipalSnapshot {
    /// Shared from the start: every request of a session refers to the same one.
    pub fn new(content: Principal) -> Arc<Self> {
        let hash = PrincipalHash::of(content.to_json().as_bytes());
        let reference = Reference::to(&content, hash).to_json();
        Arc::new(Self { content, hash, reference })
    }

    /// Nobody known. The same one for all, since most requests to open routes are theirs.
    pub fn anonymous() -> Arc<Self> {
        static NOBODY: LazyLock<Arc<PrincipalSnapshot>> =
            LazyLock::new(|| PrincipalSnapshot::new(Principal::Anonymous));
        Arc::clone(&NOBODY)
    }

    /// How records name them, as JSON: kind, subject and content hash.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// The content hash.
    pub fn hash(&self) -> PrincipalHash {
        self.hash
    }
}

impl Deref for PrincipalSnapshot {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.content
    }
}

/// How a record names a principal. The content itself is kept once elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// `user`, `workload` or `anonymous`.
    pub kind: String,
    /// The lasting identity; anonymous has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Subject>,
    /// The content hash, in hex.
    pub sha256: String,
}

impl Reference {
    fn to(content: &Principal, hash: PrincipalHash) -> Self {
        let kind = match content {
            Principal::User(_) => "user",
            Principal::Workload(_) => "workload",
            Principal::Anonymous => "anonymous",
        };
        Self { kind: kind.to_owned(), id: content.subject().cloned(), sha256: hash.to_string() }
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Lower-case hex.
impl fmt::Display for PrincipalHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not a principal's content hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a content hash (64 lower-case hexadecimal digits)")]
pub struct InvalidHash(String);

impl FromStr for PrincipalHash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let wrong = || InvalidHash(text.chars().take(80).collect());
        let digit = |byte: u8| match byte {
            b'0'..=b'9' | b'a'..=b'f' => char::from(byte).to_digit(16),
            _ => None,
        };
        let digits: Option<Vec<u32>> = text.bytes().map(digit).collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let value = pair.iter().fold(0, |value, digit| value * 16 + digit);
            *byte = u8::try_from(value).map_err(|_| wrong())?;
        }
        Ok(Self(hash))
    }
}
