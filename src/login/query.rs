//! The query of a request of ours, read strictly: a parameter that comes twice is refused, never chosen from.

use std::borrow::Cow;

use url::form_urlencoded;

/// The parameters of a query.
#[derive(Debug, Clone)]
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// A parameter that must be there once at most came several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twice;

impl<'a> Query<'a> {
    pub(super) fn parse(query: Option<&'a str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or("").as_bytes()).collect())
    }

    /// The value of `name`; none when it is missing.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Twice> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Ok(Some(value)),
            (Some(_), Some(_)) => Err(Twice),
        }
    }

    /// Whether `name` is there once, with this value.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.one(name) == Ok(Some(value))
    }
}
