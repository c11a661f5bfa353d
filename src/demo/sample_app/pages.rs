//! The pages of the intranet. Each shows, at its foot, what the gate told it about the visitor.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::intranet::{Note, SampleApp};
use super::visitor::Visitor;

/// Only what the app serves itself; WebSockets to the same host count as `'self'`.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Characters of a note that are kept.
const NOTE_LENGTH: usize = 200;
/// Years that have a report.
const YEARS: std::ops::RangeInclusive<i32> = 2015..=2026;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// What every page has around it.
struct Frame {
    visitor: Visitor,
    sign_out: String,
}

impl Frame {
    async fn of(app: &SampleApp, headers: &HeaderMap) -> Self {
        let visitor = Visitor::read(app.verifier(), headers).await;
        Self { visitor, sign_out: app.settings().sign_out_path.clone() }
    }
}

/// One bar of a chart, in the units of its drawing.
struct Bar {
    label: String,
    value: String,
    x: usize,
    y: i64,
    height: i64,
}

#[derive(Template)]
#[template(path = "demo/home.html")]
struct HomePage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "demo/me.html")]
struct MePage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "demo/finance.html")]
struct FinancePage {
    frame: Frame,
    bars: Vec<Bar>,
    notes: Vec<Note>,
}

#[derive(Template)]
#[template(path = "demo/report.html")]
struct ReportPage {
    frame: Frame,
    year: i32,
    before: Option<i32>,
    after: Option<i32>,
    bars: Vec<Bar>,
}

#[derive(Template)]
#[template(path = "demo/admin.html")]
struct AdminPage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "demo/notice.html")]
struct NoticePage {
    frame: Frame,
    title: &'static str,
    text: String,
}

/// `GET /`: open to everyone, leads everywhere.
pub(super) async fn home(State(app): State<SampleApp>, headers: HeaderMap) -> Response {
    render(StatusCode::OK, &HomePage { frame: Frame::of(&app, &headers).await })
}

/// `GET /me`
pub(super) async fn me(State(app): State<SampleApp>, headers: HeaderMap) -> Response {
    render(StatusCode::OK, &MePage { frame: Frame::of(&app, &headers).await })
}

/// `GET /finance/summary`
pub(super) async fn finance(State(app): State<SampleApp>, headers: HeaderMap) -> Response {
    let quarters = [("Q1", 412), ("Q2", 447), ("Q3", 398), ("Q4", 521)];
    let bars = bars(quarters.iter().map(|(label, value)| ((*label).to_owned(), *value)));
    let page = FinancePage { frame: Frame::of(&app, &headers).await, bars, notes: app.notes() };
    render(StatusCode::OK, &page)
}

/// `POST /finance/summary`: keeps a note and leads back to the page.
pub(super) async fn add_note(
    State(app): State<SampleApp>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let visitor = Visitor::read(app.verifier(), &headers).await;
    let mut form = url::form_urlencoded::parse(&body);
    let text = form.find(|(name, _)| name == "note").map(|(_, text)| text.into_owned());
    let text: String = text.unwrap_or_default().trim().chars().take(NOTE_LENGTH).collect();
    if !text.is_empty() {
        let at = app.settings().clock.now().to_jiff().strftime("%H:%M:%S").to_string();
        app.keep(Note { text, by: visitor.name().unwrap_or("stranger").to_owned(), at });
    }
    Redirect::to("/finance/summary#notes").into_response()
}

/// `GET /reports/{year}`
pub(super) async fn report(
    State(app): State<SampleApp>,
    Path(year): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(year) = year.parse().ok().filter(|year| YEARS.contains(year)) else {
        return missing(State(app), headers).await;
    };
    let months = MONTHS.iter().zip(1_i64..).map(|(name, month)| {
        let value = 180 + (i64::from(year) * 31 + month * 47) % 160;
        ((*name).to_owned(), value)
    });
    let page = ReportPage {
        frame: Frame::of(&app, &headers).await,
        year,
        before: Some(year - 1).filter(|year| YEARS.contains(year)),
        after: Some(year + 1).filter(|year| YEARS.contains(year)),
        bars: bars(months),
    };
    render(StatusCode::OK, &page)
}

/// `GET /admin/`
pub(super) async fn admin(State(app): State<SampleApp>, headers: HeaderMap) -> Response {
    render(StatusCode::OK, &AdminPage { frame: Frame::of(&app, &headers).await })
}

/// Anything else.
pub(super) async fn missing(State(app): State<SampleApp>, headers: HeaderMap) -> Response {
    let text = "The gate let the request through, but the intranet has nothing here.".to_owned();
    let frame = Frame::of(&app, &headers).await;
    render(StatusCode::NOT_FOUND, &NoticePage { frame, title: "No such page", text })
}

/// The answer to an upload from a form.
pub(super) async fn uploaded(app: &SampleApp, headers: &HeaderMap, received: usize) -> Response {
    let text = format!("{received} bytes came through the gate. Nothing was kept.");
    let frame = Frame::of(app, headers).await;
    render(StatusCode::OK, &NoticePage { frame, title: "Upload received", text })
}

/// `GET /assets/app.css`
pub(super) async fn style() -> Response {
    let css = include_str!("../../../templates/demo/app.css");
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}

/// `GET /assets/app.js`
pub(super) async fn script() -> Response {
    let script = include_str!("../../../templates/demo/app.js");
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
}

/// `GET /assets/icon.svg`
pub(super) async fn icon() -> Response {
    let icon = include_str!("../../../templates/demo/icon.svg");
    ([(CONTENT_TYPE, "image/svg+xml")], icon).into_response()
}

/// Bars on a drawing 160 units high, the highest value filling it.
fn bars(values: impl Iterator<Item = (String, i64)>) -> Vec<Bar> {
    let values: Vec<(String, i64)> = values.collect();
    let highest = values.iter().map(|(_, value)| *value).max().unwrap_or(1).max(1);
    let bar = |(at, (label, value)): (usize, (String, i64))| {
        let height = value * 160 / highest;
        Bar { label, value: format!("{value}"), x: at * 50 + 7, y: 180 - height, height }
    };
    values.into_iter().enumerate().map(bar).collect()
}

fn render(status: StatusCode, page: &impl Template) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    match page.render() {
        Ok(html) => (status, headers, html).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
