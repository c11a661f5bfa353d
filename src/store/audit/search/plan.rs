//! What a query asks for, in terms of the index: read before the first block is.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::model::id::DecisionId;
use crate::model::query::{
    Known, MarkKey, Pattern, Query, Sense, Term, TextKey, What, request_mark,
};
use crate::model::time::Timestamp;

/// Terms of the index that one condition may stand for; one that stands for more is left to reading the records.
const TERMS_MAX: usize = 256;
/// Entries that are looked through for one condition.
const LOOKED_AT_MAX: usize = 200_000;

/// What is read of each block.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// All must hold.
    pub(super) clauses: Vec<Clause>,
    /// The moments outside of which nothing is found: the first, and the first behind.
    pub(super) span: (Option<Timestamp>, Option<Timestamp>),
    /// Whether the clauses say all that the query does, up to the minute.
    pub(super) exactness: Exactness,
}

/// One condition on the records of a block.
#[derive(Debug)]
pub(super) enum Clause {
    /// Filed under one of these.
    Any(Vec<i64>),
    /// Filed under none of these.
    None(Vec<i64>),
    /// One of these.
    Is(Vec<DecisionId>),
}

/// Whether the index alone answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exactness {
    /// It does.
    #[default]
    Exact,
    /// It may find more than the query does.
    AtMost,
}

/// What a condition stands for.
enum Resolved {
    Exactly(Vec<i64>),
    Among(Vec<i64>),
    Records(Vec<DecisionId>),
    /// Too much, or nothing that is filed.
    NotFiled,
}

impl Plan {
    pub(super) fn of(
        index: &Connection,
        query: &Query,
        known: &impl Known,
    ) -> Result<Self, rusqlite::Error> {
        let mut plan = Self { span: query.span(known.now()), ..Self::default() };
        for term in &query.terms {
            plan.add(index, term, known)?;
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        index: &Connection,
        Term { sense, what }: &Term,
        known: &impl Known,
    ) -> Result<(), rusqlite::Error> {
        if let (Sense::Is, What::At(ranges)) = (sense, what)
            && ranges.len() == 1
        {
            return Ok(());
        }
        let resolved = Reader { index, known }.resolve(what)?;
        let clause = match (sense, resolved) {
            (Sense::Is, Resolved::Exactly(terms)) => Some(Clause::Any(terms)),
            (Sense::IsNot, Resolved::Exactly(terms)) => Some(Clause::None(terms)),
            (Sense::Is, Resolved::Among(terms)) => {
                self.exactness = Exactness::AtMost;
                Some(Clause::Any(terms))
            }
            (Sense::Is, Resolved::Records(ids)) => Some(Clause::Is(ids)),
            (Sense::IsNot, Resolved::Among(_) | Resolved::Records(_)) | (_, Resolved::NotFiled) => {
                self.exactness = Exactness::AtMost;
                None
            }
        };
        self.clauses.extend(clause);
        Ok(())
    }

    /// Whether the index already says that nothing is found.
    pub(super) fn finds_nothing(&self) -> bool {
        self.clauses.iter().any(|clause| match clause {
            Clause::Any(terms) => terms.is_empty(),
            Clause::Is(ids) => ids.is_empty(),
            Clause::None(_) => false,
        })
    }
}

/// Looks terms up.
struct Reader<'a, K> {
    index: &'a Connection,
    known: &'a K,
}

/// Where entries are.
#[derive(Clone, Copy)]
enum Table {
    Terms,
    Aliases,
}

impl<K: Known> Reader<'_, K> {
    fn resolve(&self, what: &What) -> Result<Resolved, rusqlite::Error> {
        let mut terms = Vec::new();
        let complete = match what {
            What::Text(TextKey::Id, patterns) => return Ok(records(patterns)),
            What::Text(TextKey::Request, patterns) => return self.requests(patterns),
            What::Text(key, patterns) => self.texts(*key, patterns, &mut terms)?,
            What::Effect(all) => {
                let words = all.iter().map(|effect| effect.as_str());
                self.words(MarkKey::Effect, words, &mut terms)?
            }
            What::Mfa(all) => {
                self.words(MarkKey::Mfa, all.iter().map(|mfa| mfa.as_str()), &mut terms)?
            }
            What::Ip(networks) => {
                let holds = |text: &str| {
                    let address: Option<IpAddr> = text.parse().ok();
                    address.is_some_and(|one| networks.iter().any(|network| network.contains(&one)))
                };
                self.scan((Table::Terms, MarkKey::Ip), holds, &mut terms)?
            }
            What::Number(key, ranges) => {
                let holds = |text: &str| {
                    let number = text.parse().ok();
                    number.is_some_and(|one| ranges.iter().any(|range| range.holds(one)))
                };
                self.scan((Table::Terms, MarkKey::Number(*key)), holds, &mut terms)?
            }
            What::At(_) => return Ok(Resolved::NotFiled),
            What::Word(word) => self.word(word, &mut terms)?,
        };
        terms.sort_unstable();
        terms.dedup();
        Ok(if complete && terms.len() <= TERMS_MAX {
            Resolved::Exactly(terms)
        } else {
            Resolved::NotFiled
        })
    }

    /// A request is filed with others.
    fn requests(&self, patterns: &[Pattern]) -> Result<Resolved, rusqlite::Error> {
        let mut terms = Vec::new();
        for pattern in patterns {
            let Pattern::Is(id) = pattern else { return Ok(Resolved::NotFiled) };
            let key = MarkKey::Text(TextKey::Request);
            terms.extend(self.term(key, &request_mark(id))?);
        }
        Ok(Resolved::Among(terms))
    }

    /// Whether all that fit are in `terms`.
    fn texts(
        &self,
        key: TextKey,
        patterns: &[Pattern],
        terms: &mut Vec<i64>,
    ) -> Result<bool, rusqlite::Error> {
        let mark = MarkKey::Text(key);
        match key {
            TextKey::Group => {
                let fits = |text: &str| patterns.iter().any(|pattern| pattern.fits(text));
                let holds =
                    |id: &str| fits(id) || self.known.group_names(id).iter().any(|name| fits(name));
                self.scan((Table::Aliases, mark), holds, terms)
            }
            TextKey::Role => self.patterns((Table::Aliases, mark), patterns, terms),
            TextKey::User => Ok(self.patterns((Table::Terms, mark), patterns, terms)?
                && self.patterns((Table::Aliases, mark), patterns, terms)?),
            TextKey::Kind
            | TextKey::Route
            | TextKey::App
            | TextKey::Host
            | TextKey::Path
            | TextKey::Method
            | TextKey::Reason
            | TextKey::Policy
            | TextKey::Grant
            | TextKey::Session
            | TextKey::Request
            | TextKey::Id
            | TextKey::Door => self.patterns((Table::Terms, mark), patterns, terms),
        }
    }

    fn word(&self, word: &str, terms: &mut Vec<i64>) -> Result<bool, rusqlite::Error> {
        let word = word.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&word);
        let places = [
            (Table::Terms, MarkKey::Text(TextKey::Path)),
            (Table::Terms, MarkKey::Text(TextKey::Route)),
            (Table::Aliases, MarkKey::Name),
        ];
        for place in places {
            if !self.scan(place, holds, terms)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn words<'a>(
        &self,
        key: MarkKey,
        words: impl Iterator<Item = &'a str>,
        terms: &mut Vec<i64>,
    ) -> Result<bool, rusqlite::Error> {
        for word in words {
            terms.extend(self.term(key, word)?);
        }
        Ok(true)
    }

    fn term(&self, key: MarkKey, value: &str) -> Result<Option<i64>, rusqlite::Error> {
        self.index
            .prepare_cached("SELECT id FROM term WHERE key = ?1 AND value = ?2")?
            .query_row(params![key.as_str(), value], |row| row.get(0))
            .optional()
    }

    fn patterns(
        &self,
        place: (Table, MarkKey),
        patterns: &[Pattern],
        terms: &mut Vec<i64>,
    ) -> Result<bool, rusqlite::Error> {
        for pattern in patterns {
            let (from, to) = bounds(pattern);
            if !self.range((place, (&from, &to)), |text| pattern.fits(text), terms)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn scan(
        &self,
        place: (Table, MarkKey),
        holds: impl Fn(&str) -> bool,
        terms: &mut Vec<i64>,
    ) -> Result<bool, rusqlite::Error> {
        self.range((place, ("", END)), holds, terms)
    }

    /// Adds the terms of entries between two texts that hold; whether all were looked at and none left out.
    fn range(
        &self,
        ((table, key), (from, to)): ((Table, MarkKey), (&str, &str)),
        holds: impl Fn(&str) -> bool,
        terms: &mut Vec<i64>,
    ) -> Result<bool, rusqlite::Error> {
        let mut statement = self.index.prepare_cached(match table {
            Table::Terms => {
                "SELECT value, id FROM term WHERE key = ?1 AND value >= ?2 AND value <= ?3"
            }
            Table::Aliases => {
                "SELECT value, term FROM alias WHERE key = ?1 AND value >= ?2 AND value <= ?3"
            }
        })?;
        let mut rows = statement.query(params![key.as_str(), from, to])?;
        let mut looked_at = 0_usize;
        while let Some(row) = rows.next()? {
            looked_at += 1;
            if looked_at > LOOKED_AT_MAX || terms.len() > TERMS_MAX * 4 {
                return Ok(false);
            }
            if holds(row.get_ref(0)?.as_str().unwrap_or_default()) {
                terms.push(row.get(1)?);
            }
        }
        Ok(true)
    }
}

/// Behind every text that is filed: no UTF-8 text but those of this very character sorts higher.
const END: &str = "\u{10FFFF}\u{10FFFF}";

/// The texts between which all lie that fit.
fn bounds(pattern: &Pattern) -> (String, String) {
    match pattern {
        Pattern::Is(text) => (text.to_ascii_lowercase(), text.to_ascii_lowercase()),
        Pattern::Begins(text) | Pattern::Below(text) => {
            let from = text.to_ascii_lowercase();
            let to = format!("{from}{END}");
            (from, to)
        }
    }
}

fn records(patterns: &[Pattern]) -> Resolved {
    let id = |pattern: &Pattern| match pattern {
        // What is no id is the id of nothing.
        Pattern::Is(text) => Some(text.to_ascii_lowercase().parse().ok()),
        Pattern::Begins(_) | Pattern::Below(_) => None,
    };
    let ids: Option<Vec<Option<DecisionId>>> = patterns.iter().map(id).collect();
    ids.map_or(Resolved::NotFiled, |ids| Resolved::Records(ids.into_iter().flatten().collect()))
}
