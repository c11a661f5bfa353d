//! How each kind of value is read. Each reader fails with what is wrong and what to write instead.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::settings::{AccessTokens, ConsoleMember, Outlet, SecondPerson, Strictness};
use crate::model::entra::{Cloud, GroupSource};
use crate::model::host::Origin;
use crate::model::id::TenantId;
use crate::model::time::{Span, Timestamp};

/// A value, or what is wrong with it.
pub(super) type Read<T> = Result<T, String>;

/// `text` in backticks, cut to 120 characters.
fn quoted(text: &str) -> String {
    format!("`{}`", text.chars().take(120).collect::<String>())
}

/// `https`, or `http` for a host that can only be this machine.
pub(super) fn origin(text: &str) -> Read<Origin> {
    let origin: Origin = text.parse().map_err(|error| format!("{error}"))?;
    if origin.is_https() || origin.host().is_loopback() {
        return Ok(origin);
    }
    Err(format!("{} must start with https:// (http:// is for loopback hosts only)", quoted(text)))
}

pub(super) fn address(text: &str) -> Read<SocketAddr> {
    let wanted = "is not an address and port; write it like 0.0.0.0:8080 or [::]:8080";
    text.parse().map_err(|_| format!("{} {wanted}", quoted(text)))
}

/// The database URL. The value is never shown: another engine's URL holds a password.
pub(super) fn database(text: &str) -> Read<String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Err("PostgreSQL is not supported by this version; use sqlite://<path>".to_owned());
    }
    match text.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() && !path.contains(['?', '#']) && !path.ends_with('/') => {
            Ok(text.to_owned())
        }
        Some(_) | None => {
            Err("is not a database; write sqlite://<path of a file>, without options".to_owned())
        }
    }
}

/// A network that may be trusted: everybody at once may not.
pub(super) fn network(text: &str) -> Read<IpNet> {
    let parsed =
        text.parse::<IpNet>().or_else(|_| text.parse().map(|ip: std::net::IpAddr| ip.into()));
    let network = parsed
        .map_err(|_| format!("{} is not a network; write it like 10.0.0.0/8", quoted(text)))?;
    if network.prefix_len() == 0 {
        return Err(format!("{} would trust everybody; name your proxies", quoted(text)));
    }
    if network.trunc() != network {
        return Err(format!(
            "{} has bits beyond its prefix; write {}",
            quoted(text),
            network.trunc()
        ));
    }
    Ok(network)
}

/// Whose sign-in pages are used: one tenant, or all of them at once.
pub(super) fn authority_tenant(text: &str) -> Read<String> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "common" => {
            let why = "would let personal accounts in as well";
            return Err(format!("`common` {why}; {}", one_or_many("write organizations")));
        }
        "consumers" => {
            let why = "stands for personal accounts, which have neither groups nor app roles";
            return Err(format!("`consumers` {why}; {}", one_or_many("write organizations")));
        }
        "organizations" => return Ok(lower),
        _ => {}
    }
    let plain = |part: &str| {
        let inner = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        !part.is_empty() && inner
    };
    let is_domain = lower.contains('.') && lower.split('.').all(plain);
    if is_domain || lower.parse::<TenantId>().is_ok() {
        return Ok(lower);
    }
    let what = "is neither a tenant id (a GUID) nor a verified domain";
    Err(format!("{} {what}; {}", quoted(text), one_or_many("write organizations")))
}

fn one_or_many(many: &str) -> String {
    format!(
        "copy \"Directory (tenant) ID\" from the app registration's overview, or {many} and list allowed_tenants"
    )
}

pub(super) fn tenant(text: &str) -> Read<TenantId> {
    let hint = "copy \"Directory (tenant) ID\" from the app registration's overview";
    text.parse().map_err(|_| format!("{} is not a tenant id (a GUID); {hint}", quoted(text)))
}

pub(super) fn client_id(text: &str) -> Read<String> {
    let hint = "copy \"Application (client) ID\" from the app registration's overview";
    let read = text.parse::<TenantId>().map(String::from);
    read.map_err(|_| format!("{} is not a client id (a GUID); {hint}", quoted(text)))
}

pub(super) fn access_tokens(text: &str) -> Read<AccessTokens> {
    match text {
        "v1" => Ok(AccessTokens::V1),
        "v2" => Ok(AccessTokens::V2),
        _ => Err(format!("{} is neither v1 nor v2", quoted(text))),
    }
}

/// The audience of v2.0 tokens: always a client id.
pub(super) fn api_id(text: &str) -> Read<String> {
    let id = text.parse::<TenantId>().map(String::from).map_err(|_| {
        let hint = "v2 tokens name the API by its application (client) id";
        format!("{} is not a client id (a GUID); {hint}", quoted(text))
    });
    app_id_uri(&id?)
}

/// The audience of v1.0 tokens: an App ID URI, byte for byte, or a client id.
pub(super) fn app_id_uri(text: &str) -> Read<String> {
    let plain = text.trim_end_matches('/');
    // Its tokens are in the hands of every app that reads from it.
    if Cloud::is_graph(text) {
        return Err(format!("{} is Microsoft Graph; name an API of your own", quoted(text)));
    }
    if plain.is_empty() || text.contains(char::is_whitespace) {
        let hint = "write it like api://66666666-7777-8888-9999-000000000000";
        return Err(format!("{} is not an App ID URI; {hint}", quoted(text)));
    }
    Ok(text.to_owned())
}

/// One word of `scp`.
pub(super) fn scope(text: &str) -> Read<String> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(format!("{} is not one scope; write it like access_as_user", quoted(text)));
    }
    Ok(text.to_owned())
}

/// The client secret, still as text. Never quoted in a problem.
pub(super) fn client_secret(text: &str) -> Read<String> {
    if text.trim().is_empty() {
        return Err("is empty; copy the secret's value from the app registration".to_owned());
    }
    if text.parse::<TenantId>().is_ok() {
        return Err("holds the secret's id; copy its value instead (shown once, when it is made)"
            .to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn cloud(text: &str) -> Read<Cloud> {
    let wrong = || format!("{} is not a cloud; write public, us_government or china", quoted(text));
    Cloud::ALL.into_iter().find(|cloud| cloud.name() == text).ok_or_else(wrong)
}

/// A day, as the moment at which it begins (UTC).
pub(super) fn day(text: &str) -> Read<Timestamp> {
    let wrong = || format!("{} is not a day; write it like 2027-01-31", quoted(text));
    let shaped = text.len() == "2027-01-31".len();
    let day: jiff::civil::Date = text.parse().ok().filter(|_| shaped).ok_or_else(wrong)?;
    let begins = jiff::tz::TimeZone::UTC
        .to_timestamp(day.to_datetime(jiff::civil::Time::midnight()))
        .map_err(|_| wrong())?;
    Ok(Timestamp::from_seconds(begins.as_second()))
}

pub(super) fn groups(text: &str) -> Read<GroupSource> {
    match text {
        "token" => Ok(GroupSource::Token),
        "graph" => Ok(GroupSource::Graph),
        "graph_on_overage" => Ok(GroupSource::GraphOnOverage),
        _ => Err(format!("{} is none of token, graph and graph_on_overage", quoted(text))),
    }
}

pub(super) fn authentication_context(text: &str) -> Read<String> {
    let number = text.strip_prefix('c').and_then(|rest| rest.parse::<u8>().ok());
    match number {
        Some(number @ 1..=99) if text == format!("c{number}") => Ok(text.to_owned()),
        Some(_) | None => {
            Err(format!("{} is not an authentication context; write c1 to c99", quoted(text)))
        }
    }
}

pub(super) fn member(text: &str) -> Read<ConsoleMember> {
    let wrong = |why: String| format!("{} is not a console member: {why}", quoted(text));
    match text.split_once(':') {
        Some(("group", id)) => {
            id.parse().map(ConsoleMember::Group).map_err(|error| wrong(format!("{error}")))
        }
        Some(("role", value)) => {
            value.parse().map(ConsoleMember::Role).map_err(|error| wrong(format!("{error}")))
        }
        Some(("user", subject)) => {
            subject.parse().map(ConsoleMember::User).map_err(|error| wrong(format!("{error}")))
        }
        Some(_) | None => Err(wrong(
            "write group:<object id>, role:<value> or user:<tenant id>.<object id>".to_owned(),
        )),
    }
}

pub(super) fn second_person(text: &str) -> Read<SecondPerson> {
    match text {
        "off" => Ok(SecondPerson::Off),
        "required" => Ok(SecondPerson::Required),
        _ => Err(format!("{} is neither off nor required", quoted(text))),
    }
}

pub(super) fn strictness(text: &str) -> Read<Strictness> {
    match text {
        "strict" => Ok(Strictness::Strict),
        "strict-allow" => Ok(Strictness::StrictAllow),
        _ => Err(format!("{} is neither strict nor strict-allow", quoted(text))),
    }
}

pub(super) fn outlet(text: &str) -> Read<Outlet> {
    match text.strip_prefix("file:") {
        Some(path) => self::path(path).map(Outlet::File),
        None if text == "stdout" => Ok(Outlet::Stdout),
        None => Err(format!("{} is no outlet; write stdout or file:<path>", quoted(text))),
    }
}

pub(super) fn path(text: &str) -> Read<PathBuf> {
    if text.is_empty() { Err("is empty; name a path".to_owned()) } else { Ok(text.into()) }
}

pub(super) fn filled(text: &str) -> Read<String> {
    if text.trim().is_empty() {
        return Err("is empty; give it a value or remove it".to_owned());
    }
    Ok(text.to_owned())
}

/// One line of text that pages show.
pub(super) fn line(text: &str) -> Read<String> {
    if text.chars().any(char::is_control) || text.chars().count() > LONGEST_LINE {
        return Err(format!("is not one line of at most {LONGEST_LINE} characters"));
    }
    filled(text)
}

/// Characters of a [`line()`].
const LONGEST_LINE: usize = 200;

/// The log filter. Whether its directives make sense, telemetry says when it starts.
pub(super) fn log(text: &str) -> Read<String> {
    filled(text)
}

/// The shortest and the longest span that a setting allows.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) least: Duration,
    pub(super) most: Duration,
}

/// A span within bounds.
pub(super) fn span(text: &str, bounds: Bounds) -> Read<Duration> {
    let Span(span) = text.parse().map_err(|_| {
        format!("{} is not a span; write it like 90s, 15m, 12h or 400d", quoted(text))
    })?;
    if (bounds.least..=bounds.most).contains(&span) {
        return Ok(span);
    }
    let (least, most) = (Span(bounds.least), Span(bounds.most));
    Err(format!("{} is outside what is allowed, {least} to {most}", quoted(text)))
}

/// Seconds in a minute, an hour, a day.
pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
