//! Which headers cross the gate, in both directions (RFC 9110 section 7.6.1, RFC 9112 section 6).
//!
//! Identity headers are ours or absent: every name of the reserved set is removed from what the client sent, in any
//! spelling, before anything else looks. Refuses `Connection` lists that name what the client has no say in,
//! duplicate hosts and contradictory framing; and refuses identity that does not fit, since a cut list of groups
//! would be a different identity.

use http::header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::model::app::HeaderAlias;
use crate::model::host::Origin;
use crate::model::record::ClientAddress;

/// Largest total of identity header values, in bytes, without the assertion and the aliases.
pub const LARGEST_IDENTITY: usize = 8 * 1024;

// Left plain: printable ASCII but for space and the characters that lists, quotes and the encoding itself use.
const ENCODED: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'\\').add(b'=');

const RESERVED: &[&str] = &[
    "authorization",
    "forwarded",
    "front-end-https",
    "remote-user",
    "remote-email",
    "remote-groups",
    "remote-name",
    "x-remote-user",
    "x-webauth-user",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-original-uri",
    "x-original-method",
    "x-rewrite-url",
    "x-scheme",
    "x-envoy-original-path",
    "x-envoy-external-address",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    // Becomes `HTTP_PROXY` in the environment of CGI programs (httpoxy, CVE-2016-5385).
    "proxy",
];
const RESERVED_FAMILIES: &[&str] =
    &["x-gate-", "x-forwarded-", "x-auth-request-", "x-ms-client-principal", "x-authentik-"];
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// One spelling for all: lower case, every byte but letters and digits becomes `-`.
pub fn fold(name: &str) -> String {
    name.bytes().map(|byte| char::from(fold_byte(byte))).collect()
}

fn fold_byte(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// Whether `name` begins with `folded` in some spelling.
fn begins(name: &str, folded: &str) -> bool {
    let same = |(one, other)| fold_byte(one) == other;
    name.len() >= folded.len() && name.bytes().zip(folded.bytes()).all(same)
}

/// Whether `name` is `folded` in some spelling.
fn spells(name: &str, folded: &str) -> bool {
    name.len() == folded.len() && begins(name, folded)
}

/// Whether a header of this name, in any spelling, is never taken from a client.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|reserved| spells(name, reserved))
        || RESERVED_FAMILIES.iter().any(|family| begins(name, family))
}

fn is_hop_by_hop(name: &str) -> bool {
    HOP_BY_HOP.iter().any(|one| spells(name, one)) || begins(name, "proxy-")
}

/// Checks what must hold before a request is looked at any further.
///
/// # Errors
/// What is wrong, for the 400 answer and the record.
pub fn check_inbound(headers: &HeaderMap) -> Result<(), &'static str> {
    check_single(headers)?;
    for line in headers.get_all(CONNECTION) {
        let list = line.to_str().map_err(|_| "Connection is not readable")?;
        if list.split(',').any(|token| is_untouchable(token.trim_matches([' ', '\t']))) {
            return Err("Connection names a header that the client has no say in");
        }
    }
    Ok(())
}

fn check_single(headers: &HeaderMap) -> Result<(), &'static str> {
    let count = |name: &HeaderName| headers.get_all(name).iter().count();
    if count(&HOST) != 1 {
        return Err("there must be exactly one Host");
    }
    if count(&CONTENT_LENGTH) > 1 || count(&TRANSFER_ENCODING) > 1 {
        return Err("Content-Length or Transfer-Encoding is repeated");
    }
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        return Err("Content-Length and Transfer-Encoding are both present");
    }
    let digits =
        |value: &HeaderValue| !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
    if !headers.get(CONTENT_LENGTH).is_none_or(digits) {
        return Err("Content-Length is not a number");
    }
    let chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if headers.get(TRANSFER_ENCODING).is_none_or(chunked) {
        Ok(())
    } else {
        Err("Transfer-Encoding is not chunked")
    }
}

/// Whether a name is another spelling of one that says what the body or the request is. Servers that fold `_` and `.`
/// into `-` (CGI, WSGI, PHP) would read it as that one.
fn is_twin(name: &str) -> bool {
    let is_folded = name.bytes().all(|byte| fold_byte(byte) == byte);
    !is_folded && (begins(name, "content-") || spells(name, "host") || spells(name, "cookie"))
}

fn is_untouchable(token: &str) -> bool {
    ["host", "cookie", "content-length"].iter().any(|name| spells(token, name))
        || is_reserved(token)
}

/// Removes whatever the client must not say to the upstream: reserved names, hop-by-hop headers, our cookies.
pub fn strip_inbound(headers: &mut HeaderMap) {
    let mut named: Vec<HeaderName> = Vec::new();
    for list in headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok()) {
        named.extend(list.split(',').filter_map(|token| token.trim().parse().ok()));
    }
    let unwanted = |name: &HeaderName| {
        let name = name.as_str();
        is_reserved(name) || is_hop_by_hop(name) || is_twin(name)
    };
    named.extend(headers.keys().filter(|name| unwanted(name)).cloned());
    for name in named {
        headers.remove(name);
    }
    strip_own_cookies(headers);
}

fn strip_own_cookies(headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers.get_all(COOKIE).iter().cloned().collect();
    headers.remove(COOKIE);
    for line in lines {
        let pairs: Vec<&[u8]> = line.as_bytes().split(|byte| *byte == b';').collect();
        if !pairs.iter().any(|pair| is_own_cookie(pair)) {
            headers.append(COOKIE, line);
            continue;
        }
        let kept: Vec<&[u8]> = pairs.into_iter().filter(|pair| !is_own_cookie(pair)).collect();
        let kept = kept.join(&b';');
        if let Ok(value) = HeaderValue::from_bytes(kept.trim_ascii_start())
            && !value.is_empty()
        {
            headers.append(COOKIE, value);
        }
    }
}

// Case is folded: another case is not our cookie, but an upstream has no use for it either.
fn is_own_cookie(pair: &[u8]) -> bool {
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    let begins =
        |with: &[u8]| name.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    begins(b"__host-gate_") || begins(b"gate_")
}

/// Removes from an upstream's answer what only we may say: hop-by-hop headers, `X-Gate-*`, our cookies.
pub fn clean_response(headers: &mut HeaderMap) {
    let mut unwanted: Vec<HeaderName> = Vec::new();
    for list in headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok()) {
        unwanted.extend(list.split(',').filter_map(|token| token.trim().parse().ok()));
    }
    let ours = |name: &HeaderName| begins(name.as_str(), "x-gate-");
    unwanted.extend(headers.keys().filter(|n| is_hop_by_hop(n.as_str()) || ours(n)).cloned());
    for name in unwanted {
        headers.remove(name);
    }
    if !headers.get_all(SET_COOKIE).iter().any(|cookie| is_own_cookie(cookie.as_bytes())) {
        return;
    }
    let cookies: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies.into_iter().filter(|cookie| !is_own_cookie(cookie.as_bytes())) {
        headers.append(SET_COOKIE, cookie);
    }
}

/// Tells the upstream how the request came to us, on stripped headers: `Host` and the `X-Forwarded-*` family, all from
/// the connection and the settings. An address that nobody can tell is left out.
pub fn set_forwarded(headers: &mut HeaderMap, client: ClientAddress, origin: &Origin) {
    // Hosts and addresses are plain ASCII, so every text fits a header.
    let authority = HeaderValue::try_from(origin.authority()).ok();
    let client = match client {
        ClientAddress::Known(_) => HeaderValue::try_from(client.to_string()).ok(),
        ClientAddress::Unknown => None,
    };
    let values = [
        (HOST, authority.clone()),
        (HeaderName::from_static("x-forwarded-for"), client),
        (HeaderName::from_static("x-forwarded-host"), authority),
        (HeaderName::from_static("x-forwarded-port"), Some(origin.port().into())),
        (
            HeaderName::from_static("x-forwarded-proto"),
            Some(HeaderValue::from_static(origin.scheme().as_str())),
        ),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

/// Who a request comes from, as its upstream is told. Empty texts and lists mean unset.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// `<tid>.<oid>`.
    pub user_id: String,
    /// The user name.
    pub user: String,
    /// The name that people see.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// Object ids of the groups that the app's rules mention.
    pub groups: Vec<String>,
    /// The app roles that the app's rules mention.
    pub roles: Vec<String>,
    /// The signed assertion, sent as it is.
    pub assertion: String,
    /// Further names under which the app wants these values.
    pub aliases: Vec<HeaderAlias>,
}

/// Identity that takes more than [`LARGEST_IDENTITY`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the identity headers take more than 8192 bytes; let fewer groups appear in the app's rules"
)]
pub struct TooLarge;

/// An [`Identity`] as headers, ready to be set on any number of requests: all but the decision id.
#[derive(Debug)]
pub struct IdentityHeaders {
    lines: Vec<(HeaderName, HeaderValue)>,
    /// Bytes that count towards [`LARGEST_IDENTITY`].
    size: usize,
}

impl IdentityHeaders {
    /// The complete set for `identity`, encoded.
    ///
    /// # Errors
    /// [`TooLarge`] when the assertion is no header value.
    pub fn new(identity: &Identity) -> Result<Self, TooLarge> {
        let values = [
            ("x-gate-user-id", encode(&identity.user_id)),
            ("x-gate-user", encode(&identity.user)),
            ("x-gate-name", encode(&identity.name)),
            ("x-gate-email", encode(&identity.email)),
            ("x-gate-groups", encode_list(&identity.groups)),
            ("x-gate-roles", encode_list(&identity.roles)),
        ];
        let size = values.iter().map(|(_, value)| value.len()).sum();
        let assertion = ("x-gate-assertion", identity.assertion.clone());
        let aliases = identity.aliases.iter().map(|alias| alias_value(*alias, identity));
        let lines = values.into_iter().chain([assertion]).chain(aliases);
        let lines = lines.map(|(name, value)| line(name, value)).collect::<Result<_, _>>()?;
        Ok(Self { lines, size })
    }

    /// Sets them on stripped headers, with the id of the decision.
    ///
    /// # Errors
    /// [`TooLarge`]; nothing is cut.
    pub fn set(&self, headers: &mut HeaderMap, decision: String) -> Result<(), TooLarge> {
        if self.size.saturating_add(decision.len()) > LARGEST_IDENTITY {
            return Err(TooLarge);
        }
        // An id has nothing to encode.
        let (name, value) = line("x-gate-decision", decision)?;
        headers.reserve(self.lines.len().saturating_add(1));
        headers.insert(name, value);
        headers.extend(self.lines.iter().cloned());
        Ok(())
    }
}

fn line(name: &'static str, value: String) -> Result<(HeaderName, HeaderValue), TooLarge> {
    // Encoded text is printable ASCII, so only a foreign assertion could fail here.
    let value = HeaderValue::try_from(value).map_err(|_| TooLarge)?;
    Ok((HeaderName::from_static(name), value))
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

// Joined after encoding: a comma inside a name can't split it.
fn encode_list(items: &[String]) -> String {
    items.iter().map(|item| encode(item)).collect::<Vec<_>>().join(",")
}

fn alias_value(alias: HeaderAlias, identity: &Identity) -> (&'static str, String) {
    match alias {
        HeaderAlias::RemoteUser => ("remote-user", encode(&identity.user)),
        HeaderAlias::XForwardedUser => ("x-forwarded-user", encode(&identity.user)),
        HeaderAlias::XForwardedEmail => ("x-forwarded-email", encode(&identity.email)),
        HeaderAlias::XForwardedGroups => ("x-forwarded-groups", encode_list(&identity.groups)),
        HeaderAlias::XAuthRequestUser => ("x-auth-request-user", encode(&identity.user)),
        HeaderAlias::XAuthRequestEmail => ("x-auth-request-email", encode(&identity.email)),
        HeaderAlias::XAuthRequestGroups => ("x-auth-request-groups", encode_list(&identity.groups)),
        HeaderAlias::XAuthRequestPreferredUsername => {
            ("x-auth-request-preferred-username", encode(&identity.user))
        }
    }
}
