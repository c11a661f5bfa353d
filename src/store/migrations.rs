//! The steps that bring the tables of a database up to date, oldest first. A step that was released is never edited.
//!
//! They are listed here rather than found by a macro of sqlx's: that one builds a second SQLite for the compiler's own
//! use, which doubles what a first build waits for. A test holds the lists against the folders.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, description and statements of one step.
pub(super) type Step = (i64, &'static str, &'static str);

macro_rules! steps {
    ($folder:literal, $($version:literal $name:literal,)+) => {
        &[$((
            $version,
            $name,
            include_str!(concat!("../../migrations/", $folder, "/", $version, "_", $name, ".sql")),
        )),+]
    };
}

/// Rules, releases and sessions.
#[expect(clippy::unreadable_literal, reason = "these are dates and times")]
pub(super) const MAIN: &[Step] = steps![
    "main",
    20261124000000 "init",
    20261125222000 "step_up",
    20261125223000 "entra_sessions",
    20261125224000 "id_token",
    20261125230000 "groups",
    20261126120000 "assertions",
    20261127130000 "approvals",
    20261129070000 "removals",
    20261129080000 "session_browser",
    20261129081000 "groups_read",
    20261129220000 "draft_version",
];

/// The log.
#[expect(clippy::unreadable_literal, reason = "these are dates and times")]
pub(super) const AUDIT: &[Step] = steps![
    "audit",
    20261124000000 "init",
    20261130040000 "rounds",
    20261130140000 "signed_wishes",
];

/// What runs these steps.
pub(super) fn migrator(steps: &[Step]) -> Migrator {
    let migration = |(version, name, text): &Step| {
        let sql = text.into_sql_str();
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(steps.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{AUDIT, MAIN, Step};

    #[track_caller]
    fn check(folder: &str, steps: &[Step]) {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let files = std::fs::read_dir(dir).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let listed = steps.iter().map(|(version, name, _)| format!("{version}_{name}.sql"));
        assert_eq!(listed.collect::<BTreeSet<_>>(), names.collect::<BTreeSet<_>>());
        assert!(steps.is_sorted_by_key(|(version, ..)| version), "the oldest step comes first");
    }

    #[test]
    fn every_file_of_migrations_is_a_step() {
        check("main", MAIN);
        check("audit", AUDIT);
    }
}
