//! What a log costs, and how fast it is read: `cargo bench --bench log`.
//!
//! A log of 200,000 decisions (`RECORDS` says how many; the targets are meant for 10,000,000) is written by the gate's own
//! writer, then checked, exported and searched. What the disk has to bring is in memory already, as far as it fits; `FOLDER`
//! says where the log is kept, and that it stays there.

#![expect(clippy::print_stdout, reason = "the lines are what this program is for")]

mod records;
mod searches;
mod target;

use std::path::{Path, PathBuf};
use std::time::Instant;

use cedargate::audit::export::{Format, export};
use cedargate::audit::verify::Trust;
use cedargate::audit::verify::copy::{self, Outcome};
use cedargate::audit::{self, AuditSettings, Places, Ward};
use cedargate::keys::LogKey;
use cedargate::model::id::DecisionId;
use cedargate::model::query::Query;
use cedargate::store::audit::LogCopy;
use cedargate::store::audit::search::{Searcher, index_of};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::sync::CancellationToken;

use self::records::{Done, Records};
use self::searches::Now;
use self::target::Target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u64 = 200_000;
/// Requests that wait for the log at once.
const WAITING: usize = 256;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Done<()> {
    let count = setting("RECORDS").map_or(Ok(RECORDS), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let folder = setting("FOLDER").map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let records = Records::new(count)?;
    println!("records: {count}");
    println!("appended a second: {:.0}", written(&folder, &records, count).await?);
    let file = folder.join("audit.db");
    println!("{}", size("bytes a record", &file, count, 600.0)?.line());
    let verified = verified(&file, count).await?;
    println!("{}", Target::at_least("verified a second", verified, 500_000.0).line());
    let exported = exported(&file, &records, count).await?;
    println!("{}", Target::at_least("rows of CSV a second", exported, 100_000.0).line());
    println!("memory at most: {} MB", memory()?);
    let searcher = Searcher::new(&file);
    println!("filed a second: {:.0}", searches::filed(&searcher)?);
    println!("bytes of the index a record: {:.0}", bytes(&index_of(&file))? / float(count));
    let middle = middle(&file, count).await?;
    for target in searches::asked(&searcher, &records, middle).await? {
        println!("{}", target.line());
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "what is measured is no setting of the gate")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for reading")]
fn float(number: u64) -> f64 {
    number as f64
}

fn bytes(file: &Path) -> Done<f64> {
    Ok(float(std::fs::metadata(file)?.len()))
}

fn size(name: &'static str, file: &Path, count: u64, most: f64) -> Done<Target> {
    Ok(Target::at_most(name, bytes(file)? / float(count), most))
}

/// The most memory that this process ever had.
fn memory() -> Done<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("not known")?;
    Ok(kilobytes.parse::<u64>()? / 1_024)
}

fn key() -> LogKey {
    LogKey::from_seed(&[7; 32])
}

/// Through the queue and the writer, as the gate does it, each waiting until it is durable. Records a second.
async fn written(folder: &Path, records: &Records, count: u64) -> Done<f64> {
    let places = Places { mark: folder.join("log.mark"), file: None };
    let ward = Ward { key: key(), successor: None, before: None, places };
    let url = format!("sqlite://{}/audit.db", folder.display());
    let log = audit::open(&url, AuditSettings::default(), records.clock(), ward).await?;
    let stop = CancellationToken::new();
    let began = Instant::now();
    let ask = async |number| -> Done<()> {
        drop(log.audit.decided(records.decision(number)?).await?);
        Ok(())
    };
    let asking = async {
        let all = stream::iter(0..count).map(ask).buffer_unordered(WAITING);
        let done: Done<()> = all.try_collect().await;
        stop.cancel();
        done
    };
    tokio::join!(asking, log.writer.run(stop.clone())).0?;
    Ok(float(count) / began.elapsed().as_secs_f64())
}

/// Records a second, the best of three.
async fn verified(file: &Path, count: u64) -> Done<f64> {
    let mut best = 0.0_f64;
    for _ in 0..3 {
        let mut copy = LogCopy::open(file).await?;
        let began = Instant::now();
        let trust = Trust { keys: vec![key().public()], checkpoints: Vec::new() };
        match copy::check(&mut copy, trust, |_| {}).await? {
            Outcome::Intact(report) if report.read() >= count => {}
            Outcome::Intact(_) => return Err("not all was read".into()),
            Outcome::Tampered(finding) => return Err(finding.to_string().into()),
        }
        best = best.max(float(count) / began.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Rows a second, the better of two.
async fn exported(file: &Path, records: &Records, count: u64) -> Done<f64> {
    let (everything, now) = (Query::default(), Now(records.clock()));
    let mut best = 0.0_f64;
    for _ in 0..2 {
        let mut copy = LogCopy::open(file).await?;
        let began = Instant::now();
        let mut out = std::io::sink();
        export(&mut copy, (&everything, &now), (Format::Csv, &mut out), |_| {}).await?;
        best = best.max(float(count) / began.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// The record in the middle of the log.
async fn middle(file: &Path, count: u64) -> Done<DecisionId> {
    let mut copy = LogCopy::open(file).await?;
    let origins = copy.origins().await?;
    let origin = origins.first().ok_or("there is a log")?.id;
    Ok(DecisionId { origin, seq: count / 2 })
}
