//! The exchanges of the authorization code flow: away to Entra, back with a code, again with a refresh token, out.
//!
//! OpenID Connect Core 1.0 sections 3.1 and 12, RFC 7636, RP-Initiated Logout 1.0. `response_mode` is `query`, because
//! a form posted from another site would not carry our cookies. PKCE, state and nonce are always sent.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{
    AuthUrl, ClientId, CsrfToken, EndSessionUrl, EndpointSet, IssuerUrl, JsonWebKeySet, LoginHint,
    LogoutHint, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, RedirectUrl,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::time::Instant;

use super::bearer::Bearers;
use super::counters::{Counters, Silence};
use super::credentials::{CredentialReport, Credentials};
use super::discovery::Discovery;
use super::entra::{self, TokenGroups};
use super::error::{ClaimsRequest, IdpError};
use super::graph::Graph;
use super::http::{GRAPH, Outbound};
use super::id_token::{self, Answered};
use super::jwt::{Checks, Verified};
use super::member_of;
use super::own_tokens::OwnTokens;
use super::provider::{Found, Issuer, Provider};
use super::redeem::{Grant, Redeemer, scopes};
use super::settings::{EntraSettings, TokenVersion};
use super::sign_out::{LONGEST_HINT, SignOutHint};
use super::token_endpoint::{EntraClient, TokenAnswer};
use super::turns::Turns;
use crate::model::entra::GroupSource;
use crate::model::host::Origin;
use crate::model::id::{GroupId, Subject, TenantId};
use crate::model::session::{Identity, StepUp};
use crate::model::time::Clock;

/// Somebody is looking at an empty page all the while.
const PATIENCE: Duration = Duration::from_secs(10);

/// Entra, as the thing that knows people. Cheap to clone; clones share metadata and keys.
#[derive(Debug, Clone)]
pub struct Idp {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Arc<EntraSettings>,
    clock: Clock,
    pub(super) http: Outbound,
    pub(super) discovery: Arc<Discovery>,
    /// None: no access token is accepted.
    pub(super) bearers: Option<Bearers>,
    pub(super) redeemer: Arc<Redeemer>,
    pub(super) own_tokens: OwnTokens,
    pub(super) counters: Counters,
    silence: Silence,
    turns: Turns,
}

/// What Entra may ask of a person who is signed in there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prompt {
    /// Whatever Entra finds right, often nothing.
    #[default]
    Default,
    /// Which account to use.
    SelectAccount,
    /// To sign in anew, whoever is signed in there.
    Login,
    /// To agree to what this app asks for.
    Consent,
}

/// What is asked of Entra for one sign-in. The default is an ordinary one.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Whether the person chooses the account.
    pub prompt: Prompt,
    /// The `login_hint` of the [`Identity`] who should sign in again; the person may still choose another.
    pub login_hint: Option<String>,
    /// What the person has to prove; goes back in [`Proof`].
    pub step_up: StepUp,
    /// What Entra asked to be asked for when it refused the first time.
    pub claims: Option<ClaimsRequest>,
}

/// Where to send a browser to sign in, and what to keep for its return. Prints nothing of it.
pub struct SignInRequest {
    /// The address at Entra. It contains the state and the nonce.
    pub url: String,
    /// Comes back in the callback; 43 characters of base64url.
    pub state: SecretString,
    /// To hand back in [`Proof`].
    pub nonce: SecretString,
    /// To hand back in [`Proof`]. It must not leave the server.
    pub verifier: SecretString,
}

impl fmt::Debug for SignInRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInRequest").finish_non_exhaustive()
    }
}

/// What ties a code to the sign-in that was begun here.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The nonce of the [`SignInRequest`].
    pub nonce: SecretString,
    /// The PKCE verifier of the [`SignInRequest`].
    pub verifier: SecretString,
    /// The step-up of the [`Ask`]: it is checked against the token, for the browser could have cut it from the address.
    pub step_up: StepUp,
}

/// A person who signed in, or was checked again.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who, with all groups and roles.
    pub identity: Identity,
    /// For the next check. Absent when Entra gave none; after a check, the one used goes on then.
    pub refresh_token: Option<SecretString>,
    /// To sign out with at Entra, when there is no `login_hint` and it fits into an address.
    pub id_token: Option<SecretString>,
}

/// How a check went.
#[derive(Debug, Clone)]
pub enum Recheck {
    /// Still welcome: this is the person now.
    Renewed(Box<SignedIn>),
    /// No longer: the session has to end.
    Refused {
        /// `AADSTS50173`, the OAuth error code where there is no number, `another subject` or `another issuer`.
        detail: String,
    },
}

impl Idp {
    /// Checks the settings and reads the machine's certificate authorities. Nothing is asked of Entra yet.
    ///
    /// # Errors
    /// [`IdpError::Settings`].
    pub fn new(settings: EntraSettings, clock: Clock) -> Result<Self, IdpError> {
        Self::with_patience(settings, clock, PATIENCE)
    }

    /// As [`Self::new`], for somebody who waits no longer than this for a step of a sign-in.
    ///
    /// # Errors
    /// [`IdpError::Settings`].
    pub fn with_patience(
        settings: EntraSettings,
        clock: Clock,
        patience: Duration,
    ) -> Result<Self, IdpError> {
        settings.check()?;
        let settings = Arc::new(settings);
        let http = Outbound::new(&settings.authority, &settings.authorities)?;
        let known = |version| {
            let settings = Arc::clone(&settings);
            Arc::new(Discovery::new(version, settings, http.clone(), clock.clone()))
        };
        let discovery = known(TokenVersion::V2);
        let bearers = settings.api.clone().map(|api| {
            let discovery = match api.version {
                TokenVersion::V1 => known(TokenVersion::V1),
                TokenVersion::V2 => Arc::clone(&discovery),
            };
            Bearers::new((Arc::clone(&settings), api), clock.clone(), discovery)
        });
        let credentials = (settings.credential.clone(), settings.second.clone());
        let credentials = Credentials::new(&settings.client_id, credentials, clock.clone());
        let redeemer = Arc::new(Redeemer::new(Arc::clone(&settings), http.clone(), credentials));
        let shared = Shared {
            own_tokens: OwnTokens::new(clock.clone()),
            counters: Counters::default(),
            silence: Silence::default(),
            turns: Turns::new(patience, settings.authority.clone()),
            settings,
            clock,
            http,
            discovery,
            bearers,
            redeemer,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether Entra's metadata and keys are at hand and as they should be. Asks at most once an hour.
    ///
    /// # Errors
    /// [`IdpError::Unavailable`] and [`IdpError::Discovery`].
    pub async fn probe(&self) -> Result<Found, IdpError> {
        let found = self.shared.discovery.provider().await?.found();
        if let Some(bearers) = &self.shared.bearers {
            // Access tokens of version 1 have metadata and keys of their own.
            bearers.discovery.provider().await?;
        }
        Ok(found)
    }

    /// How our own credentials stand, the one of `[entra]` first. Nothing is asked of anybody.
    pub fn credentials(&self) -> Vec<CredentialReport> {
        self.shared.redeemer.credentials.reports()
    }

    /// Shows each of our credentials to Entra, asking for a token of our own that nobody uses, and tells how they stand
    /// then. What is wrong with a credential is in its report.
    ///
    /// # Errors
    /// What has nothing to do with the credentials: Entra can't be reached, or does not know the registration.
    pub async fn prove_credentials(&self) -> Result<Vec<CredentialReport>, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        let scope = provider.graph_scope(self.shared.settings.cloud);
        let tenant = self.shared.settings.allowed_tenants.first();
        let endpoint = provider.own_endpoint(tenant)?;
        self.shared.redeemer.prove(&endpoint, Grant::Own { scope: &scope }).await?;
        Ok(self.credentials())
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// [`IdpError::Unavailable`] and [`IdpError::Discovery`] when the metadata can't be had, [`IdpError::Busy`],
    /// [`IdpError::Randomness`].
    pub async fn begin(&self, ask: &Ask) -> Result<SignInRequest, IdpError> {
        self.shared.turns.take(self.begin_now(ask)).await
    }

    async fn begin_now(&self, ask: &Ask) -> Result<SignInRequest, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        let client = self.client(&provider)?;
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let (csrf, own_nonce) = (CsrfToken::new(state.clone()), Nonce::new(nonce.clone()));
        let request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || csrf, || own_nonce)
            .add_scopes(scopes())
            .set_pkce_challenge(challenge)
            .add_extra_param("response_mode", "query");
        let request = match ask.prompt {
            Prompt::Default => request,
            Prompt::SelectAccount => request.add_prompt(CoreAuthPrompt::SelectAccount),
            Prompt::Login => request.add_prompt(CoreAuthPrompt::Login),
            Prompt::Consent => request.add_prompt(CoreAuthPrompt::Consent),
        };
        let request = match &ask.login_hint {
            Some(hint) => request.set_login_hint(LoginHint::new(hint.clone())),
            None => request,
        };
        let request = match ask.step_up.max_age {
            Some(age) => request.set_max_age(age),
            None => request,
        };
        let request = match claims_request(ask) {
            Some(claims) => request.add_extra_param("claims", claims),
            None => request,
        };
        let (url, ..) = request.url();
        Ok(SignInRequest {
            url: url.into(),
            state: state.into(),
            nonce: nonce.into(),
            verifier: verifier.into(),
        })
    }

    /// Turns the code of a callback into a person. The caller has checked the state and forgotten the pending sign-in.
    ///
    /// # Errors
    /// Any [`IdpError`]; nobody is signed in then.
    pub async fn finish(&self, code: SecretString, proof: Proof) -> Result<SignedIn, IdpError> {
        self.shared.turns.take(self.finish_now(code, proof)).await
    }

    async fn finish_now(&self, code: SecretString, proof: Proof) -> Result<SignedIn, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        let grant = Grant::Code { code: &code, verifier: &proof.verifier };
        let answer = self.shared.redeemer.ask(&provider.token_endpoint, grant).await?;
        let answer = answer.map_err(IdpError::from_token_endpoint)?;
        let token = self.verified(&provider, &answer, Some(&proof.nonce)).await?;
        let person = self.signed_in(&provider, &answer, &token).await?;
        entra::met(&person.identity, &proof.step_up, self.shared.clock.now())?;
        Ok(person)
    }

    /// Asks again for the person of a session.
    ///
    /// # Errors
    /// When the answer could not be had or read, though the person may well still be welcome: the session keeps what it
    /// knows until its own limit.
    pub async fn recheck(
        &self,
        refresh_token: &SecretString,
        subject: &Subject,
    ) -> Result<Recheck, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        let grant = Grant::Refresh(refresh_token);
        let answer = match self.shared.redeemer.ask(&provider.token_endpoint, grant).await? {
            Ok(answer) => answer,
            Err(refusal) if refusal.is_of_person() => {
                return Ok(Recheck::Refused { detail: refusal.code() });
            }
            Err(refusal) => return Err(IdpError::from_token_endpoint(refusal)),
        };
        let token = match self.verified(&provider, &answer, None).await {
            Ok(token) if token.subject == *subject => token,
            Ok(_) => return Ok(Recheck::Refused { detail: "another subject".to_owned() }),
            Err(
                IdpError::BadToken { check: "issuer" | "tenant" | "object_id" }
                | IdpError::ForeignTenant { .. },
            ) => {
                return Ok(Recheck::Refused { detail: "another issuer".to_owned() });
            }
            Err(error) => return Err(error),
        };
        self.signed_in(&provider, &answer, &token)
            .await
            .map(|person| Recheck::Renewed(Box::new(person)))
    }

    /// Where Entra's own pages live: whoever may frame what it calls at a sign-out.
    pub fn authority(&self) -> &Origin {
        &self.shared.settings.authority
    }

    /// Whether `issuer` is one that the tokens of this registration come from, letter by letter.
    ///
    /// # Errors
    /// [`IdpError::Unavailable`] and [`IdpError::Discovery`] when that can't be told.
    pub async fn is_issuer(&self, issuer: &str) -> Result<bool, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        let mut tenants = self.shared.settings.allowed_tenants.iter().map(TenantId::as_str);
        Ok(match &provider.issuer {
            Issuer::One(own, _) => own == issuer,
            many @ Issuer::Template(_) => tenants.any(|tenant| many.of(tenant) == issuer),
        })
    }

    /// Where a browser signs out at Entra and comes back.
    ///
    /// # Errors
    /// [`IdpError::Unavailable`] and [`IdpError::Discovery`] when the metadata can't be had or names no such address.
    pub async fn sign_out_url(&self, hint: &SignOutHint) -> Result<String, IdpError> {
        let provider = self.shared.discovery.provider().await?;
        let unusable = |problem| IdpError::Discovery {
            url: self.shared.settings.authority.to_string(),
            problem,
        };
        let endpoint = provider.end_session_endpoint.clone();
        let endpoint = endpoint.ok_or_else(|| unusable("it names no end_session_endpoint"))?;
        let endpoint = EndSessionUrl::new(endpoint)
            .map_err(|_| unusable("its end_session_endpoint is not a URL"))?;
        let back = PostLogoutRedirectUrl::new(self.shared.settings.post_logout_uri.clone())
            .map_err(|_| setting("post_logout_uri"))?;
        let request = LogoutRequest::from(endpoint).set_post_logout_redirect_uri(back);
        let mut url = match hint {
            SignOutHint::Login(hint) => request.set_logout_hint(LogoutHint::new(hint.clone())),
            SignOutHint::IdToken(_) | SignOutHint::Nobody => request,
        }
        .http_get_url();
        if let SignOutHint::IdToken(token) = hint {
            url.query_pairs_mut().append_pair("id_token_hint", token.expose_secret());
        }
        Ok(url.into())
    }

    fn client(&self, provider: &Provider) -> Result<EntraClient<EndpointSet>, IdpError> {
        let settings = &self.shared.settings;
        let unusable =
            |problem| IdpError::Discovery { url: settings.authority.to_string(), problem };
        // Tokens are verified by hand with the issuer of their own tenant; the client needs one only in form.
        let issuer = IssuerUrl::new(settings.authority.to_string())
            .map_err(|_| unusable("the authority is not a URL"))?;
        let authorize = AuthUrl::new(provider.authorization_endpoint.clone())
            .map_err(|_| unusable("its authorization_endpoint is not a URL"))?;
        let redirect =
            RedirectUrl::new(settings.redirect_uri.clone()).map_err(|_| setting("redirect_uri"))?;
        let client = ClientId::new(settings.client_id.clone());
        Ok(EntraClient::new(client, issuer, JsonWebKeySet::new(Vec::new()))
            .set_auth_uri(authorize)
            .set_redirect_uri(redirect))
    }

    /// The ID token of an answer, checked. One that came for a code must carry the nonce of its sign-in.
    async fn verified(
        &self,
        provider: &Arc<Provider>,
        answer: &TokenAnswer,
        nonce: Option<&SecretString>,
    ) -> Result<Verified, IdpError> {
        let raw = answer.extra_fields().id_token.clone();
        let raw = SecretString::from(raw.ok_or(IdpError::BadToken { check: "missing" })?);
        let token = id_token::read(&raw)?;
        let discovery = &self.shared.discovery;
        let provider = &discovery.provider_with_key(Arc::clone(provider), token.kid()).await?;
        let (settings, now) = (&*self.shared.settings, self.shared.clock.now());
        let audience = settings.client_id.as_str();
        let checks = Checks { settings, provider, audience, now };
        let token = match token.verify(checks) {
            // Another key may have come under a name that was in use before.
            Err(IdpError::BadToken { check: "signature" }) => {
                let provider = &discovery.provider_after(Arc::clone(provider)).await?;
                id_token::read(&raw)?.verify(Checks { provider, ..checks })
            }
            other => other,
        };
        let token = token?;
        let access_token = answer.access_token().secret();
        id_token::check(&token, Answered { nonce, access_token, client_id: audience })?;
        Ok(token)
    }

    async fn signed_in(
        &self,
        provider: &Provider,
        answer: &TokenAnswer,
        token: &Verified,
    ) -> Result<SignedIn, IdpError> {
        let groups = match (entra::groups(token)?, self.shared.settings.groups) {
            (TokenGroups::All(groups), GroupSource::Token | GroupSource::GraphOnOverage) => {
                if entra::is_silent_on_groups(token) {
                    self.shared.silence.noted("ID");
                }
                groups
            }
            (TokenGroups::Overage, GroupSource::Token) => return Err(IdpError::TooManyGroups),
            (TokenGroups::Overage, GroupSource::GraphOnOverage) | (_, GroupSource::Graph) => {
                let graph = provider.graph.as_ref().ok_or_else(|| IdpError::GroupsUnavailable {
                    reason: "the metadata names no usable Graph host".to_owned(),
                })?;
                self.groups_of(graph, answer).await?
            }
        };
        let refresh_token = answer.refresh_token().map(|token| token.secret().clone().into());
        let identity = entra::identity(token, groups)?;
        let id_token = answer.extra_fields().id_token.clone();
        let id_token =
            id_token.filter(|token| identity.login_hint.is_none() && token.len() <= LONGEST_HINT);
        Ok(SignedIn { identity, refresh_token, id_token: id_token.map(Into::into) })
    }
}

impl Idp {
    /// Somebody is waiting for the page.
    async fn groups_of(
        &self,
        origin: &Origin,
        answer: &TokenAnswer,
    ) -> Result<BTreeSet<GroupId>, IdpError> {
        let token = answer.access_token().secret().clone().into();
        let (http, counters) = (&self.shared.http, &self.shared.counters);
        let until = Instant::now() + GRAPH.total;
        let graph = Graph { http, counters, origin, token: &token, until };
        let groups = member_of::groups(&graph, "me").await;
        groups.map_err(|error| IdpError::GroupsUnavailable { reason: error.to_string() })
    }
}

/// OpenID Connect Core 1.0 section 5.5: the ID token must vouch for the context that is asked for. What Entra wants
/// besides goes along.
fn claims_request(ask: &Ask) -> Option<String> {
    let own = ask.step_up.context.as_ref().map(|context| {
        json!({ "id_token": { "acrs": { "essential": true, "value": context.as_str() } } })
    });
    match &ask.claims {
        Some(claims) => Some(claims.with(own.as_ref())),
        None => own.map(|own| own.to_string()),
    }
}

fn setting(setting: &'static str) -> IdpError {
    IdpError::Settings { setting, problem: "it is not a URL" }
}

/// 256 bits from the operating system, in 43 characters that survive any URL.
fn random() -> Result<String, IdpError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| IdpError::Randomness)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
