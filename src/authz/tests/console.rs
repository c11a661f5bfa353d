//! Roles × actions of the console, as a committed table.

use std::fmt::Write as _;

use super::super::console::{ConsoleAction, ConsoleRole, ConsoleRules, Holder};
use super::{ADMINS, user};
use crate::model::principal::Principal;
use crate::model::record::{Reason, Verdict};

#[test]
fn roles_open_what_the_table_says() {
    let roles = [
        ConsoleRole::Viewer,
        ConsoleRole::Editor,
        ConsoleRole::Publisher,
        ConsoleRole::Auditor,
        ConsoleRole::Owner,
    ];
    let holder = |role: ConsoleRole| (role, Holder::Role(role.as_str().parse().unwrap()));
    let compiled = ConsoleRules::new(roles.map(holder).to_vec()).unwrap();
    let mut table = String::new();
    let combinations = [
        vec![],
        vec!["viewer"],
        vec!["editor"],
        vec!["publisher"],
        vec!["editor", "publisher"],
        vec!["auditor"],
        vec!["owner"],
        vec!["Owner"],
    ];
    for held in combinations {
        write!(
            table,
            "{:<18}",
            if held.is_empty() { "nothing".to_owned() } else { held.join("+") }
        )
        .unwrap();
        for action in ConsoleAction::ALL {
            let decision = compiled.decide(&user("x", &[], &held), action);
            let mark = if decision.verdict == Verdict::Allow { "yes" } else { "-" };
            write!(table, " {:>12}={mark:<3}", action.as_str()).unwrap();
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

#[test]
fn roles_are_held_by_group_role_or_person() {
    let uma = user("uma", &[], &[]);
    let person = uma.subject().unwrap().clone();
    let rules = ConsoleRules::new(vec![
        (ConsoleRole::Owner, Holder::Group(ADMINS.parse().unwrap())),
        (ConsoleRole::Viewer, Holder::Person(person)),
    ])
    .unwrap();
    let reads = |principal: &Principal| rules.decide(principal, ConsoleAction::ReadRules).verdict;
    assert_eq!(reads(&uma), Verdict::Allow);
    assert_eq!(reads(&user("olive", &[ADMINS], &[])), Verdict::Allow);
    assert_eq!(reads(&user("nora", &[], &["owner"])), Verdict::Deny);
    let anonymous = rules.decide(&Principal::Anonymous, ConsoleAction::ReadRules);
    assert_eq!((anonymous.verdict, anonymous.reason), (Verdict::Deny, Reason::NotSignedIn));
}
