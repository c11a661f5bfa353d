//! The rules in force: one snapshot, replaced whole.
//!
//! A publish installs its snapshot here at once; releases made elsewhere (another replica, the command line) are seen
//! within a second. A release that can't be loaded or compiled never takes the running rules away: it is logged, and
//! the snapshot in force stays.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::authz::compile::{CompileError, Terms, compile};
use crate::authz::snapshot::Snapshot;
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;
use crate::store::{Store, StoreError};

/// How often releases made elsewhere are looked for.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// The rules in force. Cheap to clone; all clones see the same snapshot.
#[derive(Debug, Clone)]
pub struct Live {
    current: Arc<ArcSwap<Snapshot>>,
    terms: Arc<Terms>,
}

/// Why the rules in force can't be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The database did not give them.
    #[error("the live release could not be read")]
    Store(#[from] StoreError),
    /// They are there, but not usable with these settings or this version.
    #[error("release {number} can't be put in force")]
    Compile {
        /// The release.
        number: ReleaseNumber,
        /// What is wrong with it.
        #[source]
        source: CompileError,
    },
    /// Compiling them broke off: a fault of ours.
    #[error("compiling release {number} broke off")]
    Panicked {
        /// The release.
        number: ReleaseNumber,
        /// Where.
        #[source]
        source: tokio::task::JoinError,
    },
}

impl Live {
    /// Loads and compiles the live release; without any, the empty rule book, which denies everything.
    ///
    /// # Errors
    /// When the release can't be read, or does not compile under `terms`.
    pub async fn load(store: &Store, terms: Terms) -> Result<Self, LiveError> {
        let snapshot = load(store, &terms).await?;
        Ok(Self { current: Arc::new(ArcSwap::from_pointee(snapshot)), terms: Arc::new(terms) })
    }

    /// The snapshot in force. Take it once per request.
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// What the settings say that every rule book must fit.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Compiles a rule book as release `number` would be, without installing anything.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn compile(
        &self,
        book: &RuleBook,
        number: ReleaseNumber,
    ) -> Result<Snapshot, CompileError> {
        compile(book, number, &self.terms)
    }

    /// Puts a snapshot in force, unless a newer one is already.
    pub fn install(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        self.current.rcu(|current| {
            if current.number() < snapshot.number() {
                Arc::clone(&snapshot)
            } else {
                Arc::clone(current)
            }
        });
    }

    /// Follows releases made elsewhere until `stop`.
    pub async fn follow(self, store: Store, stop: CancellationToken) {
        let mut tick = tokio::time::interval(FOLLOW_EVERY);
        let mut failed = None;
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            failed = self.catch_up(&store, failed).await;
        }
    }

    /// One look; gives the release that could not be loaded, so that it is reported once.
    async fn catch_up(
        &self,
        store: &Store,
        failed: Option<ReleaseNumber>,
    ) -> Option<ReleaseNumber> {
        let number = match store.live_number().await {
            Ok(number) => number,
            Err(error) => {
                tracing::warn!(error = %error, "The live release's number could not be read; the rules in force stay.");
                return failed;
            }
        };
        if number <= self.current().number() || failed == Some(number) {
            return failed;
        }
        match load(store, &self.terms).await {
            Ok(snapshot) => {
                tracing::info!(release.number = %snapshot.number(), "A release made elsewhere is now in force.");
                self.install(snapshot);
                None
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(release.number = %number, error = %error, cause, "A newer release can't be used; the rules in force stay.");
                Some(number)
            }
        }
    }
}

async fn load(store: &Store, terms: &Terms) -> Result<Snapshot, LiveError> {
    let release = store.live().await?;
    let (number, book) =
        release.map_or_else(Default::default, |release| (release.number, release.rule_book));
    let terms = terms.clone();
    // Off the threads that answer requests: a large book takes seconds.
    let compiled = tokio::task::spawn_blocking(move || compile(&book, number, &terms)).await;
    compiled
        .map_err(|source| LiveError::Panicked { number, source })?
        .map_err(|source| LiveError::Compile { number, source })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::authz::compile::MfaSetting;
    use crate::model::time::Timestamp;
    use crate::store::Publication;
    use crate::store::audit::tests::Shell;

    struct Scene {
        store: Store,
        live: Live,
        url: String,
        _directory: TempDir,
    }

    fn terms() -> Terms {
        Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Empty }
    }

    /// Release 1 in force.
    async fn scene() -> Scene {
        let directory = TempDir::new().unwrap();
        let url = format!("sqlite://{}/cedargate.db", directory.path().display());
        let store = Store::open(&url).await.unwrap();
        publish(&store, 0, RuleBook::default()).await;
        let live = Live::load(&store, terms()).await.unwrap();
        Scene { store, live, url, _directory: directory }
    }

    async fn publish(store: &Store, based_on: i64, rule_book: RuleBook) {
        let publication = Publication {
            based_on: ReleaseNumber(based_on),
            rule_book,
            cedar: String::new(),
            schema: "{}".to_owned(),
            note: String::new(),
            by: "operator:root".to_owned(),
            at: Timestamp::from_seconds(1),
            draft: None,
        };
        store.publish(publication).await.unwrap();
    }

    /// Does this to the database by hand, and looks for a newer release.
    async fn after(scene: &Scene, statements: &'static str) -> Option<ReleaseNumber> {
        Shell::open(&scene.url).await.run(statements).await.unwrap();
        scene.live.catch_up(&scene.store, None).await
    }

    #[tokio::test]
    async fn a_release_made_elsewhere_comes_into_force() {
        let scene = scene().await;
        publish(&scene.store, 1, RuleBook::default()).await;
        assert_eq!(scene.live.catch_up(&scene.store, None).await, None);
        assert_eq!(scene.live.current().number(), ReleaseNumber(2));
    }

    #[tokio::test]
    async fn rules_that_this_program_can_not_use_never_take_the_running_ones_away() {
        let scene = scene().await;
        publish(&scene.store, 1, RuleBook::default()).await;
        let second = Some(ReleaseNumber(2));
        let harms = [
            "UPDATE release SET cedar = 'permit(principal, action, resource);' WHERE number = 2",
            // As a newer version would write it: a field that nobody here knows.
            "UPDATE release SET rule_book = '{\"apps\":[],\"shields\":[]}' WHERE number = 2",
            "UPDATE release SET rule_book = 'not even JSON' WHERE number = 2",
        ];
        for harm in harms {
            assert_eq!(after(&scene, harm).await, second, "{harm}");
            assert_eq!(scene.live.current().number(), ReleaseNumber(1), "{harm}");
        }
        // Without its releases, or any tables, the gate goes on with what it has.
        assert_eq!(after(&scene, "DELETE FROM release").await, None);
        assert_eq!(after(&scene, "DROP TABLE release").await, None);
        assert_eq!(scene.live.current().number(), ReleaseNumber(1));
    }

    #[tokio::test]
    async fn rules_that_do_not_compile_here_leave_the_running_ones() {
        let scene = scene().await;
        let route = serde_json::json!({ "routes": [{ "id": "a/b", "pattern": "/b" }] });
        publish(&scene.store, 1, serde_json::from_value(route).unwrap()).await;
        assert_eq!(scene.live.catch_up(&scene.store, None).await, Some(ReleaseNumber(2)));
        assert_eq!(scene.live.current().number(), ReleaseNumber(1));
        // At a start there is nothing to keep: it is refused by name.
        let refused = Live::load(&scene.store, terms()).await.unwrap_err();
        assert_eq!(refused.to_string(), "release 2 can't be put in force");
    }
}
