//! What a form of the page orders, and which section of the page it stands in.

use super::{people, rules};
use crate::sim::params::Params;
use crate::sim::tenant::Sim;

/// A member of a form, or the sentence that says what is missing.
pub(super) fn member<'a>(form: &'a Params, name: &str) -> Result<&'a str, String> {
    form.get(name).ok_or_else(|| format!("The form lacks `{name}`."))
}

/// A number of a form.
pub(super) fn number<T: std::str::FromStr>(form: &Params, name: &str) -> Result<T, String> {
    let text = member(form, name)?;
    text.trim().parse().map_err(|_| format!("`{text}` is no number that fits `{name}`."))
}

/// Does what the form says, and names its section.
///
/// # Errors
/// A sentence about what is wrong with the form.
pub(super) fn carry_out(sim: &Sim, form: &Params) -> Result<String, String> {
    let order = member(form, "do")?;
    let section = match order.split_once('-').map_or(order, |(area, _)| area) {
        "person" => return people::carry_out(sim, order, form),
        "group" => people::group(sim, order, form).map(|()| "groups"),
        "policy" => rules::policy(sim, order, form).map(|()| "policies"),
        "fail" => rules::fail(sim, form).map(|()| "errors"),
        "endpoint" => rules::endpoint(sim, form).map(|()| "endpoints"),
        "graph" => rules::graph(sim, order, form).map(|()| "graph"),
        "token" => rules::token(sim, order, form).map(|()| "tokens"),
        "key" => rules::key(sim, form).map(|()| "tokens"),
        "clock" => number(form, "seconds").map(|seconds| sim.skew_clock(seconds)).map(|()| "clock"),
        "client" => rules::client(sim, order, form).map(|()| "clients"),
        "reset" => {
            sim.reset();
            Ok("top")
        }
        _ => Err(unknown(order)),
    };
    section.map(str::to_owned)
}

/// No knob is called so.
pub(super) fn unknown(order: &str) -> String {
    format!("There is no knob called `{order}`.")
}
