//! A rule book of any size, people who ask, and the answers worked out without Cedar.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use cedargate::authz::compile::{MfaSetting, Terms, compile};
use cedargate::authz::decision::{Decision, Question};
use cedargate::authz::snapshot::Snapshot;
use cedargate::model::app::App;
use cedargate::model::grant::{Effect, Grant, Method, What, Who};
use cedargate::model::host::Host;
use cedargate::model::id::{AppId, GroupId, ReleaseNumber};
use cedargate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use cedargate::model::record::{Circumstances, ClientAddress, MfaState, Verdict};
use cedargate::model::route::Route;
use cedargate::model::rule_book::RuleBook;
use cedargate::model::time::Timestamp;

pub(crate) type Done<T> = Result<T, Box<dyn Error>>;

const BRANCHES: usize = 8;
const GROUPS: u64 = 2_000;
const GROUPS_EACH: u64 = 50;
const TENANT: &str = "aaaaaaaa-0000-4000-8000-000000000000";

/// Questions to each rule book.
pub(crate) const QUESTIONS: usize = 64;

/// A rule book, and questions to it that one rule answers.
pub(crate) struct Setting {
    book: RuleBook,
    pub(crate) routes: usize,
    pub(crate) asks: Vec<Ask>,
}

impl Setting {
    /// With this many rules.
    pub(crate) fn new(rules: usize) -> Done<Self> {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ rules as u64);
        let places = Places::new(rules);
        let book = book(rules, &places, &mut dice)?;
        let mut asks = Vec::new();
        while asks.len() < QUESTIONS {
            let ask = Ask::new(&book, &places, &mut dice)?;
            // The same work at every size: what matches is evaluated, and one rule does.
            if ask.matching == 1 {
                asks.push(ask);
            }
        }
        Ok(Self { book, routes: places.paths.len(), asks })
    }

    /// Its snapshot.
    pub(crate) fn compile(&self) -> Done<Snapshot> {
        let terms = Terms { public_host: "gate.example".parse()?, mfa: MfaSetting::Configured };
        Ok(compile(&self.book, ReleaseNumber(1), &terms)?)
    }
}

/// The routes of the app: `/s0`, `/s0/s3`, …, each with all below it.
struct Places {
    parents: Vec<Option<usize>>,
    paths: Vec<String>,
}

impl Places {
    /// One route for eight rules, at least two.
    fn new(rules: usize) -> Self {
        let mut places = Self { parents: Vec::new(), paths: Vec::new() };
        for index in 0..(rules / BRANCHES).max(2) {
            let parent = (index >= BRANCHES).then(|| index / BRANCHES - 1);
            let above = parent.and_then(|parent| places.paths.get(parent)).cloned();
            let path = format!("{}/s{}", above.unwrap_or_default(), index % BRANCHES);
            places.parents.push(parent);
            places.paths.push(path);
        }
        places
    }

    /// A route and all above it.
    fn chain(&self, route: usize) -> Vec<usize> {
        let above = |route: &usize| self.parents.get(*route).copied().flatten();
        std::iter::successors(Some(route), above).collect()
    }
}

fn book(rules: usize, places: &Places, dice: &mut Dice) -> Done<RuleBook> {
    let app = App {
        id: "bench".parse()?,
        name: "bench".to_owned(),
        origins: vec!["https://bench.example".parse()?],
        upstream: None,
        cors_origins: Vec::new(),
        header_aliases: Vec::new(),
    };
    let route = |(index, path): (usize, &String)| -> Done<Route> {
        Ok(Route::new(format!("bench/r{index}").parse()?, format!("{path}/{{*rest}}").parse()?))
    };
    let routes = places.paths.iter().enumerate().map(route).collect::<Done<_>>()?;
    let grants = (0..rules).map(|index| grant(index, places, dice)).collect::<Done<_>>()?;
    Ok(RuleBook { apps: vec![app], routes, grants, ..RuleBook::default() })
}

fn grant(index: usize, places: &Places, dice: &mut Dice) -> Done<Grant> {
    let what = [What::Read, What::Read, What::Write, What::All];
    let place = dice.below(places.paths.len() as u64);
    let mut grant = Grant::new(
        format!("g{index}").parse()?,
        Who::Group(group(dice.below(GROUPS))?),
        dice.one_of(&what)?.clone(),
        format!("bench/r{place}").parse()?,
    );
    grant.effect = if index % 50 == 49 { Effect::Forbid } else { Effect::Permit };
    if index % 8 == 7 {
        grant.when.networks = vec!["10.0.0.0/8".parse()?];
    }
    Ok(grant)
}

fn group(number: u64) -> Done<GroupId> {
    Ok(format!("00000000-0000-4000-8000-{number:012x}").parse()?)
}

/// A request, and the answer that it must get.
pub(crate) struct Ask {
    app: AppId,
    host: Host,
    pub(crate) principal: Arc<PrincipalSnapshot>,
    pub(crate) method: Method,
    path: String,
    pub(crate) client: IpAddr,
    /// The route and all above it.
    pub(crate) chain: Vec<String>,
    circumstances: Circumstances,
    pub(crate) expected: Verdict,
    /// How many rules apply.
    pub(crate) matching: usize,
}

impl Ask {
    /// Somebody asks for a place that some rule speaks of; three of four are in the group that it names.
    fn new(book: &RuleBook, places: &Places, dice: &mut Dice) -> Done<Self> {
        let rule = dice.one_of(&book.grants)?;
        let mut groups: BTreeSet<GroupId> =
            (1..GROUPS_EACH).map(|_| group(dice.below(GROUPS))).collect::<Done<_>>()?;
        if let (Who::Group(named), true) = (&rule.who, dice.below(4) > 0) {
            groups.insert(named.clone());
        }
        let route: usize = rule.route.name().trim_start_matches('r').parse()?;
        let method = if rule.what == What::Write { Method::Post } else { Method::Get };
        let client = if dice.below(2) == 0 { "10.1.2.3" } else { "192.0.2.1" }.parse()?;
        let path = places.paths.get(route).ok_or("a rule of no route")?;
        let chain = places.chain(route);
        let (expected, matching) = expected(book, &chain, &(method, client, &groups));
        Ok(Self {
            app: "bench".parse()?,
            host: "bench.example".parse()?,
            principal: PrincipalSnapshot::new(person(dice.below(1 << 40), groups)?),
            method,
            path: format!("{path}/page/{}", dice.below(1_000)),
            client,
            chain: chain.iter().map(|route| format!("bench/r{route}")).collect(),
            circumstances: Circumstances {
                now: Timestamp::from_seconds(1_795_000_000),
                mfa: MfaState::NotMet,
                auth_contexts: BTreeSet::new(),
                signed_in_at: Some(Timestamp::from_seconds(1_794_999_000)),
                params: BTreeMap::new(),
                local: BTreeMap::new(),
            },
            expected,
            matching,
        })
    }

    /// Matches, lets `decide` answer, and gives the number of rules that made the answer.
    pub(crate) fn check(
        &self,
        snapshot: &Snapshot,
        decide: impl FnOnce(&Snapshot, &Question<'_>) -> Decision,
    ) -> Done<usize> {
        let found = snapshot.find(&self.app, &self.path).ok_or("the path was not found")?;
        let question = Question {
            principal: &self.principal,
            route: &found.route,
            method: self.method,
            host: &self.host,
            path: &self.path,
            client: ClientAddress::Known(self.client),
            circumstances: &self.circumstances,
        };
        let decision = decide(snapshot, &question);
        if decision.verdict == self.expected && decision.errors.is_empty() {
            Ok(decision.rules.len())
        } else {
            Err(format!("`{}` was decided wrongly: {decision:?}", self.path).into())
        }
    }

    /// Whether the path is found at all.
    pub(crate) fn is_found(&self, snapshot: &Snapshot) -> bool {
        snapshot.find(&self.app, &self.path).is_some()
    }
}

/// The verdict by a plain loop over all rules, and how many apply.
fn expected(
    book: &RuleBook,
    chain: &[usize],
    (method, client, groups): &(Method, IpAddr, &BTreeSet<GroupId>),
) -> (Verdict, usize) {
    let above: BTreeSet<String> = chain.iter().map(|route| format!("r{route}")).collect();
    let applies = |grant: &&Grant| {
        let named = matches!(&grant.who, Who::Group(group) if groups.contains(group));
        let covers = match &grant.what {
            What::All => true,
            What::Read => method.is_read(),
            What::Write => !method.is_read(),
            What::Methods(methods) => methods.contains(method),
        };
        let networks = &grant.when.networks;
        let near = networks.is_empty() || networks.iter().any(|network| network.contains(client));
        named && covers && near && above.contains(grant.route.name())
    };
    let effects: Vec<Effect> = book.grants.iter().filter(applies).map(|rule| rule.effect).collect();
    let open = effects.contains(&Effect::Permit) && !effects.contains(&Effect::Forbid);
    (if open { Verdict::Allow } else { Verdict::Deny }, effects.len())
}

fn person(number: u64, groups: BTreeSet<GroupId>) -> Done<Principal> {
    Ok(Principal::User(User {
        directory_roles: BTreeSet::new(),
        subject: format!("{TENANT}.00000000-0000-4000-8000-{number:012x}").parse()?,
        user_name: "uma@contoso.example".to_owned(),
        name: "Uma Umarov".to_owned(),
        email: Some("uma@contoso.example".to_owned()),
        guest: GuestStatus::Member,
        groups,
        roles: BTreeSet::new(),
    }))
}

/// The same throws in every run (xorshift64*), so that runs can be compared.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % end
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> Done<&'a T> {
        let index = usize::try_from(self.below(items.len() as u64))?;
        Ok(items.get(index).ok_or("nothing to choose from")?)
    }
}
