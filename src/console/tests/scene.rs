//! The console over everything real, with the demo's rules.

pub(super) use crate::web::tests::scene::{
    Answered, FINANCE, Person, Scene, Sending, get, post, publish, subject,
};

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::entra::Told;
use crate::audit::Places;
use crate::config::{InForce, Provenance, Shown};
use crate::console::Console;
use crate::console::again::kept::Kept;
use crate::console::changes::trials::Trials;
use crate::console::integrity::checks::{Checks, Means};
use crate::groups::Groups;
use crate::model::rule_book::RuleBook;
use crate::publishing::{Publishing, SecondPerson};
use crate::rule_files;
use crate::web::tests::scene;

/// The demo's rules in force as release 1.
pub(super) async fn scene() -> Scene {
    scene_of(rule_files::demo().unwrap()).await
}

pub(super) async fn scene_of(book: RuleBook) -> Scene {
    made(book, SecondPerson::Off).await
}

/// The demo's rules, with or without a second person.
pub(super) async fn scene_with(second: SecondPerson) -> Scene {
    made(rule_files::demo().unwrap(), second).await
}

async fn made(book: RuleBook, second: SecondPerson) -> Scene {
    let mut scene = scene::scene(book).await;
    let console = Console {
        doorkeeper: scene.doorkeeper.clone(),
        rules: scene::console_rules(),
        store: scene.store.clone(),
        publishing: publishing(&scene, second),
        reader: scene.reader.clone(),
        searcher: scene.searcher.clone(),
        stop: stopped(),
        kept: Kept::default(),
        trials: Trials::default(),
        checks: checks(&scene),
        groups: Groups::default(),
        entra: Arc::new(Told::default()),
        certificate_ends: None,
        settings: settings(),
        clock: scene.clock.clone(),
    };
    scene.router = console.router();
    scene
}

/// What checks the log of a scene.
pub(super) fn checks(scene: &Scene) -> Checks {
    let means = Means {
        file: scene.reader.file(),
        rules: scene.store.file(),
        places: Places { mark: scene.reader.file().with_file_name("log.mark"), file: None },
        audit: scene.doorkeeper.audit.clone(),
        clock: scene.clock.clone(),
    };
    Checks::new(means, TaskTracker::new(), CancellationToken::new())
}

/// A few settings as they could be in force.
pub(super) fn settings() -> Arc<[InForce]> {
    let setting = |key, value, from| InForce { key, value, from };
    [
        setting(
            "public_url",
            Shown::Text("https://gate.contoso.com".to_owned()),
            Provenance::File("cedargate.toml:1".to_owned()),
        ),
        setting("contact", Shown::Text("it-help@contoso.example".to_owned()), Provenance::Default),
        setting("trusted_proxies", Shown::List(Vec::new()), Provenance::Default),
        setting(
            "entra.client_secret",
            Shown::Secret,
            Provenance::Variable("CEDARGATE_ENTRA__CLIENT_SECRET_FILE".to_owned()),
        ),
        setting("tls.key_file", Shown::NotSet, Provenance::Default),
    ]
    .into()
}

/// The way to the next release of a scene.
pub(super) fn publishing(scene: &Scene, second: SecondPerson) -> Publishing {
    Publishing::new(scene.store.clone(), scene.doorkeeper.live.terms().clone(), second)
}

/// What is streamed ends at once, so that an answer can be read whole.
pub(super) fn stopped() -> CancellationToken {
    let stop = CancellationToken::new();
    stop.cancel();
    stop
}
