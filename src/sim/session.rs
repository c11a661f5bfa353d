//! The simulator's own sign-in of a browser, so that signing out means something.

use http::HeaderMap;
use http::header::COOKIE;

use super::error::SimError;
use super::people::Person;
use super::policies::Factor;
use super::state::BrowserSession;
use super::tenant::{Sim, random, random_guid};

/// Holds the session's id.
pub(super) const COOKIE_NAME: &str = "sim_session";

/// The session of a browser, by its cookie.
pub(super) fn session_of(sim: &Sim, headers: &HeaderMap) -> Option<(String, BrowserSession)> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|p| p.split_once('='));
    let (_, id) = pairs.find(|(name, _)| name.trim() == COOKIE_NAME)?;
    let session = sim.state().sessions.get(id.trim())?.clone();
    Some((id.trim().to_owned(), session))
}

/// Signs a person in now. The same person stays in the same session, with `sid` and all clients that took part; anyone
/// else begins a new one.
///
/// # Errors
/// When the operating system gives no randomness.
pub(super) fn begin(
    sim: &Sim,
    (person, factor): (&Person, Factor),
    headers: &HeaderMap,
) -> Result<String, SimError> {
    let before = session_of(sim, headers);
    let id = random(32)?;
    let mut session = BrowserSession {
        object_id: person.object_id.clone(),
        sid: random_guid()?,
        factor,
        authenticated_at: sim.now(),
        clients: Vec::new(),
    };
    let mut state = sim.state();
    if let Some((old, known)) = before {
        state.sessions.remove(&old);
        if known.object_id == person.object_id {
            session.sid = known.sid;
            session.clients = known.clients;
            if known.factor == Factor::Given {
                session.factor = Factor::Given;
            }
        }
    }
    state.sessions.insert(id.clone(), session);
    Ok(id)
}
