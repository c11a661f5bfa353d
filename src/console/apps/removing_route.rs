//! Removing a route: its grants go along, and its paths belong to a wider route then, or to none.

use std::sync::Arc;

use super::removal::{self, Removal, grants_in_words};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::difference::revision;
use crate::model::grant::{Grant, Reach};
use crate::model::route::{PathPattern, PatternSegment, Route};
use crate::web::page::{Notice, Tone};

/// Asks.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let removal = of(&drafted, asked.route(&drafted)?);
    removal::ask(&console, &asked, (&drafted, removal)).await
}

/// Removes it from the draft.
pub(super) async fn remove(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let removal = of(&drafted, asked.route(&drafted)?);
    removal::carry_out(&console, &asked, (&drafted, removal)).await
}

fn of(drafted: &Shown, route: &Route) -> Removal {
    let own: Vec<_> = drafted.book.grants.iter().filter(|one| one.route == route.id).collect();
    let mut to = drafted.book.book().clone();
    to.routes.retain(|other| other.id != route.id);
    to.grants.retain(|grant| grant.route != route.id);
    let mut after = vec![heir(drafted, route)];
    after.extend(below(drafted, (route, &own)));
    Removal {
        place: (urls::route(&route.id), route.pattern.to_string()),
        heading: format!("Remove {} from the draft?", route.pattern),
        lost: grants_in_words(&own, drafted),
        after,
        action: urls::remove_route(&route.id),
        revision: revision(&(route, &own)),
        to,
    }
}

/// Whose the paths are afterwards.
fn heir(drafted: &Shown, route: &Route) -> Notice {
    let covers = |wider: &&&Route| covers_some(&wider.pattern, &route.pattern);
    match drafted.book.above(route).iter().rfind(covers) {
        Some(wider) => Notice {
            tone: Tone::Careful,
            text: format!(
                "Its paths belong to {} ({}) then, as far as that covers them: whoever may open it may open them.",
                wider.pattern, wider.id
            ),
        },
        None => Notice {
            tone: Tone::Plain,
            text: "No wider route covers its paths, so every request for them is refused then."
                .to_owned(),
        },
    }
}

/// A pattern that contains another one is its parent, but covers its paths only as far down as it reaches itself.
fn covers_some(wider: &PathPattern, pattern: &PathPattern) -> bool {
    let open = matches!(wider.segments().last(), Some(PatternSegment::CatchAll(_)));
    open || wider.fixed().len() == pattern.fixed().len()
}

/// The routes that its grants reach besides it.
fn below(drafted: &Shown, (route, own): (&Route, &[&Grant])) -> Option<Notice> {
    let reaches = own.iter().any(|grant| grant.reach == Reach::Below);
    let narrower =
        |other: &&Route| other.id.app() == route.id.app() && route.pattern.contains(&other.pattern);
    let routes = drafted.book.routes.iter().filter(narrower);
    let names: Vec<_> = routes.take(10).map(|other| other.pattern.as_str()).collect();
    let text = format!(
        "Its grants reach the routes below it as well, and are gone there too: {}.",
        names.join(", ")
    );
    (reaches && !names.is_empty()).then_some(Notice { tone: Tone::Careful, text })
}
