//! The table of Entra's errors: each AADSTS number with the OAuth errors that go with it and a sentence in Entra's form.
//!
//! After Microsoft's "Microsoft Entra authentication and authorization error codes" and answers seen in the wild. Every
//! failure of the simulator is a row of it, so that each can also be ordered.

use super::failure::Failure;

/// Where a failed authorization ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// On a page of the provider: the client is told nothing.
    Page,
    /// At the client's redirect URI.
    Back,
}

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aadsts {
    /// The number, without `AADSTS`.
    pub number: u32,
    /// `error` at the redirect URI.
    pub at_authorize: &'static str,
    /// `error` of the token endpoint.
    pub at_token: &'static str,
    /// Where an interactive authorization ends.
    pub ends: Ends,
    /// Entra's sentence, without the number.
    pub text: &'static str,
}

const fn row(
    number: u32,
    (at_authorize, at_token): (&'static str, &'static str),
    ends: Ends,
    text: &'static str,
) -> Aadsts {
    Aadsts { number, at_authorize, at_token, ends, text }
}

/// Sorted by number.
#[rustfmt::skip]
pub const TABLE: &[Aadsts] = &[
    row(16000, ("interaction_required", "interaction_required"), Ends::Back, "User account from identity provider does not exist in the tenant and cannot access the application in that tenant. Either the account needs to be added to the tenant or the user should sign in with another account."),
    row(28002, ("invalid_scope", "invalid_scope"), Ends::Back, "Provided value for the input parameter scope is not valid when requesting an access token. Please specify a valid scope."),
    row(28003, ("invalid_scope", "invalid_scope"), Ends::Back, "Provided value for the input parameter scope cannot be empty when requesting an access token using the provided authorization code. Please specify a valid scope."),
    row(40008, ("server_error", "server_error"), Ends::Back, "There was an unexpected, non-retryable error from the external identity provider."),
    row(40009, ("server_error", "server_error"), Ends::Back, "The external identity provider returned a non-retryable error."),
    row(40010, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "A retryable error has occurred with the external identity provider."),
    row(50011, ("invalid_request", "invalid_grant"), Ends::Page, "The redirect URI specified in the request does not match the redirect URIs configured for the application. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal."),
    row(50012, ("invalid_client", "invalid_client"), Ends::Back, "Authentication failed: the client assertion contains an invalid audience or signature."),
    row(50020, ("interaction_required", "invalid_grant"), Ends::Page, "User account from identity provider does not exist in the tenant and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Microsoft Entra user account."),
    row(50033, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "A retryable error has occurred with the database."),
    row(50034, ("invalid_request", "invalid_grant"), Ends::Page, "The user account does not exist in the directory. To sign into this application, the account must be added to the directory."),
    row(50049, ("invalid_instance", "invalid_instance"), Ends::Page, "Unknown or invalid instance."),
    row(50053, ("interaction_required", "invalid_grant"), Ends::Page, "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."),
    row(50055, ("interaction_required", "invalid_grant"), Ends::Page, "The password is expired."),
    row(50056, ("interaction_required", "invalid_grant"), Ends::Page, "Invalid or null password: password doesn't exist in the directory for this user."),
    row(50057, ("interaction_required", "invalid_grant"), Ends::Page, "The user account is disabled."),
    row(50058, ("login_required", "login_required"), Ends::Back, "A silent sign-in request was sent but no user is signed in. The cookies used to represent the user's session were not sent in the request to Microsoft Entra ID."),
    row(50059, ("invalid_request", "invalid_request"), Ends::Page, "No tenant-identifying information found in either the request or implied by any provided credentials."),
    row(50068, ("invalid_request", "invalid_request"), Ends::Page, "Sign-out failed. The initiating application is not a participant in the current session."),
    row(50070, ("invalid_request", "invalid_request"), Ends::Page, "Sign-out failed. The sign-out request specified a name identifier that didn't match the existing session(s)."),
    row(50071, ("invalid_request", "invalid_request"), Ends::Page, "The sign-out request has expired."),
    row(50072, ("interaction_required", "invalid_grant"), Ends::Back, "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the application."),
    row(50074, ("interaction_required", "invalid_grant"), Ends::Back, "Strong Authentication is required."),
    row(50076, ("interaction_required", "invalid_grant"), Ends::Back, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the application."),
    row(50078, ("interaction_required", "invalid_grant"), Ends::Back, "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access the application."),
    row(50079, ("interaction_required", "invalid_grant"), Ends::Back, "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the application."),
    row(50089, ("invalid_grant", "invalid_grant"), Ends::Back, "Authentication failed due to flow token expired."),
    row(50097, ("interaction_required", "invalid_grant"), Ends::Back, "Device authentication is required."),
    row(50105, ("interaction_required", "invalid_grant"), Ends::Page, "Your administrator has configured the application to block users unless they are specifically granted ('assigned') access to the application. The signed in user is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application."),
    row(50126, ("invalid_request", "invalid_grant"), Ends::Page, "Error validating credentials due to invalid username or password."),
    row(50131, ("interaction_required", "invalid_grant"), Ends::Back, "Device is not in required device state, or the request was blocked due to suspicious activity, access policy, or security policy decisions."),
    row(50132, ("interaction_required", "invalid_grant"), Ends::Back, "The session is not valid due to password expiration or recent password change."),
    row(50133, ("interaction_required", "invalid_grant"), Ends::Back, "Session is invalid due to expiration or recent password change."),
    row(50140, ("interaction_required", "invalid_grant"), Ends::Back, "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in."),
    row(50144, ("interaction_required", "invalid_grant"), Ends::Page, "The user's Active Directory password has expired. Generate a new password for the user or have the user use the self-service reset tool to reset their password."),
    row(50146, ("invalid_request", "invalid_request"), Ends::Back, "This application is required to be configured with an application-specific signing key. It is either not configured with one, or the key has expired or is not yet valid."),
    row(50147, ("invalid_request", "invalid_request"), Ends::Back, "Invalid size of Code_Challenge parameter."),
    row(50158, ("interaction_required", "invalid_grant"), Ends::Back, "External security challenge was not satisfied."),
    row(50173, ("interaction_required", "invalid_grant"), Ends::Back, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password."),
    row(50194, ("invalid_request", "invalid_request"), Ends::Page, "The application is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such applications created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant."),
    row(50196, ("invalid_grant", "invalid_grant"), Ends::Back, "The server terminated an operation because it encountered a client request loop. Please contact your app vendor."),
    row(50199, ("interaction_required", "invalid_grant"), Ends::Back, "For security reasons, user confirmation is required for this request. Please repeat the request allowing user interaction."),
    row(51004, ("interaction_required", "invalid_grant"), Ends::Page, "The user account does not exist in the directory. To sign into this application, the account must be added to the directory."),
    row(53000, ("interaction_required", "invalid_grant"), Ends::Back, "Device is not in required device state: it is not compliant. Conditional Access policy requires a compliant device, and the device is not compliant."),
    row(53001, ("interaction_required", "invalid_grant"), Ends::Back, "Device is not in required device state: it is not domain joined. Conditional Access policy requires a domain joined device, and the device is not domain joined."),
    row(53002, ("interaction_required", "invalid_grant"), Ends::Back, "Application used is not an approved application for conditional access."),
    row(53003, ("access_denied", "invalid_grant"), Ends::Page, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."),
    row(53004, ("interaction_required", "invalid_grant"), Ends::Back, "User needs to complete the multi-factor authentication registration process before accessing this content."),
    row(53011, ("access_denied", "invalid_grant"), Ends::Page, "User blocked due to risk on home tenant."),
    row(54005, ("invalid_request", "invalid_grant"), Ends::Back, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."),
    row(65001, ("consent_required", "invalid_grant"), Ends::Back, "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource."),
    row(65004, ("access_denied", "invalid_grant"), Ends::Back, "User declined to consent to access the app."),
    row(65005, ("invalid_client", "invalid_client"), Ends::Back, "The application's required resource access list does not contain applications discoverable by the resource, or the client application has requested access to a resource which was not specified in its required resource access list."),
    row(70000, ("invalid_grant", "invalid_grant"), Ends::Back, "Provided grant is invalid or malformed."),
    row(70001, ("unauthorized_client", "unauthorized_client"), Ends::Page, "The application is disabled."),
    row(70002, ("invalid_client", "invalid_client"), Ends::Back, "Error validating credentials. The specified client credentials are not valid."),
    row(70003, ("unsupported_grant_type", "unsupported_grant_type"), Ends::Back, "The app returned an unsupported grant type."),
    row(70008, ("invalid_grant", "invalid_grant"), Ends::Back, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."),
    row(70011, ("invalid_scope", "invalid_scope"), Ends::Back, "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid."),
    row(70016, ("authorization_pending", "authorization_pending"), Ends::Back, "OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
    row(70018, ("bad_verification_code", "bad_verification_code"), Ends::Back, "Invalid verification code due to user typing in wrong user code for device code flow."),
    row(70019, ("expired_token", "expired_token"), Ends::Back, "Verification code expired. Have the user retry the sign-in."),
    row(70021, ("invalid_client", "invalid_client"), Ends::Back, "No matching federated identity record found for presented assertion."),
    row(70043, ("interaction_required", "invalid_grant"), Ends::Back, "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued earlier and the maximum allowed lifetime for this request has passed."),
    row(90002, ("invalid_request", "invalid_request"), Ends::Page, "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."),
    row(90006, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "External server timeout: a retryable error. Please try again."),
    row(90009, ("invalid_request", "invalid_request"), Ends::Back, "The application is requesting a token for itself. This scenario is supported only if resource is specified using the GUID based app identifier."),
    row(90012, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "A timeout occurred while connecting to a dependency. Please try again."),
    row(90014, ("invalid_request", "invalid_request"), Ends::Back, "The required field is missing from the credential. Ensure that you have all the necessary parameters for the login request."),
    row(90015, ("invalid_request", "invalid_request"), Ends::Page, "Requested query string is too long."),
    row(90019, ("invalid_request", "invalid_request"), Ends::Page, "No tenant-identifying information found in either the request or implied by any provided credentials."),
    row(90024, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "A transient error has occurred. Please try again."),
    row(90033, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "A transient error has occurred. Please try again."),
    row(90038, ("invalid_request", "invalid_request"), Ends::Page, "The tenant is a national cloud tenant that this request cannot be served for: use the instance of that cloud."),
    row(90055, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "The server is busy: the tenant is throttled because of too many requests. Please retry later."),
    row(90090, ("temporarily_unavailable", "temporarily_unavailable"), Ends::Back, "An internal error: the request could not be completed now. Please try again."),
    row(90094, ("access_denied", "access_denied"), Ends::Page, "Admin consent is required for the permissions requested by this application. An admin must consent before users can sign in."),
    row(90095, ("access_denied", "access_denied"), Ends::Page, "Admin consent is required for the permissions requested by this application. The user sent a request for approval."),
    row(90119, ("invalid_request", "invalid_request"), Ends::Back, "The user code is null or empty."),
    row(90120, ("invalid_request", "invalid_request"), Ends::Back, "The request was already authorized or declined."),
    row(90130, ("invalid_request", "invalid_request"), Ends::Page, "Application is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint."),
    row(500_011, ("invalid_resource", "invalid_resource"), Ends::Back, "The resource principal was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."),
    row(500_021, ("access_denied", "invalid_grant"), Ends::Page, "Access to the tenant is denied: your organization has tenant restrictions enabled."),
    row(500_022, ("access_denied", "invalid_grant"), Ends::Page, "Access to the tenant is denied: your organization has tenant restrictions version 2 enabled."),
    row(500_208, ("access_denied", "invalid_grant"), Ends::Page, "The domain is not a valid login domain for the account type."),
    row(500_212, ("access_denied", "invalid_grant"), Ends::Page, "The user's administrator has set an outbound access policy that does not allow access to the resource tenant."),
    row(500_213, ("access_denied", "invalid_grant"), Ends::Page, "The resource tenant's cross-tenant access policy does not allow this user to access this tenant."),
    row(501_051, ("invalid_grant", "invalid_grant"), Ends::Back, "The application is not assigned to a role for the application it asks a token for."),
    row(501_461, ("invalid_request", "invalid_request"), Ends::Back, "AcceptMappedClaims is only supported for a token audience matching the application GUID or an audience within the tenant's verified domains."),
    row(501_481, ("invalid_grant", "invalid_grant"), Ends::Back, "The Code_Verifier does not match the code_challenge supplied in the authorization request."),
    row(501_491, ("invalid_request", "invalid_request"), Ends::Back, "Invalid size of Code_Challenge parameter."),
    row(530_032, ("access_denied", "invalid_grant"), Ends::Page, "Access has been blocked by security policy configured in the tenant."),
    row(530_035, ("access_denied", "invalid_grant"), Ends::Page, "Access has been blocked by security defaults."),
    row(650_052, ("invalid_resource", "invalid_resource"), Ends::Back, "The app is trying to access a service that your organization lacks a service principal for. Contact your IT Admin to review the configuration of your service subscriptions or consent to the application in order to create the required service principal."),
    row(650_053, ("invalid_scope", "invalid_scope"), Ends::Back, "The application asked for a scope that doesn't exist on the resource. Contact the app vendor."),
    row(650_056, ("invalid_request", "invalid_request"), Ends::Page, "Misconfigured application. This could be due to one of the following: the client has not listed any permissions in the requested permissions in the client's application registration; or the admin has not consented in the tenant; or, check the application identifier in the request."),
    row(650_057, ("invalid_resource", "invalid_resource"), Ends::Back, "Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration."),
    row(700_005, ("invalid_grant", "invalid_grant"), Ends::Back, "The provided authorization code is intended to use against other tenant, thus rejected. Use the same tenant for the authorization code as for its request."),
    row(700_016, ("unauthorized_client", "unauthorized_client"), Ends::Page, "Application with this identifier was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."),
    row(700_021, ("invalid_client", "invalid_client"), Ends::Back, "Client assertion application identifier doesn't match 'client_id' parameter."),
    row(700_022, ("invalid_scope", "invalid_scope"), Ends::Back, "The provided value for scope is not valid because it contains more than one resource."),
    row(700_023, ("invalid_scope", "invalid_scope"), Ends::Back, "The provided value for scope is not valid because it does not contain a resource."),
    row(700_024, ("invalid_client", "invalid_client"), Ends::Back, "Client assertion is not within its valid time range."),
    row(700_025, ("invalid_client", "invalid_client"), Ends::Back, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
    row(700_027, ("invalid_client", "invalid_client"), Ends::Back, "The certificate with identifier used to sign the client assertion is not registered on application, or the client assertion failed signature validation."),
    row(700_030, ("invalid_client", "invalid_client"), Ends::Back, "Invalid certificate - subject name in certificate is not authorized."),
    row(700_054, ("unsupported_response_type", "unsupported_response_type"), Ends::Back, "response_type 'id_token' is not enabled for the application."),
    row(700_082, ("invalid_grant", "invalid_grant"), Ends::Back, "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00."),
    row(700_084, ("invalid_grant", "invalid_grant"), Ends::Back, "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which can't be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page."),
    row(700_211, ("invalid_client", "invalid_client"), Ends::Back, "No matching federated identity record found for presented assertion issuer."),
    row(700_212, ("invalid_client", "invalid_client"), Ends::Back, "No matching federated identity record found for presented assertion audience."),
    row(700_213, ("invalid_client", "invalid_client"), Ends::Back, "No matching federated identity record found for presented assertion subject."),
    row(700_229, ("invalid_client", "invalid_client"), Ends::Back, "Only app-only tokens can be used as Federated Identity Credentials for the issuer of the presented assertion."),
    row(900_144, ("invalid_request", "invalid_request"), Ends::Back, "The request body must contain each required parameter, and each only once."),
    row(900_382, ("invalid_request", "invalid_request"), Ends::Page, "Confidential Client is not supported in Cross Cloud request."),
    row(900_432, ("invalid_request", "invalid_request"), Ends::Page, "Confidential Client is not supported in Cross Cloud request."),
    row(900_439, ("invalid_request", "invalid_request"), Ends::Page, "USGClientNotSupportedOnPublicEndpoint: the application is of the US Government cloud and is not supported on the public endpoint."),
    row(900_561, ("invalid_request", "invalid_request"), Ends::Page, "The endpoint only accepts POST requests. Received a GET request."),
    row(900_971, ("invalid_request", "invalid_request"), Ends::Page, "No reply address provided."),
    row(901_002, ("invalid_request", "invalid_request"), Ends::Back, "The 'resource' request parameter is not supported."),
    row(1_002_012, ("invalid_scope", "invalid_scope"), Ends::Back, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."),
    row(7_000_112, ("unauthorized_client", "unauthorized_client"), Ends::Page, "The application is disabled."),
    row(7_000_215, ("invalid_client", "invalid_client"), Ends::Back, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to the app."),
    row(7_000_218, ("invalid_client", "invalid_client"), Ends::Back, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    row(7_000_222, ("invalid_client", "invalid_client"), Ends::Back, "The provided client secret keys for the app are expired. Visit the Azure portal to create new keys for your app, or consider using certificate credentials for added security."),
    row(9_001_023, ("invalid_request", "invalid_request"), Ends::Back, "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint."),
    row(9_002_313, ("invalid_request", "invalid_request"), Ends::Back, "Invalid request. Request is malformed or invalid."),
    row(9_002_325, ("invalid_request", "invalid_request"), Ends::Back, "Proof Key for Code Exchange is required for cross-origin authorization code redemption."),
    row(9_002_326, ("invalid_request", "invalid_request"), Ends::Back, "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type."),
    row(9_002_327, ("invalid_request", "invalid_request"), Ends::Back, "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests."),
    row(9_002_332, ("unauthorized_client", "unauthorized_client"), Ends::Page, "The application is configured for use by Microsoft Entra ID users only. Please do not use the /consumers endpoint to serve this request."),
    row(9_002_341, ("consent_required", "invalid_grant"), Ends::Back, "User is required to permit SSO."),
];

/// Numbers for which Entra answers a refresh with a claims request.
const WANTS_FACTOR: [u32; 5] = [50072, 50074, 50076, 50078, 50079];

/// The policy that the claims request of those names.
pub(super) const POLICY: &str = "ca9e0000-0000-4000-8000-000000000001";

/// The row of a number.
pub fn find(number: u32) -> Option<&'static Aadsts> {
    let at = TABLE.binary_search_by_key(&number, |row| row.number).ok()?;
    TABLE.get(at)
}

/// The failure as the token endpoint tells it.
pub(super) fn token(number: u32) -> Failure {
    let failure = find(number).map_or_else(
        || Failure::new("invalid_grant", number, "The request was refused."),
        |row| Failure::new(row.at_token, number, row.text),
    );
    if WANTS_FACTOR.contains(&number) { failure.asking(policy_claims()) } else { failure }
}

/// The failure as the redirect URI or a page tells it.
pub(super) fn authorize(number: u32) -> Failure {
    find(number).map_or_else(
        || Failure::new("invalid_request", number, "The request was refused."),
        |row| Failure::new(row.at_authorize, number, row.text),
    )
}

/// Where a failure ends when nothing else is said.
pub(super) fn ends(number: u32) -> Ends {
    find(number).map_or(Ends::Back, |row| row.ends)
}

/// The claims request that goes with a second factor that a policy wants.
fn policy_claims() -> String {
    format!(r#"{{"access_token":{{"capolids":{{"essential":true,"values":["{POLICY}"]}}}}}}"#)
}
