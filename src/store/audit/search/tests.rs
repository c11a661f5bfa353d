//! What the index holds of the log, and for how long.

use super::reader::LogReader;

/// How often this process has a file open.
#[cfg(target_os = "linux")]
fn opened(file: &std::path::Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
    open.filter(|one| std::fs::read_link(one.path()).is_ok_and(|link| link == file)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn log_is_not_held_any_more_when_its_reader_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().canonicalize().unwrap().join("audit.db");
    let made = rusqlite::Connection::open(&file).unwrap();
    made.execute_batch("CREATE TABLE x (y INTEGER); INSERT INTO x VALUES (1)").unwrap();
    made.close().unwrap();
    for _ in 0..50 {
        let reader = LogReader::start(file.clone());
        assert_eq!(reader.number("SELECT y FROM x").unwrap(), Some(1));
        assert_eq!(opened(&file), 1);
        drop(reader);
        assert_eq!(opened(&file), 0);
    }
}
