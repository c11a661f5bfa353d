//! How Cedargate stands at Entra, for operators: what `check` prints and what `serve` refuses to start with.

use anyhow::{Error, Result, anyhow};

use crate::config::Config;
use crate::idp::{ContextUse, CredentialOutcome, CredentialReport, Idp, IdpError, Refusal, Which};
use crate::model::id::AuthContext;
use crate::model::time::Timestamp;

/// From here on an end is close enough to be pointed out.
const SOON_DAYS: u64 = 30;

/// What a check found.
#[derive(Debug)]
pub(super) enum Finding {
    /// As it should be.
    Good(String),
    /// It works, but somebody should look at it.
    Warning(String),
    /// It does not work.
    Bad(Error),
}

impl From<Result<String>> for Finding {
    fn from(outcome: Result<String>) -> Self {
        outcome.map_or_else(Self::Bad, Self::Good)
    }
}

/// What Entra refuses, as an error that says who mends it where.
pub(super) fn explained(error: IdpError, config: &Config) -> Error {
    let (tenant, client) = (&config.entra.tenant, &config.entra.client_id);
    let hint = match refusal(&error).and_then(|refusal| refusal.aadsts) {
        Some(90_002 | 50_059 | 90_019) => {
            format!(
                "Entra does not know the tenant `{tenant}`; correct `entra.tenant` or `entra.cloud`"
            )
        }
        Some(700_016) => {
            format!(
                "the tenant `{tenant}` has no app `{client}`; correct `entra.client_id` or `entra.tenant`"
            )
        }
        Some(_) => "Entra refuses".to_owned(),
        None => return Error::new(error),
    };
    Error::new(error).context(hint)
}

fn refusal(error: &IdpError) -> Option<&Refusal> {
    match error {
        IdpError::ClientRefused(refusal)
        | IdpError::Refused(refusal)
        | IdpError::Overloaded(refusal)
        | IdpError::CodeRefused(refusal)
        | IdpError::Cancelled(refusal)
        | IdpError::Denied(refusal)
        | IdpError::InteractionNeeded(refusal) => Some(refusal),
        IdpError::Settings { .. }
        | IdpError::Discovery { .. }
        | IdpError::Unavailable { .. }
        | IdpError::Busy
        | IdpError::Credential { .. }
        | IdpError::BadToken { .. }
        | IdpError::StepUpUnmet { .. }
        | IdpError::ForeignTenant { .. }
        | IdpError::GroupsUnavailable { .. }
        | IdpError::TooManyGroups
        | IdpError::GroupNames
        | IdpError::GroupsAsRoles
        | IdpError::NoPermission { .. }
        | IdpError::Randomness => None,
    }
}

/// What Entra has against a credential, in words that lead on.
fn advice(refusal: &Refusal, config: &Config) -> String {
    match refusal.aadsts {
        Some(7_000_222) => "it has expired; make a new one in the app registration".to_owned(),
        Some(7_000_215) => {
            "it is not the value of a secret of this app; mostly the secret's id was copied"
                .to_owned()
        }
        Some(700_027) => {
            "the app registration does not hold this certificate; upload it there".to_owned()
        }
        Some(700_024 | 50_012) => {
            "its times or its signature are not accepted; compare this machine's clock".to_owned()
        }
        Some(70_021 | 700_211 | 700_212 | 700_213) => format!(
            "no federated credential of the app has its issuer, subject and audience ({} unless \
             changed); a new one takes a few minutes to count",
            config.entra.cloud.exchange_audience()
        ),
        Some(_) | None => "compare it with the app registration".to_owned(),
    }
}

/// Whether a credential can't be used, and why.
pub(super) fn fault(report: &CredentialReport, config: &Config) -> Option<Error> {
    let (table, kind) = (report.which.table(), report.kind.words());
    if let Some(problem) = &report.problem {
        return Some(anyhow!("[{table}] the {kind} can't be used: {problem}"));
    }
    match &report.outcome {
        CredentialOutcome::Refused { refusal, .. } => {
            let advice = advice(refusal, config);
            Some(anyhow!("[{table}] Entra refuses the {kind}: {advice} ({refusal})"))
        }
        CredentialOutcome::Untried | CredentialOutcome::Accepted { .. } => None,
    }
}

/// A credential in one line.
pub(super) fn credential(report: &CredentialReport, now: Timestamp, config: &Config) -> Finding {
    if let Some(fault) = fault(report, config) {
        return Finding::Bad(fault);
    }
    let (table, kind) = (report.which.table(), report.kind.words());
    let taken = match report.outcome {
        CredentialOutcome::Accepted { .. } => "Entra takes it",
        CredentialOutcome::Untried | CredentialOutcome::Refused { .. } => "not shown to Entra",
    };
    let key = match report.which {
        Which::First => "entra.client_secret_expires",
        Which::Second => "entra.second.client_secret_expires",
    };
    let Some(at) = report.expires_at else {
        return Finding::Good(format!(
            "[{table}] {kind}: {taken}; set {key} to have its end shown"
        ));
    };
    let days = at.since(now).as_secs() / 86_400;
    let moment = at.to_string();
    let day = moment.split('T').next().unwrap_or(&moment);
    let text = format!("[{table}] {kind}: {taken}; ends on {day}, in {days} days");
    let renewed_by_itself = matches!(report.kind, crate::idp::CredentialKind::FederatedToken);
    match days {
        _ if renewed_by_itself => Finding::Good(format!("[{table}] {kind}: {taken}")),
        _ if at <= now => {
            Finding::Warning(format!("[{table}] {kind}: {taken}, though it ended on {day}"))
        }
        0..SOON_DAYS => Finding::Warning(text),
        SOON_DAYS.. => Finding::Good(text),
    }
}

/// Whether a policy asks for anything where the rules ask for multi-factor authentication.
pub(super) async fn context(idp: &Idp, name: &str) -> Finding {
    let Ok(context) = name.parse::<AuthContext>() else {
        return Finding::Bad(anyhow!("`{name}` is not an authentication context"));
    };
    match idp.context_use(&context).await {
        Ok(ContextUse::Bound) => {
            Finding::Good(format!("a Conditional Access policy binds `{name}`"))
        }
        Ok(ContextUse::Unbound) => Finding::Bad(anyhow!(
            "`entra.mfa_context` is `{name}`, which no Conditional Access policy in force binds: Entra \
             vouches for it without asking for anything, so it protects nothing"
        )),
        Err(IdpError::NoPermission { permission, .. }) => Finding::Warning(format!(
            "whether a Conditional Access policy binds `{name}` can't be checked without the \
             application permission {permission}; look under Protection > Conditional Access"
        )),
        Err(error) => Finding::Warning(format!(
            "whether a Conditional Access policy binds `{name}` can't be checked now: {error}"
        )),
    }
}
