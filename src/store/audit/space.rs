//! How much room the log takes, and how much is left for it.

use std::path::Path;

use super::super::error::StoreError;
use super::super::sqlite::wal_of;
use super::AuditReader;

/// Room on the disk that the log is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that the log takes, with what was not taken into the database yet.
    pub taken: u64,
    /// Bytes that may still be written; none where the system does not say.
    pub free: Option<u64>,
}

impl AuditReader {
    /// How much room the log takes and has.
    ///
    /// # Errors
    /// When the file is not there, or the read breaks off.
    pub async fn space(&self) -> Result<Space, StoreError> {
        let (file, doing) = (self.file(), "measure the log");
        let gone = StoreError::Gone { file: file.clone(), doing };
        let measured = tokio::task::spawn_blocking(move || measure(&file)).await;
        measured.ok().and_then(Result::ok).ok_or(gone)
    }
}

fn measure(file: &Path) -> std::io::Result<Space> {
    let wal = std::fs::metadata(wal_of(file)).map_or(0, |metadata| metadata.len());
    let free = rustix::fs::statvfs(file).ok();
    Ok(Space {
        taken: std::fs::metadata(file)?.len() + wal,
        free: free.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
    })
}
