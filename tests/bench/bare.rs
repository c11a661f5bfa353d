//! The same questions to Cedar alone, by all policies at once: what the index saves.

use std::collections::HashSet;
use std::error::Error;

use cedar_policy::{
    Authorizer, Context, Entities, Entity, EntityUid, PolicySet, Request, RestrictedExpression,
    Schema,
};
use cedargate::authz::snapshot::Snapshot;
use cedargate::model::principal::Principal;
use cedargate::model::record::Verdict;

use super::book::{Ask, Done};
use super::each;

/// Microseconds of one `is_authorized` over the whole set, entities and request ready.
pub(crate) fn cost(snapshot: &Snapshot, asks: &[Ask]) -> Done<f64> {
    let policies: PolicySet = snapshot.cedar().parse()?;
    let schema = Schema::from_json_str(snapshot.schema())?;
    // A large set takes a tenth of a second for each question.
    let asks = asks.get(..4).ok_or("four questions")?;
    let cases: Vec<_> = asks.iter().map(|ask| case(ask, &schema)).collect::<Done<_>>()?;
    each(cases.len(), || {
        for (request, entities, expected) in &cases {
            let response = Authorizer::new().is_authorized(request, &policies, entities);
            let verdict = match response.decision() {
                cedar_policy::Decision::Allow => Verdict::Allow,
                cedar_policy::Decision::Deny => Verdict::Deny,
            };
            if verdict != *expected {
                return Err(Box::<dyn Error>::from("bare Cedar decided otherwise"));
            }
        }
        Ok(())
    })
}

fn case(ask: &Ask, schema: &Schema) -> Done<(Request, Entities, Verdict)> {
    let Principal::User(user) = &**ask.principal else { return Err("not a person".into()) };
    let groups = user.groups.iter().map(|group| uid("Group", group.as_str()));
    let who = uid("User", &user.subject.to_string())?;
    let person = Entity::new_no_attrs(who.clone(), groups.collect::<Done<HashSet<_>>>()?);
    let chain = ask.chain.iter().map(|route| uid("Route", route));
    let chain = chain.collect::<Done<Vec<_>>>()?;
    let (what, above) = chain.split_first().ok_or("a route")?;
    let route = Entity::new_no_attrs(what.clone(), above.iter().cloned().collect());
    let entities = schema.action_entities()?.add_entities([person, route], None)?;
    let ip = RestrictedExpression::new_ip(ask.client.to_string());
    let context = Context::from_pairs([("ip".to_owned(), ip)])?;
    let action = uid("Action", ask.method.as_str())?;
    Ok((Request::new(who, action, what.clone(), context, None)?, entities, ask.expected))
}

fn uid(kind: &str, id: &str) -> Done<EntityUid> {
    Ok(format!("{kind}::\"{id}\"").parse::<EntityUid>()?)
}
