//! Asking the token endpoint, with one credential after the other.
//!
//! Entra looks at the credential before it looks at the code or refresh token, so a request that it refuses with
//! `invalid_client` has spent nothing: the same request goes out once more with the other credential. Any other answer
//! stands as it is; a code that was refused is never sent again.

use std::sync::Arc;

use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet, IssuerUrl,
    JsonWebKeySet, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};

use super::credentials::{Credentials, Shown};
use super::error::{IdpError, Refusal};
use super::http::{Outbound, request_id};
use super::settings::EntraSettings;
use super::token_endpoint::{EntraClient, TokenAnswer, TokenClient, refusal};
use crate::model::host::Origin;

/// `openid` is added by the library. `profile` brings `oid` and `tid`, `offline_access` the refresh token, `User.Read`
/// the right to ask Graph for one's own groups.
const SCOPES: [&str; 4] = ["profile", "email", "offline_access", "User.Read"];

/// RFC 7523 section 2.2.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a sign-in asks for, but for `openid`.
pub(super) fn scopes() -> impl Iterator<Item = Scope> {
    SCOPES.into_iter().map(|scope| Scope::new(scope.to_owned()))
}

/// What is given for tokens (RFC 6749 section 4).
#[derive(Debug, Clone, Copy)]
pub(super) enum Grant<'a> {
    /// The code of a callback and the PKCE verifier of its sign-in.
    Code { code: &'a SecretString, verifier: &'a SecretString },
    /// The refresh token of a session.
    Refresh(&'a SecretString),
    /// Nothing but who we are: a token of our own for this scope, `<resource>/.default`.
    Own { scope: &'a str },
}

/// Who asks the token endpoint.
#[derive(Debug)]
pub(super) struct Redeemer {
    settings: Arc<EntraSettings>,
    http: Outbound,
    pub(super) credentials: Credentials,
}

type Client = EntraClient<EndpointNotSet, EndpointSet>;

impl Redeemer {
    pub(super) fn new(
        settings: Arc<EntraSettings>,
        http: Outbound,
        credentials: Credentials,
    ) -> Self {
        Self { settings, http, credentials }
    }

    /// Where it is asked.
    pub(super) fn origin(&self) -> &Origin {
        &self.settings.authority
    }

    /// Tokens for `grant` from `endpoint`, or what Entra said instead.
    ///
    /// # Errors
    /// [`IdpError::Unavailable`] when no answer could be had, [`IdpError::Credential`] when no credential can be shown.
    pub(super) async fn ask(
        &self,
        endpoint: &str,
        grant: Grant<'_>,
    ) -> Result<Result<TokenAnswer, Refusal>, IdpError> {
        let none = IdpError::Settings { setting: "credential", problem: "there is none" };
        let (mut why_not, mut first) = (Err(none), true);
        for held in self.credentials.in_order() {
            let outcome = match self.credentials.show(held, endpoint).await {
                Ok(shown) => Ok(self.once(endpoint, grant, shown).await?),
                Err(unusable) => Err(unusable),
            };
            match &outcome {
                Ok(Ok(_)) => {
                    self.credentials.accepted(held);
                    return outcome;
                }
                Ok(Err(refusal)) if refusal.is_of_credential() => {
                    let credential = held.which.table();
                    tracing::error!(credential, %refusal, "Entra refuses a credential of ours.");
                    self.credentials.refused(held, refusal);
                }
                Ok(Err(_)) => return outcome,
                Err(error) => tracing::error!(%error, "A credential of ours is passed over."),
            }
            // What Entra says weighs more than a file of ours that can't be read.
            if first || (why_not.is_err() && outcome.is_ok()) {
                why_not = outcome;
            }
            first = false;
        }
        why_not
    }

    /// Shows every credential once, so that their reports tell what Entra makes of each.
    ///
    /// # Errors
    /// What is not about a credential.
    pub(super) async fn prove(&self, endpoint: &str, grant: Grant<'_>) -> Result<(), IdpError> {
        for held in self.credentials.all() {
            let shown = match self.credentials.show(held, endpoint).await {
                Ok(shown) => shown,
                Err(IdpError::Credential { .. }) => continue,
                Err(error) => return Err(error),
            };
            match self.once(endpoint, grant, shown).await? {
                Ok(_) => self.credentials.accepted(held),
                Err(refusal) if refusal.is_of_credential() => {
                    self.credentials.refused(held, &refusal);
                }
                Err(refusal) => return Err(IdpError::from_token_endpoint(refusal)),
            }
        }
        Ok(())
    }

    async fn once(
        &self,
        endpoint: &str,
        grant: Grant<'_>,
        shown: Shown,
    ) -> Result<Result<TokenAnswer, Refusal>, IdpError> {
        let request = request_id()?;
        let http = TokenClient { http: self.http.clone(), request: request.clone() };
        let client = self.client(endpoint, &shown)?;
        let extra = shown.extra();
        let plain = |secret: &SecretString| secret.expose_secret().to_owned();
        let answer = match grant {
            Grant::Code { code, verifier } => {
                let asked = client.exchange_code(AuthorizationCode::new(plain(code)));
                let asked = asked.set_pkce_verifier(PkceCodeVerifier::new(plain(verifier)));
                let asked = extra.into_iter().fold(asked, |a, (n, v)| a.add_extra_param(n, v));
                asked.request_async(&http).await
            }
            Grant::Refresh(token) => {
                let token = RefreshToken::new(plain(token));
                let asked = client.exchange_refresh_token(&token);
                let asked = asked.add_scope(Scope::new("openid".to_owned())).add_scopes(scopes());
                let asked = extra.into_iter().fold(asked, |a, (n, v)| a.add_extra_param(n, v));
                asked.request_async(&http).await
            }
            Grant::Own { scope } => {
                let asked = client.exchange_client_credentials();
                let asked = asked.add_scope(Scope::new(scope.to_owned()));
                let asked = extra.into_iter().fold(asked, |a, (n, v)| a.add_extra_param(n, v));
                asked.request_async(&http).await
            }
        };
        answer.map(Ok).or_else(|error| refusal(error, self.origin(), &request).map(Err))
    }

    fn client(&self, endpoint: &str, shown: &Shown) -> Result<Client, IdpError> {
        let unusable =
            |problem| IdpError::Discovery { url: self.settings.authority.to_string(), problem };
        let redirect = RedirectUrl::new(self.settings.redirect_uri.clone()).map_err(|_| {
            IdpError::Settings { setting: "redirect_uri", problem: "it is not a URL" }
        })?;
        // Tokens are verified by hand with the issuer of their own tenant; the client needs one only in form.
        let issuer = IssuerUrl::new(self.settings.authority.to_string())
            .map_err(|_| unusable("the authority is not a URL"))?;
        let token = TokenUrl::new(endpoint.to_owned())
            .map_err(|_| unusable("its token_endpoint is not a URL"))?;
        let id = ClientId::new(self.settings.client_id.clone());
        let client = EntraClient::new(id, issuer, JsonWebKeySet::new(Vec::new()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(token)
            .set_redirect_uri(redirect);
        Ok(match shown {
            Shown::Secret(secret) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            Shown::Assertion(_) => client,
        })
    }
}

impl Shown {
    /// What the library does not know of: it speaks secrets only.
    fn extra(self) -> Vec<(&'static str, String)> {
        match self {
            Self::Secret(_) => Vec::new(),
            Self::Assertion(assertion) => vec![
                ("client_assertion_type", ASSERTION.to_owned()),
                ("client_assertion", assertion.expose_secret().to_owned()),
            ],
        }
    }
}
