//! Headers that go with everything we answer ourselves, each with its reason.
//!
//! Nothing here can be loosened by a setting: a weaker policy would only ever matter on the day something else failed.
//! CSP level 3, Trusted Types, HTML (COOP), Fetch (CORP, nosniff).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::model::host::Origin;

/// 128 random bits that name the scripts of one response. Never used for a second one.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(String);

/// The operating system gave no random bytes, so no page can be made.
#[derive(Debug, thiserror::Error)]
#[error("drawing a nonce for a page from the operating system")]
pub struct NonceError(#[source] getrandom::Error);

impl Nonce {
    /// A new one.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn fresh() -> Result<Self, NonceError> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(NonceError)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text in header and attributes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Kept out of logs: whoever knows it while the page is open could bless markup.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a page may do in the browser.
#[derive(Debug, Clone, Copy)]
pub enum ContentPolicy<'a> {
    /// A page without any script: what end users see, unless there is something to quote.
    Still,
    /// A page with something to quote: its one small script carries this nonce, and can fetch nothing.
    Quoting(&'a Nonce),
    /// A console page or fragment, whose one script carries this nonce.
    Scripted(&'a Nonce),
    /// The same with an editor, whose styles are made by its script and carry the nonce too.
    Editing(&'a Nonce),
}

/// Everything is denied first; then each allowance and its reason.
const STILL: [&str; 6] = [
    "default-src 'none'",
    // Our one style sheet; inline styles stay out, so injected ones do too.
    "style-src 'self'",
    // The mark and the icons; no `data:`, which could carry anything.
    "img-src 'self'",
    // Forms go back to the host that sent them, so an injected form can't carry a token away.
    "form-action 'self'",
    // A `<base>` would bend every relative address.
    "base-uri 'none'",
    // Nobody frames us: no borrowed clicks.
    "frame-ancestors 'none'",
];

/// What a console page may do on top.
const SCRIPTED: [&str; 3] = [
    // htmx fetches fragments and event streams from the page's own host.
    "connect-src 'self'",
    // Markup from strings is made through one named policy only, the one of hx-csp.
    "require-trusted-types-for 'script'",
    "trusted-types htmx",
];

impl ContentPolicy<'_> {
    /// The value of `Content-Security-Policy`.
    pub fn to_header(self) -> String {
        let still = STILL.join("; ");
        match self {
            Self::Still => still,
            Self::Quoting(nonce) => {
                let script = format!("script-src 'nonce-{nonce}'");
                format!(
                    "{still}; {script}; require-trusted-types-for 'script'; trusted-types 'none'"
                )
            }
            Self::Scripted(nonce) => scripted(&still, nonce),
            Self::Editing(nonce) => {
                let styles = format!("style-src 'self' 'nonce-{nonce}'");
                scripted(&still.replace("style-src 'self'", &styles), nonce)
            }
        }
    }
}

fn scripted(still: &str, nonce: &Nonce) -> String {
    // Scripts run by nonce alone, so that a file smuggled onto our host still does not run.
    let script = format!("script-src 'nonce-{nonce}' 'strict-dynamic'");
    format!("{still}; {script}; {}", SCRIPTED.join("; "))
}

/// Sets what belongs on every answer of ours, page or file.
pub fn harden(headers: &mut HeaderMap) {
    let always = [
        // Types are as declared; nothing is guessed from content.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Addresses stay on the host. `no-referrer` would turn the `Origin` of our own forms into `null`.
        (header::REFERRER_POLICY, "same-origin"),
        // A page that opened ours, or that ours opens, gets no handle on it.
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // Other origins can't embed our answers, not even as an image or a script.
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // `frame-ancestors` for browsers that do not know it.
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Lets pages of `framer`, and of nobody else, frame this one answer (CSP level 3, `frame-ancestors`). The older header
/// can name no other origin than our own, so it goes.
pub fn allow_framing_by(headers: &mut HeaderMap, framer: &Origin) {
    let policy = format!("default-src 'none'; base-uri 'none'; frame-ancestors {framer}");
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.remove(header::X_FRAME_OPTIONS);
}

/// Sets what belongs on every page and fragment, besides [`harden`].
pub fn protect_page(headers: &mut HeaderMap, policy: ContentPolicy<'_>) {
    harden(headers);
    let policy = HeaderValue::from_str(&policy.to_header())
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    // Pages speak to one person; no cache and no back button shows them to the next one.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
