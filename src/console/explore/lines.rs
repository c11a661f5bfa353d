//! What somebody can do on a route, as lines of a page: certain, under conditions, or not at all, and through which rule.

use std::borrow::Borrow;

use crate::authz::telling::{Certainty, ToldProspect, ToldWay};
use crate::console::choice::{Badge, Named};
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::grant::Method;
use crate::model::record::RuleId;
use crate::model::words::listed;
use crate::web::page::Tone;

/// What somebody can do with some of the methods that were asked for, through one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Always, if, or never.
    pub badge: Badge,
    /// The methods, where it is not so for all that were asked for.
    pub methods: Option<String>,
    /// The rule that lets them in; none where none does.
    pub through: Option<Named>,
    /// What must hold for it.
    pub conditions: Vec<String>,
    /// What keeps them out all the same.
    pub unless: Vec<Unless>,
    rule: Option<RuleId>,
}

/// A rule that keeps somebody out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unless {
    /// The rule.
    pub rule: Named,
    /// Under which conditions; empty: in any case.
    pub conditions: String,
}

impl Line {
    /// The rule that lets them in.
    pub(in crate::console) fn rule(&self) -> Option<&RuleId> {
        self.rule.as_ref()
    }

    /// `If GET and HEAD, multi-factor sign-in (grant:finance-read)`, as a file has it.
    fn text(&self) -> String {
        let mut text = self.badge.word.to_owned();
        let mut add = |before: &str, more: &str| {
            text.push_str(before);
            text.push_str(more);
        };
        if let Some(methods) = &self.methods {
            add(" ", methods);
        }
        for condition in &self.conditions {
            add(", ", condition);
        }
        for Unless { rule, conditions } in &self.unless {
            let conditions = if conditions.is_empty() { "at all" } else { conditions };
            add(", not ", &format!("{conditions} ({})", rule.name));
        }
        if let Some(rule) = &self.through {
            add(" (", &format!("{})", rule.name));
        }
        text
    }
}

/// All ways in, as a file has them.
pub(in crate::console) fn text(lines: &[Line]) -> String {
    lines.iter().map(Line::text).collect::<Vec<_>>().join("; ")
}

/// What was told for each method, with what is alike said once.
pub(in crate::console) fn lines<T: Borrow<ToldProspect>>(
    shown: &Shown,
    told: &[(Method, T)],
) -> Vec<Line> {
    let mut apart: Vec<(Way<'_>, Vec<Method>)> = Vec::new();
    for (method, prospect) in told {
        for way in ways(prospect.borrow()) {
            match apart.iter_mut().find(|(other, _)| *other == way) {
                Some((_, methods)) => methods.push(*method),
                None => apart.push((way, vec![*method])),
            }
        }
    }
    let line = |(way, methods): (Way<'_>, Vec<Method>)| {
        way.line(shown, (methods.len() < told.len()).then_some(methods))
    };
    apart.into_iter().map(line).collect()
}

/// One way to get in, or that there is none.
#[derive(Clone, Copy, PartialEq)]
struct Way<'a> {
    certainty: Certainty,
    through: Option<&'a ToldWay>,
    unless: &'a [ToldWay],
}

fn ways(told: &ToldProspect) -> Vec<Way<'_>> {
    let way = |through| Way { certainty: told.certainty, through, unless: &told.unless };
    if told.through.is_empty() {
        return vec![way(None)];
    }
    told.through.iter().map(|through| way(Some(through))).collect()
}

impl Way<'_> {
    fn line(self, shown: &Shown, methods: Option<Vec<Method>>) -> Line {
        let names = |methods: Vec<Method>| {
            let names: Vec<_> = methods.iter().map(|method| method.as_str().to_owned()).collect();
            listed(&names, "and")
        };
        let unless = |way: &ToldWay| Unless {
            rule: rule(shown, &way.rule),
            conditions: way.conditions.join(", "),
        };
        Line {
            badge: badge(self.certainty),
            methods: methods.map(names),
            through: self.through.map(|way| rule(shown, &way.rule)),
            conditions: self.through.map(|way| way.conditions.clone()).unwrap_or_default(),
            unless: self.unless.iter().map(unless).collect(),
            rule: self.through.map(|way| way.rule.clone()),
        }
    }
}

/// How certainty is shown everywhere.
fn badge(certainty: Certainty) -> Badge {
    match certainty {
        Certainty::Always => Badge { word: "Always", icon: "circle-check", tone: Tone::Good },
        Certainty::If => Badge { word: "If", icon: "triangle-alert", tone: Tone::Careful },
        Certainty::Never => Badge { word: "Never", icon: "circle-x", tone: Tone::Bad },
    }
}

/// A rule by its id, leading to its grant.
pub(super) fn rule(shown: &Shown, id: &RuleId) -> Named {
    let grant = match id {
        RuleId::Grant(grant) => shown.grant(grant.as_str()),
        RuleId::Policy(_) | RuleId::Console(_) => None,
    };
    let link = grant.map(|grant| urls::grant(&grant.route, &grant.id));
    Named { name: id.to_string(), link }
}
