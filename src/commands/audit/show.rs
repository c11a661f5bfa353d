//! `cedargate audit show`: one record, as it was written.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use super::Settings;
use crate::model::id::DecisionId;
use crate::model::record::{LogUseKind, RecordLine};
use crate::store::audit::AuditReader;

/// Which record.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct Options {
    /// The record's id: what error pages and `X-Gate-Decision` name
    id: DecisionId,
    /// Exactly the bytes that were hashed, and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: Settings,
}

/// Shows it; exit code 2 when the log has no such record.
///
/// # Errors
/// When the log can't be read or has no such record.
#[expect(clippy::print_stdout, reason = "the record is what this command says")]
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let reader = AuditReader::open(&options.settings.read()?.audit.database_url).await?;
    let Some(record) = reader.record(options.id).await? else {
        bail!(
            "the log has no record {}: it was removed under the retention rule, or belongs to another log",
            options.id
        );
    };
    let detail = serde_json::json!({ "record": options.id.to_string() });
    options.settings.note(LogUseKind::Read, detail).await?;
    if options.json {
        println!("{}", record.body);
    } else {
        print!("{}", told(&record)?);
    }
    Ok(ExitCode::SUCCESS)
}

fn told(record: &RecordLine) -> Result<String> {
    let RecordLine { id, at, kind, body, principal } = record;
    let mut text = format!("{kind} {id} at {at}\n");
    if body.is_empty() {
        text.push_str("The content was erased; its hash stays in the log.\n");
        return Ok(text);
    }
    text.push_str(&pretty(body)?);
    if let Some(principal) = principal {
        text.push_str("Who asked, as they were then:\n");
        text.push_str(&pretty(principal)?);
    }
    Ok(text)
}

fn pretty(json: &str) -> Result<String> {
    let value: serde_json::Value = serde_json::from_str(json)?;
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}
