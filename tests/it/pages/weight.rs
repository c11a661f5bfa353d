//! What a page weighs on the wire. Pages aren't compressed: they hold a token of the session beside what others typed,
//! and how well that compresses would give the token away (BREACH).

use super::scene::Scene;
use crate::harness::navigation;

/// The most that a page may weigh while its files are in the browser's cache.
const MOST: usize = 60_000;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_the_demo_weighs_more_than_60_kb() {
    let mut scene = Scene::start().await;
    let mut pages = scene.console().await;
    pages.extend(Scene::DOORS.map(str::to_owned));
    let mut heavy = Vec::new();
    for path in pages {
        let asked = navigation("GET", &scene.world.gate(&path));
        let weight = scene.olive.send(asked).await.body.len();
        if weight > MOST {
            heavy.push(format!("{path}: {weight} bytes"));
        }
    }
    assert!(heavy.is_empty(), "{}", heavy.join("\n"));
}
