//! Printing a query: the one spelling of it.

use std::fmt::{self, Display, Formatter};

use super::super::time::{Instant, Span};
use super::value::{Moment, Number, Pattern, Range};
use super::{Query, Sense, Term, What};

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        listed(f, &self.terms, " ")
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.sense {
            Sense::Is => {}
            Sense::IsNot => f.write_str("-")?,
        }
        match &self.what {
            What::Word(word) => quoted(f, word),
            What::Text(key, patterns) => keyed(f, key.as_str(), patterns),
            What::Number(key, ranges) => keyed(f, key.as_str(), ranges),
            What::At(ranges) => keyed(f, "at", ranges),
            What::Ip(networks) => keyed(f, "ip", &networks.iter().map(Network).collect::<Vec<_>>()),
            What::Effect(all) => {
                keyed(f, "effect", &all.iter().map(|e| e.as_str()).collect::<Vec<_>>())
            }
            What::Mfa(all) => {
                keyed(f, "mfa", &all.iter().map(|mfa| mfa.as_str()).collect::<Vec<_>>())
            }
        }
    }
}

fn keyed<T: Display>(f: &mut Formatter<'_>, key: &str, values: &[T]) -> fmt::Result {
    write!(f, "{key}:")?;
    listed(f, values, ",")
}

fn listed<T: Display>(f: &mut Formatter<'_>, all: &[T], between: &str) -> fmt::Result {
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        one.fmt(f)?;
    }
    Ok(())
}

/// A text, in quotes where it would not be read as itself.
fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let grammar = |c: char| matches!(c, ' ' | ',' | '"' | ':' | '*' | '\\');
    if !text.is_empty() && !text.starts_with('-') && !text.contains(grammar) {
        return f.write_str(text);
    }
    f.write_str("\"")?;
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{c}")?;
    }
    f.write_str("\"")
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(text) => quoted(f, text),
            Self::Begins(text) => {
                quoted(f, text)?;
                f.write_str("*")
            }
            Self::Below(root) => {
                quoted(f, &format!("{root}/"))?;
                f.write_str("**")
            }
        }
    }
}

impl<T: Display> Display for Range<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(one) => one.fmt(f),
            Self::Side(comparison, bound) => write!(f, "{}{bound}", comparison.sign()),
            Self::Between(from, to) => write!(f, "{from}..{to}"),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => Instant(*at).fmt(f),
            Self::Day(at) => {
                let text = Instant(*at).to_string();
                f.write_str(text.split('T').next().unwrap_or_default())
            }
            Self::Ago(age) => write!(f, "-{}", Span(*age)),
        }
    }
}

/// A network of one is an address.
struct Network<'a>(&'a ipnet::IpNet);

impl Display for Network<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(network) = self;
        if network.prefix_len() == network.max_prefix_len() {
            network.addr().fmt(f)
        } else {
            network.fmt(f)
        }
    }
}
