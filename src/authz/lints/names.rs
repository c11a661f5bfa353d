//! Groups that nobody gave a name, and app roles that are most likely misspelt.

use std::collections::BTreeMap;

use super::{Lint, LintKind};
use crate::authz::nearest::nearest;
use crate::authz::problem::{Object, Problem};
use crate::authz::tokens::literals;
use crate::model::grant::Who;
use crate::model::group::{GroupMark, GroupNames};
use crate::model::id::GroupId;
use crate::model::problem::Position;
use crate::model::rule_book::RuleBook;

/// Where something is named.
type Place = (Object, Option<Position>);

pub(super) fn of_book(book: &RuleBook, names: &GroupNames) -> Vec<Lint> {
    let (mut groups, mut roles) = (Vec::new(), BTreeMap::<String, Vec<Place>>::new());
    for grant in &book.grants {
        let place = (Object::Grant(grant.id.clone()), None);
        match &grant.who {
            Who::Group(id) => groups.push((id.clone(), place)),
            Who::Role(role) => roles.entry(role.to_string()).or_default().push(place),
            Who::Person(_) | Who::Workload(_) | Who::Tenants(_) | Who::SignedIn | Who::Everyone => {
            }
        }
    }
    for policy in &book.policies {
        for literal in literals(&policy.text) {
            let at = Some(Position::at(&policy.text, literal.offset));
            let place = (Object::Policy(policy.id.clone()), at);
            match literal.kind {
                "Group" => groups.extend(literal.id.parse::<GroupId>().map(|id| (id, place))),
                "AppRole" => roles.entry(literal.id.to_owned()).or_default().push(place),
                _ => {}
            }
        }
    }
    let of_groups = groups.into_iter().filter_map(|(id, place)| group(&id, place, names));
    of_groups.chain(alike(&roles)).collect()
}

fn group(id: &GroupId, (object, at): Place, names: &GroupNames) -> Option<Lint> {
    let what = match names.mark(id) {
        Some(GroupMark::Deleted) => "does not exist in Entra any more",
        Some(GroupMark::Unknown) => "is not known to Entra",
        Some(GroupMark::Renamed(_) | GroupMark::Typed(_)) => return None,
        None if names.name(id).is_some() => return None,
        None => "has no name here",
    };
    let problem = Problem::new(object, &format!("the group {id} {what}")).at(at);
    let hint = "check its object id, and name it under `[group_names]`".to_owned();
    Some(Lint::new(LintKind::UnknownName, problem.hint(Some(hint))))
}

/// App roles that are named less often than one that is spelt almost the same.
fn alike(roles: &BTreeMap<String, Vec<Place>>) -> Vec<Lint> {
    let mut found = Vec::new();
    for (role, places) in roles {
        let others =
            roles.iter().filter(|(other, known)| *other != role && known.len() > places.len());
        let Some(meant) = nearest(role, others.map(|(other, _)| other.as_str())) else { continue };
        for (object, at) in places {
            let what = format!(
                "the app role `{role}` is spelt almost like `{meant}`, which is named more often"
            );
            let problem = Problem::new(object.clone(), &what).at(*at);
            let hint = format!("did you mean `{meant}`?");
            found.push(Lint::new(LintKind::UnknownName, problem.hint(Some(hint))));
        }
    }
    found
}
