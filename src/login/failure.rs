//! Sign-ins that did not work, in plain words: one text per situation, none of it from the provider or the visitor.
//!
//! What is known of the situation gives status, cause and a general text; where Entra gave a code that the table of
//! `aadsts` knows, its text takes the general one's place.

use http::StatusCode;

use super::aadsts::{OTHERS, words_of};
use super::words::{Again, Mender, Words, nobody, service, you};
use crate::idp::{IdpError, Refusal, whole};

/// The word for refusals that nothing else is known about.
const REFUSED: &str = "refused";

/// What stands for an OAuth error code that is not known: nothing to show to anybody.
const UNKNOWN: &str = "other";

/// Checks of an ID token that one fresh from Entra fails only when our clock and Entra's are far apart.
const OF_TIME: [&str; 3] = ["expiry", "not_before", "issued_at"];

/// AADSTS65004: the person declined, which is their right and no error.
const DECLINED: u32 = 65_004;

/// Why nobody was signed in, for the person and for the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    /// The fixed word for the record.
    pub(super) cause: &'static str,
    /// More for the operator; nothing that a visitor can choose.
    pub(super) detail: String,
    pub(super) words: Words,
    /// `AADSTS50105`, or the OAuth error code.
    pub(super) code: Option<String>,
    /// Entra's own id for the request.
    pub(super) correlation: Option<String>,
}

const STALE: Words = you([
    "This sign-in is no longer good",
    "It was used already, took too long, or was begun in another browser.",
    "Begin again. If you came through a bookmark, bookmark the page that you want instead.",
]);
const CIRCLING: Words = you([
    "Signing in goes round in circles",
    "You were signed in several times within a minute, but your browser did not keep it.",
    "Allow cookies for this site, or clear those that it has, then open the page again.",
]);
const CANCELLED: Words = you([
    "Sign-in cancelled",
    "You stopped signing in at Microsoft. Nothing was changed.",
    "Try again when you like.",
]);
const INTERACTION: Words = you([
    "Microsoft wants you to do something first",
    "It needs another step from you, such as a second factor, before it lets you in here.",
    "Try again and follow the steps that Microsoft shows. If this stays, ask your help desk.",
]);
const STEP_UP: Words = you([
    "The confirmation is missing",
    "Microsoft let you in, but not in the way that this page asks for.",
    "Try again and follow every step that Microsoft shows. If this stays, tell the people who run this service.",
]);
const CODE_REFUSED: Words = you([
    "This sign-in can't be used any more",
    "Microsoft no longer accepts it, mostly because it took too long.",
    "Try again.",
]);
const AWAY: Words = nobody([
    "Microsoft sign-in can't be reached",
    "Cedargate could not reach the service that tells who you are.",
    "Try again in a few minutes. People who are signed in already are not affected.",
]);
const GROUPS: Words = nobody([
    "Your groups can't be read right now",
    "You are in many groups, and Microsoft did not tell which. Without them nobody can say what you may open.",
    "Try again in a few minutes.",
]);
const TOO_MANY_GROUPS: Words = service([
    "You are in too many groups",
    "Microsoft does not name them all at sign-in, and this site is set up not to ask for them. Without them nobody can say what you may open.",
    "Tell the people who run this service, and give them the reference below.",
]);
const FOREIGN: Words = Words {
    again: Again::OtherAccount,
    ..you([
        "This account belongs to another organization",
        "Accounts of your organization can't be used here.",
        "Use an account of the organization that runs this site, or ask it for an invitation.",
    ])
};
const OPERATOR: Words = service([
    "Sign-in is not set up correctly",
    "Microsoft does not accept how this site is registered, so nobody can sign in.",
    "Tell the people who run this service, and give them the reference below.",
]);
const BAD_TOKEN: Words = service([
    "The sign-in could not be verified",
    "What came back from Microsoft did not pass a check, so it was not used.",
    "Try again. If this stays, tell the people who run this service.",
]);
const CLOCK: Words = service([
    "Two clocks don't agree",
    "By the clock of this service, what Microsoft just made for you is not valid yet, or no longer valid.",
    "Tell the people who run this service to set the clock of its machine. Until then nobody can sign in.",
]);
const UNKNOWN_STEP_UP: Words = you([
    "This link asks for something that is not known here",
    "It asks for a proof that no page behind this gate needs.",
    "Start from the page that you want to open instead.",
]);
const OTHER_PERSON: Words = you([
    "Somebody else confirmed",
    "You are signed in here with one account and confirmed at Microsoft with another. Nothing was changed.",
    "Try again with the account that you are signed in with here, or sign in with the other one.",
]);
const ENDED: Words = you([
    "Your session ended meanwhile",
    "It was over before your confirmation came back, so there was nothing left to add it to.",
    "Sign in again.",
]);

impl Failure {
    fn new(status: StatusCode, cause: &'static str, words: Words) -> Self {
        Self { status, cause, detail: String::new(), words, code: None, correlation: None }
    }

    /// A state, code or hand-over that leads nowhere; `detail` says which of these, in fixed words.
    pub(super) fn stale(detail: &'static str) -> Self {
        Self { detail: detail.to_owned(), ..Self::new(StatusCode::BAD_REQUEST, "stale", STALE) }
    }

    /// The browser does not keep our cookies.
    pub(super) fn circling() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "circling", CIRCLING)
    }

    /// A `step_up` that nothing here knows.
    pub(super) fn unknown_step_up() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unknown_step_up", UNKNOWN_STEP_UP)
    }

    /// A step-up from which somebody else came back.
    pub(super) fn other_person() -> Self {
        Self::new(StatusCode::FORBIDDEN, "other_person", OTHER_PERSON)
    }

    /// A step-up whose session is over, or is not the one of this browser any more.
    pub(super) fn session_ended() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "session_ended", ENDED)
    }

    /// What became of an exchange with Entra.
    pub(super) fn of(error: &IdpError) -> Self {
        let (status, cause, words) = situation(error);
        let general = Self { detail: whole(error), ..Self::new(status, cause, words) };
        match refusal(error) {
            Some(refusal) => general.coded(refusal),
            None => Self { correlation: request(error), ..general },
        }
    }

    /// Nothing went wrong: the person did not want to.
    pub(super) fn is_calm(&self) -> bool {
        self.status == StatusCode::OK
    }

    /// Entra's code says more than the situation does, where the table knows it.
    fn coded(mut self, refusal: &Refusal) -> Self {
        self.code = Some(refusal.code()).filter(|code| code != UNKNOWN);
        self.correlation.clone_from(&refusal.correlation_id);
        let Some(number) = refusal.aadsts else { return self };
        if let Some(words) = words_of(number) {
            self.status = self.status_with(words, number);
            self.words = words;
        } else if self.cause == REFUSED {
            self.words = OTHERS;
        }
        self
    }

    /// Whom a row names decides: a person gets no 503 for what only they can mend, and no 403 for what they can't.
    fn status_with(&self, words: Words, number: u32) -> StatusCode {
        match words.mender {
            Mender::You if number == DECLINED => StatusCode::OK,
            Mender::You | Mender::HelpDesk if self.status == StatusCode::BAD_REQUEST => self.status,
            Mender::You | Mender::HelpDesk => StatusCode::FORBIDDEN,
            Mender::Service | Mender::Nobody => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

fn situation(error: &IdpError) -> (StatusCode, &'static str, Words) {
    let (denied, later) = (StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE);
    match error {
        IdpError::Cancelled(_) => (StatusCode::OK, "cancelled", CANCELLED),
        IdpError::Denied(_) => (denied, "denied", OTHERS),
        IdpError::InteractionNeeded(_) => (denied, "interaction_needed", INTERACTION),
        IdpError::CodeRefused(_) => (StatusCode::BAD_REQUEST, "code_refused", CODE_REFUSED),
        IdpError::BadToken { check } if OF_TIME.contains(check) => (later, "clock", CLOCK),
        IdpError::BadToken { .. } => (denied, "bad_token", BAD_TOKEN),
        IdpError::StepUpUnmet { .. } => (denied, "step_up_unmet", STEP_UP),
        IdpError::ForeignTenant { .. } => (denied, "foreign_tenant", FOREIGN),
        IdpError::GroupsUnavailable { .. } => (later, "groups_unavailable", GROUPS),
        IdpError::TooManyGroups => (denied, "too_many_groups", TOO_MANY_GROUPS),
        IdpError::Unavailable { .. } => (later, "unavailable", AWAY),
        IdpError::Busy => (later, "busy", AWAY),
        IdpError::Overloaded(_) => (later, "overloaded", AWAY),
        IdpError::Randomness => (later, "randomness", AWAY),
        IdpError::ClientRefused(_) => (later, "client_refused", OPERATOR),
        IdpError::Credential { .. } => (later, "credential", OPERATOR),
        IdpError::Refused(_) => (later, REFUSED, OPERATOR),
        IdpError::NoPermission { .. } => (later, "no_permission", OPERATOR),
        IdpError::Settings { .. } => (later, "settings", OPERATOR),
        IdpError::Discovery { .. } => (later, "discovery", OPERATOR),
        IdpError::GroupNames => (later, "group_names", OPERATOR),
        IdpError::GroupsAsRoles => (later, "groups_as_roles", OPERATOR),
    }
}

fn refusal(error: &IdpError) -> Option<&Refusal> {
    match error {
        IdpError::Cancelled(refusal)
        | IdpError::Denied(refusal)
        | IdpError::InteractionNeeded(refusal)
        | IdpError::CodeRefused(refusal)
        | IdpError::ClientRefused(refusal)
        | IdpError::Overloaded(refusal)
        | IdpError::Refused(refusal) => Some(refusal),
        IdpError::BadToken { .. }
        | IdpError::StepUpUnmet { .. }
        | IdpError::ForeignTenant { .. }
        | IdpError::GroupsUnavailable { .. }
        | IdpError::Unavailable { .. }
        | IdpError::Randomness
        | IdpError::Settings { .. }
        | IdpError::Credential { .. }
        | IdpError::Discovery { .. }
        | IdpError::TooManyGroups
        | IdpError::Busy
        | IdpError::NoPermission { .. }
        | IdpError::GroupNames
        | IdpError::GroupsAsRoles => None,
    }
}

/// Our own id for the request that got no answer: Entra's support finds it by that one (`client-request-id`).
fn request(error: &IdpError) -> Option<String> {
    let IdpError::Unavailable { request, .. } = error else { return None };
    Some(request.to_string())
}
