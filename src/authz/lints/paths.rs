//! `context.path like "…"`: a `*` there takes slashes too.

use super::{Lint, LintKind, Read};
use crate::authz::problem::Problem;
use crate::authz::tokens::{Token, tokens};

pub(super) fn of_policy(policy: &Read<'_>) -> Vec<Lint> {
    let all = tokens(&policy.policy.text);
    let pattern = |window: &[(usize, Token<'_>)]| match *window {
        [(offset, Token::Word("path")), (_, Token::Word("like")), (_, Token::Text(pattern))]
            if crosses(pattern) =>
        {
            Some((offset, pattern.to_owned()))
        }
        _ => None,
    };
    all.windows(3)
        .filter_map(pattern)
        .map(|(offset, pattern)| lint(policy, offset, &pattern))
        .collect()
}

fn lint(policy: &Read<'_>, offset: usize, pattern: &str) -> Lint {
    let what =
        format!("in `like \"{pattern}\"` a `*` takes any number of segments, slashes included");
    let hint = "make a route with a `{parameter}` and name it, or end the pattern in `/*` where all below is meant";
    let problem = Problem::new(policy.object(), &what).at(Some(policy.at(offset)));
    Lint::new(LintKind::LikeAcrossSlashes, problem.hint(Some(hint.to_owned())))
}

/// Whether a pattern has a `*` other than one at the end, after a slash: "all below".
fn crosses(pattern: &str) -> bool {
    let before = pattern.strip_suffix("/*").unwrap_or(pattern);
    before.replace("\\*", "").contains('*')
}
