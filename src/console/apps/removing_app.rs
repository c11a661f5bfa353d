//! Removing an app: its routes and their grants go along, and its hosts are unknown then.

use std::sync::Arc;

use super::removal::{self, Removal, grants_in_words};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::app::App;
use crate::model::difference::revision;
use crate::model::grant::Grant;
use crate::model::host::Origin;
use crate::model::route::Route;
use crate::web::page::{Notice, Tone};

/// Asks.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let removal = of(&drafted, asked.app(&drafted)?);
    removal::ask(&console, &asked, (&drafted, removal)).await
}

/// Removes it from the draft.
pub(super) async fn remove(console: Arc<Console>, asked: Admitted) -> Answer {
    let drafted = asked.shown(&console).await?.drafted();
    let removal = of(&drafted, asked.app(&drafted)?);
    removal::carry_out(&console, &asked, (&drafted, removal)).await
}

fn of(drafted: &Shown, app: &App) -> Removal {
    let book = &drafted.book;
    let routes: Vec<&Route> =
        book.routes.iter().filter(|route| *route.id.app() == app.id).collect();
    let grants: Vec<&Grant> =
        book.grants.iter().filter(|grant| *grant.route.app() == app.id).collect();
    let mut to = book.book().clone();
    to.apps.retain(|other| other.id != app.id);
    to.routes.retain(|route| *route.id.app() != app.id);
    to.grants.retain(|grant| *grant.route.app() != app.id);
    let mut lost: Vec<_> =
        routes.iter().map(|route| format!("Route {}: {}", route.id, route.pattern)).collect();
    lost.extend(grants_in_words(&grants, drafted));
    Removal {
        place: (urls::app(&app.id), app.name.clone()),
        heading: format!("Remove {} from the draft?", app.name),
        lost,
        after: vec![unknown(app)],
        action: urls::remove_app(&app.id),
        revision: revision(&(app, &routes, &grants)),
        to,
    }
}

fn unknown(app: &App) -> Notice {
    let origins: Vec<_> = app.origins.iter().map(Origin::to_string).collect();
    let text = format!(
        "Nothing answers at {} any more, neither for whoever could open it nor for anybody else.",
        origins.join(", ")
    );
    Notice { tone: Tone::Careful, text }
}
