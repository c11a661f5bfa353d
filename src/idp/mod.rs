//! Entra ID seen as one question: who is this, and in which groups and app roles?
//!
//! [`Idp`] sends a browser to Entra ([`Idp::begin`]), turns the code it comes back with into an
//! [`Identity`](crate::model::session::Identity) ([`Idp::finish`]), asks again later with the refresh token
//! ([`Idp::recheck`]), tells what groups are called ([`Idp::group_names`]) and names the page that signs out at Entra
//! ([`Idp::sign_out_url`]). Services and scripts bring access tokens, which [`Idp::bearer`] turns into the same
//! principals.
//! It follows OpenID Connect Core 1.0 (authorization code flow), RFC 7636 (PKCE, S256 always) and RFC 9700.
//!
//! It keeps no sessions and no pending sign-ins: `state`, nonce and verifier go to the caller, who binds them to a
//! browser, and come back as a [`Proof`].
//!
//! | file | knows |
//! |---|---|
//! | `settings` | what an operator tells us about the registration |
//! | `http` | the one outbound client: limits, no redirects |
//! | `discovery` | metadata and signing keys, fetched when first needed and kept |
//! | `provider` | what they say: issuer, endpoints, which key may speak for whom |
//! | `oidc` | the exchanges of the flow |
//! | `credentials` | what we prove ourselves with: one or two, read again when files change |
//! | `certificate` | certificate and key, and the assertion made with them |
//! | `credential_problem` | what can be wrong with a credential's files |
//! | `redeem` | asking the token endpoint, with one credential after the other |
//! | `token_endpoint` | what it is asked and answers, in the library's types |
//! | `jwt` | the checks of every token |
//! | `access_token` | what an access token must be beside them, and whom it speaks of |
//! | `bearer` | access tokens on their way in, checked once |
//! | `bearer_groups` | access tokens at the door, and the groups that they leave out |
//! | `id_token` | what an ID token must be beside them |
//! | `members` | JSON objects without a member twice |
//! | `entra` | which claim means what |
//! | `graph` | Microsoft Graph: throttling, pages, how long one waits |
//! | `member_of` | the groups that did not fit into a token |
//! | `own_tokens`, `own_graph` | Graph with a token of our own |
//! | `contexts` | whether Conditional Access asks anything of an authentication context |
//! | `names` | what groups are called |
//! | `deadline` | one limit around several steps |
//! | `turns` | how many may sign in at once, and how long they wait |
//! | `upkeep`, `counters` | what runs in the background, and what is told of how it goes |
//! | `error` | what can go wrong, one variant per thing somebody can act on |
//!
//! What is refused here: an issuer, tenant, audience, algorithm or key that is not exactly the expected one; endpoints
//! on another host; group names in place of object ids; and a sign-in whose groups are not completely known. A person
//! whose groups can't be read is never taken for a person without groups, because a `forbid` on a group would then
//! not hold.

mod access_token;
mod bearer;
mod bearer_groups;
mod certificate;
mod contexts;
mod counters;
mod credential_problem;
mod credentials;
mod deadline;
mod discovery;
mod entra;
mod error;
mod graph;
mod http;
mod id_token;
mod jwt;
mod member_of;
mod members;
mod names;
mod oidc;
mod own_graph;
mod own_tokens;
mod provider;
mod redeem;
mod settings;
mod sign_out;
mod token_endpoint;
mod turns;
mod upkeep;

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

pub use access_token::{BearerCaller, BearerRefusal};
pub use contexts::ContextUse;
pub use credential_problem::{CredentialProblem, Which};
pub use credentials::{CredentialKind, CredentialOutcome, CredentialReport};
pub use discovery::Reach;
pub use error::{ClaimsRequest, HttpError, IdpError, Refusal, whole};
pub use oidc::{Ask, Idp, Prompt, Proof, Recheck, SignInRequest, SignedIn};
pub use provider::Found;
pub use settings::{ApiSettings, EntraSettings, TokenVersion};
pub use sign_out::SignOutHint;
pub use upkeep::Standing;
