//! What goes over the wire to the token endpoint and back, in the library's types (RFC 6749 section 5).
//!
//! Nothing here prints a token: the ID token is kept as it came, and errors keep codes and ids only.

use std::fmt;
use std::pin::Pin;

use http::StatusCode;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AsyncHttpClient, Client, EndpointNotSet, ErrorResponse, ExtraTokenFields,
    HttpRequest, HttpResponse, IdToken, RequestTokenError, StandardTokenResponse, TokenResponse,
};
use serde::{Deserialize, Serialize};

use super::error::{EntraError, HttpError, IdpError, Refusal};
use super::http::{ENTRA, Outbound, useless};
use crate::model::host::Origin;
use crate::model::id::RequestId;

/// The library's client with Entra's answers.
pub(super) type EntraClient<Authorize = EndpointNotSet, Token = EndpointNotSet> = Client<
    EntraClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    EntraError,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    Authorize,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
    EndpointNotSet,
>;

/// Sends one request to the token endpoint, under one id. A named type with a boxed future: only so can the compiler
/// see that a sign-in may move between threads.
pub(super) struct TokenClient {
    pub(super) http: Outbound,
    pub(super) request: RequestId,
}

impl<'c> AsyncHttpClient<'c> for TokenClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, asked: HttpRequest) -> Self::Future {
        Box::pin(self.post(asked))
    }
}

impl TokenClient {
    /// An overloaded or broken server has no say in what its body means.
    async fn post(&self, asked: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.http.send(asked, &self.request, ENTRA).await?;
        let status = answer.status();
        let readable = status == StatusCode::OK || status.is_client_error();
        if readable && status != StatusCode::TOO_MANY_REQUESTS {
            Ok(answer)
        } else {
            Err(useless(&answer))
        }
    }
}

/// What the token endpoint answers.
pub(super) type TokenAnswer = StandardTokenResponse<RawIdToken, CoreTokenType>;

/// Claims are read by `id_token`, which wants the token's own bytes; the library is told of none.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct EntraClaims {}

impl AdditionalClaims for EntraClaims {}

/// The ID token as it came.
#[derive(Deserialize, Serialize)]
pub(super) struct RawIdToken {
    pub(super) id_token: Option<String>,
}

impl fmt::Debug for RawIdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawIdToken").finish_non_exhaustive()
    }
}

impl ExtraTokenFields for RawIdToken {}

type LibraryIdToken = IdToken<
    EntraClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

impl
    TokenResponse<
        EntraClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for TokenAnswer
{
    /// Always none: a token that the library can't read must fail by our own checks, not as a broken answer.
    fn id_token(&self) -> Option<&LibraryIdToken> {
        None
    }
}

impl ErrorResponse for EntraError {}

/// What the token endpoint refused, or why it said nothing that can be read. The library's error can hold the whole
/// answer with its tokens, so it goes no further than this.
pub(super) fn refusal(
    error: RequestTokenError<HttpError, EntraError>,
    at: &Origin,
    request: &RequestId,
) -> Result<Refusal, IdpError> {
    let cause = match error {
        RequestTokenError::ServerResponse(error) => return Ok(error.refusal()),
        RequestTokenError::Request(cause) => cause,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => HttpError::Unreadable,
    };
    let (at, request) = (at.to_string(), request.clone());
    Err(IdpError::Unavailable { endpoint: "token endpoint", at, request, cause })
}
