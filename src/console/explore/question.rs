//! A question as somebody types it, or as the log has it: read field by field, with every mistake at once.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use serde::Deserialize;

use crate::authz::path::CanonicalPath;
use crate::authz::snapshot::Snapshot;
use crate::console::showing::Shown;
use crate::model::app::App;
use crate::model::grant::Method;
use crate::model::id::{AppRole, AuthContext, GroupId, Subject};
use crate::model::known::Known;
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User, Workload};
use crate::model::record::{ClientAddress, DecisionRecord, MfaState};
use crate::model::time::{Instant, Timestamp};

/// Nobody of whom only groups and roles are said (the nil UUID, RFC 9562 section 5.9).
const NOBODY: &str = "00000000-0000-0000-0000-000000000000.00000000-0000-0000-0000-000000000000";

/// What stands in the address, as it was typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Typed {
    /// A decision that everything is taken from.
    pub(super) from: String,
    /// Who; empty: nobody signed in, or somebody with these groups and roles.
    pub(super) user: String,
    /// Groups in place of theirs, separated by commas.
    pub(super) groups: String,
    /// App roles in place of theirs, separated by commas.
    pub(super) roles: String,
    pub(super) app: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) address: String,
    pub(super) at: String,
    pub(super) mfa: String,
    /// Authentication contexts that the session met, separated by commas.
    pub(super) contexts: String,
    /// When they proved who they are.
    pub(super) proved: String,
    /// Under which rules.
    pub(super) release: String,
}

/// A mistake: which field, and how to put it right.
pub(super) type Wrong = (&'static str, String);

/// A question that can be put to a snapshot.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) principal: Arc<PrincipalSnapshot>,
    pub(super) app: App,
    pub(super) method: Method,
    pub(super) path: CanonicalPath,
    pub(super) client: ClientAddress,
    pub(super) now: Timestamp,
    pub(super) mfa: MfaState,
    pub(super) contexts: BTreeSet<String>,
    pub(super) proved: Option<Timestamp>,
}

/// What a question is read against.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    /// The rules that are asked.
    pub(super) shown: &'a Shown,
    pub(super) snapshot: &'a Snapshot,
    /// Who was here; none for those who may not see people.
    pub(super) known: Option<&'a Known>,
    /// The decision that everything was taken from.
    pub(super) recorded: Option<&'a DecisionRecord>,
    pub(super) now: Timestamp,
}

impl Typed {
    /// Whether something is asked yet.
    pub(super) fn is_asked(&self) -> bool {
        !(self.app.is_empty() && self.path.is_empty())
    }

    /// Everything that a record says; its person is the one of the record for as long as the account id stays.
    pub(super) fn of_record(from: &str, record: &DecisionRecord) -> Self {
        let circumstances = &record.circumstances;
        let text = |at: Timestamp| Instant(at).to_string();
        Self {
            from: from.to_owned(),
            user: record.principal.subject().map(ToString::to_string).unwrap_or_default(),
            groups: String::new(),
            roles: String::new(),
            app: record.app.as_ref().map(ToString::to_string).unwrap_or_default(),
            method: record.facts.method.clone(),
            path: record.facts.path.clone(),
            address: match record.facts.client {
                ClientAddress::Known(ip) => ip.to_string(),
                ClientAddress::Unknown => String::new(),
            },
            at: text(circumstances.now),
            mfa: if circumstances.mfa == MfaState::Met { "met" } else { "" }.to_owned(),
            contexts: circumstances.auth_contexts.iter().cloned().collect::<Vec<_>>().join(", "),
            proved: circumstances.signed_in_at.map(text).unwrap_or_default(),
            release: record.release.to_string(),
        }
    }

    /// Reads every field.
    ///
    /// # Errors
    /// With all mistakes.
    pub(super) fn read(&self, ground: Ground<'_>) -> Result<Asking, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let mut note = |field: &'static str, why: String| wrong.push((field, why));
        let app = self.app(ground).map_err(|why| note("app", why)).ok();
        let method = self.method().map_err(|why| note("method", why)).ok();
        let path = self.path(ground, app.as_ref()).map_err(|why| note("path", why)).ok();
        let client = self.client(ground.now).map_err(|why| note("address", why)).ok();
        let now = instant(&self.at).map_err(|why| note("at", why)).ok();
        let proved = instant(&self.proved).map_err(|why| note("proved", why)).ok();
        let contexts = self.contexts().map_err(|why| note("contexts", why)).ok();
        let principal = self.principal(ground, &mut note);
        let read = (|| {
            let now = now?.unwrap_or(ground.now);
            let principal = principal?;
            let known = principal.is_known();
            Some(Asking {
                app: app?,
                method: method?,
                path: path?,
                client: client?,
                now,
                mfa: if self.mfa == "met" && known { MfaState::Met } else { MfaState::NotMet },
                contexts: if known { contexts? } else { BTreeSet::new() },
                proved: if known { Some(proved?.unwrap_or(now)) } else { None },
                principal,
            })
        })();
        read.ok_or(wrong)
    }

    fn app(&self, ground: Ground<'_>) -> Result<App, String> {
        let apps = &ground.shown.book.apps;
        let found = apps.iter().find(|app| app.id.as_str() == self.app);
        found.cloned().ok_or_else(|| "Choose an app of these rules.".to_owned())
    }

    fn method(&self) -> Result<Method, String> {
        let name = if self.method.is_empty() { "GET" } else { &self.method };
        Method::from_name(name).ok_or_else(|| "The gate forwards no such method.".to_owned())
    }

    /// As the gate reads it, or why it would refuse it.
    fn path(&self, ground: Ground<'_>, app: Option<&App>) -> Result<CanonicalPath, String> {
        let id = app.map(|app| &app.id);
        let typed = self.path.split(['?', '#']).next().unwrap_or_default();
        let keeps = |path: &CanonicalPath| ground.snapshot.keeps_slashes(id, path);
        let read = CanonicalPath::read_where(typed.as_bytes(), keeps);
        let read = read.map_err(|refusal| {
            format!("The gate refuses this path before anything is decided ({}).", refusal.rule())
        });
        read.map(|path| ground.snapshot.as_app_reads(id, path))
    }

    fn client(&self, _now: Timestamp) -> Result<ClientAddress, String> {
        let typed = self.address.trim();
        let read: Result<IpAddr, _> = if typed.is_empty() { "127.0.0.1" } else { typed }.parse();
        read.map(ClientAddress::Known)
            .map_err(|_| "This is no address such as 192.0.2.7 or 2001:db8::7.".to_owned())
    }

    fn contexts(&self) -> Result<BTreeSet<String>, String> {
        let read = parts(&self.contexts).map(|part| {
            let context: Result<AuthContext, _> = part.parse();
            context
                .map(String::from)
                .map_err(|_| format!("{part} is no authentication context; they are c1 to c99."))
        });
        read.collect()
    }

    /// Who asks: the recorded person, somebody who was here, or somebody made of groups and roles.
    fn principal(
        &self,
        ground: Ground<'_>,
        note: &mut impl FnMut(&'static str, String),
    ) -> Option<Arc<PrincipalSnapshot>> {
        let groups = self.groups(ground).map_err(|why| note("groups", why)).ok();
        let roles = self.roles().map_err(|why| note("roles", why)).ok();
        let base = self.person(ground).map_err(|why| note("user", why)).ok();
        let (groups, roles, base) = (groups?, roles?, base?);
        // What is not typed stays theirs.
        let groups = Some(groups).filter(|groups| !groups.is_empty());
        let roles = Some(roles).filter(|roles| !roles.is_empty());
        if groups.is_none() && roles.is_none() {
            return Some(base.unwrap_or_else(PrincipalSnapshot::anonymous));
        }
        let base = base.map_or_else(|| bare(NOBODY), |base| Some((**base).clone()))?;
        Some(PrincipalSnapshot::new(with(base, groups, roles)))
    }

    /// None where nobody is named.
    fn person(&self, ground: Ground<'_>) -> Result<Option<Arc<PrincipalSnapshot>>, String> {
        let typed = self.user.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let subject: Option<Subject> = typed.parse().ok();
        let recorded = ground.recorded.map(|record| &record.principal);
        if let Some(recorded) = recorded.filter(|of| of.subject() == subject.as_ref()) {
            return Ok(Some(Arc::clone(recorded)));
        }
        match (ground.known.map(|known| known.named(typed)).as_deref(), subject) {
            (Some([(_, person)]), _) => Ok(Some(Arc::clone(&person.content))),
            (_, Some(subject)) => Ok(bare(&subject.to_string()).map(PrincipalSnapshot::new)),
            (None, None) => {
                Err("Write the account id; names are looked up for auditors and owners only."
                    .to_owned())
            }
            (Some([]), None) => {
                Err("Nobody like that was here. Write their account id, or groups and roles."
                    .to_owned())
            }
            (Some(several), None) => Err(format!(
                "{} people fit. Write the whole user name or the account id.",
                several.len()
            )),
        }
    }

    fn groups(&self, ground: Ground<'_>) -> Result<BTreeSet<GroupId>, String> {
        let read = parts(&self.groups).map(|part| {
            let called = ground.shown.names.called(part);
            match (part.parse(), called.as_slice()) {
                (Ok(id), _) => Ok(id),
                (Err(_), [id]) => Ok((*id).clone()),
                (Err(_), []) => Err(format!("No group is called {part}. Write its object id.")),
                (Err(_), _) => {
                    Err(format!("Several groups are called {part}. Write the object id."))
                }
            }
        });
        read.collect()
    }

    fn roles(&self) -> Result<BTreeSet<AppRole>, String> {
        let read = parts(&self.roles).map(|part| {
            part.parse().map_err(|_| format!("{part} is no app role such as Reports.Read."))
        });
        read.collect()
    }
}

/// What stands between commas.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// None for an empty field.
fn instant(text: &str) -> Result<Option<Timestamp>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read: Result<Instant, _> = text.trim().parse();
    read.map(|instant| Some(instant.0))
        .map_err(|_| "This is no time such as 2026-12-31T18:00:00Z.".to_owned())
}

/// Somebody of whom nothing but the lasting identity is known.
fn bare(subject: &str) -> Option<Principal> {
    Some(Principal::User(User {
        subject: subject.parse().ok()?,
        user_name: String::new(),
        name: String::new(),
        email: None,
        guest: GuestStatus::Member,
        groups: BTreeSet::new(),
        roles: BTreeSet::new(),
        directory_roles: BTreeSet::new(),
    }))
}

/// The same person with other groups or roles; none of either where they keep their own.
fn with(
    base: Principal,
    groups: Option<BTreeSet<GroupId>>,
    roles: Option<BTreeSet<AppRole>>,
) -> Principal {
    match base {
        Principal::User(user) => Principal::User(User {
            groups: groups.unwrap_or(user.groups),
            roles: roles.unwrap_or(user.roles),
            ..user
        }),
        Principal::Workload(workload) => {
            Principal::Workload(Workload { roles: roles.unwrap_or(workload.roles), ..workload })
        }
        Principal::Anonymous => Principal::Anonymous,
    }
}
