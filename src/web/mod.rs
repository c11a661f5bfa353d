//! Manners that all doors share: reading who asks and what they can use, refusing, and what pages look like.
//!
//! Nothing here decides who may open something.

pub mod assets;
pub mod bearer;
pub mod caller;
pub mod client;
pub mod contact;
pub mod cookie;
pub mod csrf;
pub mod doorkeeper;
pub mod download;
pub mod exchange;
pub mod fault;
pub mod flood;
pub mod form;
pub mod headers;
pub mod house;
pub mod hurry;
pub mod hx;
pub mod lease;
pub mod link;
pub mod moment;
pub mod page;
pub mod pages;
pub mod refuser;
pub mod sign_in;
pub mod stretch;
pub mod wants;

#[cfg(test)]
pub(crate) mod tests;
