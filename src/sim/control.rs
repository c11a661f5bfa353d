//! The hand of a test on the tenant: methods in the same process, never an address.

use secrecy::ExposeSecret;

use super::error::SimError;
use super::fault::{Tamper, TokenFault};
use super::keys::{Overlap, SigningKey};
use super::people::{Account, Assignment, Person};
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

    /// The token endpoint answers its next request with this fault.
    pub fn fail_next_token(&self, fault: TokenFault) {
        self.state().next_fault = Some(fault);
    }

    /// The next ID token is wrong in this way.
    pub fn tamper_next_id_token(&self, tamper: Tamper) {
        self.state().next_tamper = Some(tamper);
    }

    /// Signs with a new key from now on.
    ///
    /// # Errors
    /// [`SimError::Key`] when no key can be made.
    pub fn rotate_keys(&self, overlap: Overlap) -> Result<(), SimError> {
        let key = SigningKey::generate()?;
        self.state().keys.rotate(key, overlap);
        Ok(())
    }

    /// Every secret handed out or expected so far: client secrets, codes, refresh tokens and access tokens. A test that
    /// looks for leaks must know what to look for.
    pub fn secrets(&self) -> Vec<String> {
        let clients = self.clients().iter().map(|client| client.secret.expose_secret().to_owned());
        let mut secrets: Vec<_> = clients.collect();
        let state = self.state();
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
