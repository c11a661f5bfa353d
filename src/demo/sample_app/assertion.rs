//! Verifies the gate's assertion (a JWT, RFC 7519, ES256) as any careful upstream would.
//!
//! The algorithm is fixed here and never taken from the token; `aud` must be this app, `exp` must lie ahead.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use super::jwks;
use crate::model::time::{Clock, Timestamp};

/// The key set is asked for again at most this often.
const PAUSE: Duration = Duration::from_secs(5);
/// Clocks of one machine differ by less than this, in seconds.
const LEEWAY: i64 = 5;

/// What the assertion turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// There was none.
    Absent,
    /// Signed by the gate, for this app, still good.
    Verified(Map<String, Value>),
    /// Not to be believed, with the reason in words.
    Refused(String),
}

/// Verifies assertions with keys it fetches and remembers.
#[derive(Debug)]
pub(super) struct Verifier {
    url: String,
    audience: String,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Option<JwkSet>,
    asked_at: Option<Timestamp>,
}

impl Verifier {
    pub(super) fn new(url: String, audience: String, clock: Clock) -> Self {
        Self { url, audience, clock, known: Mutex::default() }
    }

    /// Judges the value of `X-Gate-Assertion`; empty counts as absent.
    pub(super) async fn judge(&self, token: &str) -> Verdict {
        if token.is_empty() {
            return Verdict::Absent;
        }
        match self.claims(token).await {
            Ok(claims) => Verdict::Verified(claims),
            Err(reason) => Verdict::Refused(reason),
        }
    }

    async fn claims(&self, token: &str) -> Result<Map<String, Value>, String> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| "it is not a JWT")?;
        let kid = header.kid.ok_or("it names no key")?;
        let key = self.key(&kid).await?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["exp", "aud"]);
        // Checked below, against the clock of the settings.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &rules)
            .map_err(|error| error.to_string())?
            .claims;
        let expires = claims.get("exp").and_then(Value::as_i64).ok_or("it has no expiry")?;
        if self.clock.now().as_seconds() >= expires.saturating_add(LEEWAY) {
            return Err("it has expired".to_owned());
        }
        Ok(claims)
    }

    async fn key(&self, kid: &str) -> Result<DecodingKey, String> {
        if let Some(key) = self.remembered(kid) {
            return key;
        }
        if self.may_ask() {
            let keys = jwks::fetch(&self.url).await.map_err(|error| error.to_string())?;
            self.known().keys = Some(keys);
        }
        self.remembered(kid).unwrap_or_else(|| Err("its key is not among the gate's".to_owned()))
    }

    fn remembered(&self, kid: &str) -> Option<Result<DecodingKey, String>> {
        let known = self.known();
        let jwk = known.keys.as_ref()?.find(kid)?;
        let AlgorithmParameters::EllipticCurve(point) = &jwk.algorithm else {
            return Some(Err("its key is not on an elliptic curve".to_owned()));
        };
        if point.curve != EllipticCurve::P256 {
            return Some(Err("its key is not on P-256".to_owned()));
        }
        Some(DecodingKey::from_ec_components(&point.x, &point.y).map_err(|e| e.to_string()))
    }

    fn may_ask(&self) -> bool {
        let now = self.clock.now();
        let mut known = self.known();
        let may = known.asked_at.is_none_or(|asked| now.since(asked) >= PAUSE);
        if may {
            known.asked_at = Some(now);
        }
        may
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
