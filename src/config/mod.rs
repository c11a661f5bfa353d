//! Settings: one TOML file, and environment variables over it.
//!
//! | file | holds |
//! |---|---|
//! | `keys` | the table of every key |
//! | `settings` | the settings as types that can't be wrong |
//! | `source` | what the file and the environment say, with places |
//! | `values` | how each kind of value is read |
//! | `entra` | the section that says how we stand at Entra |
//! | `in_force` | the settings for showing, without secrets |
//! | `load` | from what was said to [`Config`], with every problem at once |
//!
//! An unknown key or variable is an error: a misspelt setting must not leave a door on its default.
//! Secrets are never printed, neither in problems nor through `Debug`.
//! The variables that AKS sets for a workload identity (`AZURE_…`) are read where a federated token file is among them
//! and the settings name no credential; then they fill what the settings leave open.
//! This is the only place that reads the process environment.
//! Relative paths count from the working directory.

mod entra;
mod in_force;
mod keys;
mod load;
mod settings;
mod source;
mod values;

pub use in_force::{InForce, Provenance, Shown};
pub use keys::{KEYS, Key, Kind};
pub use load::{environment, system_user};
pub use settings::{
    AccessTokens, Api, Audit, Config, Console, ConsoleMember, Entra, Keys, Outlet, SecondPerson,
    Session, Strictness, Tls,
};

#[cfg(test)]
mod tests;
