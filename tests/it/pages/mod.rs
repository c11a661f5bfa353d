//! What holds on every page, in a real browser. The console's pages are those of its own table of endpoints, so a new one
//! is looked at by itself; one whose address `scene` can't make up fails these tests by name.

mod filter;
mod hands;
mod pictures;
mod reachable;
mod scene;
mod sealed;
mod sound;
mod tail;
mod weight;

/// What the readme beside a file of others says of it is true.
#[test]
fn axe_core_is_the_file_that_its_readme_names() {
    use sha2::Digest as _;
    let readme = include_str!("../../data/axe/README.md");
    let digest = sha2::Sha256::digest(include_bytes!("../../data/axe/axe.min.js"));
    let hex = format!("{digest:x}");
    assert!(readme.contains(&hex), "{hex}");
}
