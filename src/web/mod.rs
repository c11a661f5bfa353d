//! Manners that all doors share: what a page looks like, which headers go with it, which files belong to it.
//!
//! Nothing here decides who may see something, and nothing here reads or writes stored data.

pub mod assets;
pub mod client;
pub mod headers;
pub mod hx;
pub mod link;
pub mod moment;
pub mod page;
pub mod pages;

#[cfg(test)]
pub(crate) mod tests;
