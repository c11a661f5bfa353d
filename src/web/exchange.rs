//! One HTTP exchange as the doors meet it: canonical, known by name, and placed on an origin of ours.

use std::sync::Arc;

use crate::model::app::App;
use crate::model::host::Origin;
use crate::model::record::RequestFacts;
use crate::model::time::Timestamp;

use super::wants::Wants;

/// A request after host and path were read in the only way they can be read.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What records keep of it. Host and path are canonical.
    pub facts: RequestFacts,
    /// The origin that the host stands for; its scheme comes from the settings, never from the request.
    pub origin: Origin,
    /// The app on that host; none on Cedargate's own.
    pub app: Option<Arc<App>>,
    /// The query as it came, without the `?`. Never recorded.
    pub query: Option<String>,
    /// The kind of answer that the client can use.
    pub wants: Wants,
    /// When it arrived.
    pub at: Timestamp,
}

impl Exchange {
    /// Path and query, as they are sent on and as sign-in comes back to them.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.facts.path),
            None => self.facts.path.clone(),
        }
    }
}
