//! Permits that open more than one place to more than some.

use serde_json::Value;

use super::{Lint, LintKind, Read};
use crate::authz::problem::{Object, Problem};
use crate::model::grant::{Effect, Grant, What, Who};

/// A permit without conditions for everyone, on every route or on a whole app.
pub(super) fn of_policy(policy: &Read<'_>) -> Option<Lint> {
    let text = |path: &str| policy.form.pointer(path).and_then(Value::as_str);
    let bare = policy.form.get("conditions")?.as_array()?.is_empty();
    if text("/effect")? != "permit" || !bare {
        return None;
    }
    let who = match (text("/principal/op")?, text("/principal/entity_type")) {
        ("All", _) => "everyone, signed in or not,",
        ("is", Some("User")) if policy.form.pointer("/principal/in").is_none() => {
            "everyone signed in"
        }
        _ => return None,
    };
    let place = match (text("/resource/op")?, text("/resource/entity/type")) {
        ("All" | "is", _) => "on every route of every app",
        ("in", Some("App")) => "on every route of an app",
        _ => return None,
    };
    let what = format!("it opens to {who} all that it names {place}");
    let problem = Problem::new(policy.object(), &what).at(Some(policy.at(0)));
    Some(Lint::new(LintKind::Overbroad, problem.hint(Some(NARROW.to_owned()))))
}

/// A permit without conditions that lets everyone change things.
pub(super) fn of_grant(grant: &Grant) -> Option<Lint> {
    let changes = match &grant.what {
        What::Read => false,
        What::Write | What::All => true,
        What::Methods(methods) => methods.iter().any(|method| !method.is_read()),
    };
    let open =
        grant.effect == Effect::Permit && grant.who == Who::Everyone && grant.when.is_empty();
    (open && changes).then(|| {
        let what = "it lets everyone change things, signed in or not, from anywhere";
        let problem = Problem::new(Object::Grant(grant.id.clone()), &what);
        Lint::new(LintKind::Overbroad, problem.hint(Some(NARROW.to_owned())))
    })
}

const NARROW: &str = "name who, where or under which conditions";
