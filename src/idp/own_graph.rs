//! Microsoft Graph with a token of our own, in each tenant whose people may sign in.

use secrecy::SecretString;
use tokio::time::Instant;

use super::deadline::within;
use super::error::IdpError;
use super::graph::{Graph, GraphError};
use super::oidc::Idp;
use super::provider::Issuer;
use crate::model::host::Origin;

/// Where Graph is, and what we may ask it with.
#[derive(Debug)]
pub(super) struct OwnGraph {
    origin: Origin,
    token: SecretString,
}

impl Idp {
    /// Where tokens of our own are asked for: one address per tenant.
    pub(super) async fn own_endpoints(&self) -> Result<Vec<String>, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        match &provider.issuer {
            Issuer::One(..) => Ok(vec![provider.own_endpoint(None)?]),
            Issuer::Template(_) => {
                let tenants = self.shared.settings.allowed_tenants.iter();
                tenants.map(|tenant| provider.own_endpoint(Some(tenant))).collect()
            }
        }
    }

    /// A token of our own from `endpoint`, had until then, and where it goes.
    pub(super) async fn own_graph(
        &self,
        endpoint: &str,
        until: Instant,
    ) -> Result<OwnGraph, IdpError> {
        let (discovery, at) = (&self.shared.discovery, &self.shared.settings.authority);
        let provider = within(until, at, discovery.provider()).await?;
        let origin = provider.graph.clone().ok_or_else(|| IdpError::Discovery {
            url: endpoint.to_owned(),
            problem: "its metadata names no usable Graph host",
        })?;
        let scope = provider.graph_scope(self.shared.settings.cloud);
        let redeemer = &self.shared.redeemer;
        let token = self.shared.own_tokens.get(redeemer, (endpoint, &scope), until).await?;
        Ok(OwnGraph { origin, token })
    }

    /// Graph, asked with `own` until then.
    pub(super) fn graph<'a>(&'a self, own: &'a OwnGraph, until: Instant) -> Graph<'a> {
        let (http, counters) = (&self.shared.http, &self.shared.counters);
        Graph { http, counters, origin: &own.origin, token: &own.token, until }
    }

    /// What a refusal of Graph means. A token that it does not take is not shown again.
    pub(super) async fn refused_own(
        &self,
        (endpoint, own): (&str, &OwnGraph),
        error: GraphError,
        wanted: (&'static str, &'static str),
    ) -> IdpError {
        if error.is_of_token() {
            self.shared.own_tokens.forget(endpoint).await;
        }
        let (what, permission) = wanted;
        if error.is_denied() {
            return IdpError::NoPermission { what, permission };
        }
        error.into_unavailable(&own.origin)
    }
}
