//! What a person may open, found by asking the rules in force about every route, as this person stands now.

use crate::authz::decision::Question;
use crate::authz::snapshot::Snapshot;
use crate::model::app::App;
use crate::model::grant::Method;
use crate::model::group::GroupNames;
use crate::model::principal::{GuestStatus, Principal};
use crate::model::record::{Circumstances, MfaState, Verdict};
use crate::model::route::{Listing, Route};
use crate::model::rule_book::RuleBook;
use crate::portal::Portal;
use crate::store::StoreError;
use crate::web::caller::Caller;
use crate::web::contact::Contact;
use crate::web::exchange::Exchange;
use crate::web::headers::NonceError;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, PersonName};

use super::home::{AppTile, HomePage, Me};

/// Why the page can't be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unshown {
    /// The apps can't be read.
    #[error("the live release could not be read: {0}")]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Nonce(#[from] NonceError),
}

/// The page of whoever is signed in.
pub(super) async fn page(
    portal: &Portal,
    exchange: &Exchange,
    caller: &Caller,
) -> Result<HomePage, Unshown> {
    let book = portal.store.live().await?.map(|release| release.rule_book).unwrap_or_default();
    let mut frame = Frame::new("My access")?;
    frame.person = PersonName::of(&caller.principal);
    let snapshot = portal.doorkeeper.live.current();
    let looking = Looking { snapshot: &snapshot, exchange, caller };
    let apps = book.apps.iter().filter_map(|app| looking.tile(app, &book));
    let may_manage = !portal.rules.roles(&caller.principal).is_empty();
    Ok(HomePage {
        frame,
        apps: apps.collect(),
        me: me(caller, (&book, &portal.groups.names(&book.group_names)), &snapshot),
        console: may_manage.then(|| Link::path(&["console", "routes"])),
        sign_out: Link::path(&["_gate", "logout"]),
        contact: portal.contact.as_deref().map(|contact| Contact::new(contact, "Access")),
    })
}

/// Somebody looking at what they may open.
struct Looking<'a> {
    snapshot: &'a Snapshot,
    exchange: &'a Exchange,
    caller: &'a Caller,
}

/// What can be done in an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct May {
    reads: usize,
    changes: usize,
}

impl Looking<'_> {
    /// The tile of an app; none when nothing of it opens.
    fn tile(&self, app: &App, book: &RuleBook) -> Option<AppTile> {
        let routes: Vec<_> = book
            .routes
            .iter()
            .filter(|route| *route.id.app() == app.id && route.listing == Listing::Listed)
            .collect();
        let now = self.may(app, &routes, self.caller.mfa());
        if now == May::default() {
            return None;
        }
        let stronger = self.may(app, &routes, MfaState::Met);
        let condition = (stronger != now)
            .then(|| "Parts of it open only after a multi-factor sign-in".to_owned());
        let origin = app.origins.first()?;
        Some(AppTile {
            name: app.name.clone(),
            host: origin.authority(),
            link: Link::parse(&origin.url("/")).ok()?,
            may: if now.changes > 0 { "Read and change" } else { "Read" }.to_owned(),
            condition,
        })
    }

    fn may(&self, app: &App, routes: &[&Route], mfa: MfaState) -> May {
        let count = |reads: bool| {
            let methods: Vec<_> =
                Method::ALL.into_iter().filter(|method| method.is_read() == reads).collect();
            let opens = |route: &&&Route| {
                methods.iter().any(|method| self.opens((app, route), *method, mfa))
            };
            routes.iter().filter(opens).count()
        };
        May { reads: count(true), changes: count(false) }
    }

    fn opens(&self, (app, route): (&App, &Route), method: Method, mfa: MfaState) -> bool {
        let Some(origin) = app.origins.first() else { return false };
        let session = self.caller.session.as_ref();
        let circumstances = Circumstances {
            now: self.exchange.at,
            mfa,
            auth_contexts: session.map(|session| session.auth_contexts.clone()).unwrap_or_default(),
            signed_in_at: session.map(|session| session.proved_at),
            params: std::collections::BTreeMap::new(),
            local: self.snapshot.local(self.exchange.at),
        };
        let decision = self.snapshot.decide(&Question {
            principal: &self.caller.principal,
            route,
            method,
            host: origin.host(),
            path: route.pattern.as_str(),
            client: self.exchange.facts.client,
            circumstances: &circumstances,
        });
        decision.verdict == Verdict::Allow
    }
}

fn me(caller: &Caller, rules: (&RuleBook, &GroupNames), snapshot: &Snapshot) -> Me {
    let names = PersonName::of(&caller.principal);
    let (name, user_name) =
        names.map_or_else(Default::default, |names| (names.name, names.user_name));
    let subject = caller.principal.subject().map(ToString::to_string).unwrap_or_default();
    let session = caller.session.as_ref().map_or_else(String::new, |session| {
        let (start, end) = (Moment::new(session.signed_in_at), Moment::new(session.ends_at));
        format!("Signed in {}, ends {} at the latest", start.minute(), end.minute())
    });
    let (email, guest) = match &**caller.principal {
        Principal::User(user) => {
            (user.email.clone(), (user.guest == GuestStatus::Guest).then_some("Guest"))
        }
        Principal::Workload(_) | Principal::Anonymous => (None, None),
    };
    let memberships = memberships(&caller.principal, rules, snapshot);
    Me { name, user_name, email, guest, memberships, session, subject }
}

/// The groups and roles that rules name; the others are nobody's business here.
fn memberships(
    principal: &Principal,
    (book, names): (&RuleBook, &GroupNames),
    snapshot: &Snapshot,
) -> Vec<String> {
    let Principal::User(user) = principal else { return Vec::new() };
    let mentions: Vec<_> = book.apps.iter().filter_map(|app| snapshot.mentions(&app.id)).collect();
    let groups = user.groups.iter().filter(|id| mentions.iter().any(|of| of.groups.contains(id)));
    let labels = groups.map(|id| names.label(id));
    let roles = user.roles.iter().filter(|role| mentions.iter().any(|of| of.roles.contains(role)));
    labels.chain(roles.map(ToString::to_string)).collect()
}
