//! What goes back to the client's redirect URI, in the way that it asked for (OAuth 2.0 Form Post Response Mode 1.0).

use axum::response::Response;
use http::StatusCode;
use url::Url;
use url::form_urlencoded::Serializer;

use super::aadsts;
use super::answer;
use super::failure::Failure;
use super::page::{self, FormPostPage};
use super::request::{Mode, Return};

/// An error for the client.
pub(super) fn failure(to: &Return, failure: &Failure) -> Response {
    send(to, &[("error", failure.error.to_owned()), ("error_description", failure.sentence())])
}

/// The person pressed Cancel.
pub(super) fn cancelled(to: &Return) -> Response {
    let failure = aadsts::authorize(65004);
    let members = [
        ("error", failure.error.to_owned()),
        ("error_description", failure.sentence()),
        ("error_subcode", "cancel".to_owned()),
    ];
    send(to, &members)
}

/// Any answer, with the client's `state`.
pub(super) fn send(to: &Return, members: &[(&str, String)]) -> Response {
    let state = to.state.as_deref().map(|state| ("state", state));
    let members = members.iter().map(|(name, value)| (*name, value.as_str())).chain(state);
    let members: Vec<(&str, &str)> = members.collect();
    let Ok(mut url) = Url::parse(&to.uri) else { return answer::broken() };
    match to.mode {
        Mode::Query => {
            url.query_pairs_mut().extend_pairs(&members);
            // Entra ends every redirect with an empty fragment.
            url.set_fragment(Some(""));
            answer::redirect(url.as_str())
        }
        Mode::Fragment => {
            let text = Serializer::new(String::new()).extend_pairs(&members).finish();
            url.set_fragment(Some(&text));
            answer::redirect(url.as_str())
        }
        Mode::FormPost => {
            let shown = FormPostPage { target: &to.uri, members: &members };
            let mut response = answer::page(StatusCode::OK, &shown, &page::targets(&to.uri));
            page::allow_script(&mut response);
            response
        }
    }
}
