//! `cedargate rules …`: the rule book as files, and its way from a draft to a release.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::audit::log_use;
use super::impact;
use super::lint;
use super::placing::by_file;
use super::rule_source::Source;
use super::settings;
use crate::app::publishing;
use crate::authz::{assertions, lints};
use crate::config::{self, Config};
use crate::model::group::GroupNames;
use crate::model::id::ReleaseNumber;
use crate::model::record::LogUseKind;
use crate::model::time::Clock;
use crate::publishing::{Content, Order, Publishing, Refusal, Review};
use crate::replay::Impact;
use crate::rule_files::{self, Places};
use crate::store::{Author, Edit, ReleaseLine, Store};

/// Writes the live rule book into `dir`.
///
/// # Errors
/// When nothing is published, or the folder can't be written.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn export(file: Option<&Path>, dir: &Path) -> Result<()> {
    let store = Store::open(&settings(file)?.database_url).await?;
    let release =
        store.live().await?.context("nothing is published yet, so there is nothing to export")?;
    rule_files::write(&release.rule_book, dir)?;
    println!("release {} written to {}", release.number, dir.display());
    store.close().await;
    Ok(())
}

/// What to do with an imported rule book that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Bring it into the draft.
    Draft,
    /// Put it in force as the next release.
    Publish {
        /// Why, for the release's record.
        note: String,
    },
}

/// Reads the rule book in `dir`, and brings it into the draft or publishes it.
///
/// # Errors
/// With everything that is wrong with the files or the rules; nothing changes then.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn import(file: Option<&Path>, dir: &Path, purpose: Purpose) -> Result<()> {
    let (book, places) = rule_files::read_with_places(dir)?;
    let desk = Desk::open(file).await?;
    progress(&format!(
        "{} read: {} grants, {} routes",
        dir.display(),
        book.grants.len(),
        book.routes.len()
    ));
    let review = desk.publishing.review_of(Arc::new(book.clone().into()), desk.author()).await?;
    progress("compiled and compared with the live release");
    match purpose {
        Purpose::Draft => {
            let draft = desk.store.draft().await?;
            review.sound().map_err(|refusal| told(refusal, &places))?;
            let edit = Edit { from: &draft, to: &book };
            let changed = desk.store.save_draft(edit, &desk.author()).await?;
            println!(
                "{} is the draft now ({} changes); `cedargate rules review` shows what it would change",
                dir.display(),
                changed.len()
            );
        }
        Purpose::Publish { note } => {
            let content = Content::Book(Box::new(book));
            let number = desk.publish((content, &places), review.based_on, note).await?;
            println!("release {number} published from {}", dir.display());
        }
    }
    desk.close().await;
    Ok(())
}

/// Says how the rules in `dir` differ from the live release; exit code 1 when they do.
///
/// # Errors
/// When the folder or the database can't be read.
pub async fn diff(file: Option<&Path>, dir: &Path) -> Result<ExitCode> {
    let book = rule_files::read(dir)?;
    let desk = Desk::open(file).await?;
    let review = desk.publishing.review_of(Arc::new(book.into()), desk.author()).await?;
    desk.close().await;
    show(&review);
    Ok(if review.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Shows what the draft would change, for whom, what is wrong with it, and the content hash to publish or approve; exit code 1 when
/// it could not be published.
///
/// # Errors
/// When the database can't be read.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
pub async fn review(file: Option<&Path>) -> Result<ExitCode> {
    let desk = Desk::open(file).await?;
    let review = desk.publishing.review(desk.author()).await?;
    show(&review);
    show_lints(&review);
    if review.sound().is_ok() && !review.differences.is_empty() {
        desk.show_impact(&review).await;
    }
    desk.close().await;
    println!("content {} on release {}", review.content, review.based_on);
    for Author { by, at } in &review.approvals {
        println!("approved by {by} at {at}");
    }
    Ok(match review.sound() {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            println!("{refusal}");
            ExitCode::from(1)
        }
    })
}

/// Approves of the draft with this content.
///
/// # Errors
/// When the draft has another content or could not be published.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn approve(file: Option<&Path>, content: &str) -> Result<()> {
    let desk = Desk::open(file).await?;
    let approved = desk.publishing.approve(content, desk.author()).await;
    approved.map_err(|refusal| told(refusal, &Places::default()))?;
    desk.close().await;
    println!("approved of {content} as {}", desk.by);
    Ok(())
}

/// Publishes the draft with this content.
///
/// # Errors
/// When the draft has another content, can't be published, or needs somebody else's approval.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn publish(file: Option<&Path>, content: &str, note: String) -> Result<()> {
    let desk = Desk::open(file).await?;
    let based_on = desk.store.live_number().await?;
    let draft = Content::Draft { content: content.to_owned() };
    let number = desk.publish((draft, &Places::default()), based_on, note).await?;
    desk.close().await;
    println!("release {number} published");
    Ok(())
}

/// Publishes an old release again.
///
/// # Errors
/// When there is no such release, it does not compile under these settings, or the draft holds other changes of the same
/// objects.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn rollback(file: Option<&Path>, to: ReleaseNumber, note: String) -> Result<()> {
    let desk = Desk::open(file).await?;
    let based_on = desk.store.live_number().await?;
    let number = desk.publish((Content::Release(to), &Places::default()), based_on, note).await?;
    desk.close().await;
    println!("release {number} published: release {to} again");
    Ok(())
}

/// Throws the edits of the draft away.
///
/// # Errors
/// When the database fails.
#[expect(clippy::print_stdout, reason = "the line is what this command says")]
pub async fn discard(file: Option<&Path>) -> Result<()> {
    let desk = Desk::open(file).await?;
    let gone = desk.store.discard_draft(None, &desk.author()).await?;
    desk.close().await;
    println!("{} changes of the draft thrown away", gone.len());
    Ok(())
}

/// Lists the releases, newest first.
///
/// # Errors
/// When the database can't be read.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
pub async fn releases(file: Option<&Path>) -> Result<()> {
    let desk = Desk::open(file).await?;
    for ReleaseLine { number, author, note, sha256 } in desk.store.releases(None, 100).await? {
        println!("{number}  {}  {}  {sha256}  {note}", author.at, author.by);
    }
    desk.close().await;
    Ok(())
}

/// The database, and who works at it.
struct Desk {
    config: Config,
    store: Store,
    publishing: Publishing,
    by: String,
}

impl Desk {
    async fn open(file: Option<&Path>) -> Result<Self> {
        let config = settings(file)?;
        let store = Store::open(&config.database_url).await?;
        let publishing = publishing(&config, store.clone());
        Ok(Self { config, store, publishing, by: format!("operator:{}", config::system_user()) })
    }

    fn author(&self) -> Author {
        Author { by: self.by.clone(), at: Clock::System.now() }
    }

    async fn publish(
        &self,
        (content, places): (Content, &Places),
        based_on: ReleaseNumber,
        note: String,
    ) -> Result<ReleaseNumber> {
        let order = Order { content, based_on, note, author: self.author() };
        let (release, _) =
            self.publishing.publish(order).await.map_err(|refusal| told(refusal, places))?;
        Ok(release.number)
    }

    /// Looks into the log, and leaves on record that somebody did.
    async fn impact(&self, review: &Review) -> Result<Option<Impact>> {
        let impact = impact::of(review, &self.config, &self.store).await?;
        if let Some(impact) = &impact {
            let detail = serde_json::json!({ "draft": review.content, "decided": impact.decided });
            self.store.note(&self.author(), log_use(LogUseKind::Replayed, detail)).await?;
        }
        Ok(impact)
    }

    /// Who would gain and who would lose. That it can't be told stops no review, and is said.
    #[expect(clippy::print_stdout, reason = "the lines are what this command says")]
    async fn show_impact(&self, review: &Review) {
        let told = match self.impact(review).await {
            Ok(Some(impact)) => impact::lines(&impact).join("\n"),
            Ok(None) => "there is no log yet, so whom it affects can't be told".to_owned(),
            Err(error) => format!("whom it affects can't be told: {error:#}"),
        };
        println!("{told}");
    }

    async fn close(&self) {
        self.store.close().await;
    }
}

/// Each problem on a line of its own, with its place where it was read from files.
fn told(refusal: Refusal, places: &Places) -> anyhow::Error {
    if let Refusal::Compile(error) = refusal { by_file(&error, places) } else { refusal.into() }
}

/// What a rule book would change, in words and as Cedar.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
fn show(review: &Review) {
    for line in review.lines() {
        println!("{line}");
    }
    for line in &review.cedar {
        println!("{line}");
    }
}

/// What is valid in what the draft changes, and most likely not meant, as the console's review says it.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
fn show_lints(review: &Review) {
    let names = GroupNames::new(review.book.group_names.clone(), Arc::default());
    let found = review.lints_of_changes(&names, Clock::System.now());
    if !found.is_empty() {
        println!("most likely not meant:");
        lint::show(&found, &Places::default());
    }
}

/// On a terminal only: a large book takes seconds.
#[expect(clippy::print_stderr, reason = "progress is not what the command says")]
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{text}");
    }
}

/// Compiles the rules in `dir`, or those of the live release, and tries all their assertions; exit code 1 when one does
/// not hold. What is most likely not meant is said as well, and fails nothing.
///
/// # Errors
/// When the rules can't be read or don't compile.
#[expect(clippy::print_stdout, reason = "the lines are what this command says")]
pub async fn test(file: Option<&Path>, dir: Option<&Path>) -> Result<ExitCode> {
    let source = Source::open(file, dir).await?;
    let now = Clock::System.now();
    let found = lints::lint(&source.book, &source.snapshot, &source.names, now);
    lint::show(&found, &source.places);
    let broken = assertions::run(&source.book, &source.snapshot, now);
    for broken in &broken {
        println!("{broken}");
    }
    let (all, held) = (source.book.assertions.len(), source.book.assertions.len() - broken.len());
    println!("{held} of {all} assertions hold");
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
