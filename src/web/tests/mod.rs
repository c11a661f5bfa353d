//! Pages rendered from samples, innocent and hostile, and the manners that go with them.

mod client;
mod contact;
mod files;
mod flood;
mod inbound;
pub(crate) mod markup;
mod pages;
mod refuser;
pub(crate) mod scene;
