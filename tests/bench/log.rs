//! How fast a log is checked and taken away, and how large its records are: `cargo bench --bench log`.
//!
//! A log of 200,000 decisions (`RECORDS` says how many) is written by the gate's own writer, then read from end to end.
//! Figures are of one core for reading and one for checking; what the disk has to bring is in memory already.

#![expect(clippy::print_stdout, reason = "the lines are what this program is for")]

mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cedargate::audit::export::{Format, export};
use cedargate::audit::verify::Trust;
use cedargate::audit::verify::copy::{self, Outcome};
use cedargate::audit::{self, Audit, AuditError, AuditSettings, Places, Strictness, Ward};
use cedargate::keys::LogKey;
use cedargate::model::host::Host;
use cedargate::model::id::ReleaseNumber;
use cedargate::model::principal::{GuestStatus, Principal, PrincipalSnapshot, User};
use cedargate::model::query::{Known, Query};
use cedargate::model::record::{
    Circumstances, ClientAddress, DecisionRecord, Door, MfaState, Reason, RequestFacts, RuleId,
    Verdict,
};
use cedargate::model::time::{Clock, Timestamp};
use cedargate::store::audit::LogCopy;
use tokio_util::sync::CancellationToken;

use self::target::Target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Done<T> = Result<T, Box<dyn Error>>;

const RECORDS: u64 = 200_000;
/// Different people among those who ask.
const PEOPLE: u64 = 500;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Done<()> {
    let folder = tempfile::tempdir()?;
    let records = records()?;
    let began = Instant::now();
    write(folder.path(), records).await?;
    println!("{records} records written in {:.1} s", began.elapsed().as_secs_f64());
    let file = folder.path().join("audit.db");
    let bytes = std::fs::metadata(&file)?.len();
    let verified = verified(&file, records).await?;
    let exported = exported(&file, records).await?;
    println!("{}", Target::at_least("records verified a second", verified, 500_000.0).line());
    println!("{}", Target::at_least("rows of CSV a second", exported, 100_000.0).line());
    println!("{}", Target::at_most("bytes a record", per(bytes, records), 600.0).line());
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how much is measured is no setting of the gate")]
fn records() -> Done<u64> {
    std::env::var("RECORDS").map_or(Ok(RECORDS), |text| Ok(text.parse()?))
}

#[expect(clippy::cast_precision_loss, reason = "a figure for reading")]
fn per(all: u64, records: u64) -> f64 {
    all as f64 / records as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure for reading")]
fn a_second(records: u64, began: Instant) -> f64 {
    records as f64 / began.elapsed().as_secs_f64()
}

fn key() -> LogKey {
    LogKey::from_seed(&[7; 32])
}

/// Through the queue and the writer, as the gate does it; refusals need not wait.
async fn write(folder: &Path, records: u64) -> Done<()> {
    let places = Places { mark: folder.join("log.mark"), file: None };
    let ward = Ward { key: key(), successor: None, places };
    let settings = AuditSettings { strictness: Strictness::StrictAllow, ..Default::default() };
    let url = format!("sqlite://{}/audit.db", folder.display());
    let log = audit::open(&url, settings, Clock::System, ward).await?;
    let stop = CancellationToken::new();
    let asking = async {
        for number in 0..records {
            ask(&log.audit, number).await?;
        }
        stop.cancel();
        Ok(())
    };
    tokio::join!(asking, log.writer.run(stop.clone())).0
}

async fn ask(audit: &Audit, number: u64) -> Done<()> {
    loop {
        match audit.decided(decision(number)?).await {
            Ok(_) => return Ok(()),
            Err(AuditError::Full { .. }) => tokio::task::yield_now().await,
            Err(error) => return Err(error.into()),
        }
    }
}

fn decision(number: u64) -> Done<DecisionRecord> {
    Ok(DecisionRecord {
        facts: RequestFacts {
            request: format!("r-{number}").parse()?,
            door: Door::Proxy,
            client: ClientAddress::Known([192, 0, 2, 7].into()),
            method: "GET".to_owned(),
            host: Host::from_authority("payroll.contoso.com").ok(),
            path: format!("/finance/reports/{number}"),
            unfolded: None,
        },
        principal: PrincipalSnapshot::new(person(number % PEOPLE)?),
        session: Some(format!("s-{}", number % PEOPLE).parse()?),
        app: Some("payroll".parse()?),
        route: Some("payroll/finance".parse()?),
        action: "GET".to_owned(),
        console: None,
        circumstances: Circumstances {
            now: Clock::System.now(),
            mfa: MfaState::NotMet,
            auth_contexts: BTreeSet::new(),
            signed_in_at: None,
            params: BTreeMap::new(),
            local: BTreeMap::new(),
        },
        release: ReleaseNumber::default(),
        verdict: Verdict::Deny,
        reason: Reason::NoGrant,
        rules: vec![RuleId::Grant("g-finance-read".parse()?)],
        errors: Vec::new(),
        duration_us: 12,
    })
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

/// Records a second, the best of three.
async fn verified(file: &Path, records: u64) -> Done<f64> {
    let mut best = 0.0_f64;
    for _ in 0..3 {
        let mut copy = LogCopy::open(file).await?;
        let began = Instant::now();
        let trust = Trust { keys: vec![key().public()], checkpoints: Vec::new() };
        match copy::check(&mut copy, trust, |_| {}).await? {
            // The log also says where its queue was full.
            Outcome::Intact(report) if report.read() >= records => {}
            Outcome::Intact(_) => return Err("not all was read".into()),
            Outcome::Tampered(finding) => return Err(finding.to_string().into()),
        }
        best = best.max(a_second(records, began));
    }
    Ok(best)
}

struct Now;

impl Known for Now {
    fn now(&self) -> Timestamp {
        Clock::System.now()
    }

    fn group_names(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Rows a second.
async fn exported(file: &Path, records: u64) -> Done<f64> {
    let mut copy = LogCopy::open(file).await?;
    let began = Instant::now();
    let everything = Query::default();
    let mut out = std::io::sink();
    export(&mut copy, (&everything, &Now), (Format::Csv, &mut out), |_| {}).await?;
    Ok(a_second(records, began))
}
