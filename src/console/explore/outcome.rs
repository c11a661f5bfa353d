//! What would be decided, as the page shows it: the answer, what made it, and what came near.

use super::lines::rule;
use super::question::Asking;
use crate::authz::decision::{Decision, Question};
use crate::authz::entities::Unusable;
use crate::authz::explain::Explanation;
use crate::authz::snapshot::Snapshot;
use crate::authz::telling::{Teller, ToldClause, ToldRule};
use crate::console::cedar_text::{Token, tokens};
use crate::console::choice::{Badge, Named};
use crate::console::showing::Shown;
use crate::console::{urls, words};
use crate::model::host::{Host, Origin};
use crate::model::principal::Principal;
use crate::model::record::{Circumstances, DecisionRecord};
use crate::web::page::{Notice, Tone};

/// What would be decided.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Allow or deny.
    pub verdict: Badge,
    /// Why, in words.
    pub reason: &'static str,
    /// Who asked, in words.
    pub who: String,
    /// The groups and roles that counted.
    pub memberships: Vec<String>,
    /// The route that the path leads to.
    pub route: Option<Named>,
    /// Beside a record: whether it falls the same.
    pub compared: Option<Notice>,
    /// The rules that made it.
    pub deciding: Vec<RuleView>,
    /// What came nearest to letting it through.
    pub near: Vec<RuleView>,
    /// What failed.
    pub errors: Vec<String>,
}

/// A rule, clause by clause.
#[derive(Debug, Clone)]
pub struct RuleView {
    /// The rule.
    pub rule: Named,
    /// As a sentence.
    pub sentence: String,
    /// Each clause.
    pub clauses: Vec<ClauseView>,
    /// As Cedar.
    pub cedar: Vec<Token>,
}

/// One clause of a rule.
#[derive(Debug, Clone)]
pub struct ClauseView {
    /// `who`, `what` or `when`.
    pub about: &'static str,
    /// In words.
    pub text: String,
    /// Whether it holds.
    pub outcome: Badge,
    /// Why it fails, where it does.
    pub failure: Option<String>,
}

/// What the engine says; the release is the one that was compiled into `snapshot`.
pub(super) fn outcome(
    (shown, snapshot): (&Shown, &Snapshot),
    asking: &Asking,
    recorded: Option<&DecisionRecord>,
) -> Result<Outcome, Unusable> {
    let explanation = explain(snapshot, asking, recorded)?;
    let decision = explanation.as_ref().map_or_else(
        || Decision::without_route(&asking.principal),
        |explanation| explanation.decision.clone(),
    );
    let told = explanation
        .as_ref()
        .map(|explanation| Teller { book: &shown.book, names: &shown.names }.tell(explanation));
    let view = |rule: &ToldRule| RuleView::of((shown, snapshot), rule);
    let views = |rules: fn(&crate::authz::telling::Told) -> &[ToldRule]| {
        told.iter().flat_map(rules).map(view).collect()
    };
    Ok(Outcome {
        verdict: Badge::verdict(decision.verdict),
        reason: words::reason(decision.reason),
        who: who(&asking.principal),
        memberships: memberships(shown, &asking.principal),
        route: explanation.as_ref().map(|explanation| route(shown, explanation)),
        compared: recorded.map(|record| compare(record, &decision)),
        deciding: views(|told| &told.deciding),
        near: views(|told| &told.near),
        errors: decision.errors,
    })
}

/// None where no route covers the path.
fn explain(
    snapshot: &Snapshot,
    asking: &Asking,
    recorded: Option<&DecisionRecord>,
) -> Result<Option<Explanation>, Unusable> {
    let Some(found) = snapshot.find(&asking.app.id, asking.path.as_str()) else { return Ok(None) };
    let host = host(asking, recorded);
    let host = host.ok_or_else(|| Unusable("the app has no origin".to_owned()))?;
    let circumstances = Circumstances {
        now: asking.now,
        mfa: asking.mfa,
        auth_contexts: asking.contexts.clone(),
        signed_in_at: asking.proved,
        params: found.params.clone(),
        local: snapshot.local(asking.now),
    };
    let question = Question {
        principal: &asking.principal,
        route: &found.route,
        method: asking.method,
        host,
        path: asking.path.as_str(),
        client: asking.client,
        circumstances: &circumstances,
    };
    snapshot.explain(&question).map(Some)
}

/// The host of the record where it is about the same app, else the app's first.
fn host<'a>(asking: &'a Asking, recorded: Option<&'a DecisionRecord>) -> Option<&'a Host> {
    let same = recorded.filter(|record| record.app.as_ref() == Some(&asking.app.id));
    let recorded = same.and_then(|record| record.facts.host.as_ref());
    recorded.or_else(|| asking.app.origins.first().map(Origin::host))
}

fn route(shown: &Shown, explanation: &Explanation) -> Named {
    let found = shown.route(&explanation.route);
    let name =
        found.map_or_else(|| explanation.route.to_string(), |route| route.pattern.to_string());
    Named { name, link: found.map(|route| urls::route(&route.id)) }
}

fn who(principal: &Principal) -> String {
    match principal {
        Principal::User(user) if user.name.is_empty() && user.user_name.is_empty() => {
            "Somebody of whom nothing else is known".to_owned()
        }
        Principal::User(_) | Principal::Workload(_) | Principal::Anonymous => {
            principal.display_name()
        }
    }
}

fn memberships(shown: &Shown, principal: &Principal) -> Vec<String> {
    match principal {
        Principal::User(user) => {
            let groups = user.groups.iter().map(|id| shown.names.label(id));
            groups.chain(user.roles.iter().map(ToString::to_string)).collect()
        }
        Principal::Workload(workload) => workload.roles.iter().map(ToString::to_string).collect(),
        Principal::Anonymous => Vec::new(),
    }
}

fn compare(record: &DecisionRecord, decision: &Decision) -> Notice {
    let recorded = Badge::verdict(record.verdict).word;
    let same = (record.verdict, record.reason) == (decision.verdict, decision.reason);
    let (tone, end) = if same {
        (Tone::Good, "It falls the same here.")
    } else {
        (Tone::Careful, "It falls otherwise here.")
    };
    let reason = words::reason(record.reason);
    let text = format!("Recorded under release {}: {recorded}. {reason}. {end}", record.release);
    Notice { tone, text }
}

impl RuleView {
    fn of((shown, snapshot): (&Shown, &Snapshot), told: &ToldRule) -> Self {
        let cedar = snapshot.cedar_of(&told.rule).unwrap_or_default();
        Self {
            rule: rule(shown, &told.rule),
            sentence: told.text.clone(),
            clauses: told.clauses.iter().map(ClauseView::of).collect(),
            cedar: tokens(&cedar),
        }
    }
}

impl ClauseView {
    fn of(told: &ToldClause) -> Self {
        let badge = |word, icon, tone| Badge { word, icon, tone };
        let (outcome, failure) = match told.outcome.as_str() {
            "holds" => (badge("Holds", "circle-check", Tone::Good), None),
            "misses" => (badge("Missing", "circle-x", Tone::Bad), None),
            error => (badge("Fails", "triangle-alert", Tone::Careful), Some(error.to_owned())),
        };
        Self { about: told.about, text: told.text.clone(), outcome, failure }
    }
}
