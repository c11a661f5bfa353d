//! Who can reach what and why, with a column to decide in: the access review.

use std::io::{BufWriter, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::index;
use super::review::{Review, RouteReview};
use crate::authz::entities::Unusable;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Named;
use crate::console::explore::lines;
use crate::console::guard::Admitted;
use crate::console::log::export::{CSV, stamp};
use crate::console::log::fact::Fact;
use crate::console::log::using;
use crate::console::printed::PrintHead;
use crate::console::sections::Section;
use crate::console::streamed::{self, PIECE, Pipe};
use crate::console::urls;
use crate::console::words::count;
use crate::model::csv;
use crate::model::record::LogUseKind;
use crate::model::route::Route;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// People that one page lists.
const ROWS: usize = 2_000;
/// How long a page is worked on before the remaining routes are only named.
const PATIENCE: Duration = Duration::from_secs(8);
/// The columns of the file, in an order that stays.
const COLUMNS: [&str; 13] = [
    "app",
    "route",
    "path",
    "title",
    "user_id",
    "user_name",
    "name",
    "read",
    "change",
    "last_used",
    "groups_as_of",
    "keep",
    "remark",
];

/// Who can reach what.
#[derive(Debug, Clone, Template)]
#[template(path = "console/reports/access.html")]
pub struct AccessPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The reports.
    pub up: Link,
    /// This report, where its file is taken.
    pub action: Link,
    /// What is printed above it.
    pub head: PrintHead,
    /// The app that it is about; empty: all.
    pub app: String,
    /// The route that it is about; empty: all.
    pub route: String,
    /// Route by route.
    pub routes: Vec<RouteReview>,
    /// Routes that found no room, each with a report of its own.
    pub left: Vec<Named>,
    /// How this was found out, as sentences.
    pub computed: Vec<String>,
}

/// What is asked; nothing: about every route.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AccessQuery {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf")]
    csrf: Option<IgnoredAny>,
    app: String,
    route: String,
}

impl AccessQuery {
    fn takes(&self, route: &Route) -> bool {
        let named = [route.id.as_str(), route.pattern.as_str()].contains(&self.route.as_str());
        let of_app = self.app.is_empty() || route.id.app().as_str() == self.app;
        of_app && (self.route.is_empty() || named)
    }

    fn words(&self) -> String {
        match (self.app.as_str(), self.route.as_str()) {
            ("", "") => "All routes".to_owned(),
            (app, "") => format!("App {app}"),
            (_, route) => format!("Route {route}"),
        }
    }

    fn detail(&self, format: &str) -> serde_json::Value {
        json!({ "report": "access", "format": format, "app": self.app, "route": self.route })
    }
}

/// Answers with the report.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: AccessQuery = asked.query()?;
    let review = reviewed(&console, &asked, &query).await?;
    if review.routes.is_empty() && !query.route.is_empty() {
        return index::no_such_route(&console, &asked, &query.route).await;
    }
    using::note(&console, &asked, (LogUseKind::Read, query.detail("page"))).await?;
    let frame = review.shown.framed(asked.frame("Access review", Section::Reports)?);
    let (review, routes, left) = asked.apart(move || bounded(review)).await?;
    let rows = routes.iter().map(|route| route.rows.len()).sum::<usize>();
    let covers = vec![
        Fact::prose("Filter", &query.words()),
        Fact::prose("Rules", review.shown.words()),
        Fact::prose("Rows", &format!("{} on {}", count(rows, "row"), count(routes.len(), "route"))),
    ];
    let page = AccessPage {
        frame,
        up: urls::reports(),
        action: urls::access_report(),
        head: PrintHead::new(&console, &asked, ("Access review", covers)),
        app: query.app,
        route: query.route,
        computed: computed(&review, &routes),
        routes,
        left,
    };
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Answers with all of it as a file, whatever its length.
pub(super) async fn csv(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: AccessQuery = asked.form().await?;
    let review = reviewed(&console, &asked, &query).await?;
    if review.routes.is_empty() && !query.route.is_empty() {
        return Err(Box::new(asked.no_page()));
    }
    using::note(&console, &asked, (LogUseKind::Exported, query.detail("csv"))).await?;
    let name = format!("access_v1_{}.csv", stamp(&asked));
    Ok(streamed::file((&name, CSV), move |pipe| write(&review, &pipe)))
}

/// What is asked for.
///
/// # Errors
/// With the answer, 404 when there is no such app.
async fn reviewed(
    console: &Arc<Console>,
    asked: &Admitted,
    query: &AccessQuery,
) -> Result<Review, Box<Response>> {
    let review = Review::of(console, asked, |route| query.takes(route)).await?;
    if review.routes.is_empty() && !query.app.is_empty() {
        return Err(Box::new(asked.no_page()));
    }
    Ok(review)
}

type Bounded = (Review, Vec<RouteReview>, Vec<Named>);

/// As much as one page holds, and the routes that are left.
fn bounded(review: Review) -> Result<Bounded, Unusable> {
    let (begun, mut rows, mut routes, mut left) = (Instant::now(), 0, Vec::new(), Vec::new());
    for route in &review.routes {
        if rows >= ROWS || (begun.elapsed() > PATIENCE && !routes.is_empty()) {
            let link = Some(urls::access_report_of(&route.id));
            left.push(Named { name: format!("{} {}", route.id.app(), route.pattern), link });
            continue;
        }
        let mut reviewed = review.route(route)?;
        reviewed.more = reviewed.rows.len().saturating_sub(ROWS - rows);
        reviewed.rows.truncate(ROWS - rows);
        rows += reviewed.rows.len();
        routes.push(reviewed);
    }
    Ok((review, routes, left))
}

fn computed(review: &Review, routes: &[RouteReview]) -> Vec<String> {
    let mut computed = vec![
        "The engine that decides was asked about everybody who was here. Nothing is known of the circumstances, so what depends on them is a condition.".to_owned(),
    ];
    computed.extend(review.known.span().map(|(oldest, newest)| format!(
        "Groups and roles are those of each person's last visit, the oldest of {}, the newest of {}. Who was never here is not listed.",
        Moment::new(oldest).minute(),
        Moment::new(newest).minute()
    )));
    // Where one was looked through less far than another, all were looked through at least so far.
    let since = routes.iter().filter_map(|route| route.since).max();
    computed.extend(since.map(|since| {
        format!("Use was looked for in the log back to {}.", Moment::new(since).minute())
    }));
    computed
}

fn write(review: &Review, pipe: &Pipe) {
    let mut out = BufWriter::with_capacity(PIECE, pipe.clone());
    let done = write_all(review, &mut out).and_then(|()| out.flush());
    if let Err(error) = done {
        tracing::warn!(error = &error as &dyn std::error::Error, "A report broke off.");
        pipe.break_off();
    }
}

fn write_all(review: &Review, out: &mut impl Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    csv::header(&mut line, &COLUMNS);
    for route in &review.routes {
        let reviewed =
            review.route(route).map_err(|error| std::io::Error::other(error.to_string()))?;
        add(&mut line, &reviewed);
        out.write_all(&line)?;
        line.clear();
    }
    out.write_all(&line)
}

fn add(into: &mut Vec<u8>, reviewed: &RouteReview) {
    let RouteReview { app, route, id, title, .. } = reviewed;
    let place = [app, id, &route.name, title].map(String::clone);
    let time = |at: Option<&Moment>| at.map_or_else(String::new, Moment::iso);
    for notice in &reviewed.open {
        let mut fields = place.to_vec();
        fields.extend(["", "", "", "", "", "", "", "", &notice.text].map(str::to_owned));
        csv::line(into, &fields);
    }
    for row in &reviewed.rows {
        let mut fields = place.to_vec();
        fields.extend([row.who.id.clone(), row.who.user_name.clone(), row.who.name.clone()]);
        fields.extend([lines::text(&row.read), lines::text(&row.write)]);
        fields.extend([time(row.used.as_ref()), row.seen.iso(), String::new(), String::new()]);
        csv::line(into, &fields);
    }
}
