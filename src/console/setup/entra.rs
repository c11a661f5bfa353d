//! How Cedargate itself stands at Entra: what it proves itself with, whether Entra answers, what groups are called.

use std::sync::Arc;

use askama::Template;
use http::StatusCode;

use crate::authz::compile::groups_named;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::console::sections::Section;
use crate::console::showing::Shown;
use crate::console::words::GroupNote;
use crate::groups::NamesStanding;
use crate::idp::{CredentialOutcome, CredentialReport, Idp, Reach, Standing, Which};
use crate::model::grant::{Grant, Who};
use crate::model::group::{GroupNames, KnownGroup};
use crate::model::id::GroupId;
use crate::model::time::Timestamp;
use crate::web::moment::Moment;
use crate::web::page::{self, Frame, Notice, Tone};

/// A credential that ends within this many days needs somebody's attention.
const SOON: u64 = 30;
/// And within this many, at once.
const AT_ONCE: u64 = 7;
const DAY: u64 = 24 * 60 * 60;

/// How Cedargate stands at Entra.
#[derive(Debug, Clone, Template)]
#[template(path = "console/setup/entra.html")]
pub struct EntraPage {
    /// What surrounds the page.
    pub frame: Frame,
    /// Whether Entra answers.
    pub reach: Remark,
    /// What Cedargate proves itself with.
    pub credentials: Vec<CredentialRow>,
    /// Whether the names of groups can be read.
    pub names: Remark,
    /// Groups that rules name, those with something to be said of them first.
    pub groups: Vec<GroupRow>,
}

/// Something said in a sentence, and how it is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How it is meant.
    pub tone: Tone,
    /// The sentence.
    pub text: String,
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRow {
    /// What it is ("client secret").
    pub name: &'static str,
    /// The table of the settings that holds it.
    pub setting: &'static str,
    /// When it ends.
    pub end: Remark,
    /// What Entra made of it, or what is wrong with its files.
    pub outcome: Remark,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Its name, or its id.
    pub who: String,
    /// Its object id.
    pub id: String,
    /// What is to be said of it.
    pub note: Option<GroupNote>,
    /// In how many grants it stands ("2 grants").
    pub used: String,
    /// When Entra was last asked about it.
    pub checked: String,
}

/// Whether Entra answers, in a sentence.
pub(in crate::console) fn reach(standing: &Standing, now: Timestamp) -> Remark {
    let since = standing.metadata_at.map(|at| Moment::new(at).minute());
    match (standing.reach, since) {
        (Reach::Reached, Some(at)) => {
            Remark { tone: Tone::Good, text: format!("Entra answers. Its keys are from {at}.") }
        }
        (Reach::Failing, Some(at)) => Remark {
            tone: Tone::Careful,
            text: format!(
                "Entra did not answer the last time. Its keys from {at} are still in use; people who are signed in stay so."
            ),
        },
        (Reach::Failing, None) => Remark {
            tone: Tone::Bad,
            text: "Entra does not answer, so nobody can sign in.".to_owned(),
        },
        (Reach::Unknown, _) | (Reach::Reached, None) => Remark {
            tone: Tone::Plain,
            text: format!("Nobody needed Entra yet, as of {}.", Moment::new(now).minute()),
        },
    }
}

/// A credential in words.
fn credential(report: &CredentialReport, now: Timestamp) -> CredentialRow {
    CredentialRow {
        name: report.kind.words(),
        setting: match report.which {
            Which::First => "[entra]",
            Which::Second => "[entra.second]",
        },
        end: end(report.expires_at, now),
        outcome: outcome(report),
    }
}

fn end(expires_at: Option<Timestamp>, now: Timestamp) -> Remark {
    let Some(at) = expires_at else {
        return Remark { tone: Tone::Plain, text: "Not known when it ends".to_owned() };
    };
    let day = Moment::new(at).day();
    if at <= now {
        return Remark { tone: Tone::Bad, text: format!("Ended {day}") };
    }
    let days = at.since(now).as_secs() / DAY;
    let tone = match days {
        0..AT_ONCE => Tone::Bad,
        AT_ONCE..SOON => Tone::Careful,
        SOON.. => Tone::Good,
    };
    let left = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    Remark { tone, text: format!("Ends {day}, in {left}") }
}

fn outcome(report: &CredentialReport) -> Remark {
    if let Some(problem) = &report.problem {
        return Remark { tone: Tone::Bad, text: problem.to_string() };
    }
    match &report.outcome {
        CredentialOutcome::Untried => {
            Remark { tone: Tone::Plain, text: "Not shown to Entra since the start".to_owned() }
        }
        CredentialOutcome::Accepted { at } => Remark {
            tone: Tone::Good,
            text: format!("Entra took it, {}", Moment::new(*at).minute()),
        },
        CredentialOutcome::Refused { at, refusal } => Remark {
            tone: Tone::Bad,
            text: format!("Entra refused it ({}), {}", refusal.code(), Moment::new(*at).minute()),
        },
    }
}

/// Whether names can be read, in a sentence.
pub(in crate::console) fn names(standing: &NamesStanding) -> Remark {
    match standing {
        NamesStanding::Untried => Remark {
            tone: Tone::Plain,
            text: "Names were not asked for since the start.".to_owned(),
        },
        NamesStanding::Read { at } => Remark {
            tone: Tone::Good,
            text: format!("Names come from Entra, as of {}.", Moment::new(*at).minute()),
        },
        NamesStanding::NoPermission { detail } => Remark {
            tone: Tone::Plain,
            text: format!("Names are those typed into the rule book: {detail}."),
        },
        NamesStanding::Failing { at, detail } => Remark {
            tone: Tone::Careful,
            text: format!(
                "Names could not be read, {}: {detail}. They are as old as they say.",
                Moment::new(*at).minute()
            ),
        },
    }
}

/// A group in words.
fn group(
    (id, known): (&GroupId, Option<&KnownGroup>),
    names: &GroupNames,
    grants: usize,
) -> GroupRow {
    let checked = known.and_then(|group| group.checked_at);
    GroupRow {
        who: names.label(id),
        id: id.to_string(),
        note: names.mark(id).map(GroupNote::new),
        used: if grants == 1 { "1 grant".to_owned() } else { format!("{grants} grants") },
        checked: checked.map_or_else(|| "Not yet".to_owned(), |at| Moment::new(at).minute()),
    }
}

/// Those with something wrong first, then by name.
fn sort(groups: &mut [GroupRow]) {
    let rank = |row: &GroupRow| match row.note.as_ref().map(|note| note.tone) {
        Some(Tone::Bad | Tone::Careful) => 0,
        Some(Tone::Plain | Tone::Good) => 1,
        None => 2,
    };
    groups.sort_by_cached_key(|row| (rank(row), row.who.to_lowercase(), row.id.clone()));
}

/// How Cedargate itself stands at Entra, for whoever shows it.
pub trait AtEntra: std::fmt::Debug + Send + Sync {
    /// What it proves itself with.
    fn credentials(&self) -> Vec<CredentialReport>;

    /// Whether Entra answers.
    fn standing(&self) -> Standing;
}

impl AtEntra for Idp {
    fn credentials(&self) -> Vec<CredentialReport> {
        Self::credentials(self)
    }

    fn standing(&self) -> Standing {
        Self::standing(self)
    }
}

/// What the page shows.
fn filled(console: &Console, (shown, frame): (&Shown, Frame), now: Timestamp) -> EntraPage {
    let known = console.groups.known();
    let named = groups_named(&shown.book);
    let row = |id: &GroupId| {
        let speaks = |grant: &&Grant| matches!(&grant.who, Who::Group(of) if of == id);
        let grants = shown.book.grants.iter().filter(speaks).count();
        group((id, known.get(id)), &shown.names, grants)
    };
    let mut groups: Vec<_> = named.iter().map(row).collect();
    sort(&mut groups);
    let credentials = console.entra.credentials();
    EntraPage {
        frame,
        reach: reach(&console.entra.standing(), now),
        credentials: credentials.iter().map(|report| credential(report, now)).collect(),
        names: names(&console.groups.standing()),
        groups,
    }
}

/// Credentials that end soon: when, what it is, and the same in words.
pub(in crate::console) fn ends(
    entra: &dyn AtEntra,
    now: Timestamp,
) -> Vec<(Timestamp, String, Notice)> {
    let soon = |report: &CredentialReport| {
        let at = report.expires_at.filter(|at| at.since(now).as_secs() < SOON * DAY)?;
        let CredentialRow { name, setting, end, .. } = credential(report, now);
        let notice = Notice { tone: end.tone, text: end.text };
        Some((at, format!("The {name} in {setting}"), notice))
    };
    entra.credentials().iter().filter_map(soon).collect()
}

/// What somebody must do soon about a credential, for the console's first page; the most pressing one.
pub(in crate::console) fn warning(entra: &dyn AtEntra, now: Timestamp) -> Option<Notice> {
    let mut pressing: Vec<_> = entra
        .credentials()
        .iter()
        .map(|report| credential(report, now))
        .flat_map(|row| {
            let text = |remark: &Remark| {
                format!("The {} in {}: {}. See Entra.", row.name, row.setting, remark.text)
            };
            [&row.end, &row.outcome].map(|remark| Notice { tone: remark.tone, text: text(remark) })
        })
        .filter(|notice| matches!(notice.tone, Tone::Bad | Tone::Careful))
        .collect();
    pressing.sort_by_key(|notice| notice.tone != Tone::Bad);
    pressing.into_iter().next()
}

/// Answers with the page.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let shown = asked.shown(&console).await?;
    let frame = shown.framed(asked.frame("Entra", Section::Entra)?);
    let page = filled(&console, (&shown, frame), asked.exchange.at);
    Ok(page::console(StatusCode::OK, &page.frame, &page))
}
