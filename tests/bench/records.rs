//! Decisions as a busy gate records them: 2,000 people, 60 routes of six apps, 20,000 paths, over 30 days.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cedargate::model::host::Host;
use cedargate::model::id::{OriginId, ReleaseNumber, RequestId, RouteId};
use cedargate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use cedargate::model::record::{
    Circumstances, ClientAddress, DecisionRecord, Door, MfaState, Reason, RequestFacts, RuleId,
    Verdict,
};
use cedargate::model::time::{Clock, Timestamp};

pub(crate) type Done<T> = Result<T, Box<dyn Error>>;

const PEOPLE: u64 = 2_000;
const APPS: [&str; 6] = ["payroll", "intranet", "reports", "wiki", "travel", "tickets"];
const ROUTES: [&str; 10] =
    ["home", "finance", "people", "admin", "api", "search", "files", "plans", "trips", "events"];
const METHODS: [&str; 4] = ["GET", "GET", "GET", "POST"];
const SPAN: Duration = Duration::from_hours(30 * 24);
/// One decision in so many is a denial.
const DENIED: u64 = 20;

/// Makes decisions, one after the other, as time goes by.
pub(crate) struct Records {
    clock: Clock,
    step: Duration,
    people: Vec<Arc<PrincipalSnapshot>>,
}

impl Records {
    /// For so many records.
    pub(crate) fn new(count: u64) -> Done<Self> {
        let clock = Clock::fixed(Timestamp::from_seconds(1_793_000_000));
        let people = (0..PEOPLE).map(|number| Ok(PrincipalSnapshot::new(person(number)?)));
        let step = SPAN.div_f64(count_of(count));
        Ok(Self { clock, step, people: people.collect::<Done<_>>()? })
    }

    /// What time it is in the log.
    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Somebody who asks often.
    pub(crate) fn somebody(&self) -> Option<&PrincipalSnapshot> {
        self.people.get(42).map(AsRef::as_ref)
    }

    /// A route that is asked for often.
    pub(crate) fn route() -> Done<RouteId> {
        Ok("payroll/finance".parse()?)
    }

    /// The next decision.
    pub(crate) fn decision(&self, number: u64) -> Done<DecisionRecord> {
        self.clock.advance(self.step);
        // Spread without a pattern that would suit an index.
        let at_random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let app = pick(&APPS, at_random)?;
        let route = pick(&ROUTES, at_random / 7)?;
        let who = at_random / 71 % PEOPLE;
        let (verdict, reason) = match at_random / 3 % DENIED {
            0 => (Verdict::Deny, Reason::NoGrant),
            _ => (Verdict::Allow, Reason::Granted),
        };
        let method = (*pick(&METHODS, at_random / 11)?).to_owned();
        let now = self.clock.now();
        let [a, b] = [u8::try_from(who / 250)?, u8::try_from(who % 250)?];
        Ok(DecisionRecord {
            facts: RequestFacts {
                request: RequestId::new(OriginId::from_bytes([7; 5]), number),
                door: Door::Proxy,
                client: ClientAddress::Known([10, 20, a, b].into()),
                method: method.clone(),
                host: Host::from_authority(&format!("{app}.contoso.com")).ok(),
                path: format!("/{route}/documents/{}", at_random % 20_000),
                unfolded: None,
            },
            principal: Arc::clone(pick(&self.people, who)?),
            session: Some(format!("s-0v9k3m2q4d5f6g{who:04}").parse()?),
            app: Some(app.parse()?),
            route: Some(format!("{app}/{route}").parse()?),
            action: method,
            console: None,
            circumstances: Circumstances {
                now,
                mfa: MfaState::NotMet,
                auth_contexts: BTreeSet::new(),
                signed_in_at: Some(now.minus(Duration::from_mins(who))),
                params: BTreeMap::new(),
                local: BTreeMap::new(),
            },
            release: ReleaseNumber(17),
            verdict,
            reason,
            rules: match verdict {
                Verdict::Allow => vec![RuleId::Grant(format!("g-{app}-{route}").parse()?)],
                Verdict::Deny => Vec::new(),
            },
            errors: Vec::new(),
            duration_us: 12,
        })
    }
}

fn pick<T>(all: &[T], at: u64) -> Done<&T> {
    let at = usize::try_from(at)? % all.len();
    all.get(at).ok_or_else(|| "there is nothing to pick from".into())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for dividing")]
fn count_of(count: u64) -> f64 {
    count as f64
}

fn person(number: u64) -> Done<Principal> {
    let tenant = "7f2c3a10-0000-4000-8000-000000000001";
    Ok(Principal::User(User {
        directory_roles: BTreeSet::new(),
        subject: format!("{tenant}.7f2c3a10-0000-4000-8000-{number:012x}").parse()?,
        user_name: format!("person{number}@contoso.example"),
        name: format!("Person {number}"),
        email: None,
        guest: GuestStatus::Member,
        groups: BTreeSet::from(["7f2c3a10-0000-4000-8000-0000000000f1".parse()?]),
        roles: BTreeSet::new(),
    }))
}
