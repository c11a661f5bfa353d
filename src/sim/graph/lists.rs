//! Memberships as paged lists: `transitiveMemberOf` and `memberOf`, with the cast to groups and without.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::caller::{Answer, Call, READS_GROUPS, Refusal, Whom, holds};
use crate::sim::groups::{Group, GroupKind};
use crate::sim::params::Params;
use crate::sim::people::Person;
use crate::sim::state::State as Memory;
use crate::sim::tenant::Sim;

/// Entries of a page when nothing is said.
const PAGE: usize = 100;
/// The most entries of a page.
const MAX_PAGE: usize = 999;
/// The cast's name in addresses.
const CAST: &str = "microsoft.graph.group";

/// What kinds of objects a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Groups,
    All,
}

/// Whether the number of all entries is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Wanted,
    Unwanted,
}

/// Whether the client may read more of a group than its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Shown,
    Hidden,
}

/// One page that is asked for.
struct Page {
    top: usize,
    skip: usize,
    select: Vec<String>,
    count: Count,
}

/// The list that an address names.
struct List<'a> {
    whom: Whom<'a>,
    name: &'a str,
    kinds: Kinds,
    query: &'a str,
}

/// `GET /v1.0/me/{call}`
pub(super) async fn mine(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let list = List { whom: Whom::Me, name: &name, kinds: Kinds::All, query: &query };
    let call = Call { sim: &sim, headers: &headers };
    call.finish(answer(call, &list))
}

/// `GET /v1.0/me/{call}/microsoft.graph.group`
pub(super) async fn my_groups(
    State(sim): State<Sim>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let list = List { whom: Whom::Me, name: &name, kinds: Kinds::Groups, query: &query };
    let call = Call { sim: &sim, headers: &headers };
    call.finish(answer(call, &list))
}

/// `GET /v1.0/users/{id}/{call}`
pub(super) async fn theirs(
    State(sim): State<Sim>,
    Path((id, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let list = List { whom: Whom::User(&id), name: &name, kinds: Kinds::All, query: &query };
    let call = Call { sim: &sim, headers: &headers };
    call.finish(answer(call, &list))
}

/// `GET /v1.0/users/{id}/{call}/microsoft.graph.group`
pub(super) async fn their_groups(
    State(sim): State<Sim>,
    Path((id, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let list = List { whom: Whom::User(&id), name: &name, kinds: Kinds::Groups, query: &query };
    let call = Call { sim: &sim, headers: &headers };
    call.finish(answer(call, &list))
}

fn answer(call: Call<'_>, list: &List<'_>) -> Answer {
    if !matches!(list.name, "transitiveMemberOf" | "memberOf") {
        return Err(Refusal::Unknown(list.name.to_owned()));
    }
    let access = call.access()?;
    let person = call.person(list.whom, &access)?;
    let page = page(list).map_err(Refusal::Bad)?;
    // An advanced query works on an index that lags, which the client has to accept.
    let eventual = call.headers.get("consistencylevel").is_some_and(|v| v == "eventual");
    if list.kinds == Kinds::Groups && !(eventual && page.count == Count::Wanted) {
        let text = "A cast needs the header ConsistencyLevel: eventual and $count=true.";
        return Err(Refusal::Unsupported(text));
    }
    let names = if holds(&access, &READS_GROUPS) { Names::Shown } else { Names::Hidden };
    let entries = entries(&call.sim.state(), &person, list.kinds, names);
    Ok(body(call.sim, list, &page, entries))
}

fn page(list: &List<'_>) -> Result<Page, String> {
    let params = Params::parse(list.query).ok_or("A query option was given twice.")?;
    let top = params.get("$top").map_or(Ok(PAGE), str::parse).ok();
    let top = top.filter(|top| (1..=MAX_PAGE).contains(top));
    let top = top.ok_or("Invalid page size specified. Must be between 1 and 999 inclusive.")?;
    let skip = params.get("$skiptoken").map_or(Some(0), offset);
    let select = params.get("$select").unwrap_or_default();
    Ok(Page {
        top,
        skip: skip.ok_or("Invalid $skiptoken.")?,
        select: select.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        count: match params.get("$count") {
            Some("true") => Count::Wanted,
            Some(_) | None => Count::Unwanted,
        },
    })
}

/// The place that a page begins at, hidden in its token.
fn offset(token: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("after:")?.parse().ok()
}

/// The person's memberships. Without permission to read groups a client sees their ids and nothing else.
fn entries(state: &Memory, person: &Person, kinds: Kinds, names: Names) -> Vec<Value> {
    let group = |id: &String| {
        let known = state.groups.get(id).filter(|_| names == Names::Shown);
        let name = known.map(|group: &Group| group.name.clone());
        let security = known.map(|group| group.kind == GroupKind::Security);
        json!({
            "@odata.type": "#microsoft.graph.group", "id": id, "displayName": name,
            "securityEnabled": security,
        })
    };
    let role = |id: &String| json!({ "@odata.type": "#microsoft.graph.directoryRole", "id": id, "displayName": null });
    let roles = person.directory_roles.iter().filter(|_| kinds == Kinds::All).map(role);
    person.groups.iter().map(group).chain(roles).collect()
}

fn body(sim: &Sim, list: &List<'_>, page: &Page, entries: Vec<Value>) -> Value {
    let (count, end) = (entries.len(), page.skip.saturating_add(page.top));
    let kind = if list.kinds == Kinds::Groups { "groups" } else { "directoryObjects" };
    let shown = entries.into_iter().skip(page.skip).take(page.top);
    let shown: Vec<Value> = shown.map(|entry| selected(entry, list.kinds, &page.select)).collect();
    let context = format!("https://graph.microsoft.com/v1.0/$metadata#{kind}");
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(context));
    if page.count == Count::Wanted && page.skip == 0 {
        body.insert("@odata.count".to_owned(), json!(count));
    }
    if end < count {
        body.insert("@odata.nextLink".to_owned(), json!(next(sim, list, end)));
    }
    body.insert("value".to_owned(), json!(shown));
    Value::Object(body)
}

/// An entry with the selected properties; its type is named where types are mixed.
fn selected(mut entry: Value, kinds: Kinds, select: &[String]) -> Value {
    if let Some(members) = entry.as_object_mut() {
        members.retain(|name, _| match name.as_str() {
            "@odata.type" => kinds == Kinds::All,
            name => select.is_empty() || select.iter().any(|asked| asked == name),
        });
    }
    entry
}

fn next(sim: &Sim, list: &List<'_>, from: usize) -> String {
    let whose = match list.whom {
        Whom::Me => "me".to_owned(),
        Whom::User(id) => format!("users/{id}"),
    };
    let cast = if list.kinds == Kinds::Groups { format!("/{CAST}") } else { String::new() };
    let token = URL_SAFE_NO_PAD.encode(format!("after:{from}"));
    let kept = url::form_urlencoded::parse(list.query.as_bytes());
    let kept = kept.filter(|(name, _)| name != "$skiptoken");
    let query = Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("$skiptoken", &token)
        .finish()
        // Graph leaves the dollar sign of its options as it is.
        .replace("%24", "$");
    format!("{}/v1.0/{whose}/{}{cast}?{query}", sim.origin(), list.name)
}
