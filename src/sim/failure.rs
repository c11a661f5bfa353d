//! One failure as Entra words it: an OAuth error, an AADSTS number and a sentence.

use std::borrow::Cow;

/// What is said to a client, or to a person on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// OAuth 2.0 `error` (RFC 6749 sections 4.1.2.1 and 5.2, and Entra's own).
    pub(super) error: &'static str,
    /// The AADSTS number.
    pub(super) number: u32,
    /// What follows the number.
    pub(super) text: Cow<'static, str>,
    /// Entra's `suberror`, where it sends one.
    pub(super) suberror: Option<&'static str>,
    /// A claims request that the next authorization must carry, JSON as text.
    pub(super) claims: Option<String>,
}

impl Failure {
    pub(super) fn new(
        error: &'static str,
        number: u32,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { error, number, text: text.into(), suberror: None, claims: None }
    }

    /// The same failure with more detail at the end of its sentence.
    #[must_use]
    pub(super) fn because(mut self, detail: &str) -> Self {
        self.text = format!("{} {detail}", self.text).into();
        self
    }

    /// The same failure, asking for an authorization with these claims.
    #[must_use]
    pub(super) fn asking(mut self, claims: String) -> Self {
        self.suberror = Some("basic_action");
        self.claims = Some(claims);
        self
    }

    /// `AADSTS50105: …`.
    pub(super) fn sentence(&self) -> String {
        format!("AADSTS{}: {}", self.number, self.text)
    }
}
