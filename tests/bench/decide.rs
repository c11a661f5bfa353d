//! What a decision and a snapshot cost, held against the targets: `cargo bench --bench decide`.
//!
//! Grants over a tree of routes, people in 50 groups each, questions that one rule answers, one rule in eight with a condition on networks and one in
//! fifty a forbid. Each verdict is compared with one that is worked out without Cedar, so nothing measured can be left out
//! by the compiler or be fast by being wrong. Times are medians of many batches; only ratios travel between machines.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod bare;
mod book;
mod target;

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cedargate::authz::decision::{Decision, Question};
use cedargate::authz::snapshot::Snapshot;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use self::book::{Done, QUESTIONS, Setting};
use self::target::Target;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SIZES: [usize; 4] = [10, 1_000, 10_000, 100_000];
/// Measuring one figure takes about this long.
const BUDGET: Duration = Duration::from_millis(700);

fn main() -> Done<()> {
    println!(
        "Times are of this machine at this moment, one core; only ratios within one run mean anything.\n"
    );
    println!(
        "| rules | routes | rules in an answer | decide, us | remembered, us | allocations | bare Cedar, us | bare / decide | find, us | compile, s | bytes a rule |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let mut all = Vec::new();
    for size in SIZES {
        let costs = Costs::of(size)?;
        println!("{}", costs.line());
        all.push(costs);
    }
    let [small, _, middle, large] = all.as_slice() else { return Err("four sizes".into()) };
    println!();
    let targets = [
        Target::at_most(
            "decide with 100,000 rules over decide with 10",
            large.decide / small.decide,
            1.3,
        ),
        Target::at_most("decide with 100,000 rules, us", large.decide, 10.0),
        Target::at_least(
            "bare Cedar over decide, 10,000 rules",
            middle.bare / middle.decide,
            1_000.0,
        ),
        Target::at_most(
            "allocations with 100,000 rules over those with 10",
            large.allocations / small.allocations,
            1.3,
        ),
        Target::at_most("snapshot of 10,000 rules, s", middle.compile, 1.0),
        Target::at_most("snapshot of 100,000 rules, s", large.compile, 10.0),
        Target::at_most("bytes a rule, 100,000 rules", large.bytes, 4_096.0),
        Target::at_most("find among 12,500 routes, us", large.find, 1.0),
    ];
    for target in targets {
        println!("{}", target.line());
    }
    Ok(())
}

/// What one size of rule book costs.
struct Costs {
    rules: usize,
    routes: usize,
    reasons: f64,
    decide: f64,
    remembered: f64,
    allocations: f64,
    bare: f64,
    find: f64,
    compile: f64,
    bytes: f64,
}

type Decide = fn(&Snapshot, &Question<'_>) -> Decision;

fn ask(setting: &Setting, snapshot: &Snapshot, decide: Decide) -> Done<usize> {
    setting.asks.iter().map(|ask| ask.check(snapshot, decide)).sum()
}

impl Costs {
    fn of(rules: usize) -> Done<Self> {
        let setting = Setting::new(rules)?;
        let region = Region::new(ALLOCATOR);
        let begun = Instant::now();
        let snapshot = setting.compile()?;
        let compile = begun.elapsed().as_secs_f64();
        let held = region.change();
        let bytes = count(held.bytes_allocated.saturating_sub(held.bytes_deallocated));
        let reasons = ask(&setting, &snapshot, Snapshot::decide_afresh)?;
        let region = Region::new(ALLOCATOR);
        ask(&setting, &snapshot, Snapshot::decide_afresh)?;
        let allocations = count(region.change().allocations) / count(QUESTIONS);
        Ok(Self {
            rules,
            routes: setting.routes,
            reasons: count(reasons) / count(QUESTIONS),
            decide: each(QUESTIONS, || ask(&setting, &snapshot, Snapshot::decide_afresh))?,
            remembered: each(QUESTIONS, || ask(&setting, &snapshot, Snapshot::decide))?,
            allocations,
            bare: bare::cost(&snapshot, &setting.asks)?,
            find: each(QUESTIONS, || {
                let missed = setting.asks.iter().filter(|ask| !ask.is_found(&snapshot)).count();
                if missed == 0 { Ok(missed) } else { Err("a path was not found".into()) }
            })?,
            compile,
            bytes: bytes / count(rules),
        })
    }

    fn line(&self) -> String {
        let Self { rules, routes, reasons, decide, remembered, allocations, .. } = self;
        let Self { bare, find, compile, bytes, .. } = self;
        format!(
            "| {rules} | {routes} | {reasons:.1} | {decide:.2} | {remembered:.2} | {allocations:.0} | {bare:.0} | {:.0} | {find:.3} | {compile:.3} | {bytes:.0} |",
            bare / decide
        )
    }
}

pub(crate) fn count(number: usize) -> f64 {
    number.to_string().parse().unwrap_or(f64::INFINITY)
}

/// Microseconds of one of `count` steps of a batch: the median of all batches that fit in the budget.
pub(crate) fn each<T>(steps: usize, mut batch: impl FnMut() -> Done<T>) -> Done<f64> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || begun.elapsed() < BUDGET {
        let start = Instant::now();
        black_box(batch()?);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).ok_or("no batch was measured")?;
    Ok(median.as_secs_f64() * 1e6 / count(steps))
}
