//! What a person may open, found by asking the rules in force about every route, as this person stands now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::authz::access::{Access, Extent, Way};
use crate::authz::decision::Question;
use crate::authz::snapshot::Snapshot;
use crate::model::app::App;
use crate::model::grant::Method;
use crate::model::group::GroupNames;
use crate::model::host::Origin;
use crate::model::principal::{GuestStatus, Principal};
use crate::model::record::Circumstances;
use crate::model::route::{Listing, PatternSegment, Route};
use crate::portal::{Portal, Unshown, field, frame};
use crate::web::caller::Caller;
use crate::web::contact::Contact;
use crate::web::exchange::Exchange;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::PersonName;
use crate::web::stretch::{ROWS, Stretch};

use super::home::{AppCard, HomePage, Me, RouteLine};
use super::words::{Findings, Told, Wording};

/// The page of whoever is signed in, with what `q` asks for.
pub(super) async fn page(
    portal: &Portal,
    (exchange, caller): (&Exchange, &Caller),
) -> Result<HomePage, Unshown> {
    let q = field(exchange, "q");
    let number = field(exchange, "page").parse().unwrap_or(1).max(1);
    let frame = frame("My access", (exchange, caller))?;
    let stored = match &caller.session {
        Some(session) => portal.doorkeeper.sessions.find(&session.id).await?,
        None => None,
    };
    let snapshot = portal.doorkeeper.live.current();
    let names = portal.groups.names(&snapshot.book().group_names);
    let looking = Looking {
        snapshot: Arc::clone(&snapshot),
        names: names.clone(),
        exchange: exchange.clone(),
        caller: caller.clone(),
        q: q.to_lowercase(),
    };
    // The engine is asked up to eight times a route: not on a thread that answers requests.
    let (apps, more) = tokio::task::spawn_blocking(move || looking.cards(number)).await?;
    let may_manage = !portal.rules.roles(&caller.principal).is_empty();
    Ok(HomePage {
        frame,
        stretch: stretch((&q, number), (&apps, more)),
        apps,
        me: Me {
            read: stored.map(|session| Moment::new(session.read_at)),
            ..me(caller, &names, &snapshot)
        },
        read_again: Link::path(&["groups", "read"]),
        console: may_manage.then(|| Link::path(&["console", ""])),
        sessions: Link::path(&["sessions"]),
        sign_out: Link::path(&["_gate", "logout"]),
        q,
        contact: portal.contact.as_deref().map(|contact| Contact::new(contact, "Access")),
    })
}

/// Whether the list goes on behind a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    Yes,
    No,
}

/// Which part of the list these cards are; none when they are all.
fn stretch((q, number): (&str, usize), (apps, more): (&[AppCard], More)) -> Option<Stretch> {
    let home = Link::path(&[]);
    let home = if q.is_empty() { home } else { home.with_query("q", q) };
    let page = |number: usize| home.clone().with_query("page", &number.to_string());
    let first = (number - 1).saturating_mul(ROWS);
    let rows: usize = apps.iter().map(|app| app.routes.len()).sum();
    (rows > 0 && (number > 1 || more == More::Yes)).then(|| Stretch {
        words: format!("{} to {}", first.saturating_add(1), first.saturating_add(rows)),
        previous: (number > 1).then(|| page(number - 1)),
        next: (more == More::Yes).then(|| page(number.saturating_add(1))),
    })
}

/// Somebody looking at what they may open.
struct Looking {
    snapshot: Arc<Snapshot>,
    names: GroupNames,
    exchange: Exchange,
    caller: Caller,
    /// In lower case.
    q: String,
}

impl Looking {
    /// The cards of a page of the list. Nothing behind it is asked about but whether there is something.
    fn cards(&self, number: usize) -> (Vec<AppCard>, More) {
        let mut skipped = (number - 1).saturating_mul(ROWS);
        let mut left = ROWS;
        let mut cards = Vec::new();
        for app in &self.snapshot.book().apps {
            let mut routes = self.routes(app).filter_map(|route| self.line((app, route)));
            let gone = routes.by_ref().take(skipped).count();
            skipped -= gone;
            let taken: Vec<_> = routes.by_ref().take(left).collect();
            left -= taken.len();
            cards.extend(Self::card(app, taken));
            if left == 0 && routes.next().is_some() {
                return (cards, More::Yes);
            }
        }
        (cards, More::No)
    }

    /// The routes of an app that may be listed.
    fn routes<'a>(&'a self, app: &'a App) -> impl Iterator<Item = &'a Route> {
        let host = app.origins.first().map(Origin::authority).unwrap_or_default();
        let all = self.fits(&app.name) || self.fits(&host);
        self.snapshot.book().routes.iter().filter(move |route| {
            let listed = *route.id.app() == app.id && route.listing == Listing::Listed;
            listed && (all || self.fits(&route.title) || self.fits(&place(route)))
        })
    }

    /// The card of an app; none when nothing of it opens.
    fn card(app: &App, routes: Vec<RouteLine>) -> Option<AppCard> {
        let origin = app.origins.first()?;
        if routes.is_empty() {
            return None;
        }
        let link = Link::parse(&origin.url("/")).ok()?;
        Some(AppCard { name: app.name.clone(), host: origin.authority(), link, routes })
    }

    fn fits(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.q)
    }

    /// The line of a route; none when it does not open to this person.
    fn line(&self, (app, route): (&App, &Route)) -> Option<RouteLine> {
        let read = self.access((app, route), Method::Get);
        let change = self.change((app, route));
        let found = Findings { route, read, change };
        let wording =
            Wording { snapshot: &self.snapshot, names: &self.names, now: self.exchange.at };
        let told = wording.tell(&found)?;
        let place = place(route);
        let title = if route.title.is_empty() { place.clone() } else { route.title.clone() };
        let link = self.link((app, route));
        let Told { state, may, why, until, needs } = told;
        Some(RouteLine { title, place, link, state, may, why, until, needs })
    }

    /// The best of what changing methods can do.
    fn change(&self, place: (&App, &Route)) -> Access {
        let changing = Method::ALL.into_iter().filter(|method| !method.is_read());
        let mut best = Access::Never;
        for method in changing {
            let access = self.access(place, method);
            if rank(&access) > rank(&best) {
                best = access;
            }
            if rank(&best) == OPEN {
                break;
            }
        }
        best
    }

    fn access(&self, (app, route): (&App, &Route), method: Method) -> Access {
        let Some(origin) = app.origins.first() else { return Access::Never };
        let circumstances = Circumstances {
            now: self.exchange.at,
            mfa: self.caller.mfa(),
            auth_contexts: self.caller.auth_contexts(),
            signed_in_at: self.caller.signed_in_at(),
            params: BTreeMap::new(),
            local: self.snapshot.local(self.exchange.at),
        };
        let question = Question {
            principal: &self.caller.principal,
            route,
            method,
            host: origin.host(),
            path: route.pattern.as_str(),
            client: self.exchange.facts.client,
            circumstances: &circumstances,
        };
        self.snapshot.access(&question, Extent::Route).unwrap_or_else(|error| {
            tracing::warn!(route.id = %route.id, error = %error, "What a person may open could not be found out.");
            Access::Never
        })
    }

    /// Where a route begins, if what is asked for there is a matter of this route.
    fn link(&self, (app, route): (&App, &Route)) -> Option<Link> {
        let path = beginning(route)?;
        let found = self.snapshot.find(&app.id, &path)?;
        let url = app.origins.first()?.url(&path);
        Link::parse(&url).ok().filter(|_| found.route.id == route.id)
    }
}

/// The rank of what is open anywhere.
const OPEN: u8 = 3;

fn rank(access: &Access) -> u8 {
    match access {
        Access::Open(_) => OPEN,
        Access::Partly(_) => 2,
        Access::If(ways) if !ways.iter().all(Way::is_over) => 1,
        Access::If(_) | Access::Never => 0,
    }
}

/// Where a route is, as people read addresses: `/finance/…`.
fn place(route: &Route) -> String {
    let segments = route.pattern.segments().iter().map(|segment| match segment {
        PatternSegment::Literal(text) => format!("/{text}"),
        PatternSegment::Parameter(_) | PatternSegment::CatchAll(_) => "/…".to_owned(),
    });
    let place: String = segments.collect();
    if place.is_empty() { "/".to_owned() } else { place }
}

/// The path up to the part that stands for the rest; none where another part depends on what is asked for.
fn beginning(route: &Route) -> Option<String> {
    let mut path = String::new();
    for segment in route.pattern.segments() {
        match segment {
            PatternSegment::Literal(text) => path = format!("{path}/{text}"),
            PatternSegment::Parameter(_) => return None,
            PatternSegment::CatchAll(_) => path.push('/'),
        }
    }
    Some(path)
}

fn me(caller: &Caller, names: &GroupNames, snapshot: &Snapshot) -> Me {
    let shown = PersonName::of(&caller.principal);
    let (name, user_name) =
        shown.map_or_else(Default::default, |names| (names.name, names.user_name));
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
    let memberships = memberships(&caller.principal, names, snapshot);
    Me { name, user_name, email, guest, memberships, read: None, session, subject }
}

/// The groups and roles that rules name; the others are nobody's business here.
fn memberships(principal: &Principal, names: &GroupNames, snapshot: &Snapshot) -> Vec<String> {
    let Principal::User(user) = principal else { return Vec::new() };
    let apps = snapshot.book().apps.iter();
    let mentions: Vec<_> = apps.filter_map(|app| snapshot.mentions(&app.id)).collect();
    let groups = user.groups.iter().filter(|id| mentions.iter().any(|of| of.groups.contains(id)));
    let labels = groups.map(|id| names.label(id));
    let roles = user.roles.iter().filter(|role| mentions.iter().any(|of| of.roles.contains(role)));
    labels.chain(roles.map(ToString::to_string)).collect()
}
