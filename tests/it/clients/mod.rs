//! Software that nobody here wrote: clients against the simulator, and the gate against a provider.

mod certificates;
mod https;
mod msal;
mod provider;
mod provider_server;
mod python;
pub(crate) mod tenant;
mod web_app;
