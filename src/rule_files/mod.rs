//! The rule book as a folder of files, so that it can live in Git.
//!
//! | file | holds |
//! |---|---|
//! | `routes.toml` | apps with their routes, and names of groups |
//! | `grants.toml` | grants; may be absent |
//! | `assertions.toml` | assertions; may be absent |
//! | `<policy id>.cedar` | one hand-written policy each |
//!
//! Writing is stable: everything is ordered by id, so that one edit is one small difference. Reading what was written
//! gives the same rule book. A file or folder that could hold rules but would not be read is refused rather than passed
//! over: it might be the one that forbids. Whether the rules make sense as Cedar, the compiler says.

#[cfg(any(feature = "demo", test))]
mod demo;
mod read;
mod write;

#[cfg(any(feature = "demo", test))]
pub use demo::demo;
pub use read::{Places, read, read_texts, read_with_places};
pub use write::{texts, write};

#[cfg(test)]
mod tests;
