//! Facts about our own secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::ExposeSecret;

use super::{Keys, KeysError, Unsealable};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_are_made_once_and_closed_to_others() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("deep/keys");
    let first = Keys::open(&dir).unwrap();
    let second = Keys::open(&dir).unwrap();
    assert_eq!(first.assertion.kid(), second.assertion.kid());
    let sealed = first.token.seal(b"token", b"row 1").unwrap();
    assert_eq!(second.token.open(&sealed, b"row 1").unwrap(), b"token");
    assert_eq!(mode(&dir), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o400);
        names.push(path.file_name().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names, ["assertion.pem", "token.key"]);
}

#[test]
fn file_open_to_others_is_refused_with_the_remedy() {
    for name in ["token.key", "assertion.pem"] {
        for bits in [0o440, 0o404, 0o420] {
            let home = tempfile::tempdir().unwrap();
            let dir = home.path().join("keys");
            Keys::open(&dir).unwrap();
            set_mode(&dir.join(name), bits);
            let error = Keys::open(&dir).unwrap_err();
            assert!(matches!(error, KeysError::Exposed { .. }), "{error}");
            assert!(
                error.to_string().contains(&format!("chmod 0400 {}", dir.join(name).display()))
            );
        }
    }
}

#[test]
fn directory_open_to_others_is_refused() {
    let home = tempfile::tempdir().unwrap();
    set_mode(home.path(), 0o755);
    assert!(matches!(Keys::open(home.path()), Err(KeysError::Exposed { mode: 0o755, .. })));
}

#[test]
fn file_that_is_no_key_is_refused_and_left_alone() {
    for (name, text) in [("token.key", "short"), ("token.key", ""), ("assertion.pem", "-----BEGIN")]
    {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("keys");
        Keys::open(&dir).unwrap();
        let path = dir.join(name);
        fs::remove_file(&path).unwrap();
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o400);
        assert!(matches!(Keys::open(&dir), Err(KeysError::Malformed { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn sealed_token_opens_only_whole_unchanged_and_in_its_place() {
    let home = tempfile::tempdir().unwrap();
    let key = Keys::open(&home.path().join("keys")).unwrap().token;
    let other = Keys::open(&home.path().join("other")).unwrap().token;
    let sealed = key.seal(b"refresh token", b"session 1").unwrap();
    assert_ne!(sealed, key.seal(b"refresh token", b"session 1").unwrap());
    assert_eq!(key.open(&sealed, b"session 2"), Err(Unsealable));
    assert_eq!(other.open(&sealed, b"session 1"), Err(Unsealable));
    for length in 0..sealed.len() {
        assert_eq!(key.open(&sealed[..length], b"session 1"), Err(Unsealable));
        let mut changed = sealed.clone();
        changed[length] ^= 1;
        assert_eq!(key.open(&changed, b"session 1"), Err(Unsealable));
    }
}

#[test]
fn debug_shows_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let keys = Keys::open(&home.path().join("keys")).unwrap();
    let shown = format!("{keys:?}");
    assert_eq!(
        shown,
        format!(
            "Keys {{ token: TokenKey(..), assertion: AssertionKey({}) }}",
            keys.assertion.kid()
        )
    );
    assert!(keys.assertion.pem().expose_secret().starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

#[test]
fn log_key_is_made_once_and_hands_over_without_being_lost() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("keys");
    let first = Keys::log(&dir).unwrap().public();
    assert_eq!(Keys::log(&dir).unwrap().public(), first);
    assert!(Keys::begun_log(&dir).unwrap().is_none());
    for _ in 0..2 {
        let before = Keys::log(&dir).unwrap().public();
        let next = Keys::next_log(&dir).unwrap().public();
        assert_ne!(next, before);
        assert_eq!(Keys::begun_log(&dir).unwrap().unwrap().public(), next);
        Keys::install_log(&dir).unwrap();
        assert_eq!(Keys::log(&dir).unwrap().public(), next);
        assert!(Keys::begun_log(&dir).unwrap().is_none());
        assert_eq!(mode(&dir.join("log.pem")), 0o400);
    }
}

#[test]
fn log_key_that_is_none_or_open_to_others_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("keys");
    Keys::log(&dir).unwrap();
    set_mode(&dir.join("log.pem"), 0o440);
    assert!(matches!(Keys::log(&dir), Err(KeysError::Exposed { .. })));
    fs::remove_file(dir.join("log.pem")).unwrap();
    fs::write(dir.join("log.pem"), "-----BEGIN").unwrap();
    set_mode(&dir.join("log.pem"), 0o400);
    assert!(matches!(Keys::log(&dir), Err(KeysError::Malformed { .. })));
}
