//! What the simulator is given: its tenant, who lives there, and the registrations that may ask.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::people::Person;
use crate::model::time::Timestamp;

/// What the simulator is given.
#[derive(Debug, Clone)]
pub struct SimSettings {
    /// Origin that browsers and the gate reach it at, without a trailing slash: `http://127.0.0.1:8081`.
    pub origin: String,
    /// Tenant id of `contoso.example`, a GUID.
    pub tenant: String,
    /// Registrations that may ask.
    pub clients: Vec<Registration>,
    /// Everyone in both directories.
    pub people: Vec<Person>,
    /// Authentication contexts (`c1` to `c99`) that a Conditional Access policy is bound to: it wants a second factor.
    pub bound_contexts: BTreeSet<String>,
    /// Whether the page of knobs is served.
    pub panel: Panel,
}

/// Whether the simulator can be changed over HTTP, at `/_sim/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// Only by methods in the same process.
    Hidden,
    /// By a page as well: for a demo, whose data is thrown away.
    Shown,
}

/// Whose people a registration lets in: `signInAudience`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// `AzureADMyOrg`: the tenant `contoso.example` alone; `common` is refused with AADSTS50194.
    MyOrg,
    /// `AzureADMultipleOrgs`: people of every tenant.
    MultipleOrgs,
}

/// Which tokens an API gets: `api.requestedAccessTokenVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVersion {
    /// `iss` of `sts.windows.net`, `aud` the App ID URI as it was asked for.
    V1,
    /// `iss` ending in `/v2.0`, `aud` the client id.
    V2,
}

/// Whether only assigned people and clients get in: `appRoleAssignmentRequired`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentRule {
    /// Others are refused: AADSTS50105 for people, AADSTS501051 for clients.
    Required,
    /// Everyone of the tenant gets in, and a client without a role gets a token without `roles`.
    Open,
}

/// How groups stand in tokens: `groupMembershipClaims` and its `additionalProperties`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupClaims {
    /// Not at all.
    Absent,
    /// Object ids in `groups`.
    Ids,
    /// `emit_as_roles`: object ids in `roles`, where app roles then are missing.
    IdsAsRoles,
    /// `emit_as_roles` with `cloud_displayname`: names in `roles`. A group can be called like a role.
    NamesAsRoles,
}

/// Claims that Entra sends only where the registration lists them: `optionalClaims`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptionalClaim {
    /// Session id in ID tokens, needed for front-channel sign-out.
    Sid,
    /// The opaque hint for `login_hint` and `logout_hint` in ID tokens.
    LoginHint,
    /// Authentication contexts that the session has met, without being asked.
    Acrs,
    /// Time of the last authentication. Also sent when `max_age` asked for it.
    AuthTime,
    /// 0 for members, 1 for guests.
    Acct,
    /// E-mail address of members, too.
    Email,
    /// `idtyp: app` in app-only tokens.
    Idtyp,
    /// Whether the owner of the e-mail's domain is verified.
    XmsEdov,
}

/// A client secret.
#[derive(Debug, Clone)]
pub struct ClientSecret {
    /// What the client sends.
    pub value: SecretString,
    /// Refused with AADSTS7000222 from then on; without one it never ends.
    pub expires_at: Option<Timestamp>,
}

/// A workload identity federation: tokens of another issuer that are taken as proof of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FederatedCredential {
    /// `iss` of the presented token, compared exactly.
    pub issuer: String,
    /// `sub`, compared exactly: `system:serviceaccount:{namespace}:{account}` on Kubernetes.
    pub subject: String,
    /// `aud`: `api://AzureADTokenExchange`.
    pub audience: String,
    /// Whose signature counts.
    pub key: FederatedKey,
}

/// The key of a foreign issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FederatedKey {
    /// The simulated cluster, for which [`super::Sim::cluster_token`] signs.
    Cluster,
    /// Any RSA key: the members `n` and `e` of its JWK.
    Rsa {
        /// Modulus, base64url.
        n: String,
        /// Exponent, base64url.
        e: String,
    },
}

/// An app role that a client holds on another registration: an application permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// Client id of the registration that declares the role.
    pub resource: String,
    /// `value` of the role.
    pub role: String,
}

/// One registration: a client, an API, or both.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Application (client) id, a GUID.
    pub client_id: String,
    /// Object id of its service principal: `oid` and `sub` of its app-only tokens.
    pub object_id: String,
    /// Name on the sign-in page.
    pub name: String,
    /// Whose people it lets in.
    pub audience: Audience,
    /// Client secrets; several are valid at a time.
    pub secrets: Vec<ClientSecret>,
    /// Certificates as DER, for client assertions.
    pub certificates: Vec<Vec<u8>>,
    /// Foreign tokens that prove the client.
    pub federated: Vec<FederatedCredential>,
    /// What scopes of its API begin with: `api://{client id}`.
    pub app_id_uri: String,
    /// Which tokens its API gets.
    pub access_tokens: TokenVersion,
    /// Delegated scopes that its API exposes.
    pub scopes: BTreeSet<String>,
    /// App roles that it declares, by value.
    pub app_roles: BTreeSet<String>,
    /// Whether only the assigned get in.
    pub assignment: AssignmentRule,
    /// How groups stand in its tokens.
    pub group_claims: GroupClaims,
    /// Optional claims in its tokens.
    pub optional_claims: BTreeSet<OptionalClaim>,
    /// App roles that it holds on other registrations.
    pub permissions: BTreeSet<Permission>,
    /// Permissions on Microsoft Graph that an admin consented to, delegated and for itself alike.
    pub graph: BTreeSet<String>,
    /// Redirect URIs, compared exactly. The port of `http://localhost` is ignored.
    pub redirect_uris: Vec<String>,
    /// Further addresses that a sign-out may return to.
    pub logout_uris: Vec<String>,
    /// Front-channel logout URL, loaded in a hidden frame when a person signs out.
    pub frontchannel_logout: Option<String>,
}

impl Registration {
    /// A registration as the portal makes it: no credential, no address, Graph's `User.Read`, v2 access tokens, group
    /// ids in tokens, the optional claims `sid`, `login_hint` and `idtyp`, open to everyone of every tenant who is
    /// assigned.
    pub fn new(client_id: &str, name: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            object_id: service_principal(client_id),
            name: name.to_owned(),
            audience: Audience::MultipleOrgs,
            secrets: Vec::new(),
            certificates: Vec::new(),
            federated: Vec::new(),
            app_id_uri: format!("api://{client_id}"),
            access_tokens: TokenVersion::V2,
            scopes: BTreeSet::from(["access_as_user".to_owned()]),
            app_roles: BTreeSet::new(),
            assignment: AssignmentRule::Required,
            group_claims: GroupClaims::Ids,
            optional_claims: BTreeSet::from([
                OptionalClaim::Sid,
                OptionalClaim::LoginHint,
                OptionalClaim::Idtyp,
            ]),
            permissions: BTreeSet::new(),
            graph: BTreeSet::from(["User.Read".to_owned()]),
            redirect_uris: Vec::new(),
            logout_uris: Vec::new(),
            frontchannel_logout: None,
        }
    }

    /// The same registration with one more secret, which never ends.
    #[must_use]
    pub fn with_secret(mut self, value: impl Into<SecretString>) -> Self {
        self.secrets.push(ClientSecret { value: value.into(), expires_at: None });
        self
    }

    /// The same registration with one more redirect URI.
    #[must_use]
    pub fn with_redirect(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// The same registration with one more address that a sign-out may return to.
    #[must_use]
    pub fn with_logout(mut self, uri: impl Into<String>) -> Self {
        self.logout_uris.push(uri.into());
        self
    }

    /// The same registration, declaring one more app role.
    #[must_use]
    pub fn declaring(mut self, role: &str) -> Self {
        self.app_roles.insert(role.to_owned());
        self
    }

    /// The same registration, holding an app role of another one.
    #[must_use]
    pub fn holding(mut self, resource: &str, role: &str) -> Self {
        let (resource, role) = (resource.to_owned(), role.to_owned());
        self.permissions.insert(Permission { resource, role });
        self
    }

    /// The same registration with one more permission on Graph.
    #[must_use]
    pub fn with_graph(mut self, permission: &str) -> Self {
        self.graph.insert(permission.to_owned());
        self
    }

    /// Whether `asked` is registered, by Entra's rule: exact, but for the port of `http://localhost`.
    pub(super) fn has_redirect(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|registered| same_redirect(registered, asked))
    }

    /// Whether a sign-out may return to `asked`.
    pub(super) fn has_logout(&self, asked: &str) -> bool {
        self.logout_uris.iter().chain(&self.redirect_uris).any(|uri| same_redirect(uri, asked))
    }

    pub(super) fn lists(&self, claim: OptionalClaim) -> bool {
        self.optional_claims.contains(&claim)
    }
}

/// An object id that follows from the client id, so that rule books can name it before the simulator runs.
fn service_principal(client_id: &str) -> String {
    let kept = client_id.get(8..).unwrap_or_default();
    format!("5e4f1ce0{kept}")
}

fn same_redirect(registered: &str, asked: &str) -> bool {
    registered == asked
        || matches!((portless(registered), portless(asked)), (Some(a), Some(b)) if a == b)
}

/// The path of an `http://localhost` address: all of it that counts.
fn portless(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("http://localhost")?;
    let (port, path) = rest.split_once('/')?;
    let digits = port.strip_prefix(':').unwrap_or(port);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(path)
}
