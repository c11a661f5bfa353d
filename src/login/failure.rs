//! Sign-ins that did not work, in plain words: one text per situation, none of it from the provider or the visitor.

use http::StatusCode;

use crate::idp::{IdpError, Refusal, whole};

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
}

/// What the page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) sentence: &'static str,
    pub(super) advice: &'static str,
}

const STALE: Words = Words {
    title: "This sign-in is no longer good",
    sentence: "It was used already, took too long, or was begun in another browser.",
    advice: "Begin again. If you came through a bookmark, bookmark the page that you want instead.",
};
const CIRCLING: Words = Words {
    title: "Signing in goes round in circles",
    sentence: "You were signed in several times within a minute, but your browser did not keep it.",
    advice: "Allow cookies for this site, or clear those that it has, then open the page again.",
};
const CANCELLED: Words = Words {
    title: "Sign-in cancelled",
    sentence: "You stopped signing in at Microsoft. Nothing was changed.",
    advice: "Try again when you like.",
};
const INTERACTION: Words = Words {
    title: "Microsoft wants you to do something first",
    sentence: "It needs another step from you, such as a second factor, before it lets you in here.",
    advice: "Try again and follow the steps that Microsoft shows. If this stays, ask your help desk.",
};
const STEP_UP: Words = Words {
    title: "The extra proof is missing",
    sentence: "Microsoft let you in, but not in the way that this page asks for.",
    advice: "Try again and follow every step that Microsoft shows. If this stays, tell the people who run this service.",
};
const CODE_REFUSED: Words = Words {
    title: "This sign-in can't be used any more",
    sentence: "Microsoft no longer accepts it, mostly because it took too long.",
    advice: "Try again.",
};
const AWAY: Words = Words {
    title: "Microsoft sign-in can't be reached",
    sentence: "Cedargate could not reach the service that tells who you are.",
    advice: "Try again in a few minutes. People who are signed in already are not affected.",
};
const GROUPS: Words = Words {
    title: "Your groups can't be read right now",
    sentence: "You are in many groups, and Microsoft did not tell which. Without them nobody can say what you may open.",
    advice: "Try again in a few minutes.",
};
const TOO_MANY_GROUPS: Words = Words {
    title: "You are in too many groups",
    sentence: "Microsoft does not name them all at sign-in, and this site is set up not to ask for them. Without them nobody can say what you may open.",
    advice: "Tell the people who run this service, and give them the reference below.",
};
const FOREIGN: Words = Words {
    title: "This account belongs to another organization",
    sentence: "Accounts of your organization can't be used here.",
    advice: "Use an account of the organization that runs this site, or ask it for an invitation.",
};
const OPERATOR: Words = Words {
    title: "Sign-in is not set up correctly",
    sentence: "Microsoft does not accept how this site is registered, so nobody can sign in.",
    advice: "Tell the people who run this service, and give them the reference below.",
};
const BAD_TOKEN: Words = Words {
    title: "The sign-in could not be verified",
    sentence: "What came back from Microsoft did not pass a check, so it was not used.",
    advice: "Try again. If this stays, tell the people who run this service.",
};

const UNKNOWN_STEP_UP: Words = Words {
    title: "This link asks for something that is not known here",
    sentence: "It asks for a proof that no page behind this gate needs.",
    advice: "Start from the page that you want to open instead.",
};
const OTHER_PERSON: Words = Words {
    title: "Somebody else confirmed",
    sentence: "You are signed in here with one account and confirmed at Microsoft with another. Nothing was changed.",
    advice: "Try again with the account that you are signed in with here, or sign in with the other one.",
};
const ENDED: Words = Words {
    title: "Your session ended meanwhile",
    sentence: "It was over before your confirmation came back, so there was nothing left to add it to.",
    advice: "Sign in again.",
};

impl Failure {
    fn new(status: StatusCode, cause: &'static str, words: Words) -> Self {
        Self { status, cause, detail: String::new(), words, code: None }
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
        let code = refusal(error).map(Refusal::code);
        Self { detail: whole(error), code, ..Self::new(status, cause, words) }
    }
}

fn situation(error: &IdpError) -> (StatusCode, &'static str, Words) {
    let (denied, later) = (StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE);
    match error {
        IdpError::Cancelled(_) => (StatusCode::OK, "cancelled", CANCELLED),
        IdpError::InteractionNeeded(_) => (denied, "interaction_needed", INTERACTION),
        IdpError::CodeRefused(_) => (StatusCode::BAD_REQUEST, "code_refused", CODE_REFUSED),
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
        IdpError::Refused(_) => (later, "refused", OPERATOR),
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
