//! Asking Microsoft Graph: one host, a time by which the answer must be there, pages that stay where they began.
//!
//! Graph slows callers down with 429 or 503 and `Retry-After`. Such a request is repeated when the wait ends before the
//! time is up, and fails at once when it does not. What comes back is the whole answer or an error, never a part.
//! No address that came inside a token is ever followed, and the address of a next page only on Graph's own origin.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::counters::Counters;
use super::error::{HttpError, IdpError};
use super::http::{GRAPH, Outbound, request_id, useless};
use crate::model::host::Origin;
use crate::model::id::RequestId;

/// How often one request is made at most.
const TRIES: u32 = 4;
/// The wait when Graph names none.
const PAUSE: Duration = Duration::from_secs(1);
/// With 999 entries each, more than anybody has.
const MAX_PAGES: usize = 25;
/// Where every page lives.
const VERSION: &str = "/v1.0/";
/// Graph answers filtered and cast lists only to callers who accept that an index is a little behind.
const CONSISTENCY: HeaderName = HeaderName::from_static("consistencylevel");

/// Graph as one caller may ask it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Graph<'a> {
    pub(super) http: &'a Outbound,
    pub(super) counters: &'a Counters,
    pub(super) origin: &'a Origin,
    pub(super) token: &'a SecretString,
    /// By when the whole answer must be there.
    pub(super) until: Instant,
}

/// Why Graph gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum GraphError {
    /// No answer, or one that says nothing.
    #[error("{cause} (request `{request}`)")]
    Failed {
        request: RequestId,
        #[source]
        cause: HttpError,
    },
    /// Graph refuses.
    #[error("it answered with status {status}, `{code}` (request `{request}`)")]
    Refused { request: RequestId, status: u16, code: &'static str },
    /// The answer is not what was asked for, or not all of it.
    #[error("{0}")]
    Unusable(&'static str),
    /// What was asked for is there, but not shown to us.
    #[error("it does not show what was asked for")]
    Hidden,
    /// No random bytes.
    #[error("no random bytes")]
    Randomness,
}

impl GraphError {
    /// Whether Graph does not let us, rather than fails.
    pub(super) fn is_denied(&self) -> bool {
        matches!(self, Self::Hidden | Self::Refused { status: 403, .. })
    }

    /// Whether Graph does not take the token.
    pub(super) fn is_of_token(&self) -> bool {
        matches!(self, Self::Refused { status: 401, .. })
    }

    /// As the error of a request to Graph `at` this origin.
    pub(super) fn into_unavailable(self, at: &Origin) -> IdpError {
        let endpoint = "Microsoft Graph";
        let (request, cause) = match self {
            Self::Failed { request, cause } => (Ok(request), cause),
            Self::Refused { request, status, .. } => {
                (Ok(request), HttpError::Status { status, retry_after: None })
            }
            Self::Unusable(_) | Self::Hidden => (request_id(), HttpError::Unreadable),
            Self::Randomness => (Err(IdpError::Randomness), HttpError::Request),
        };
        let at = at.to_string();
        request.map_or_else(|e| e, |request| IdpError::Unavailable { endpoint, at, request, cause })
    }
}

/// A question to Graph.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The whole address.
    url: String,
    /// JSON to post; none for reading.
    body: Option<String>,
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureCode,
}

#[derive(Deserialize)]
struct FailureCode {
    code: String,
}

/// Codes that may stand in a message. Whatever else arrives becomes `other`.
const KNOWN: [&str; 8] = [
    "Authorization_RequestDenied",
    SIZE_LIMIT,
    "InvalidAuthenticationToken",
    "Request_BadRequest",
    "Request_ResourceNotFound",
    "Request_UnsupportedQuery",
    "ServiceUnavailable",
    "TooManyRequests",
];

/// More entries than one answer may hold.
pub(super) const SIZE_LIMIT: &str = "Directory_ResultSizeLimitExceeded";

impl Graph<'_> {
    /// A list, read to its end.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, GraphError> {
        let mut question = Question { url: self.origin.url(path), body: None };
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: Page<T> = self.page(&question).await?;
            all.extend(page.value);
            let Some(next) = page.next else { return Ok(all) };
            question.url = self.is_ours(&next).then_some(next).ok_or_else(|| {
                GraphError::Unusable("the next page of its answer is somewhere else")
            })?;
        }
        Err(GraphError::Unusable("its answer has too many pages"))
    }

    /// The answer to something posted, which has one page only.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: String,
    ) -> Result<Vec<T>, GraphError> {
        let question = Question { url: self.origin.url(path), body: Some(body) };
        let page: Page<T> = self.page(&question).await?;
        match page.next {
            None => Ok(page.value),
            // A further page would mean that the list is not complete.
            Some(_) => Err(GraphError::Unusable("its answer is not complete")),
        }
    }

    async fn page<T: DeserializeOwned>(&self, question: &Question) -> Result<Page<T>, GraphError> {
        let answer = self.ask(question).await?;
        serde_json::from_slice(answer.body())
            .map_err(|_| GraphError::Unusable("its answer is not the list that was asked for"))
    }

    async fn ask(&self, question: &Question) -> Result<Response<Vec<u8>>, GraphError> {
        let mut tries = 1;
        loop {
            let id = request_id().map_err(|_| GraphError::Randomness)?;
            let answer = self.once(question, &id).await;
            let answer =
                answer.map_err(|cause| GraphError::Failed { request: id.clone(), cause })?;
            match answer.status() {
                StatusCode::OK => return Ok(answer),
                StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT => {
                    self.counters.throttled();
                    let cause = useless(&answer);
                    let HttpError::Status { retry_after, .. } = &cause else { return Ok(answer) };
                    let pause = retry_after.unwrap_or(PAUSE);
                    let end = Instant::now().checked_add(pause);
                    if tries == TRIES || end.is_none_or(|end| end >= self.until) {
                        return Err(GraphError::Failed { request: id, cause });
                    }
                    tries += 1;
                    sleep(pause).await;
                }
                status => {
                    let (status, code) = (status.as_u16(), code(answer.body()));
                    return Err(GraphError::Refused { request: id, status, code });
                }
            }
        }
    }

    async fn once(
        &self,
        question: &Question,
        id: &RequestId,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        self.counters.asked();
        let request = self.request(question).ok_or(HttpError::Request)?;
        let left = self.until.saturating_duration_since(Instant::now());
        let sent = self.http.send(request, id, GRAPH);
        let timeout = HttpError::Timeout { limit: GRAPH.total };
        tokio::time::timeout(left, sent).await.unwrap_or(Err(timeout))
    }

    fn request(&self, question: &Question) -> Option<Request<Vec<u8>>> {
        let bearer = format!("Bearer {}", self.token.expose_secret());
        let mut bearer = HeaderValue::try_from(bearer).ok()?;
        bearer.set_sensitive(true);
        let method = if question.body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(&question.url)
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json");
        if question.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        } else {
            request = request.header(CONSISTENCY, "eventual");
        }
        request.body(question.body.clone().unwrap_or_default().into_bytes()).ok()
    }

    /// Whether the token may go to `next`: Graph's own origin, below its version.
    fn is_ours(&self, next: &str) -> bool {
        let Ok(url) = url::Url::parse(next) else { return false };
        let origin = url.origin().ascii_serialization().parse();
        url.username().is_empty()
            && url.password().is_none()
            && url.path().starts_with(VERSION)
            && origin.is_ok_and(|origin: Origin| origin == *self.origin)
    }
}

fn code(body: &[u8]) -> &'static str {
    let named = serde_json::from_slice::<Failure>(body).map(|failure| failure.error.code);
    let known = named.ok().and_then(|named| KNOWN.into_iter().find(|known| *known == named));
    known.unwrap_or("other")
}
