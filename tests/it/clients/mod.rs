//! Software that nobody here wrote: clients against the simulator, and the gate against a provider.

mod https;
mod tenant;
