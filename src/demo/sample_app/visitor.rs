//! Who the gate says is asking: its headers decoded, and the verdict on its assertion.

use http::HeaderMap;
use percent_encoding::percent_decode_str;

use super::assertion::{Verdict, Verifier};

/// The identity headers, in the order they are shown.
const SHOWN: [(&str, &str); 7] = [
    ("X-Gate-User-Id", "Subject"),
    ("X-Gate-User", "User name"),
    ("X-Gate-Name", "Name"),
    ("X-Gate-Email", "E-mail"),
    ("X-Gate-Groups", "Groups"),
    ("X-Gate-Roles", "App roles"),
    ("X-Gate-Decision", "Decision"),
];

/// One header as it is shown.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) header: &'static str,
    pub(super) label: &'static str,
    pub(super) values: Vec<String>,
}

/// Whoever asks for a page.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    /// What the headers said.
    pub(super) told: Vec<Told>,
    verdict: Verdict,
}

impl Visitor {
    /// Reads the headers and verifies the assertion among them.
    pub(super) async fn read(verifier: &Verifier, headers: &HeaderMap) -> Self {
        let told =
            SHOWN.map(|(header, label)| Told { header, label, values: values(headers, header) });
        let verdict = verifier.judge(&text(headers, "X-Gate-Assertion")).await;
        Self { told: told.to_vec(), verdict: agreed(verdict, &text(headers, "X-Gate-User-Id")) }
    }

    /// The display name; none for somebody who is not signed in.
    pub(super) fn name(&self) -> Option<&str> {
        self.first("X-Gate-Name").or_else(|| self.first("X-Gate-User"))
    }

    /// The first name, for greetings.
    pub(super) fn first_name(&self) -> &str {
        self.name().and_then(|name| name.split(' ').next()).unwrap_or("stranger")
    }

    /// The first value of a header.
    pub(super) fn first(&self, header: &str) -> Option<&str> {
        let told = self.told.iter().find(|told| told.header == header)?;
        told.values.first().map(String::as_str)
    }

    /// `ok`, `none` or `bad`: the class of the badge.
    pub(super) fn badge(&self) -> &'static str {
        match self.verdict {
            Verdict::Verified(_) => "ok",
            Verdict::Absent => "none",
            Verdict::Refused(_) => "bad",
        }
    }

    /// The verdict in words.
    pub(super) fn verdict(&self) -> String {
        match &self.verdict {
            Verdict::Verified(_) => "The signed assertion confirms this.".to_owned(),
            Verdict::Absent => "No assertion came with this request.".to_owned(),
            Verdict::Refused(reason) => format!("The assertion is not believed: {reason}."),
        }
    }

    /// The verified claims, one line each.
    pub(super) fn claims(&self) -> Vec<(String, String)> {
        match &self.verdict {
            Verdict::Verified(claims) => claims
                .iter()
                .map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (name.clone(), text)
                })
                .collect(),
            Verdict::Absent | Verdict::Refused(_) => Vec::new(),
        }
    }
}

/// A good assertion about somebody else is worse than none.
fn agreed(verdict: Verdict, subject: &str) -> Verdict {
    match &verdict {
        Verdict::Verified(claims) => {
            let about = claims.get("sub").and_then(serde_json::Value::as_str).unwrap_or_default();
            if subject.is_empty() || about == subject {
                verdict
            } else {
                Verdict::Refused("it is about somebody else".to_owned())
            }
        }
        Verdict::Absent | Verdict::Refused(_) => verdict,
    }
}

/// The header, percent-decoded; empty when it is missing or not UTF-8.
fn text(headers: &HeaderMap, name: &str) -> String {
    let raw = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    percent_decode_str(raw).decode_utf8().map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// The header's values, parted at commas before decoding, so that an encoded comma stays inside its value.
fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    let raw = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    raw.split(',')
        .map(|part| percent_decode_str(part.trim()).decode_utf8_lossy().into_owned())
        .filter(|part| !part.is_empty())
        .collect()
}
