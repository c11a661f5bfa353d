//! `cedargate rules who` and `rules what`: who can reach a route, and what somebody can reach.
//!
//! Asked for everybody whom the rule book names, with nothing known of the circumstances; so an answer is `always`,
//! `never`, or `if` and the conditions.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::decide::{app, group_id};
use super::rule_source::Source;
use crate::authz::assertions::Inquiry;
use crate::authz::prospect::Prospect;
use crate::authz::stand_in;
use crate::authz::telling::Teller;
use crate::model::grant::{Method, Who};
use crate::model::route::Route;
use crate::model::time::Clock;
use crate::model::words;

/// Which rules are asked.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Scope {
    /// The app's id
    #[arg(long)]
    app: String,
    /// The HTTP method
    #[arg(long, default_value = "GET")]
    method: String,
    /// The rules in this folder instead of the live release
    #[arg(long, value_name = "DIR")]
    rules: Option<std::path::PathBuf>,
    /// List those who never can as well
    #[arg(long)]
    all: bool,
}

/// Somebody whom a rule could name.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Whom {
    /// Members of this group: object id, or its name in the rule book
    #[arg(long, value_name = "ID")]
    group: Option<String>,
    /// Holders of this app role
    #[arg(long)]
    role: Option<String>,
    /// This person: tenant id, a dot, and object id
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Anybody signed in
    #[arg(long)]
    signed_in: bool,
    /// Anybody, signed in or not
    #[arg(long)]
    everyone: bool,
}

/// Who can reach the route that a path leads to.
///
/// # Errors
/// When the rules can't be used, or no route covers the path.
pub async fn who(config: Option<&Path>, scope: &Scope, path: &str) -> Result<()> {
    let source = Source::open(config, scope.rules.as_deref()).await?;
    let app = app(&source, &scope.app)?;
    let found = source.snapshot.find(&app.id, path);
    let route = found.with_context(|| format!("no route of `{}` covers `{path}`", app.id))?.route;
    let everybody = stand_in::known(&source.book);
    let label = |who: &Who| words::who(who, &source.names);
    let rows = everybody.iter().map(|who| (label(who), who, &*route));
    print(&source, scope, rows)
}

/// What somebody can reach.
///
/// # Errors
/// When the rules can't be used, or it is not clear who is meant.
pub async fn what(config: Option<&Path>, scope: &Scope, whom: &Whom) -> Result<()> {
    let source = Source::open(config, scope.rules.as_deref()).await?;
    let app = app(&source, &scope.app)?;
    let who = whom.read(&source)?;
    let routes = source.book.routes.iter().filter(|route| *route.id.app() == app.id);
    let rows = routes.map(|route| (format!("{}  {}", route.id, route.pattern), &who, route));
    print(&source, scope, rows)
}

#[expect(clippy::print_stdout, reason = "the answer is what this command says")]
fn print<'a>(
    source: &Source,
    scope: &Scope,
    rows: impl Iterator<Item = (String, &'a Who, &'a Route)>,
) -> Result<()> {
    let Some(method) = Method::from_name(&scope.method) else {
        bail!("`{}` is not a method; they are upper-case", scope.method);
    };
    let now = Clock::System.now();
    let inquiry = Inquiry { book: &source.book, snapshot: &source.snapshot, now };
    let teller = Teller { book: &source.book, names: &source.names };
    for (label, who, route) in rows {
        let (prospect, known) = inquiry.on_route(who, method, route)?;
        if scope.all || !matches!(prospect, Prospect::Never(_)) {
            println!("{label}: {}", teller.prospect(&prospect, known));
        }
    }
    Ok(())
}

impl Whom {
    fn read(&self, source: &Source) -> Result<Who> {
        let Self { group, role, user, signed_in, .. } = self;
        Ok(match (group, role, user) {
            (Some(group), ..) => Who::Group(group_id(source, group)?),
            (_, Some(role), _) => Who::Role(role.parse()?),
            (.., Some(user)) => Who::Person(user.parse()?),
            (None, None, None) if *signed_in => Who::SignedIn,
            (None, None, None) => Who::Everyone,
        })
    }
}
