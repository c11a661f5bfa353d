//! What the console's pages ask of the log, and how long each waits for it.

use std::time::Instant;

use cedargate::model::grant::Method;
use cedargate::model::id::DecisionId;
use cedargate::model::query::{Known, Query};
use cedargate::model::time::{Clock, Timestamp};
use cedargate::store::audit::search::{Period, Searcher, Step, Wanted};

use super::records::{Done, Records};
use super::target::Target;

/// Rows of a page.
const ROWS: usize = 100;
/// Each is asked so often, and the slowest but two counts: this machine does other things too.
const ASKED: usize = 9;
const LEFT_OUT: usize = 2;
const TARGET_MS: f64 = 100.0;

/// When it is, in the log.
#[derive(Debug, Clone)]
pub(crate) struct Now(pub(crate) Clock);

impl Known for Now {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn group_names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Files the whole log; records a second.
pub(crate) fn filed(searcher: &Searcher) -> Done<f64> {
    let mut indexer = searcher.indexer();
    let (began, mut count) = (Instant::now(), 0.0);
    loop {
        match indexer.step()? {
            Step::Filed(records) => count += f64::from(u32::try_from(records)?),
            Step::BegunAnew => {}
            Step::Idle => return Ok(count / began.elapsed().as_secs_f64()),
        }
    }
}

/// Asks everything.
pub(crate) async fn asked(
    searcher: &Searcher,
    records: &Records,
    middle: DecisionId,
) -> Done<Vec<Target>> {
    let somebody = records.somebody().ok_or("there are people")?;
    let (subject, route) =
        (somebody.subject().cloned().ok_or("they are known")?, Records::route()?);
    let asking = Asking { searcher, now: Now(records.clock()) };
    let month = "kind:decision,refusal at:-30d";
    let mut all = Vec::new();
    for (name, query, before) in [
        ("newest page, ms", month.to_owned(), None),
        ("by person, ms", format!("user:{subject} {month}"), None),
        ("by name of a person, ms", format!("user:person42@contoso.example {month}"), None),
        ("by route, ms", format!("route:{route} {month}"), None),
        ("by verdict, ms", format!("effect:deny {month}"), None),
        ("denied by person over a week, ms", format!("effect:deny user:{subject} at:-7d"), None),
        ("below a path, ms", format!("path:/finance/** {month}"), None),
        ("text in path, ms", format!("documents/1999 {month}"), None),
        ("what nobody did, ms", format!("user:nobody@contoso.example {month}"), None),
        ("older page, ms", month.to_owned(), Some(middle)),
        ("older page of a person, ms", format!("user:{subject} {month}"), Some(middle)),
    ] {
        all.push(asking.page(name, &query, before).await?);
    }
    for (name, query) in [
        ("counts over a month, ms", month.to_owned()),
        ("counts of a person over a month, ms", format!("user:{subject} {month}")),
        ("counts of denials over a month, ms", format!("effect:deny {month}")),
    ] {
        all.push(asking.counts(name, &query).await?);
    }
    let methods = [Method::Get, Method::Head];
    let who = asking.timed(async || searcher.users_of(&route, &methods).await.map(|_| ()));
    all.push(Target::at_most("who used a route, ms", who.await?, TARGET_MS));
    let what = asking.timed(async || searcher.used_by(&subject, &methods).await.map(|_| ()));
    all.push(Target::at_most("what a person used, ms", what.await?, TARGET_MS));
    Ok(all)
}

struct Asking<'a> {
    searcher: &'a Searcher,
    now: Now,
}

impl Asking<'_> {
    async fn page(
        &self,
        name: &'static str,
        query: &str,
        before: Option<DecisionId>,
    ) -> Done<Target> {
        let query: Query = query.parse()?;
        let ask = async || {
            let (query, known) = (query.clone(), self.now.clone());
            let wanted = Wanted { query, known, before, after: None, limit: ROWS };
            self.searcher.find(wanted).await.map(|_| ())
        };
        Ok(Target::at_most(name, self.timed(ask).await?, TARGET_MS))
    }

    async fn counts(&self, name: &'static str, query: &str) -> Done<Target> {
        let query: Query = query.parse()?;
        let ask = async || {
            self.searcher.count(query.clone(), self.now.clone(), Period::Hour).await.map(|_| ())
        };
        Ok(Target::at_most(name, self.timed(ask).await?, TARGET_MS))
    }

    /// Milliseconds.
    async fn timed<E: std::error::Error + 'static>(
        &self,
        ask: impl AsyncFn() -> Result<(), E>,
    ) -> Done<f64> {
        let mut all = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let began = Instant::now();
            ask().await?;
            all.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        all.sort_by(f64::total_cmp);
        all.into_iter().rev().nth(LEFT_OUT).ok_or_else(|| "nothing was asked".into())
    }
}
