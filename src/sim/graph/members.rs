//! Questions about a person's memberships that are answered in one piece: `getMember…` and `checkMember…`.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};

use super::caller::{Answer, Call, Refusal, Whom};
use crate::sim::groups::GroupKind;
use crate::sim::people::Person;
use crate::sim::tenant::Sim;

/// The most ids that one check takes.
const CHECKED: usize = 20;

const CONTEXT: &str = "https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)";

/// What a call wants to know.
enum Question {
    /// Ids of groups, and of directory roles where the second says so.
    All(Only, Roles),
    /// Those of these ids that the person belongs to.
    Which(BTreeSet<String>, Roles),
}

/// Which groups count.
#[derive(PartialEq, Eq)]
enum Only {
    Security,
    Everything,
}

/// Whether directory roles count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Roles {
    Counted,
    Left,
}

/// `POST /v1.0/me/{call}`
pub(super) async fn mine(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(ask(call, Whom::Me, &name, &body))
}

/// `POST /v1.0/users/{id}/{call}`
pub(super) async fn theirs(
    State(sim): State<Sim>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call { sim: &sim, headers: &headers };
    call.finish(ask(call, Whom::User(&id), &name, &body))
}

fn ask(call: Call<'_>, whom: Whom<'_>, name: &str, body: &[u8]) -> Answer {
    let access = call.access()?;
    let person = call.person(whom, &access)?;
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let question = match name {
        "getMemberObjects" => all(&body, Roles::Counted)?,
        "getMemberGroups" => all(&body, Roles::Left)?,
        "checkMemberObjects" => which(&body, "ids", Roles::Counted)?,
        "checkMemberGroups" => which(&body, "groupIds", Roles::Left)?,
        _ => return Err(Refusal::Unknown(name.to_owned())),
    };
    answer(call.sim, &person, &question)
}

fn all(body: &Value, roles: Roles) -> Result<Question, Refusal> {
    match body.get("securityEnabledOnly").and_then(Value::as_bool) {
        // Directory roles are not security groups.
        Some(true) => Ok(Question::All(Only::Security, Roles::Left)),
        Some(false) => Ok(Question::All(Only::Everything, roles)),
        None => Err(Refusal::Bad("securityEnabledOnly is required.".to_owned())),
    }
}

fn which(body: &Value, member: &str, roles: Roles) -> Result<Question, Refusal> {
    let ids = body.get(member).and_then(Value::as_array);
    let ids = ids.ok_or_else(|| Refusal::Bad(format!("{member} is required.")))?;
    if ids.len() > CHECKED {
        let text = format!("Number of included identifiers cannot exceed '{CHECKED}'.");
        return Err(Refusal::Bad(text));
    }
    let ids = ids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Question::Which(ids, roles))
}

fn answer(sim: &Sim, person: &Person, question: &Question) -> Answer {
    let state = sim.state();
    let (ids, limit): (Vec<&String>, usize) = match question {
        Question::All(only, roles) => {
            let security = |id: &&String| {
                let group = state.groups.get(*id);
                group.is_none_or(|group| group.kind == GroupKind::Security)
            };
            let counts = |id: &&String| *only == Only::Everything || security(id);
            let groups = person.groups.iter().filter(counts);
            (groups.chain(held(person, *roles)).collect(), state.graph.size_limit)
        }
        Question::Which(asked, roles) => {
            let all = person.groups.iter().chain(held(person, *roles));
            (all.filter(|id| asked.contains(*id)).collect(), usize::MAX)
        }
    };
    if ids.len() > limit {
        return Err(Refusal::TooMany);
    }
    Ok(json!({ "@odata.context": CONTEXT, "value": ids }))
}

fn held(person: &Person, roles: Roles) -> impl Iterator<Item = &String> {
    let counted = roles == Roles::Counted;
    person.directory_roles.iter().filter(move |_| counted)
}
