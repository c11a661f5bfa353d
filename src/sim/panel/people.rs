//! Knobs of people and groups.

use super::orders::{member, number, unknown};
use crate::sim::error::SimError;
use crate::sim::params::Params;
use crate::sim::people::{Account, Assignment};
use crate::sim::tenant::Sim;

/// Turns a knob of one person; the section is theirs.
pub(super) fn carry_out(sim: &Sim, order: &str, form: &Params) -> Result<String, String> {
    let user = member(form, "person")?;
    let done = match order {
        "person-assign" => sim.assign(user, Assignment::Assigned),
        "person-unassign" => sim.assign(user, Assignment::Unassigned),
        "person-enable" => sim.set_account(user, Account::Enabled),
        "person-disable" => sim.set_account(user, Account::Disabled),
        "person-revoke" => sim.revoke(user),
        "person-remove" => sim.remove_person(user),
        "person-fill" => sim.fill_groups(user, number::<u32>(form, "count")?.min(20_000)),
        "person-join" => sim.add_group(user, member(form, "group")?),
        "person-leave" => sim.remove_group(user, member(form, "group")?),
        "person-grant" => change(sim, user, member(form, "role")?, Roles::Granted),
        "person-withdraw" => change(sim, user, member(form, "role")?, Roles::Withdrawn),
        "person-rename" => {
            let name = member(form, "user_name")?.to_owned();
            sim.change(user, |person| person.user_name = name)
        }
        _ => return Err(unknown(order)),
    };
    done.map_err(|error| error.to_string())?;
    Ok(if order == "person-remove" { "people".to_owned() } else { format!("person-{user}") })
}

/// What happens to a role.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Roles {
    Granted,
    Withdrawn,
}

fn change(sim: &Sim, user: &str, role: &str, what: Roles) -> Result<(), SimError> {
    sim.change(user, |person| {
        if what == Roles::Granted {
            person.roles.insert(role.to_owned());
        } else {
            person.roles.remove(role);
        }
    })
}

/// Turns a knob of a group.
pub(super) fn group(sim: &Sim, order: &str, form: &Params) -> Result<(), String> {
    let id = member(form, "group")?;
    match order {
        "group-name" => {
            sim.name_group(id, member(form, "name")?);
            Ok(())
        }
        "group-delete" => sim.delete_group(id).map_err(|error| error.to_string()),
        _ => Err(unknown(order)),
    }
}
