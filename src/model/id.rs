//! Identifiers: one type per thing that has a name, so that no bare string crosses a function border.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct InvalidId {
    /// The text as it was given, cut to 80 characters.
    pub text: String,
    /// What was wanted, in words ("a group object id (a GUID)").
    pub wanted: &'static str,
}

impl InvalidId {
    pub(super) fn new(text: &str, wanted: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), wanted }
    }
}

/// Declares a text identifier: parsing, display and serde, with one rule for what is well formed.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $normalise:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let normalise: fn(&str) -> Option<String> = $normalise;
                normalise(text).map(Self).ok_or_else(|| InvalidId::new(text, $wanted))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// An app's id: `payroll`. Also the audience of its assertions.
    AppId, "an app id (1 to 40 of a-z, 0-9 and -, starting with a letter or digit)", |text| slug(text, 40)
);
text_id!(
    /// A grant's id: `g-finance-read`. Stable over edits, named by records.
    GrantId, "a grant id (1 to 64 of a-z, 0-9 and -, starting with a letter or digit)", |text| slug(text, 64)
);
text_id!(
    /// A hand-written policy's id: `no-weekend-writes`.
    PolicyId, "a policy id (1 to 64 of a-z, 0-9 and -, starting with a letter or digit)", |text| slug(text, 64)
);
text_id!(
    /// An assertion's id: `finance-reads-q3`.
    AssertionId, "an assertion id (1 to 64 of a-z, 0-9 and -, starting with a letter or digit)", |text| slug(text, 64)
);
text_id!(
    /// The name of a path parameter: `year` in `/reports/{year}`.
    ParameterName, "a parameter name (1 to 40 of a-z, 0-9 and _, starting with a letter)", parameter
);
text_id!(
    /// A group's object id in Entra, lower-case.
    GroupId, "a group object id (a GUID)", guid
);
text_id!(
    /// An Entra tenant's id (`tid`), lower-case.
    TenantId, "a tenant id (a GUID)", guid
);
text_id!(
    /// A person's or service principal's object id (`oid`), lower-case. Unique only together with its tenant.
    ObjectId, "an object id (a GUID)", guid
);
text_id!(
    /// The template id of a directory role (`wids`), such as that of Global Administrator, lower-case: the same in every
    /// tenant.
    DirectoryRole, "the template id of a directory role (a GUID)", guid
);
text_id!(
    /// The value of an app role: `Reports.Read`. Case matters, as in the token.
    AppRole, "an app role value (1 to 120 visible characters)", visible_120
);
text_id!(
    /// An authentication context of Conditional Access (`acrs`): `c1` to `c99`. What it stands for is the tenant's to say.
    AuthContext, "an authentication context (c1 to c99)", auth_context
);
text_id!(
    /// The name of a session in lists and records. It opens nothing; the secret is the cookie's token.
    SessionId, "a session id (1 to 64 of a-z, 0-9 and -)", |text| slug(text, 64)
);
text_id!(
    /// The name of one HTTP exchange in logs and on pages that have no decision.
    RequestId, "a request id (1 to 64 of a-z, 0-9 and -)", |text| slug(text, 64)
);

impl RequestId {
    /// The `number`th exchange of a process.
    pub fn new(process: OriginId, number: u64) -> Self {
        Self(format!("r-{process}-{number}"))
    }
}

/// The id of a route: its app and its own name, written `payroll/reports`. The Cedar resource `Route::"payroll/reports"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RouteId {
    text: String,
    app: AppId,
}

impl RouteId {
    /// Joins an app and a route name.
    ///
    /// # Errors
    /// When `name` is not 1 to 64 of `a-z`, `0-9` and `-`, starting with a letter or digit.
    pub fn new(app: &AppId, name: &str) -> Result<Self, InvalidId> {
        let name = slug(name, 64).ok_or_else(|| InvalidId::new(name, ROUTE_WANTED))?;
        Ok(Self { text: format!("{app}/{name}"), app: app.clone() })
    }

    /// The app that the route belongs to.
    pub fn app(&self) -> &AppId {
        &self.app
    }

    /// The name within the app.
    pub fn name(&self) -> &str {
        self.text.split_once('/').map_or("", |(_, name)| name)
    }

    /// `<app>/<name>`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

const ROUTE_WANTED: &str = "a route id (`<app>/<name>`, each of a-z, 0-9 and -)";

impl FromStr for RouteId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (app, name) = text.split_once('/').ok_or_else(|| InvalidId::new(text, ROUTE_WANTED))?;
        let app = app.parse().map_err(|_| InvalidId::new(text, ROUTE_WANTED))?;
        Self::new(&app, name)
    }
}

impl TryFrom<String> for RouteId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<RouteId> for String {
    fn from(id: RouteId) -> Self {
        id.text
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Who a person or a workload is, for good: tenant and object id. Written `<tid>.<oid>`.
///
/// Never an e-mail address or UPN: both can be reassigned and spoofed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject {
    /// `tid` of the token.
    pub tenant: TenantId,
    /// `oid` of the token.
    pub object: ObjectId,
}

impl Subject {
    /// `account 1a2b3c4d…`: enough to tell two apart, and nothing to look somebody up by.
    pub fn short(&self) -> String {
        let object = self.object.to_string();
        format!("account {}…", object.chars().take(8).collect::<String>())
    }
}

impl FromStr for Subject {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wanted = "a subject (`<tenant id>.<object id>`, two GUIDs)";
        let (tenant, object) = text.split_once('.').ok_or_else(|| InvalidId::new(text, wanted))?;
        Ok(Self { tenant: tenant.parse()?, object: object.parse()? })
    }
}

impl TryFrom<String> for Subject {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.tenant, self.object)
    }
}

/// The number of a release. 0 is "nothing published yet": an empty rule book that denies everything.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ReleaseNumber(pub i64);

impl fmt::Display for ReleaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One writer of the audit log: 40 random bits, written as eight characters of Crockford's base 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OriginId(u64);

impl OriginId {
    /// From five random bytes.
    pub fn from_bytes(bytes: [u8; 5]) -> Self {
        Self(bytes.into_iter().fold(0, |bits, byte| (bits << 8) | u64::from(byte)))
    }
}

/// Crockford's base 32 alphabet, lower-case: no `i`, `l`, `o`, `u`, so that ids survive being read aloud.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl fmt::Display for OriginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..8).rev().try_for_each(|i| {
            let digit = usize::try_from((self.0 >> (5 * i)) & 31).unwrap_or(0);
            BASE32.get(digit).map_or(Ok(()), |c| fmt::Write::write_char(f, char::from(*c)))
        })
    }
}

impl FromStr for OriginId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId::new(text, "an origin id (eight characters of base 32)");
        if text.len() != 8 {
            return Err(wrong());
        }
        let digit =
            |byte: u8| BASE32.iter().position(|c| *c == byte).and_then(|at| u64::try_from(at).ok());
        let bits =
            text.bytes().try_fold(0, |bits, byte| digit(byte).map(|value| (bits << 5) | value));
        bits.map(Self).ok_or_else(wrong)
    }
}

/// The place of a record in the log: who wrote it and its number there, written `<origin>-<seq>`.
///
/// It is known before the record is durable, so that it can travel to the upstream, and it finds the record without
/// an index. Every record has one; people meet it as "decision id".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId {
    /// The writer.
    pub origin: OriginId,
    /// 0, 1, 2, … without gaps per origin.
    pub seq: u64,
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.origin, self.seq)
    }
}

impl FromStr for DecisionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let wrong = || InvalidId::new(text, "a decision id (`<origin>-<number>`)");
        let (origin, seq) = text.split_once('-').ok_or_else(wrong)?;
        let canonical = !seq.is_empty()
            && seq.bytes().all(|b| b.is_ascii_digit())
            && (seq == "0" || !seq.starts_with('0'));
        let seq = seq.parse().ok().filter(|_| canonical).ok_or_else(wrong)?;
        Ok(Self { origin: origin.parse()?, seq })
    }
}

/// `a-z`, `0-9` and `-`, starting with a letter or digit, at most `max` bytes.
fn slug(text: &str, max: usize) -> Option<String> {
    let fits = !text.is_empty() && text.len() <= max && !text.starts_with('-');
    let clean = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (fits && clean).then(|| text.to_owned())
}

/// `a-z`, `0-9` and `_`, starting with a letter, at most 40 bytes.
fn parameter(text: &str) -> Option<String> {
    let fits = text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase());
    let clean = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (fits && clean).then(|| text.to_owned())
}

/// 8-4-4-4-12 hex digits, lower-cased: Entra prints GUIDs in lower case, people paste them in either.
fn guid(text: &str) -> Option<String> {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let hex = text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    (lengths == [8, 4, 4, 4, 12] && hex).then(|| text.to_ascii_lowercase())
}

/// `c` and a number from 1 to 99 without leading zeros; other values of `acrs` mean nothing to us.
fn auth_context(text: &str) -> Option<String> {
    let number: u8 = text.strip_prefix('c')?.parse().ok()?;
    ((1..=99).contains(&number) && text == format!("c{number}")).then(|| text.to_owned())
}

fn visible_120(text: &str) -> Option<String> {
    let count = text.chars().count();
    let visible =
        (1..=120).contains(&count) && !text.chars().any(char::is_control) && text.trim() == text;
    visible.then(|| text.to_owned())
}
