//! More of what a query finds than one page holds, within bounds that are told.

use crate::model::id::DecisionId;
use crate::model::query::{Present, Query};
use crate::model::record::RecordLine;
use crate::store::StoreError;
use crate::store::audit::search::{Searcher, Wanted};

/// Searches that follow each other at most; each ends by itself within a tenth of a second.
const ROUNDS: usize = 60;

/// What was found.
#[derive(Debug, Clone, Default)]
pub(in crate::console) struct Gathered {
    /// Records, newest first.
    pub(in crate::console) lines: Vec<RecordLine>,
    /// Where the rest begins; none when this is all.
    pub(in crate::console) rest: Option<DecisionId>,
    /// How many records the search index is behind the log.
    pub(in crate::console) behind: u64,
}

/// The newest records that a query finds, at most `limit`.
///
/// # Errors
/// When the log or its index can't be read.
pub(in crate::console) async fn gather(
    searcher: &Searcher,
    (query, known): (&Query, &Present),
    limit: usize,
) -> Result<Gathered, StoreError> {
    let mut gathered = Gathered::default();
    for round in 0..ROUNDS {
        let found = searcher
            .find(Wanted {
                query: query.clone(),
                known: known.clone(),
                before: gathered.rest,
                after: None,
                limit: limit.saturating_sub(gathered.lines.len()),
            })
            .await?;
        if round == 0 {
            gathered.behind = found.behind;
        }
        gathered.lines.extend(found.lines);
        gathered.rest = found.older;
        if gathered.rest.is_none() || gathered.lines.len() >= limit {
            break;
        }
    }
    Ok(gathered)
}
