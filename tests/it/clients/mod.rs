//! Software that nobody here wrote: clients against the simulator, and the gate against a provider.

mod certificates;
mod https;
mod msal;
mod provider;
mod provider_server;
mod python;
mod tenant;
mod web_app;
