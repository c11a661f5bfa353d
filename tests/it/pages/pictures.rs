//! Pictures of every page, for people to look at: light and dark, wide and narrow, and the three of the readme.

use std::path::{Path, PathBuf};

use super::scene::Scene;
use crate::harness::{Chromium, Colours};

/// The windows of a desk and of a telephone. A longer page gets a longer one, so that what sticks to its foot is there.
const SIZES: [(u32, u32); 2] = [(1280, 800), (390, 844)];
/// Nobody looks further.
const LONGEST: u64 = 4_000;
/// The pages that the readme shows, and the height that each is shown in.
const README: [(&str, &str, u32); 3] = [
    ("decisions", "/console/decisions?q=door:proxy%20-path:/assets/**", 960),
    ("route", "/console/routes/intranet/reports", 760),
    ("impact", "/console/draft/impact?by=person", 640),
];

/// Where the pictures go. Inside of the repository they would be committed one day.
#[expect(clippy::disallowed_methods, reason = "where pictures go is no setting of the gate")]
fn folder() -> PathBuf {
    let named = std::env::var_os("CEDARGATE_PICTURES");
    let folder = PathBuf::from(named.expect("CEDARGATE_PICTURES names a folder"));
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
    assert!(!folder.starts_with(&repository), "{} is in the repository", folder.display());
    folder
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes pictures of every page below CEDARGATE_PICTURES"]
async fn pictures_of_every_page() {
    let Some(browser) = Chromium::start("pictures_of_every_page").await else { return };
    let (folder, scene) = (folder(), Scene::start().await);
    let world = &scene.world;
    browser.hide_scroll_bars().await;
    let album = Album { browser: &browser, folder: &folder };
    album.take("picker", &world.gate("/")).await;
    browser.sign_in("nora", &world.gate("/"), &world.gate("/")).await;
    for path in ["/", "/sessions", "/console/routes"] {
        album.take(&format!("nora{}", name(path)), &world.gate(path)).await;
    }
    for path in Scene::REFUSALS.into_iter().chain(["/", "/me"]) {
        album.take(&format!("app{}", name(path)), &world.app(path)).await;
    }
    album.take("simulator", &format!("{}/_sim/", world.places.simulator())).await;

    browser.forget_everybody().await;
    browser.resize(1280, 800).await;
    let routes = world.gate("/console/routes");
    browser.sign_in("olive", &routes, &routes).await;
    for path in scene.console().await.iter().map(String::as_str).chain(Scene::DOORS) {
        album.take(&name(path), &world.gate(path)).await;
    }
    for (name, path, height) in README {
        browser.prefer(Colours::Light).await;
        browser.resize(1280, height).await;
        album.open(&world.gate(path)).await;
        browser.small_picture(&folder.join(format!("{name}.webp"))).await;
    }
}

/// A file's name for a page.
fn name(path: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    path.chars().map(plain).take(80).collect()
}

struct Album<'a> {
    browser: &'a Chromium,
    folder: &'a Path,
}

impl Album<'_> {
    /// Opens a page and waits until it has all that it waits for by itself.
    async fn open(&self, address: &str) {
        self.browser.open(address).await;
        self.browser
            .until("!document.querySelector('[aria-busy=true], .live[data-state=off]')")
            .await;
    }

    async fn take(&self, name: &str, address: &str) {
        for (width, height) in SIZES {
            self.browser.resize(width, height).await;
            self.open(address).await;
            let long = self.browser.js("return document.documentElement.scrollHeight").await;
            let long = u32::try_from(long.as_u64().unwrap().min(LONGEST)).unwrap();
            self.browser.resize(width, long.max(height)).await;
            for colours in Colours::BOTH {
                self.browser.prefer(colours).await;
                let folder = self.folder.join(format!("{}-{width}", colours.as_str()));
                std::fs::create_dir_all(&folder).unwrap();
                self.browser.picture(&folder.join(format!("{name}.png"))).await;
            }
        }
    }
}
