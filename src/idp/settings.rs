//! What an operator tells us about the registration in Entra. Refuses what can't be meant or is not safe.

use std::collections::BTreeSet;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use secrecy::ExposeSecret;

use super::error::IdpError;
use crate::model::entra::{Cloud, Credential, GroupSource};
use crate::model::host::Origin;
use crate::model::id::TenantId;

/// The registration in Entra, as plain values.
#[derive(Debug, Clone)]
pub struct EntraSettings {
    /// Where Entra answers: `https://login.microsoftonline.com`. Plain http is for loopback hosts only.
    pub authority: Origin,
    /// The cloud that `authority` belongs to, or that it stands in for.
    pub cloud: Cloud,
    /// The tenant: its id (a GUID), one of its verified domains, or `organizations` together with `allowed_tenants`.
    pub tenant: String,
    /// The application (client) id.
    pub client_id: String,
    /// What we prove ourselves with.
    pub credential: Credential,
    /// Another one, while one takes over from the other.
    pub second: Option<Credential>,
    /// Where Entra sends the browser after a sign-in, exactly as registered.
    pub redirect_uri: String,
    /// Where Entra sends the browser after a sign-out, exactly as registered.
    pub post_logout_uri: String,
    /// Whose people may sign in; empty means those of `tenant` only.
    pub allowed_tenants: BTreeSet<TenantId>,
    /// Where groups are read.
    pub groups: GroupSource,
    /// Microsoft Graph in place of the host that the metadata names.
    pub graph_origin: Option<Origin>,
    /// Access tokens that services and scripts bring; without it none is accepted.
    pub api: Option<ApiSettings>,
    /// Certificate authorities that may vouch for Entra and Graph besides those that the machine trusts: of a proxy
    /// that inspects TLS, or of a simulator.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Which access tokens are meant for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiSettings {
    /// `aud`: the API's client id in v2.0 tokens; in v1.0 tokens its App ID URI, exactly as clients ask for it.
    pub audience: String,
    /// Which version the registration issues (`requestedAccessTokenVersion`); the other one is refused.
    pub version: TokenVersion,
    /// What a token that acts for a person must allow: one of the words in `scp`.
    pub scope: String,
    /// The authentication context that stands for multi-factor authentication; none: nothing stands for it.
    pub mfa_context: Option<String>,
    /// How long after the proof the authentication contexts of a token count, as in a session.
    pub step_up: Duration,
}

/// The two forms of Entra's tokens. Each has issuers, metadata and keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVersion {
    /// `ver` 1.0, issuer `https://sts.windows.net/<tenant>/`.
    V1,
    /// `ver` 2.0, issuer `https://login.microsoftonline.com/<tenant>/v2.0`.
    V2,
}

impl TokenVersion {
    /// The claim `ver`.
    pub(super) fn claim(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }
}

/// Which tenants sign in at the configured address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tenancy {
    /// One tenant, known by its id.
    Id(TenantId),
    /// One tenant, known by a domain; the metadata tells its id.
    Domain,
    /// Many tenants: the metadata holds the issuer's template.
    Many,
}

impl EntraSettings {
    /// How many tenants the configured address stands for.
    pub(super) fn tenancy(&self) -> Tenancy {
        match self.tenant.as_str() {
            "common" | "organizations" => Tenancy::Many,
            text => text.parse().map_or(Tenancy::Domain, Tenancy::Id),
        }
    }

    /// What v1.0 issuers begin with. The cloud in China has its own; the others share one, and are told apart by the
    /// `cloud_instance_name` of their keys.
    pub(super) fn v1_issuers(&self) -> &'static str {
        match self.cloud {
            Cloud::Public | Cloud::UsGovernment => "https://sts.windows.net",
            Cloud::China => "https://sts.chinacloudapi.cn",
        }
    }

    /// Refuses settings that can't work or would be unsafe.
    ///
    /// # Errors
    /// [`IdpError::Settings`], naming the setting.
    pub(super) fn check(&self) -> Result<(), IdpError> {
        safe_origin("authority", &self.authority)?;
        self.graph_origin.iter().try_for_each(|origin| safe_origin("graph_origin", origin))?;
        self.check_tenant()?;
        if self.client_id.is_empty() || self.client_id.contains(char::is_whitespace) {
            return Err(wrong("client_id", "it must be the application (client) id"));
        }
        std::iter::once(&self.credential).chain(&self.second).try_for_each(filled)?;
        self.api.iter().try_for_each(ApiSettings::check)?;
        safe_url("redirect_uri", &self.redirect_uri)?;
        safe_url("post_logout_uri", &self.post_logout_uri)
    }

    fn check_tenant(&self) -> Result<(), IdpError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        if self.tenant.is_empty() || !self.tenant.bytes().all(plain) || self.tenant.contains("..") {
            return Err(wrong("tenant", "it must be a tenant id (a GUID) or a verified domain"));
        }
        match self.tenancy() {
            Tenancy::Many if self.allowed_tenants.is_empty() => Err(wrong(
                "tenant",
                "it stands for every tenant in the world; name yours, or list `allowed_tenants`",
            )),
            Tenancy::Id(id)
                if !self.allowed_tenants.is_empty() && !self.allowed_tenants.contains(&id) =>
            {
                Err(wrong("allowed_tenants", "`tenant` is not among them, so nobody could sign in"))
            }
            Tenancy::Domain if !self.tenant.contains('.') => {
                Err(wrong("tenant", "it must be a tenant id (a GUID) or a verified domain"))
            }
            Tenancy::Id(_) | Tenancy::Domain | Tenancy::Many => Ok(()),
        }
    }
}

fn filled(credential: &Credential) -> Result<(), IdpError> {
    match credential {
        Credential::Secret { value, .. } if value.expose_secret().is_empty() => {
            Err(wrong("client_secret", "it is empty"))
        }
        Credential::Secret { .. }
        | Credential::Certificate { .. }
        | Credential::FederatedToken { .. } => Ok(()),
    }
}

impl ApiSettings {
    fn check(&self) -> Result<(), IdpError> {
        let audience = self.audience.trim_end_matches('/');
        if audience.is_empty() || self.audience.contains(char::is_whitespace) {
            return Err(wrong("audience", "it must be a client id (a GUID) or an App ID URI"));
        }
        if Cloud::is_graph(audience) {
            return Err(wrong("audience", "it is Microsoft Graph, whose tokens are not ours"));
        }
        let guid = super::error::guid(&self.audience);
        if self.version == TokenVersion::V2 && guid.as_deref() != Some(&*self.audience) {
            let problem = "v2 tokens name the API by its client id: a GUID in lower case";
            return Err(wrong("audience", problem));
        }
        if self.scope.is_empty() || self.scope.contains(char::is_whitespace) {
            return Err(wrong("scope", "it must be one word, such as `access_as_user`"));
        }
        Ok(())
    }
}

fn wrong(setting: &'static str, problem: &'static str) -> IdpError {
    IdpError::Settings { setting, problem }
}

/// Tokens travel to these: plain text only where it can't leave the machine.
fn safe_origin(setting: &'static str, origin: &Origin) -> Result<(), IdpError> {
    if origin.is_https() || origin.host().is_loopback() {
        Ok(())
    } else {
        Err(wrong(setting, "plain http is for loopback hosts only"))
    }
}

fn safe_url(setting: &'static str, text: &str) -> Result<(), IdpError> {
    let url = url::Url::parse(text).map_err(|_| wrong(setting, "it is not a URL"))?;
    let origin = url.origin().ascii_serialization().parse();
    let origin: Origin = origin.map_err(|_| wrong(setting, "it is not an http or https URL"))?;
    safe_origin(setting, &origin)
}
