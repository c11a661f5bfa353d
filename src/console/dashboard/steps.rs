//! The first steps with a new installation, each told by what is there.

use crate::authz::console::{ConsoleAction, ConsoleRole, Holder};
use crate::console::Console;
use crate::console::guard::Admitted;
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::id::ReleaseNumber;
use crate::web::link::Link;

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whether it was taken.
    pub progress: Progress,
    /// What to do.
    pub text: &'static str,
    /// Why, or how.
    pub hint: &'static str,
    /// Where, for those who may go there.
    pub link: Option<Link>,
}

/// Whether a step was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It was.
    Done,
    /// It was not.
    Open,
}

impl Step {
    /// Whether it was taken.
    pub fn is_done(&self) -> bool {
        self.progress == Progress::Done
    }
}

fn progress(done: Option<()>) -> Progress {
    done.map_or(Progress::Open, |()| Progress::Done)
}

/// The steps as `asked` sees them; `verified` says that the log was checked once.
pub(super) fn steps(
    (console, asked): (&Console, &Admitted),
    shown: &Shown,
    verified: Option<()>,
) -> Vec<Step> {
    let known = console.entra.standing().metadata_at.map(|_| ());
    let routes = (!shown.book.routes.is_empty()).then_some(());
    let published = shown.number > ReleaseNumber::default();
    let granted = (published && !shown.book.grants.is_empty()).then_some(());
    let step = |done, [text, hint]: [&'static str; 2], link| Step {
        progress: progress(done),
        text,
        hint,
        link,
    };
    vec![
        step(
            known,
            ["Connect Entra", "Cedargate reads your tenant's keys, and people sign in with it."],
            Some(urls::entra()),
        ),
        step(
            routes,
            ["Add a route", "What has no route is closed. Each route belongs to an app."],
            Some(urls::routes()),
        ),
        step(
            granted,
            ["Publish a first grant", "It says who may open a route, and under which conditions."],
            Some(if routes.is_some() { urls::routes() } else { urls::policies() }),
        ),
        step(
            second_owner(console),
            ["Name a second owner", "One person alone is locked out together with their account."],
            asked
                .may(console, ConsoleAction::ReadSettings)
                .then(|| urls::settings().with_query("q", "console.owners")),
        ),
        step(
            verified,
            ["Check the log", "It proves that nothing was changed or removed."],
            asked.may(console, ConsoleAction::ReadLog).then(urls::integrity),
        ),
    ]
}

/// A group or a role can hold several; a person is one.
fn second_owner(console: &Console) -> Option<()> {
    let owners = console.rules.holders().iter().filter(|(role, _)| *role == ConsoleRole::Owner);
    let weight = |holder: &Holder| match holder {
        Holder::Group(_) | Holder::Role(_) => 2,
        Holder::Person(_) => 1,
    };
    let held: usize = owners.map(|(_, holder)| weight(holder)).sum();
    (held >= 2).then_some(())
}
