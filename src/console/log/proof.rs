//! The proof that one record is in the log, as a file for somebody who has the public key and nothing else.

use std::sync::Arc;

use axum::body::Body;
use serde_json::json;

use super::using;
use crate::audit::proof::Proof;
use crate::audit::verify::Unable;
use crate::console::Console;
use crate::console::answers::Answer;
use crate::console::guard::Admitted;
use crate::model::id::DecisionId;
use crate::model::record::LogUseKind;
use crate::store::audit::LogCopy;
use crate::web::download;

/// Answers with the proof of a record. It holds the record itself, so taking it is an export.
pub(super) async fn page(console: Arc<Console>, asked: Admitted) -> Answer {
    let nothing = || Box::new(asked.no_page());
    let id: DecisionId = asked.param("id").parse().map_err(|_| nothing())?;
    let proof = made(&console, id).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "A proof could not be made.");
        Box::new(asked.said().unavailable())
    })?;
    let proof = proof.ok_or_else(nothing)?;
    let detail = json!({ "format": "tlog-proof", "records": 1, "first": id.to_string(), "last": id.to_string() });
    using::note(&console, &asked, (LogUseKind::Exported, detail)).await?;
    let name = format!("{id}.tlog-proof");
    Ok(download::file(&name, "text/plain; charset=utf-8", Body::from(proof.to_text())))
}

async fn made(console: &Console, id: DecisionId) -> Result<Option<Proof>, Unable> {
    let mut copy = LogCopy::open(console.searcher.log()).await?;
    Proof::make(&mut copy, id).await
}
