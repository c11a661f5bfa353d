//! One person or service: who they are to us, what they are in, what they were allowed and refused of late.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use super::groups::link;
use super::known::known;
use super::membership::{Membership, of_person};
use super::sessions::SessionRow;
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Named;
use crate::console::guard::Admitted;
use crate::console::log::fact::Fact;
use crate::console::log::record::{DecisionRow, RecordView, Rules};
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::heading;
use crate::model::id::Subject;
use crate::model::known::KnownPrincipal;
use crate::model::principal::{GuestStatus, Principal};
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Decisions that are shown.
const DECISIONS: usize = 10;

/// One person or service.
#[derive(Debug, Clone, Template)]
#[template(path = "console/directory/person.html")]
pub struct PersonPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// The search.
    pub up: Link,
    /// Display name.
    pub name: String,
    /// The whole id, where the name is the beginning of it.
    pub whole: Option<String>,
    /// Who they are.
    pub facts: Vec<Fact>,
    /// When their groups and roles were last seen.
    pub seen: Moment,
    /// Groups by name.
    pub groups: Vec<Named>,
    /// App roles.
    pub roles: Vec<Named>,
    /// What they can reach.
    pub reach: Link,
    /// The simulator with this person in it.
    pub simulate: Link,
    /// The sessions in which they are signed in.
    pub sessions: Vec<SessionRow>,
    /// Where all of them can be ended at once, for those who may.
    pub end_all: Option<Link>,
    /// The list of their sessions.
    pub all_sessions: Link,
    /// Their newest decisions, for those who may read the log.
    pub decisions: Option<Vec<DecisionRow>>,
    /// The log, filtered.
    pub log: Link,
}

/// Answers with one person.
pub(in crate::console) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let nothing = || Box::new(asked.no_page());
    let subject: Subject = asked.param("subject").parse().map_err(|_| nothing())?;
    let shown = asked.shown(&console).await?;
    let known = known(&console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let person = known.get(&subject).ok_or_else(nothing)?;
    let frame = shown.framed(asked.frame(&person.content.display_name(), Section::People)?);
    let mut page = filled((&console, &shown), frame, (&subject, person));
    let sessions = console.doorkeeper.sessions.list(&subject).await;
    let sessions = sessions.map_err(|error| Box::new(asked.sessions_unavailable(&error)))?;
    let may_end = asked.may(&console, ConsoleAction::EndSessions);
    let rows = sessions.iter().map(|session| SessionRow {
        end: may_end.then(|| urls::end_session(&session.id)),
        ..SessionRow::of(session, &asked)
    });
    page.sessions = rows.collect();
    page.end_all = (may_end && sessions.len() > 1).then(|| urls::end_sessions_of(&subject));
    if asked.may(&console, ConsoleAction::ReadLog) {
        let lines = console.searcher.decisions_of(&subject, DECISIONS).await;
        let lines = lines.map_err(|error| Box::new(asked.unavailable(&error)))?;
        let row = |line| RecordView::of(line).row(Rules(&shown));
        page.decisions = Some(lines.iter().map(row).collect());
    }
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn filled(
    (console, shown): (&Console, &Shown),
    frame: Frame,
    (subject, person): (&Subject, &KnownPrincipal),
) -> PersonPage {
    let (groups, roles): (Vec<_>, Vec<_>) = of_person(&person.content)
        .into_iter()
        .partition(|membership| matches!(membership, Membership::Group(_)));
    let named = |all: Vec<Membership>| {
        let mut named: Vec<_> = all.iter().map(|one| name(shown, one)).collect();
        named.sort_by_cached_key(|one| one.name.to_lowercase());
        named
    };
    let (name, whole) = heading(&person.content.display_name());
    PersonPage {
        frame,
        up: urls::people(),
        name,
        whole,
        facts: facts(console, subject, &person.content),
        seen: Moment::new(person.seen_at),
        groups: named(groups),
        roles: named(roles),
        reach: urls::what_can(subject),
        simulate: urls::simulate().with_query("user", &subject.to_string()),
        sessions: Vec::new(),
        end_all: None,
        all_sessions: urls::sessions_of(subject),
        decisions: None,
        log: urls::decisions_where(&format!("user:{subject}")),
    }
}

fn name(shown: &Shown, membership: &Membership) -> Named {
    let name = match membership {
        Membership::Group(id) => shown.names.label(id),
        Membership::Role(value) => value.to_string(),
    };
    Named { name, link: Some(link(membership)) }
}

fn facts(console: &Console, subject: &Subject, principal: &Principal) -> Vec<Fact> {
    let (user_name, email, kind) = match principal {
        Principal::User(user) => (
            user.user_name.as_str(),
            user.email.as_deref().unwrap_or_default(),
            match user.guest {
                GuestStatus::Guest => "Guest of the tenant",
                GuestStatus::Member => "Member of the tenant",
            },
        ),
        Principal::Workload(workload) => (workload.client.as_str(), "", "Service"),
        Principal::Anonymous => ("", "", ""),
    };
    let roles = console.rules.roles(principal);
    let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let mut facts = vec![
        Fact::prose("User name", user_name),
        Fact::prose("E-mail", email),
        Fact::prose("Kind", kind),
        Fact::prose("Console roles", &roles.join(", ")),
        Fact::code("Tenant", subject.tenant.as_str()),
        Fact::code("Account id", &subject.to_string()),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts
}
