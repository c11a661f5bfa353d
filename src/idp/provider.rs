//! A provider as its metadata and keys describe it: whose tokens are its own, and which key may speak for whom.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::CoreJsonWebKey;
use serde_json::Value;

use super::error::IdpError;
use super::settings::TokenVersion;
use crate::model::entra::Cloud;
use crate::model::host::Origin;
use crate::model::id::TenantId;

/// Bytes of an RSA modulus: 2048 to 8192 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// Public exponents: 3 to 2^32 - 1, as other readers of keys have it. A huge one makes each check of a signature slow.
const EXPONENT_BYTES: std::ops::RangeInclusive<usize> = 1..=4;

/// The part of an issuer's template that stands for the tenant.
pub(super) const PLACE_OF_TENANT: &str = "{tenantid}";

/// What [`Idp::probe`](super::Idp::probe) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The issuer, or its template.
    pub issuer: String,
    /// How many signing keys are usable.
    pub keys: usize,
}

/// A provider as its metadata and keys describe it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provider {
    /// Which tokens these keys are for.
    pub(super) version: TokenVersion,
    /// Whose tokens these are: an issuer or its template.
    pub(super) issuer: Issuer,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) end_session_endpoint: Option<String>,
    /// Microsoft Graph for this cloud.
    pub(super) graph: Option<Origin>,
    pub(super) cloud: Option<String>,
    pub(super) keys: Vec<SigningKey>,
}

/// A signing key with what the library's own type forgets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SigningKey {
    pub(super) key: CoreJsonWebKey,
    pub(super) kid: Option<String>,
    issuer: Option<String>,
    cloud: Option<String>,
}

/// One issuer, or a template for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issuer {
    /// `https://login.microsoftonline.com/<guid>/v2.0`.
    One(String, TenantId),
    /// `https://login.microsoftonline.com/{tenantid}/v2.0`.
    Template(String),
}

impl Issuer {
    /// The issuer that a token of `tenant` must name, byte for byte.
    pub(super) fn of(&self, tenant: &str) -> String {
        match self {
            Self::One(issuer, _) => issuer.clone(),
            Self::Template(template) => template.replace(PLACE_OF_TENANT, tenant),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::One(text, _) | Self::Template(text) => text,
        }
    }
}

impl Provider {
    /// The one key called `kid`, when it may speak for `issuer` of `tenant`. A token that names none is meant for the
    /// only key there is (OpenID Connect Core 1.0 section 10.1); Entra names one always and has several.
    ///
    /// # Errors
    /// In one word: `kid` for none or several such keys, `key_issuer` for a key of somebody else.
    pub(super) fn key(
        &self,
        kid: Option<&str>,
        issuer: &str,
        tenant: &str,
    ) -> Result<&SigningKey, &'static str> {
        let meant = |key: &&SigningKey| kid.is_none() || key.kid.as_deref() == kid;
        let mut keys = self.keys.iter().filter(meant);
        let key = keys.next().filter(|_| keys.next().is_none()).ok_or("kid")?;
        let fits =
            |text: &String| text == issuer || text.replace(PLACE_OF_TENANT, tenant) == issuer;
        let same_cloud = key.cloud.is_none() || self.cloud.is_none() || key.cloud == self.cloud;
        if key.issuer.as_ref().is_none_or(fits) && same_cloud { Ok(key) } else { Err("key_issuer") }
    }

    /// Without a name there is nothing to look for: fetching again would not help.
    pub(super) fn knows(&self, kid: Option<&str>) -> bool {
        kid.is_none() || self.keys.iter().any(|key| key.kid.as_deref() == kid)
    }

    /// Where tokens of our own are asked for: always one tenant's address, so at an address for many that of `tenant`.
    ///
    /// # Errors
    /// [`IdpError::Discovery`] when the metadata leads nowhere in particular.
    pub(super) fn own_endpoint(&self, tenant: Option<&TenantId>) -> Result<String, IdpError> {
        let Issuer::Template(template) = &self.issuer else {
            return Ok(self.token_endpoint.clone());
        };
        let many = "/organizations/";
        match tenant {
            Some(tenant) if self.token_endpoint.matches(many).count() == 1 => {
                Ok(self.token_endpoint.replace(many, &format!("/{tenant}/")))
            }
            Some(_) | None => Err(IdpError::Discovery {
                url: template.clone(),
                problem: "its token_endpoint does not tell one tenant from another",
            }),
        }
    }

    /// The scope of a token of our own for Graph. A simulator's Graph goes by the name of the real one.
    pub(super) fn graph_scope(&self, cloud: Cloud) -> String {
        let named = self.graph.as_ref().map(|graph| graph.host().to_string());
        let hosts = cloud.graph_hosts();
        let known = hosts.iter().find(|host| named.as_deref() == Some(**host));
        format!("https://{}/.default", known.or(hosts.first()).unwrap_or(&"graph.microsoft.com"))
    }

    /// What a probe reports.
    pub(super) fn found(&self) -> Found {
        Found { issuer: self.issuer.as_str().to_owned(), keys: self.keys.len() }
    }
}

/// An RSA key for signatures, of a sensible size. Others are left out: they can't verify an RS256 token.
pub(super) fn signing_key(raw: Value) -> Option<SigningKey> {
    let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
    let length = |name: &str| {
        let number = URL_SAFE_NO_PAD.decode(text(name)?).ok()?;
        Some(number.iter().skip_while(|byte| **byte == 0).count())
    };
    let sensible = MODULUS_BYTES.contains(&length("n")?) && EXPONENT_BYTES.contains(&length("e")?);
    let for_signing = text("use").is_none_or(|purpose| purpose == "sig");
    if text("kty")? != "RSA" || !for_signing || !sensible {
        return None;
    }
    let (kid, issuer, cloud) = (text("kid"), text("issuer"), text("cloud_instance_name"));
    Some(SigningKey { key: serde_json::from_value(raw).ok()?, kid, issuer, cloud })
}
