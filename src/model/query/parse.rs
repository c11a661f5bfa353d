//! Reading a query.

use std::str::FromStr;

use super::super::time::{Instant, Span};
use super::value::{Comparison, Moment, Number, Pattern, Range};
use super::{Effect, InvalidQuery, Mfa, NumberKey, Query, Sense, Term, TextKey, What};

/// The longest query that is read, in bytes.
const LONGEST: usize = 2_048;
/// The most terms, and the most values of one.
const MOST: usize = 64;

impl FromStr for Query {
    type Err = InvalidQuery;

    fn from_str(text: &str) -> Result<Self, InvalidQuery> {
        if text.len() > LONGEST {
            return Err(InvalidQuery(format!("a query has at most {LONGEST} characters")));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidQuery("a query has no control characters".to_owned()));
        }
        let terms = split(text, ' ')?;
        let terms: Vec<_> = terms
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(term)
            .collect::<Result<_, _>>()?;
        if terms.len() > MOST {
            return Err(InvalidQuery(format!("a query has at most {MOST} terms")));
        }
        Ok(Self { terms })
    }
}

/// Splits outside of quotes.
fn split(text: &str, by: char) -> Result<Vec<&str>, InvalidQuery> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (Quoted::No, false);
    for (at, c) in text.char_indices() {
        match (quoted, c) {
            (Quoted::Yes, _) if escaped => escaped = false,
            (Quoted::Yes, '\\') => escaped = true,
            (Quoted::Yes, '"') => quoted = Quoted::No,
            (Quoted::No, '"') => quoted = Quoted::Yes,
            (Quoted::No, c) if c == by => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            (Quoted::Yes | Quoted::No, _) => {}
        }
    }
    if quoted == Quoted::Yes {
        return Err(InvalidQuery("a quote `\"` is opened and not closed".to_owned()));
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Yes,
    No,
}

fn term(text: &str) -> Result<Term, InvalidQuery> {
    let (sense, rest) = match text.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => (Sense::IsNot, rest),
        Some(_) => return Err(InvalidQuery("`-` stands alone; it turns a term around".to_owned())),
        None => (Sense::Is, text),
    };
    let colon = rest.find(':').filter(|colon| rest.find('"').is_none_or(|quote| *colon < quote));
    let what = match colon.and_then(|colon| rest.split_at_checked(colon)) {
        Some((key, values)) => keyed(key, values.get(1..).unwrap_or_default())?,
        None => What::Word(plain(rest)?.text),
    };
    Ok(Term { sense, what })
}

fn keyed(key: &str, values: &str) -> Result<What, InvalidQuery> {
    let parts = split(values, ',')?;
    if parts.len() > MOST {
        return Err(InvalidQuery(format!("`{key}:` has at most {MOST} values")));
    }
    if parts.iter().any(|part| part.is_empty()) {
        return Err(InvalidQuery(format!("`{key}:` has an empty value")));
    }
    if let Some(key) = TextKey::from_word(key) {
        let read = |part: &&str| pattern(key, part);
        return Ok(What::Text(key, parts.iter().map(read).collect::<Result<_, _>>()?));
    }
    // What this key was called first.
    let number =
        if key == "version" { Some(NumberKey::Release) } else { NumberKey::from_word(key) };
    if let Some(key) = number {
        let read = |part: &&str| range(part, |text| number_of(key, text));
        return Ok(What::Number(key, parts.iter().map(read).collect::<Result<_, _>>()?));
    }
    match key {
        "effect" => listed(key, &parts, Effect::from_word, Effect::ALL.iter().map(|e| e.as_str()))
            .map(What::Effect),
        "mfa" => listed(key, &parts, Mfa::from_word, Mfa::ALL.iter().map(|mfa| mfa.as_str()))
            .map(What::Mfa),
        "ip" => Ok(What::Ip(parts.iter().map(|part| network(part)).collect::<Result<_, _>>()?)),
        "at" => {
            Ok(What::At(parts.iter().map(|part| range(part, moment)).collect::<Result<_, _>>()?))
        }
        other => Err(unknown(other)),
    }
}

fn listed<T>(
    key: &str,
    parts: &[&str],
    read: impl Fn(&str) -> Option<T>,
    all: impl Iterator<Item = &'static str>,
) -> Result<Vec<T>, InvalidQuery> {
    let all: Vec<_> = all.collect();
    let one = |part: &&str| {
        let text = plain(part)?.text;
        let wanted =
            || InvalidQuery(format!("`{key}:` is one of {}, not `{text}`", all.join(", ")));
        read(&text).ok_or_else(wanted)
    };
    parts.iter().map(one).collect()
}

fn unknown(key: &str) -> InvalidQuery {
    let keys = TextKey::ALL.iter().map(|key| key.as_str());
    let keys = keys.chain(NumberKey::ALL.iter().map(|key| key.as_str()));
    let keys = keys.chain(["effect", "mfa", "ip", "at"]);
    let score = |name: &'static str| (strsim::normalized_damerau_levenshtein(key, name), name);
    let near = keys.map(score).filter(|(score, _)| *score >= 0.5);
    let near = near.max_by(|(one, _), (two, _)| one.total_cmp(two));
    InvalidQuery(match near {
        Some((_, name)) => format!("`{key}:` is not a key. Did you mean `{name}:`?"),
        None => format!("`{key}:` is not a key; a text with a colon stands in quotes"),
    })
}

/// A text as it was meant, and whether it stood in quotes as a whole.
struct Plain {
    text: String,
    quoted: Quoted,
}

/// Takes the quotes away.
fn plain(part: &str) -> Result<Plain, InvalidQuery> {
    let Some(inside) = part.strip_prefix('"') else {
        if part.contains('"') {
            return Err(InvalidQuery(format!("`{part}` has a quote inside; quote all of it")));
        }
        return Ok(Plain { text: part.to_owned(), quoted: Quoted::No });
    };
    let inside = inside.strip_suffix('"').unwrap_or_default();
    let (mut text, mut chars) = (String::new(), inside.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '"' => {
                return Err(InvalidQuery(format!("`{part}` has a quote inside; write it as \\\"")));
            }
            other => text.push(other),
        }
    }
    if text.is_empty() {
        return Err(InvalidQuery("an empty text finds nothing".to_owned()));
    }
    Ok(Plain { text, quoted: Quoted::Yes })
}

fn pattern(key: TextKey, part: &str) -> Result<Pattern, InvalidQuery> {
    // A star behind the quotes is no part of the text.
    let (body, stars) = match part.strip_suffix("**") {
        Some(body) => (body, 2),
        None => part.strip_suffix('*').map_or((part, 0), |body| (body, 1)),
    };
    let Plain { text, quoted } = plain(body)?;
    if quoted == Quoted::No && text.contains('*') {
        return Err(InvalidQuery(format!("`{part}`: a `*` stands at the end only")));
    }
    match (stars, key) {
        (0, _) => Ok(Pattern::Is(text)),
        (1, _) if !text.is_empty() => Ok(Pattern::Begins(text)),
        (1, _) => Err(InvalidQuery(format!("`{}:*` says nothing; leave it out", key.as_str()))),
        (_, TextKey::Path) => match text.strip_suffix('/') {
            Some(root) => Ok(Pattern::Below(root.to_owned())),
            None => Err(InvalidQuery(format!("`{part}`: `**` stands behind a `/`"))),
        },
        (_, _) => Err(InvalidQuery(format!("`{part}`: `**` is for `path:` only"))),
    }
}

fn range<T>(
    part: &str,
    read: impl Fn(&str) -> Result<T, InvalidQuery>,
) -> Result<Range<T>, InvalidQuery> {
    let compared =
        Comparison::ALL.into_iter().find_map(|one| Some((one, part.strip_prefix(one.sign())?)));
    if let Some((comparison, rest)) = compared {
        return Ok(Range::Side(comparison, read(rest)?));
    }
    match part.split_once("..") {
        Some((from, to)) => Ok(Range::Between(read(from)?, read(to)?)),
        None => Ok(Range::One(read(part)?)),
    }
}

fn number_of(key: NumberKey, text: &str) -> Result<Number, InvalidQuery> {
    let wanted = || InvalidQuery(format!("`{}:` is a whole number, not `{text}`", key.as_str()));
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(Number).ok_or_else(wanted)
}

fn network(part: &str) -> Result<ipnet::IpNet, InvalidQuery> {
    let text = plain(part)?.text;
    let address = || text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from).ok();
    let network = || text.parse::<ipnet::IpNet>().ok().map(|network| network.trunc());
    let wanted =
        || InvalidQuery(format!("`ip:` is an address or a network like 10.0.0.0/8, not `{text}`"));
    address().or_else(network).ok_or_else(wanted)
}

fn moment(text: &str) -> Result<Moment, InvalidQuery> {
    let wanted = || {
        InvalidQuery(format!(
            "`at:` is a date (2026-11-24), a time (2026-11-24T10:00:00Z) or an age (-1h), not `{text}`"
        ))
    };
    let text = plain(text)?.text;
    if let Some(age) = text.strip_prefix('-') {
        return age.parse::<Span>().map(|span| Moment::Ago(span.0)).map_err(|_| wanted());
    }
    if let Ok(Instant(at)) = text.parse() {
        return Ok(Moment::At(at));
    }
    let day = format!("{text}T00:00:00Z").parse::<Instant>();
    day.map(|Instant(at)| Moment::Day(at)).map_err(|_| wanted())
}
