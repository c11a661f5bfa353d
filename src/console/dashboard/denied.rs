//! The routes where people are denied most: how many, since when, and how it goes.

use super::card::Card;
use super::range::Range;
use crate::console::choice::Named;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{grouped, reason};
use crate::model::id::RouteId;
use crate::model::record::Reason;
use crate::store::audit::search::{DeniedRoute, Overview, Tallied};
use crate::web::link::Link;
use crate::web::moment::Moment;

/// The routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Most often denied first.
    pub rows: Vec<DeniedRow>,
    /// What is not shown, in words.
    pub more: Option<String>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedRow {
    /// Its id.
    pub route: Named,
    /// How often.
    pub denied: String,
    /// How many people.
    pub people: String,
    /// The first time.
    pub first: Moment,
    /// The last time.
    pub last: Moment,
    /// How it went.
    pub trend: Sparkline,
    /// What was said most.
    pub reason: String,
    /// Those denials, for those who may read them.
    pub decisions: Option<Link>,
    /// Where somebody is let in, for those who may.
    pub grant: Option<Link>,
}

/// Numbers over time, drawn small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sparkline {
    /// Where each bar stands, where it begins from above, and how high it is.
    pub bars: Vec<[u64; 3]>,
    /// Its width.
    pub width: u64,
    /// The numbers, for those who hear the page.
    pub numbers: String,
    /// The highest of them, in words.
    pub highest: String,
}

/// The height of the highest bar.
const HEIGHT: u64 = 20;
/// The width of a bar with the gap behind it.
const STEP: u64 = 4;

impl Sparkline {
    fn of(trend: &[u64], range: Range) -> Self {
        let highest = trend.iter().copied().max().unwrap_or_default();
        let height = |number: u64| (number * HEIGHT).div_ceil(highest.max(1));
        let bars = (0..).zip(trend).map(|(at, number)| {
            let height = height(*number);
            [at * STEP, HEIGHT - height, height]
        });
        let numbers: Vec<_> = trend.iter().map(u64::to_string).collect();
        Self {
            bars: bars.collect(),
            width: STEP * u64::try_from(trend.len()).unwrap_or_default(),
            numbers: format!("In each {}, oldest first: {}", range.piece(), numbers.join(", ")),
            highest: format!("at most {} in {}", grouped(highest), range.piece_of()),
        }
    }
}

impl DeniedRow {
    /// After how often.
    pub fn times(&self) -> &'static str {
        if self.denied == "1" { " time" } else { " times" }
    }

    /// After how many people.
    pub fn persons(&self) -> &'static str {
        if self.people == "1" { " person" } else { " people" }
    }
}

/// What somebody may do about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered {
    pub(super) log: Option<()>,
    pub(super) edit: Option<()>,
}

/// The card.
pub(super) fn card(
    overview: &Card<Overview>,
    (shown, range): (&Shown, Range),
    offered: Offered,
) -> Card<Denied> {
    let overview = overview.as_ref().map_err(|unread| *unread)?;
    let rows: Vec<_> =
        overview.routes.iter().map(|route| row(route, (shown, range), offered)).collect();
    let hidden = overview.routes_in_all.saturating_sub(rows.len());
    let more = (hidden > 0).then(|| format!("Routes with fewer denials: {hidden}."));
    Ok(Denied { rows, more })
}

fn row(denied: &DeniedRoute, (shown, range): (&Shown, Range), offered: Offered) -> DeniedRow {
    let id = denied.route.parse::<RouteId>().ok().filter(|id| shown.route(id).is_some());
    let query = format!("route:{} effect:deny -reason:not_signed_in", denied.route);
    DeniedRow {
        route: Named { name: denied.route.clone(), link: id.as_ref().map(urls::route) },
        denied: grouped(denied.denied),
        people: match denied.people {
            Tallied::Exactly(people) => grouped(people),
            Tallied::AtLeast(people) => format!("{} or more", grouped(people)),
        },
        first: Moment::new(denied.first),
        last: Moment::new(denied.last),
        trend: Sparkline::of(&denied.trend, range),
        reason: Reason::from_word(&denied.reason).map_or("Not said", reason).to_owned(),
        decisions: offered.log.map(|()| range.decisions(&query)),
        grant: offered.edit.and(id).map(|id| urls::route(&id).with_fragment("grant-form")),
    }
}
