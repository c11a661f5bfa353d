//! What decisions feel of a publication: `cargo bench --bench publish`.
//!
//! One thread decides while another compiles 10,000 rules again and again, as a gate does beside its requests. With the
//! allocator of the gate: one that counts for all threads would be what they wait for.

#![expect(clippy::print_stdout, reason = "the line is what this program is for")]

#[expect(dead_code, reason = "the other benchmark asks more of it")]
mod book;
#[expect(dead_code, reason = "the other benchmark asks more of it")]
mod target;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cedargate::authz::snapshot::Snapshot;

use self::book::{Done, Setting};
use self::target::Target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each half takes this long.
const BUDGET: Duration = Duration::from_secs(4);

fn main() -> Done<()> {
    let waits = waits()?;
    println!(
        "p99 of a decision: {:.2} us alone, {:.2} us beside a publication",
        waits.before, waits.during
    );
    let name = "p99 of decisions during a publication over that before";
    println!("{}", Target::at_most(name, waits.during / waits.before, 2.0).line());
    Ok(())
}

/// The 99th percentiles of single decisions, in microseconds.
struct Waits {
    before: f64,
    during: f64,
}

/// Decisions of one thread while another compiles 10,000 rules again and again.
fn waits() -> Done<Waits> {
    let setting = Setting::new(10_000)?;
    let snapshot = setting.compile()?;
    let before = percentile(&setting, &snapshot)?;
    let over = AtomicBool::new(false);
    let during = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(black_box(setting.compile()));
            }
        });
        let during = percentile(&setting, &snapshot);
        over.store(true, Ordering::Relaxed);
        during
    })?;
    Ok(Waits { before, during })
}

fn percentile(setting: &Setting, snapshot: &Snapshot) -> Done<f64> {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < BUDGET {
        for ask in &setting.asks {
            let start = Instant::now();
            black_box(ask.check(snapshot, Snapshot::decide_afresh)?);
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let at = times.get(times.len() * 99 / 100).ok_or("nothing was measured")?;
    Ok(at.as_secs_f64() * 1e6)
}
