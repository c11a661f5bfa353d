//! One group or one app role: its names, all that uses it, and who of those we know is in it.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;

use super::known::{PersonCell, known};
use super::membership::{Ledger, Membership, Uses};
use crate::authz::console::ConsoleAction;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::choice::Named;
use crate::console::guard::Admitted;
use crate::console::log::fact::Fact;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::{GroupNote, heading};
use crate::model::grant::Grant;
use crate::model::group::KnownGroup;
use crate::model::known::Known;
use crate::model::time::Timestamp;
use crate::model::words;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame};

/// Members that are shown.
const ROWS: usize = 500;

/// One group or role.
#[derive(Debug, Clone, Template)]
#[template(path = "console/directory/group.html")]
pub struct GroupPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// All groups and roles.
    pub up: Link,
    /// The whole id, where the name is the beginning of it.
    pub whole: Option<String>,
    /// Its name.
    pub who: String,
    /// What kind it is ("Group").
    pub kind: &'static str,
    /// What is to be said of a group.
    pub note: Option<GroupNote>,
    /// Its names and times.
    pub facts: Vec<Fact>,
    /// Grants that speak of it.
    pub grants: Vec<GrantUse>,
    /// Hand-written policies that name it.
    pub policies: Vec<String>,
    /// Console roles that the settings give by it.
    pub console: Vec<&'static str>,
    /// Who is in it, in words.
    pub summary: String,
    /// Who is in it, for those who may see people.
    pub people: Option<Vec<MemberRow>>,
}

/// A grant that speaks of a group or role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantUse {
    /// The grant.
    pub grant: Named,
    /// As a sentence.
    pub sentence: String,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Who.
    pub who: PersonCell,
    /// When that was last seen.
    pub seen: Moment,
}

/// Which role.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RoleQuery {
    value: String,
}

/// Answers with one group.
pub(in crate::console) async fn group(console: Arc<Console>, asked: Admitted) -> Answer {
    let id = asked.param("group").parse().map_err(|_| Box::new(asked.no_page()))?;
    answer(&console, &asked, &Membership::Group(id)).await
}

/// Answers with one app role.
pub(in crate::console) async fn role(console: Arc<Console>, asked: Admitted) -> Answer {
    let RoleQuery { value } = asked.query()?;
    let value = value.parse().map_err(|_| Box::new(asked.no_page()))?;
    answer(&console, &asked, &Membership::Role(value)).await
}

/// 404 for one that nothing brings up.
async fn answer(console: &Console, asked: &Admitted, membership: &Membership) -> Answer {
    let shown = asked.shown(console).await?;
    let known = known(console).await.map_err(|error| Box::new(asked.unavailable(&error)))?;
    let ledger = Ledger::new(console, &shown);
    if !ledger.all(&known).contains(membership) {
        return Err(Box::new(asked.no_page()));
    }
    let frame = shown.framed(asked.frame("Group", Section::Groups)?);
    let uses = ledger.uses(membership);
    let mut page = filled((console, &shown, &known), frame, (membership, &uses));
    page.people =
        asked.may(console, ConsoleAction::ReadPeople).then(|| members(&known, membership));
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}

fn filled(
    (console, shown, known): (&Console, &Shown, &Known),
    mut frame: Frame,
    (membership, uses): (&Membership, &Uses<'_>),
) -> GroupPage {
    let (who, kind, note, facts) = match membership {
        Membership::Group(id) => (
            shown.names.label(id),
            "Group",
            shown.names.mark(id).map(GroupNote::new),
            facts(id.as_str(), console.groups.known().get(id), shown.book.group_names.get(id)),
        ),
        Membership::Role(value) => {
            (value.to_string(), "App role", None, vec![Fact::code("Value", value.as_str())])
        }
    };
    let (who, whole) = heading(&who);
    frame.title.clone_from(&who);
    let count = known.iter().filter(|(_, person)| membership.is_of(person)).count();
    GroupPage {
        frame,
        up: urls::groups(),
        who,
        whole,
        kind,
        note,
        facts,
        grants: uses.grants.iter().map(|grant| grant_use(shown, grant)).collect(),
        policies: uses.policies.iter().map(ToString::to_string).collect(),
        console: uses.console.iter().map(|role| role.as_str()).collect(),
        summary: summary(count),
        people: None,
    }
}

fn summary(count: usize) -> String {
    match count {
        0 => "Nobody who was here was in it.".to_owned(),
        1 => "1 of those who were here was in it when last seen.".to_owned(),
        count => format!("{count} of those who were here were in it when last seen."),
    }
}

fn grant_use(shown: &Shown, grant: &Grant) -> GrantUse {
    let link = Some(urls::grant(&grant.route, &grant.id));
    GrantUse {
        grant: Named { name: grant.id.to_string(), link },
        sentence: words::sentence(grant, &shown.names),
    }
}

/// What Entra and the rule book say of a group.
fn facts(id: &str, known: Option<&KnownGroup>, typed: Option<&String>) -> Vec<Fact> {
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let at =
        |value: Option<Timestamp>| value.map_or_else(String::new, |at| Moment::new(at).minute());
    let mut facts = vec![
        Fact::code("Object id", id),
        Fact::prose("Name in Entra", &text(known.and_then(|group| group.name.as_ref()))),
        Fact::prose("Name before", &text(known.and_then(|group| group.former_name.as_ref()))),
        Fact::prose("Name in the rule book", &text(typed)),
        Fact::prose("Unknown to Entra since", &at(known.and_then(|group| group.gone_at))),
        Fact::prose("Last in a token", &at(known.and_then(|group| group.seen_at))),
        Fact::prose("Entra last asked", &at(known.and_then(|group| group.checked_at))),
    ];
    facts.retain(|fact| !fact.value.is_empty());
    facts
}

fn members(known: &Known, membership: &Membership) -> Vec<MemberRow> {
    let row = |(subject, person): (_, &crate::model::known::KnownPrincipal)| MemberRow {
        who: PersonCell::of(subject, &person.content),
        seen: Moment::new(person.seen_at),
    };
    let members = known.named("").into_iter().filter(|(_, person)| membership.is_of(person));
    members.take(ROWS).map(row).collect()
}
