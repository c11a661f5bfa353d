//! Who can reach a route, and why: everybody we know, by the rule that lets them in. It is made for printing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::compiled::in_force;
use super::lines::{Line, lines, rule, text};
use super::reaching::{Person, Reaching};
use crate::authz::telling::{Certainty, ToldProspect};
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::{Named, Picked};
use crate::console::directory::known::{PersonCell, known, limit};
use crate::console::guard::Admitted;
use crate::console::log::export::{CSV, stamp};
use crate::console::log::using;
use crate::console::route_picker::{RoutePicker, meant};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::csv;
use crate::model::grant::{Method, What};
use crate::model::id::Subject;
use crate::model::known::Known;
use crate::model::record::{LogUseKind, RuleId};
use crate::model::route::Route;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::search::LastUses;
use crate::web::download;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Notice, Tone};

/// People that one rule shows, unless all are asked for.
const ROWS: usize = 100;

/// The columns of the file, in an order that stays.
const COLUMNS: [&str; 8] =
    ["rule", "sentence", "user_id", "user_name", "name", "how", "last_used", "groups_as_of"];

/// Values and labels of `action`.
const ACTIONS: [(&str, &str); 2] = [("read", "Read"), ("write", "Change")];

/// Who can reach a route.
#[derive(Debug, Clone, Template)]
#[template(path = "console/explore/who.html")]
pub struct WhoPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Where the form is sent.
    pub action: Link,
    /// Where the route is chosen.
    pub picker: RoutePicker,
    /// Reading or changing.
    pub actions: Vec<Picked>,
    /// The question about one person instead.
    pub what: Link,
    /// The same for printing; none before a route is asked for.
    pub report: Option<Link>,
    /// The route that is asked for.
    pub route: String,
    /// `read` or `write`.
    pub chosen: &'static str,
    /// What is wrong with the route that was asked for.
    pub problem: Option<String>,
    /// The answer, once a route is asked for.
    pub answer: Option<Reached>,
}

/// Who can reach the route that was asked for.
#[derive(Debug, Clone)]
pub struct Reached {
    /// How many, as a sentence.
    pub sentence: String,
    /// The route.
    pub route: Named,
    /// What is true of everybody.
    pub notices: Vec<Notice>,
    /// The rules that let somebody in.
    pub sections: Vec<Through>,
    /// How this was found out, as sentences.
    pub computed: Vec<String>,
}

/// Everybody whom one rule lets in.
#[derive(Debug, Clone)]
pub struct Through {
    /// For the address of the section.
    pub id: String,
    /// The rule.
    pub rule: Named,
    /// The rule as a sentence.
    pub sentence: String,
    /// The people, by name.
    pub people: Vec<PersonRow>,
    /// How many more there are, and where all are shown.
    pub more: Option<(usize, Link)>,
}

/// Somebody whom a rule lets in.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// Who.
    pub who: PersonCell,
    /// How certain it is.
    pub lines: Vec<Line>,
    /// When they last did it; none as far back as was looked.
    pub used: Option<Moment>,
    /// When their groups and roles were last seen.
    pub seen: Moment,
}

/// What is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WhoQuery {
    /// Checked by the guard before the form is read.
    #[serde(rename = "_csrf")]
    csrf: Option<IgnoredAny>,
    route: String,
    action: String,
    rows: String,
}

impl WhoQuery {
    fn what(&self) -> What {
        if self.action == "write" { What::Write } else { What::Read }
    }

    fn limit(&self) -> usize {
        if self.rows == "all" { usize::MAX } else { ROWS }
    }
}

/// Answers with who can reach a route.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let query: WhoQuery = asked.query()?;
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Who can reach it", Section::Explorer)?);
    let mut page = empty(&shown, frame, &query);
    if query.route.is_empty() {
        return Ok(page::console(StatusCode::OK, &page.frame, &page));
    }
    let route = match meant(&shown, &query.route) {
        Ok(route) => route.clone(),
        Err(problem) => {
            page.problem = Some(problem);
            return Ok(page::console(StatusCode::UNPROCESSABLE_ENTITY, &page.frame, &page));
        }
    };
    page.report = Some(urls::access_report_of(&route.id));
    page.answer = Some(reached(&console, &asked, (&shown, &route, &query)).await?);
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

/// Answers with everybody who can reach a route as a file.
pub(super) async fn csv(console: Arc<Console>, asked: Admitted) -> Answer {
    let query = WhoQuery { rows: "all".to_owned(), ..asked.form().await? };
    let shown = asked.shown(&console).await?;
    let route = meant(&shown, &query.route).cloned();
    let route = route.map_err(|_no_such| Box::new(asked.no_page()))?;
    let reached = reached(&console, &asked, (&shown, &route, &query)).await?;
    let detail =
        json!({ "report": "who", "format": "csv", "route": query.route, "action": query.action });
    using::note(&console, &asked, (LogUseKind::Exported, detail)).await?;
    let mut file = Vec::new();
    csv::header(&mut file, &COLUMNS);
    for through in &reached.sections {
        for row in &through.people {
            let used = row.used.map_or_else(String::new, |used| used.iso());
            let PersonCell { id, user_name, name, .. } = &row.who;
            let (rule, how, seen) = (&through.rule.name, text(&row.lines), row.seen.iso());
            csv::line(
                &mut file,
                &[rule, &through.sentence, id, user_name, name, &how, &used, &seen],
            );
        }
    }
    let name = format!("who_v1_{}.csv", stamp(&asked));
    Ok(download::file(&name, CSV, Body::from(file)))
}

async fn reached(
    console: &Arc<Console>,
    asked: &Admitted,
    (shown, route, query): (&Shown, &Route, &WhoQuery),
) -> Result<Reached, Box<Response>> {
    let failed = |error: StoreError| Box::new(asked.unavailable(&error));
    let methods = query.what().methods();
    let known = known(console).await.map_err(failed)?;
    let uses = console.searcher.users_of(&route.id, &methods).await.map_err(failed)?;
    let now = asked.exchange.at;
    let snapshot = in_force(console, asked, shown).await?;
    let (rules, place, people) = (shown.clone(), route.clone(), known.clone());
    let ask = move || Reaching::of((&rules, &place, &methods, now), &people, &snapshot);
    let found = asked.apart(ask).await?;
    let answering = Answering { shown, route, query, uses: &uses, at: now };
    Ok(answering.answer(&found, &known))
}

fn empty(shown: &Shown, frame: Frame, query: &WhoQuery) -> WhoPage {
    let chosen = if query.what() == What::Write { "write" } else { "read" };
    WhoPage {
        frame,
        action: urls::who(),
        picker: RoutePicker::of(shown, &query.route),
        actions: ACTIONS.iter().map(|(value, label)| Picked::new(value, label, chosen)).collect(),
        what: urls::what(),
        report: None,
        route: query.route.clone(),
        chosen,
        problem: None,
        answer: None,
    }
}

/// What the page is filled from.
struct Answering<'a> {
    shown: &'a Shown,
    route: &'a Route,
    query: &'a WhoQuery,
    uses: &'a LastUses<Subject>,
    at: Timestamp,
}

impl Answering<'_> {
    fn answer(&self, found: &Reaching, known: &Known) -> Reached {
        let mut rows: BTreeMap<RuleId, Vec<PersonRow>> =
            found.rules.iter().map(|id| (id.clone(), Vec::new())).collect();
        for (subject, told) in &found.people {
            for (id, row) in self.rows(subject, told, known) {
                rows.entry(id).or_default().push(row);
            }
        }
        let section = |(id, people): (RuleId, Vec<PersonRow>)| {
            let sentence = found.sentences.get(&id).cloned().unwrap_or_default();
            self.section((&id, sentence), people)
        };
        Reached {
            sentence: self.sentence(found),
            route: Named {
                name: self.route.pattern.to_string(),
                link: Some(urls::route(&self.route.id)),
            },
            notices: self.notices(found),
            computed: self.computed(known),
            sections: rows.into_iter().map(section).collect(),
        }
    }

    /// Somebody under each rule that lets them in.
    fn rows(
        &self,
        subject: &Subject,
        told: &[(Method, ToldProspect)],
        known: &Known,
    ) -> Vec<(RuleId, PersonRow)> {
        let Some(person) = known.get(subject) else { return Vec::new() };
        let lines = lines(self.shown, told);
        let rules: BTreeSet<_> = lines.iter().filter_map(|line| line.rule().cloned()).collect();
        let row = |id: RuleId| {
            let own = lines.iter().filter(|line| line.rule() == Some(&id)).cloned();
            let row = PersonRow {
                who: PersonCell::of(subject, &person.content),
                lines: own.collect(),
                used: self.uses.at.get(subject).map(|at| Moment::new(*at)),
                seen: Moment::new(person.seen_at),
            };
            (id, row)
        };
        rules.into_iter().map(row).collect()
    }

    fn section(&self, (id, sentence): (&RuleId, String), mut people: Vec<PersonRow>) -> Through {
        people.sort_by_cached_key(|row| (row.who.name.to_lowercase(), row.who.link.to_string()));
        let more = people.len().saturating_sub(self.query.limit());
        people.truncate(self.query.limit());
        let all = || {
            let link = urls::who_can(&self.route.id, &self.query.what());
            link.with_query("rows", "all")
        };
        Through {
            id: id.to_string().replace(':', "-"),
            rule: rule(self.shown, id),
            sentence,
            people,
            more: (more > 0).then(|| (more, all())),
        }
    }

    fn sentence(&self, found: &Reaching) -> String {
        let (all, certain) = found.count();
        let verb = if self.query.what() == What::Write { "change" } else { "read" };
        let who = match all {
            0 => return format!("Nobody we know can {verb} it."),
            1 => "1 person or service".to_owned(),
            all => format!("{all} people and services"),
        };
        // Of those who can: whoever used it once and can't any more is no part of them.
        let idle = |(subject, _): &&Person| !self.uses.at.contains_key(subject);
        let unused = found.people.iter().filter(idle).count();
        let use_made = match unused {
            0 => "All of them did so lately".to_owned(),
            unused if unused == all => {
                "Nobody did so as far back as the log was searched".to_owned()
            }
            unused => format!("{unused} of them did not, as far back as the log was searched"),
        };
        let conditions = match all - certain {
            0 => String::new(),
            some => format!(", {some} of them under conditions"),
        };
        format!("{who} that we know can {verb} it{conditions}. {use_made}.")
    }

    fn notices(&self, found: &Reaching) -> Vec<Notice> {
        let verb = if self.query.what() == What::Write { "change" } else { "read" };
        let of = |certainty, who: &str| match certainty {
            Certainty::Never => None,
            Certainty::Always => Some(format!("{who} can {verb} it.")),
            Certainty::If => {
                Some(format!("{who} may {verb} it under conditions, or with some methods only."))
            }
        };
        let everyone = of(found.everyone, "Everyone, signed in or not,");
        let signed_in = || of(found.signed_in, "Everybody who signs in");
        let text = everyone.or_else(signed_in);
        text.map(|text| Notice { tone: Tone::Careful, text }).into_iter().collect()
    }

    fn computed(&self, known: &Known) -> Vec<String> {
        let mut computed = vec![format!(
            "Asked on {} of the engine that decides, with the rules of {}, for each of {} who were here and for whomever the rules name. Nothing is known of the circumstances, so what depends on them is a condition.",
            Moment::new(self.at).minute(),
            match self.shown.number.0 {
                0 => "no release".to_owned(),
                number => format!("release {number}"),
            },
            count(known.len()),
        )];
        computed.extend(known.span().map(|(oldest, newest)| format!(
            "Groups and roles are those of each person's last visit, the oldest of {}, the newest of {}. Who was never here is not listed.",
            Moment::new(oldest).minute(),
            Moment::new(newest).minute()
        )));
        computed.extend(limit(known.len()));
        computed.extend(self.uses.since.map(|since| {
            format!("Use was looked for in the log back to {}.", Moment::new(since).minute())
        }));
        computed
    }
}

/// `1 person or service`, `12 people and services`
fn count(number: usize) -> String {
    if number == 1 {
        "1 person or service".to_owned()
    } else {
        format!("{number} people and services")
    }
}
