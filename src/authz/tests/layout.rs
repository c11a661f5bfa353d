//! Laying policies out changes how they look and nothing else.

use proptest::prelude::*;

use super::super::layout::formatted;
use super::super::policy_text;
use super::policy;

#[test]
fn policies_are_laid_out_and_keep_their_comments() {
    let text = "// why\npermit(principal in Group::\"f1a2ce00-0000-4000-8000-000000000001\",action,\n\n resource)\
                when{context.path==\"/\"// here\n&&context.mfa};// end";
    insta::assert_snapshot!(formatted(&policy("p", text)).unwrap());
}

#[test]
fn what_is_no_policy_is_left_to_its_author() {
    let told = formatted(&policy("p", "permit (principal, action")).unwrap_err();
    assert!(told.iter().all(|problem| problem.at.is_some()), "{told:?}");
    assert!(formatted(&policy("p", "")).is_err());
}

pub(super) fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("context.mfa".to_owned()),
        Just("principal has email".to_owned()),
        Just("context has params.a.b.c.d".to_owned()),
        Just("!context.params[\"a\"].b.c.contains(-1 + -2)".to_owned()),
        "\"[a-z/* ]{0,6}\"".prop_map(|text| format!("context.path == {text}")),
        "[a-z/*]{0,6}".prop_map(|text| format!("context.path like \"{text}\"")),
        (0_u16..9).prop_map(|number| format!("{number} < 1 + {number} * 2")),
        Just("[\"a\", \"b\"].contains(context.path)".to_owned()),
        Just("context.ip.isInRange(ip(\"10.0.0.0/8\"))".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || ({b}) // or\n")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("if ({a}) then ({b}) else ({c})")),
        ]
    })
}

proptest! {
    #[test]
    fn meaning_stays_and_a_second_time_changes_nothing(
        effect in prop::sample::select(vec!["permit", "forbid"]),
        clauses in proptest::collection::vec((prop::sample::select(vec!["when", "unless"]), expression()), 0..3),
    ) {
        let clauses: Vec<_> = clauses.iter().map(|(kind, body)| format!("{kind}{{{body}}}")).collect();
        let before = policy("p", &format!("@why(\"x\"){effect}(principal,action,resource){};", clauses.concat()));
        let after = policy("p", &formatted(&before).unwrap());
        let form = |policy| policy_text::read(policy).unwrap().to_json().unwrap();
        prop_assert_eq!(form(&after), form(&before));
        prop_assert_eq!(&formatted(&after).unwrap(), &after.text);
    }
}
