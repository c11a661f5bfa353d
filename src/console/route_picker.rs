//! How a route is chosen in a form: from a list for as long as one can overlook it, else by typing what is known of it.

use super::choice::Picked;
use super::showing::Shown;
use crate::model::route::Route;

/// Routes of a list that can still be overlooked, and that a page still has room for.
const LISTED: usize = 200;

/// The field in which a route is chosen.
#[derive(Debug, Clone)]
pub enum RoutePicker {
    /// Every route, by app and path.
    Listed(Vec<Picked>),
    /// What was typed.
    Typed(String),
}

impl RoutePicker {
    /// Over these rules, with this route chosen.
    pub(super) fn of(shown: &Shown, chosen: &str) -> Self {
        if shown.book.routes.len() > LISTED {
            return Self::Typed(chosen.to_owned());
        }
        let routes = shown.book.routes.iter().map(|route| {
            let label = format!("{}  {}", route.id.app(), route.pattern);
            Picked::new(route.id.as_str(), &label, chosen)
        });
        let mut routes: Vec<_> = routes.collect();
        routes.sort_by(|a, b| a.label.cmp(&b.label));
        Self::Listed(routes)
    }
}

/// The route that was meant: by its id, or by its pattern where only one has that.
///
/// # Errors
/// With a sentence that says how to put it right.
pub(super) fn meant<'a>(shown: &'a Shown, typed: &str) -> Result<&'a Route, String> {
    if let Some(route) = typed.parse().ok().and_then(|id| shown.route(&id)) {
        return Ok(route);
    }
    let mut same = shown.book.in_order().filter(|route| route.pattern.as_str() == typed);
    match (same.next(), same.next()) {
        (Some(route), None) => Ok(route),
        (Some(one), Some(other)) => Err(format!(
            "Several apps have this route: write {} or {}, for instance.",
            one.id, other.id
        )),
        (None, _) => Err("There is no such route. Write it as its page does, such as intranet/reports or /reports.".to_owned()),
    }
}
