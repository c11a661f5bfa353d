//! Why somebody is denied now what they were allowed before: read from the two records and the releases between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::console::urls;
use crate::model::grant::{Grant, Who};
use crate::model::id::{GrantId, ParameterName, ReleaseNumber};
use crate::model::policy::Policy;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{DecisionRecord, Reason, RecordLine, RuleId};
use crate::model::recorded::Recorded;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::store::audit::search::Loss;
use crate::store::{Store, StoreError};
use crate::web::link::Link;

/// Releases that are read for one page.
const RELEASES: usize = 12;

/// Why it fell otherwise than before, the one that most likely is a mistake first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A rule could not be evaluated.
    Failed,
    /// This release changed what had let them in, or brought what keeps them out.
    Release(ReleaseNumber),
    /// They are not any more in the group or do not hold the role that a grant names.
    Membership,
    /// The grant had an end, which came.
    Ended(GrantId),
    /// A rule that was there before keeps them out.
    Forbidden,
    /// A condition did not hold: a network, an hour, a second factor.
    Condition,
}

impl Cause {
    /// In words, as a heading.
    pub fn words(&self) -> String {
        match self {
            Self::Failed => "A rule failed, so everything was refused".to_owned(),
            Self::Release(number) => format!("Release {number} changed the rules"),
            Self::Membership => "They left the group or lost the role".to_owned(),
            Self::Ended(grant) => format!("The grant {grant} ended"),
            Self::Forbidden => "A rule forbids it as things stand now".to_owned(),
            Self::Condition => "A condition of the grant did not hold".to_owned(),
        }
    }

    /// Where it is looked at ("Review release 8").
    pub(super) fn remedy(&self, book: &RuleBook) -> Option<(String, Link)> {
        match self {
            Self::Release(number) => {
                let before = ReleaseNumber(number.0.saturating_sub(1));
                Some((format!("Review release {number}"), urls::difference(before, *number)))
            }
            Self::Ended(id) => {
                let grant = book.grants.iter().find(|grant| grant.id == *id)?;
                Some(("Extend the grant".to_owned(), urls::edit_grant(&grant.route, id)))
            }
            Self::Failed | Self::Membership | Self::Forbidden | Self::Condition => None,
        }
    }
}

/// A loss with both of its records read.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) denied: DecisionRecord,
    pub(super) denied_line: RecordLine,
    pub(super) allowed: DecisionRecord,
    pub(super) allowed_at: Timestamp,
    pub(super) times: u64,
}

impl Told {
    /// None when a record is not in the form of this program.
    pub(super) fn of(loss: Loss) -> Option<Self> {
        Some(Self {
            denied: decision(&loss.denied)?,
            allowed: decision(&loss.allowed)?,
            allowed_at: loss.allowed.at,
            denied_line: loss.denied,
            times: loss.times,
        })
    }
}

fn decision(line: &RecordLine) -> Option<DecisionRecord> {
    let content: Principal = serde_json::from_str(line.principal.as_deref()?).ok()?;
    let recorded = Recorded::read(line.id, line.body.as_bytes()).ok()?;
    recorded.with(PrincipalSnapshot::new(content)).ok()
}

/// Finds causes; keeps the releases that it read.
pub(super) struct Causes<'a> {
    store: &'a Store,
    books: BTreeMap<ReleaseNumber, Option<Arc<RuleBook>>>,
}

/// A rule as a release has it.
#[derive(PartialEq, Eq)]
enum Rule<'a> {
    Grant(&'a Grant),
    Policy(&'a Policy),
}

fn rule<'a>(book: &'a RuleBook, id: &RuleId) -> Option<Rule<'a>> {
    match id {
        RuleId::Grant(id) => book.grants.iter().find(|one| one.id == *id).map(Rule::Grant),
        RuleId::Policy(id) => book.policies.iter().find(|one| one.id == *id).map(Rule::Policy),
        RuleId::Console(_) => None,
    }
}

impl<'a> Causes<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, books: BTreeMap::new() }
    }

    /// Why this was denied; none when it was not the same that was allowed.
    ///
    /// # Errors
    /// When a release can't be read.
    pub(super) async fn of(&mut self, told: &Told) -> Result<Option<Cause>, StoreError> {
        let Told { denied, allowed, .. } = told;
        match denied.reason {
            Reason::PolicyError => Ok(Some(Cause::Failed)),
            Reason::Forbidden => {
                // One forbid is enough to keep somebody out.
                let mut changed = None;
                for id in &denied.rules {
                    changed = changed.max(self.changed_in(id, (allowed, denied)).await?);
                }
                Ok(Some(changed.map_or(Cause::Forbidden, Cause::Release)))
            }
            Reason::Granted | Reason::NoGrant | Reason::NotSignedIn | Reason::NoRoute => {
                self.without_grant(denied, allowed).await
            }
        }
    }

    async fn without_grant(
        &mut self,
        denied: &DecisionRecord,
        allowed: &DecisionRecord,
    ) -> Result<Option<Cause>, StoreError> {
        let mut changed = None;
        for id in &allowed.rules {
            match self.changed_in(id, (allowed, denied)).await? {
                Some(number) => changed = changed.max(Some(number)),
                None => return self.as_it_stands(id, (allowed, denied)).await,
            }
        }
        Ok(Some(changed.map_or(Cause::Condition, Cause::Release)))
    }

    /// The release in which a rule came, went or changed after the first of two decisions; none when it did not.
    async fn changed_in(
        &mut self,
        id: &RuleId,
        (allowed, denied): (&DecisionRecord, &DecisionRecord),
    ) -> Result<Option<ReleaseNumber>, StoreError> {
        if allowed.release >= denied.release {
            return Ok(None);
        }
        let Some(before) = self.book(allowed.release).await? else { return Ok(None) };
        let Some(after) = self.book(denied.release).await? else { return Ok(None) };
        let was = rule(&before, id);
        if was == rule(&after, id) {
            return Ok(None);
        }
        let between = (allowed.release.0 + 1..denied.release.0).map(ReleaseNumber);
        for number in between {
            match self.book(number).await? {
                Some(book) if rule(&book, id) != was => return Ok(Some(number)),
                Some(_) | None => {}
            }
        }
        Ok(Some(denied.release))
    }

    /// Why a rule that is as it was does not let them in any more.
    async fn as_it_stands(
        &mut self,
        id: &RuleId,
        (allowed, denied): (&DecisionRecord, &DecisionRecord),
    ) -> Result<Option<Cause>, StoreError> {
        let book = self.book(denied.release).await?;
        let Some(Rule::Grant(grant)) = book.as_deref().and_then(|book| rule(book, id)) else {
            return Ok(Some(Cause::Condition));
        };
        let own = grant.when.own.as_ref().map(ParameterName::as_str);
        let of = |decision: &DecisionRecord| Some(decision.circumstances.params.get(own?)?.clone());
        if of(allowed) != of(denied) {
            // Where everybody has a place of their own, that of somebody else was never theirs.
            return Ok(None);
        }
        let at = denied.circumstances.now;
        if grant.when.until.is_some_and(|until| until.0 <= at) {
            return Ok(Some(Cause::Ended(grant.id.clone())));
        }
        let names = names(&grant.who, &denied.principal);
        Ok(Some(if names { Cause::Condition } else { Cause::Membership }))
    }

    /// A release; none when it is gone, or too many were read already.
    async fn book(&mut self, number: ReleaseNumber) -> Result<Option<Arc<RuleBook>>, StoreError> {
        if let Some(known) = self.books.get(&number) {
            return Ok(known.clone());
        }
        if self.books.len() >= RELEASES {
            return Ok(None);
        }
        let release = self.store.release(number).await?;
        let book = release.map(|release| Arc::new(release.rule_book));
        self.books.insert(number, book.clone());
        Ok(book)
    }
}

/// Whether a principal is among those that a grant names.
fn names(who: &Who, principal: &Principal) -> bool {
    match (who, principal) {
        (Who::Group(id), Principal::User(user)) => user.groups.contains(id),
        (Who::Role(role), Principal::User(user)) => user.roles.contains(role),
        (Who::Role(role), Principal::Workload(workload)) => workload.roles.contains(role),
        (Who::Group(_) | Who::Role(_), _) => false,
        (
            Who::Person(_) | Who::Workload(_) | Who::Tenants(_) | Who::SignedIn | Who::Everyone,
            _,
        ) => true,
    }
}
