//! Policies laid out as everyone's are, by Cedar's own formatter. What they mean stays what it was.

use cedar_policy_formatter::{Config, policies_str_to_pretty};

use super::policy_text;
use super::problem::{Object, Problem};
use super::stack::with_room;
use crate::model::policy::Policy;

/// Columns of a line, and of each step inwards.
const LAYOUT: Config = Config { line_width: 100, indent_width: 2 };

/// The text of a policy in the common layout, comments kept, with a line break at its end.
///
/// # Errors
/// When the text does not hold one policy, as compiling it would say; when the formatter fails or would change what the
/// policy means, which would be a fault of it.
pub fn formatted(policy: &Policy) -> Result<String, Vec<Problem>> {
    with_room(|| {
        let before = policy_text::read(policy)?;
        let fail =
            |message: String| vec![Problem::new(Object::Policy(policy.id.clone()), &message)];
        let text = policies_str_to_pretty(&policy.text, &LAYOUT)
            .map_err(|error| fail(format!("it can't be laid out: {error}")))?;
        let after = policy_text::read(&Policy { text: text.clone(), ..policy.clone() })?;
        let same = before
            .to_json()
            .ok()
            .is_some_and(|form| after.to_json().is_ok_and(|other| other == form));
        if same {
            Ok(text)
        } else {
            Err(fail("laying it out would change what it means".to_owned()))
        }
    })
}
