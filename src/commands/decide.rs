//! `cedargate decide`: one decision, explained.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;

use super::rule_source::Source;
use crate::authz::decision::Question;
use crate::authz::explain::Explanation;
use crate::authz::path::CanonicalPath;
use crate::authz::telling::Teller;
use crate::model::app::App;
use crate::model::grant::Method;
use crate::model::id::{AppId, GroupId};
use crate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use crate::model::record::{Circumstances, ClientAddress, MfaState, Verdict};
use crate::model::time::{Clock, Instant, Span};

/// Who asks for what, and how things stand.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Options {
    /// The app's id
    #[arg(long)]
    app: String,
    /// The HTTP method
    #[arg(long, default_value = "GET")]
    method: String,
    /// The path, as a browser sends it
    #[arg(long)]
    path: String,
    /// The person: tenant id, a dot, and object id; somebody unknown but signed in when only groups or roles are given
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// A group of the person: its object id, or its name in the rule book; may be given several times
    #[arg(long, value_name = "ID")]
    group: Vec<String>,
    /// An app role of the person; may be given several times
    #[arg(long)]
    role: Vec<String>,
    /// The person is a guest of the tenant
    #[arg(long)]
    guest: bool,
    /// The client's address
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    from: IpAddr,
    /// The time (RFC 3339); the present when it is not given
    #[arg(long, value_name = "TIME")]
    at: Option<Instant>,
    /// The session met the MFA context of the settings
    #[arg(long)]
    mfa: bool,
    /// An authentication context that the session met; may be given several times
    #[arg(long, value_name = "NAME")]
    auth_context: Vec<String>,
    /// How long ago the person proved who they are, as in 10m
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    signed_in: String,
    /// Decide by the rules in this folder instead of the live release
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// Decides and tells why; exit code 0 for allow, 1 for deny.
///
/// # Errors
/// When the question can't be put: unknown app, method or group, a path that can't be read in one way, unusable rules.
#[expect(clippy::print_stdout, reason = "the answer is what this command says")]
pub async fn run(config: Option<&Path>, options: &Options) -> Result<ExitCode> {
    let source = Source::open(config, options.rules.as_deref()).await?;
    let Some(explanation) = explain(&source, options)? else {
        println!("deny  no route of the app covers the path");
        return Ok(ExitCode::from(1));
    };
    let told = Teller { book: &source.book, names: &source.names }.tell(&explanation);
    if options.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        print!("{told}");
    }
    Ok(match told.verdict {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Deny => ExitCode::from(1),
    })
}

/// None when no route covers the path.
fn explain(source: &Source, options: &Options) -> Result<Option<Explanation>> {
    let app = app(source, &options.app)?;
    let method = Method::from_name(&options.method);
    let method = method
        .ok_or_else(|| anyhow!("`{}` is not a method; they are upper-case", options.method))?;
    let keeps = |path: &CanonicalPath| source.snapshot.keeps_slashes(Some(&app.id), path);
    let path = CanonicalPath::read_where(options.path.as_bytes(), keeps).map_err(|refusal| {
        anyhow!("the path is refused before anything is decided: {}", refusal.rule())
    })?;
    let path = source.snapshot.as_app_reads(Some(&app.id), path);
    let Some(found) = source.snapshot.find(&app.id, path.as_str()) else { return Ok(None) };
    let now = options.at.map_or_else(|| Clock::System.now(), |at| at.0);
    let principal = principal(source, options)?;
    let known = principal.is_known();
    let span: Span = options.signed_in.parse()?;
    let circumstances = Circumstances {
        now,
        mfa: if options.mfa && known { MfaState::Met } else { MfaState::NotMet },
        auth_contexts: options.auth_context.iter().filter(|_| known).cloned().collect(),
        signed_in_at: known.then(|| now.minus(span.0)),
        params: found.params.clone(),
        local: source.snapshot.local(now),
    };
    let origin = app.origins.first().context("the app has no origin")?;
    let question = Question {
        principal: &principal,
        route: &found.route,
        method,
        host: origin.host(),
        path: path.as_str(),
        client: ClientAddress::Known(options.from),
        circumstances: &circumstances,
    };
    Ok(Some(source.snapshot.explain(&question)?))
}

pub(super) fn app<'a>(source: &'a Source, id: &str) -> Result<&'a App> {
    let known = || source.book.apps.iter();
    let found = id.parse::<AppId>().ok().and_then(|id| known().find(|app| app.id == id));
    found.ok_or_else(|| {
        let ids: Vec<_> = known().map(|app| app.id.as_str()).collect();
        anyhow!("there is no app `{id}`; the rule book has: {}", ids.join(", "))
    })
}

fn principal(source: &Source, options: &Options) -> Result<std::sync::Arc<PrincipalSnapshot>> {
    let Options { user, group: groups, role: roles, .. } = options;
    if user.is_none() && groups.is_empty() && roles.is_empty() {
        if options.guest {
            bail!(
                "--guest needs --user, --group or --role: who is not signed in is nobody's guest"
            );
        }
        return Ok(PrincipalSnapshot::anonymous());
    }
    let nobody = "00000000-0000-0000-0000-000000000000.00000000-0000-0000-0000-000000000000";
    let groups = groups.iter().map(|group| group_id(source, group));
    Ok(PrincipalSnapshot::new(Principal::User(User {
        subject: user.as_deref().unwrap_or(nobody).parse()?,
        user_name: String::new(),
        name: String::new(),
        email: None,
        guest: if options.guest { GuestStatus::Guest } else { GuestStatus::Member },
        groups: groups.collect::<Result<_>>()?,
        roles: roles.iter().map(|role| role.parse()).collect::<Result<BTreeSet<_>, _>>()?,
        directory_roles: BTreeSet::new(),
    })))
}

/// A group by its id, or by the one name that the rule book gives.
pub(super) fn group_id(source: &Source, text: &str) -> Result<GroupId> {
    let named = source.book.group_names.iter().filter(|(_, name)| name.as_str() == text);
    let named: Vec<_> = named.map(|(id, _)| id.clone()).collect();
    match (text.parse(), named.as_slice()) {
        (Ok(id), _) => Ok(id),
        (Err(_), [id]) => Ok(id.clone()),
        (Err(_), []) => bail!("no group is called `{text}`; give its object id"),
        (Err(_), _) => bail!("several groups are called `{text}`; give the object id"),
    }
}
