//! The section `[entra]`: the registration, what we prove ourselves with, and whose people may sign in.

use secrecy::SecretString;

use super::load::Reader;
use super::settings::{AccessTokens, Api, Entra};
use super::values;
use crate::model::entra::{Cloud, Credential};
use crate::model::host::Origin;
use crate::model::id::TenantId;

/// The tenant in which Microsoft keeps personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The keys of one credential.
struct CredentialKeys {
    table: &'static str,
    secret: &'static str,
    expires: &'static str,
    certificate: &'static str,
    key: &'static str,
    token: &'static str,
}

const FIRST: CredentialKeys = CredentialKeys {
    table: "entra",
    secret: "entra.client_secret",
    expires: "entra.client_secret_expires",
    certificate: "entra.certificate_file",
    key: "entra.key_file",
    token: "entra.federated_token_file",
};

const SECOND: CredentialKeys = CredentialKeys {
    table: "entra.second",
    secret: "entra.second.client_secret",
    expires: "entra.second.client_secret_expires",
    certificate: "entra.second.certificate_file",
    key: "entra.second.key_file",
    token: "entra.second.federated_token_file",
};

impl Reader {
    /// The whole section.
    pub(super) fn entra(&mut self) -> Option<Entra> {
        let tenant = self.required("entra.tenant", values::authority_tenant);
        let client_id = self.required("entra.client_id", values::client_id);
        let credential = self.first_credential();
        let second = self.second_credential();
        let cloud = self.optional("entra.cloud", values::cloud).unwrap_or(Cloud::Public);
        let authority = self.optional("entra.authority", values::origin);
        let ca_file = self.optional("entra.ca_file", values::path);
        let listed = self.list("entra.allowed_tenants", values::tenant);
        let api = self.api();
        let mfa_context = self.optional("entra.mfa_context", values::authentication_context);
        let groups = self.optional("entra.groups", values::groups).unwrap_or_default();
        let authority = authority.or_else(|| cloud.authority().parse::<Origin>().ok())?;
        let (tenant, client_id) = (tenant?, client_id?);
        Some(Entra {
            allowed_tenants: self.allowed_tenants(&tenant, listed),
            tenant,
            credential: credential?,
            second,
            cloud,
            authority,
            ca_file,
            api,
            client_id,
            mfa_context,
            groups,
        })
    }

    /// Access tokens: nothing of them without an audience.
    fn api(&mut self) -> Option<Api> {
        let access_tokens = self.optional("entra.access_tokens", values::access_tokens);
        let access_tokens = access_tokens.unwrap_or(AccessTokens::V2);
        let scope = self.optional("entra.scope", values::scope);
        let audience = self.optional("entra.audience", |text| match access_tokens {
            AccessTokens::V1 => values::app_id_uri(text),
            AccessTokens::V2 => values::api_id(text),
        });
        for key in ["entra.access_tokens", "entra.scope"] {
            if self.0.given.contains_key(key) && !self.0.given.contains_key("entra.audience") {
                let what = "means nothing without entra.audience: set that too, or remove it";
                self.problem(key, what);
            }
        }
        let scope = scope.unwrap_or_else(|| "access_as_user".to_owned());
        Some(Api { audience: audience?, access_tokens, scope })
    }

    /// Whose people may sign in at the pages of `tenant`.
    fn allowed_tenants(&mut self, tenant: &str, listed: Vec<TenantId>) -> Vec<TenantId> {
        let key = "entra.allowed_tenants";
        let own: Option<TenantId> = tenant.parse().ok();
        match own {
            Some(own) if listed.is_empty() && own.as_str() == PERSONAL => self.problem(
                "entra.tenant",
                "stands for personal accounts, which have neither groups nor app roles; name your \
                 own tenant, or list it in entra.allowed_tenants if you mean it",
            ),
            Some(own) if listed.is_empty() => return vec![own],
            Some(own) if !listed.contains(&own) => {
                self.problem(key, format!("does not list entra.tenant (`{own}`), so nobody could sign in"));
            }
            None if listed.is_empty() && tenant == "organizations" => self.problem(
                key,
                "is missing: `organizations` stands for every tenant in the world; list those whose people may sign in",
            ),
            Some(_) | None => {}
        }
        listed
    }

    fn first_credential(&mut self) -> Option<Credential> {
        let any = [FIRST.secret, FIRST.certificate, FIRST.key, FIRST.token];
        if !any.iter().any(|key| self.0.given.contains_key(key)) {
            // Says that it is missing.
            self.required(FIRST.secret, values::client_secret);
            return None;
        }
        self.credential(&FIRST)
    }

    fn second_credential(&mut self) -> Option<Credential> {
        let any = [SECOND.secret, SECOND.certificate, SECOND.key, SECOND.token];
        if any.iter().any(|key| self.0.given.contains_key(key)) {
            return self.credential(&SECOND);
        }
        if self.0.given.contains_key(SECOND.expires) {
            self.problem(
                SECOND.expires,
                "says when a secret ends that is not there; add entra.second.client_secret",
            );
        }
        None
    }

    /// The one credential of a table that names at least one.
    fn credential(&mut self, keys: &CredentialKeys) -> Option<Credential> {
        let kinds = [keys.secret, keys.certificate, keys.key, keys.token];
        let [secret, certificate, key, token] = kinds.map(|key| self.0.given.contains_key(key));
        let extra = [(certificate || key, keys.certificate), (token, keys.token)];
        let mut extra = extra.iter().filter(|(is_there, _)| *is_there).map(|(_, key)| *key);
        let one_too_many = if secret { extra.next() } else { extra.nth(1) };
        if let Some(key) = one_too_many {
            let place = if self.0.given.contains_key(key) { key } else { keys.key };
            let table = keys.table;
            self.problem(place, format!(
                "is a second kind of credential in [{table}]; keep one there, and put the other into \
                 [entra.second] while one takes over from the other"
            ));
        }
        let expires_at = self.optional(keys.expires, values::day);
        if !secret && self.0.given.contains_key(keys.expires) {
            self.problem(keys.expires, format!("goes with {}, which is not set", keys.secret));
        }
        match (certificate, key) {
            (true, false) => {
                self.problem(keys.certificate, format!("needs {} beside it", keys.key));
            }
            (false, true) => {
                self.problem(keys.key, format!("needs {} beside it", keys.certificate));
            }
            (true, true) | (false, false) => {}
        }
        let value = self.optional(keys.secret, values::client_secret);
        let [certificate_file, key_file, file] =
            [keys.certificate, keys.key, keys.token].map(|key| self.optional(key, values::path));
        if let Some(value) = value {
            return Some(Credential::Secret { value: SecretString::from(value), expires_at });
        }
        if let Some(file) = file {
            return Some(Credential::FederatedToken { file });
        }
        Some(Credential::Certificate { certificate_file: certificate_file?, key_file: key_file? })
    }
}
