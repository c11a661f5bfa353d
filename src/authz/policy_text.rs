//! Hand-written policies as Cedar reads them, and Cedar's complaints as an admin reads them.
//!
//! Cedar says of each fault where it lies, what it found, what it expected and sometimes what might help. All of that is
//! kept, in one line, with the place counted as editors count.

use cedar_policy::{Policy as CedarPolicy, PolicyId as CedarPolicyId, PolicySet};
use miette::Diagnostic;

use super::depth::{Depth, depth};
use super::limits::{code_point, is_deceptive};
use super::nearest::nearest;
use super::problem::{Object, Problem};
use crate::model::grant::Method;
use crate::model::policy::Policy;
use crate::model::problem::Position;
use crate::model::record::RuleId;

/// Bytes of one policy.
pub(super) const LONGEST_POLICY: usize = 64 * 1024;
/// Brackets and `if`s of one policy that may be open at once.
pub(super) const DEEPEST_NESTING: usize = 64;
/// Levels of the syntax tree of one policy.
pub(super) const TALLEST_POLICY: usize = 150;

/// The one policy that a text holds; its id is `policy:<policy id>`.
///
/// # Errors
/// With every fault that Cedar's parser finds, each at its place; when the text holds no policy, or several; when it is
/// longer or deeper than allowed, before anything parses it.
pub(super) fn read(policy: &Policy) -> Result<CedarPolicy, Vec<Problem>> {
    if let Some(problem) = beyond_limits(policy) {
        return Err(vec![problem]);
    }
    let id = CedarPolicyId::new(RuleId::Policy(policy.id.clone()).to_string());
    let object = || Object::Policy(policy.id.clone());
    CedarPolicy::parse(Some(id), &policy.text).map_err(|errors| match count(&policy.text) {
        Some(0) => {
            vec![Problem::new(object(), &"it holds no policy").hint(Some(SKELETON.to_owned()))]
        }
        Some(several @ 2..) => {
            let message =
                format!("it holds {several} policies, but each policy is an object of its own");
            vec![Problem::new(object(), &message).hint(Some("split it".to_owned()))]
        }
        Some(1) | None => {
            errors.iter().map(|error| diagnosed(object(), &policy.text, error)).collect()
        }
    })
}

/// Why a text is not even given to the parser.
fn beyond_limits(policy: &Policy) -> Option<Problem> {
    let text = &policy.text;
    let say = |message: String| Problem::new(Object::Policy(policy.id.clone()), &message);
    let at = |offset| Some(Position::at(text, offset));
    if text.len() > LONGEST_POLICY {
        return Some(say(format!(
            "it has {} bytes; at most {LONGEST_POLICY} are allowed",
            text.len()
        )));
    }
    if let Some((offset, bad)) = text.char_indices().find(|(_, c)| is_deceptive(*c)) {
        let message = format!("it holds {}, which people can't see", code_point(bad));
        let hint = "remove it, or write `\\u{…}` in a string".to_owned();
        return Some(say(message).at(at(offset)).hint(Some(hint)));
    }
    let Depth { nesting, offset, height } = depth(text);
    if nesting > DEEPEST_NESTING {
        let message = format!(
            "its brackets and `if`s are nested {nesting} deep; at most {DEEPEST_NESTING} are allowed"
        );
        return Some(say(message).at(at(offset)));
    }
    (height > TALLEST_POLICY).then(|| {
        let message = format!("it is {height} levels deep, each link of a chain of operators being one; at most {TALLEST_POLICY} are allowed");
        say(message).hint(Some("compare with a set: `[…].contains(…)`, or split it".to_owned()))
    })
}

/// What an empty policy is told to begin with.
const SKELETON: &str =
    "begin with `permit` or `forbid`, then `(principal, action, resource)`, then `when { … };`";

/// How many policies a text holds; none when it is not Cedar.
fn count(text: &str) -> Option<usize> {
    let all: PolicySet = text.parse().ok()?;
    Some(all.num_of_policies() + all.num_of_templates())
}

/// What Cedar says of the policy with this id, at its place in `text`.
pub(super) fn diagnosed(object: Object, text: &str, fault: &dyn Diagnostic) -> Problem {
    let label = fault.labels().and_then(|mut labels| labels.next());
    let at = label.as_ref().map(|label| Position::at(text, label.offset()));
    let expected = label.as_ref().and_then(|label| label.label());
    let said = phrased(&fault.to_string());
    let message = expected.map_or(said.clone(), |expected| format!("{said}, {expected}"));
    let hint = own_hint(&message).or_else(|| fault.help().map(|help| phrased(&help.to_string())));
    Problem::new(object, &message).at(at).hint(hint)
}

/// How Cedar begins some of what it says, and how we do: for admins, who don't know how a type checker works.
const PHRASES: [(&str, &str); 6] = [
    ("`e has ", "`principal has "),
    ("unable to guarantee safety of access to optional attribute ", "there may be no attribute "),
    ("try testing for the attribute's presence with ", "ask for it first: "),
    ("error during extension function argument validation: ", ""),
    (
        "expected a static policy, got a template containing the slot ",
        "a policy of its own has no slots, but there is ",
    ),
    ("policy scopes must contain ", "the scope holds "),
];

/// Without the policy's id, which the object says already, and without the action that the type checker was at: it
/// goes through all of them and says the same of each.
fn phrased(said: &str) -> String {
    let short = without(&without(said, "for policy `", "`"), " for Action::\"", "\"");
    let short = short.trim_start_matches([',', ':', ' ']).replace("\n, ", ". ");
    PHRASES.iter().fold(short, |text, (theirs, ours)| text.replace(theirs, ours))
}

/// A text without all that stands from `start` to the next `end`.
fn without(text: &str, start: &str, end: &str) -> String {
    match text.split_once(start) {
        Some((before, rest)) => match rest.split_once(end) {
            Some((_, after)) => before.to_owned() + &without(after, start, end),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// Advice that takes knowing what our types stand for, which Cedar can't.
fn own_hint(message: &str) -> Option<String> {
    let of_others = ["entity type `Workload` not found", "entity type `Anonymous` not found"];
    if of_others.iter().any(|kind| message.ends_with(kind)) {
        return Some("where people are meant, say `principal is User` first".to_owned());
    }
    if let Some((_, rest)) = message.split_once("invalid member access `")
        && let Some((variable, _)) = rest.split_once('.')
    {
        let meant = nearest(variable, ["principal", "action", "resource", "context"])?;
        return Some(format!("did you mean `{meant}`?"));
    }
    let action = message.strip_prefix("unrecognized action `Action::\"")?.strip_suffix("\"`")?;
    let method = Method::from_name(&action.to_ascii_uppercase())?;
    Some(format!("did you mean `Action::\"{}\"`?", method.as_str()))
}
