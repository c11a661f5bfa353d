//! What is allowed: the canonical path that every rule is matched against.

pub mod path;

#[cfg(test)]
mod tests;
