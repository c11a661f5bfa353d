//! The knobs: what a test, or the page of knobs, changes about the tenant while it runs.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::conditions::{Condition, Endpoint, GraphRights};
use super::error::SimError;
use super::fault::{AuthorizeFault, Tamper, TokenFault};
use super::groups::Group;
use super::jws;
use super::keys::{Overlap, SigningKey};
use super::people::{Account, Assignment, Person, filler_group};
use super::policies::FactorPolicy;
use super::settings::{ClientSecret, Registration};
use super::state::Use;
use super::tenant::Sim;

impl Sim {
    /// Opens or closes the application to a person, named by user name or object id.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn assign(&self, user: &str, assignment: Assignment) -> Result<(), SimError> {
        self.change(user, |person| person.assignment = assignment)
    }

    /// Switches an account on or off. Refresh tokens of a disabled account are refused with AADSTS50057.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn set_account(&self, user: &str, account: Account) -> Result<(), SimError> {
        self.change(user, |person| person.account = account)
    }

    /// Puts a person into a group.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn add_group(&self, user: &str, group: &str) -> Result<(), SimError> {
        self.change(user, |person| {
            person.groups.insert(group.to_owned());
        })
    }

    /// Takes a person out of a group.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn remove_group(&self, user: &str, group: &str) -> Result<(), SimError> {
        self.change(user, |person| {
            person.groups.remove(group);
        })
    }

    /// Changes anything else about a person: name, roles, user name.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn change(&self, user: &str, edit: impl FnOnce(&mut Person)) -> Result<(), SimError> {
        let mut state = self.state();
        let unknown = || SimError::NoSuchPerson(user.to_owned());
        edit(state.person_mut(user).ok_or_else(unknown)?);
        Ok(())
    }

    /// Revokes every refresh token of a person: the next use is refused with AADSTS50173.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn revoke(&self, user: &str) -> Result<(), SimError> {
        let mut state = self.state();
        let unknown = || SimError::NoSuchPerson(user.to_owned());
        let object_id = state.person_mut(user).ok_or_else(unknown)?.object_id.clone();
        for refresh in state.refresh.values_mut().filter(|r| r.granted.object_id == object_id) {
            refresh.used = Use::Spent;
        }
        Ok(())
    }

    /// Puts a person into so many further groups of no meaning: 201 in all are more than fit into a token.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn fill_groups(&self, user: &str, count: u32) -> Result<(), SimError> {
        self.change(user, |person| person.groups.extend((1..=count).map(filler_group)))
    }

    /// Removes a person for good. Refresh tokens are refused with AADSTS50034.
    ///
    /// # Errors
    /// [`SimError::NoSuchPerson`].
    pub fn remove_person(&self, user: &str) -> Result<(), SimError> {
        let mut state = self.state();
        let unknown = || SimError::NoSuchPerson(user.to_owned());
        let object_id = state.person_mut(user).ok_or_else(unknown)?.object_id.clone();
        state.people.retain(|person| person.object_id != object_id);
        Ok(())
    }

    /// Makes a security group known to Graph under this name, or gives it another one.
    pub fn name_group(&self, id: &str, name: &str) {
        self.put_group(id, Group::security(name));
    }

    /// Makes a group of any kind known to Graph.
    pub fn put_group(&self, id: &str, group: Group) {
        self.state().groups.insert(id.to_owned(), group);
    }

    /// Deletes a group, with every membership of it.
    ///
    /// # Errors
    /// [`SimError::NoSuchGroup`].
    pub fn delete_group(&self, id: &str) -> Result<(), SimError> {
        let mut state = self.state();
        state.groups.remove(id).ok_or_else(|| SimError::NoSuchGroup(id.to_owned()))?;
        for person in &mut state.people {
            person.groups.remove(id);
        }
        Ok(())
    }

    /// Changes anything about a registration: secrets, certificates, roles, addresses, how groups stand in tokens.
    ///
    /// # Errors
    /// [`SimError::NoSuchClient`].
    pub fn change_client(
        &self,
        client: &str,
        edit: impl FnOnce(&mut Registration),
    ) -> Result<(), SimError> {
        let mut state = self.state();
        let mut all = state.registrations.iter_mut();
        let found = all.find(|registration| registration.client_id == client);
        edit(found.ok_or_else(|| SimError::NoSuchClient(client.to_owned()))?);
        Ok(())
    }

    /// Every secret that a client has by now ends now: AADSTS7000222.
    ///
    /// # Errors
    /// [`SimError::NoSuchClient`].
    pub fn expire_secrets(&self, client: &str) -> Result<(), SimError> {
        let now = self.now();
        self.change_client(client, |registration| {
            for secret in &mut registration.secrets {
                secret.expires_at = Some(now);
            }
        })
    }

    /// One more secret for a client, which never ends.
    ///
    /// # Errors
    /// [`SimError::NoSuchClient`].
    pub fn add_secret(&self, client: &str, value: &str) -> Result<(), SimError> {
        let secret = ClientSecret { value: value.to_owned().into(), expires_at: None };
        self.change_client(client, |registration| registration.secrets.push(secret))
    }

    /// A token of the simulated cluster, as Kubernetes puts it into a file: what proves a client by a
    /// [`super::FederatedCredential`] with [`super::FederatedKey::Cluster`]. It lives for `life`.
    ///
    /// # Errors
    /// When no key can be made, or signing fails.
    pub fn cluster_token(
        &self,
        (issuer, subject): (&str, &str),
        audience: &str,
        life: Duration,
    ) -> Result<String, SimError> {
        let now = self.now();
        let key = self.state().keys.cluster()?;
        let claims = json!({
            "iss": issuer, "sub": subject, "aud": [audience],
            "iat": now.as_seconds(), "nbf": now.as_seconds(), "exp": now.plus(life).as_seconds(),
        });
        let claims = claims.as_object().cloned().unwrap_or_default();
        jws::signed(&key, &jws::header(&key), &claims)
    }

    /// So many of the next foreign tokens are refused with AADSTS70021, as while a new credential spreads.
    pub fn delay_federation(&self, times: u32) {
        self.state().federation_lag = times;
    }

    /// Binds an authentication context to a policy that wants a second factor.
    pub fn bind_context(&self, context: &str) {
        self.state().policies.bound.insert(context.to_owned());
    }

    /// Takes the policy away: the context is issued to everybody who asks, as at Entra.
    pub fn unbind_context(&self, context: &str) {
        self.state().policies.bound.remove(context);
    }

    /// The contexts that are bound.
    pub fn bound_contexts(&self) -> BTreeSet<String> {
        self.state().policies.bound.clone()
    }

    /// Where a second factor is wanted, whatever a client asks.
    pub fn want_factor(&self, policy: FactorPolicy) {
        self.state().policies.factor = policy;
    }

    /// How an endpoint does from now on.
    pub fn set_condition(&self, endpoint: Endpoint, condition: Condition) {
        self.state().conditions.insert(endpoint, condition);
    }

    /// Graph answers so many of its next requests with status 429 and this `Retry-After` (whole seconds).
    pub fn throttle_graph(&self, times: u32, retry_after: Duration) {
        let mut state = self.state();
        state.graph.throttled = times;
        state.graph.retry_after = retry_after;
    }

    /// Whether Graph goes by the permissions of a token, or refuses every call with status 403.
    pub fn set_graph_rights(&self, rights: GraphRights) {
        self.state().graph.rights = rights;
    }

    /// Graph gives at most so many ids in one piece: beyond it is `Directory_ResultSizeLimitExceeded`.
    pub fn limit_graph(&self, most: usize) {
        self.state().graph.size_limit = most;
    }

    /// The authorize endpoint answers its next request with this fault.
    pub fn fail_next_authorize(&self, fault: AuthorizeFault) {
        self.state().next_authorize = Some(fault);
    }

    /// The token endpoint answers its next request with this fault.
    pub fn fail_next_token(&self, fault: TokenFault) {
        self.state().next_fault = Some(fault);
    }

    /// The next ID token is wrong in this way.
    pub fn tamper_next_id_token(&self, tamper: Tamper) {
        self.state().next_tamper = Some(tamper);
    }

    /// The next access token for a registration's API is wrong in this way.
    pub fn tamper_next_access_token(&self, tamper: Tamper) {
        self.state().next_access_tamper = Some(tamper);
    }

    /// Signs with a new key from now on, which nobody has seen before.
    ///
    /// # Errors
    /// [`SimError::Key`] when no key can be made.
    pub fn rotate_keys(&self, overlap: Overlap) -> Result<(), SimError> {
        let key = SigningKey::generate()?;
        self.state().keys.rotate(key, overlap);
        Ok(())
    }

    /// Signs with the key that has been published for long, as in a planned rollover.
    ///
    /// # Errors
    /// [`SimError::Key`] when no key can be made.
    pub fn roll_keys(&self) -> Result<(), SimError> {
        let key = SigningKey::generate()?;
        self.state().keys.roll(key);
        Ok(())
    }

    /// The simulator's clock goes wrong by so many seconds: ahead when positive, behind when negative.
    pub fn skew_clock(&self, seconds: i64) {
        self.put_skew(seconds);
    }

    /// Every secret handed out or expected so far: client secrets, codes, refresh tokens and access tokens. A test that
    /// looks for leaks must know what to look for.
    pub fn secrets(&self) -> Vec<String> {
        let state = self.state();
        let all = state.registrations.iter().flat_map(|client| &client.secrets);
        let mut secrets: Vec<_> = all.map(|one| one.value.expose_secret().to_owned()).collect();
        secrets.extend(state.api_tokens.iter().cloned());
        secrets.extend(state.codes.keys().cloned());
        secrets.extend(state.refresh.keys().cloned());
        secrets.extend(state.access.keys().cloned());
        secrets
    }

    /// The tokens of the simulator's own browser sessions end, as if everyone had signed out elsewhere.
    pub fn end_all_sessions(&self) {
        self.state().sessions.clear();
    }
}
