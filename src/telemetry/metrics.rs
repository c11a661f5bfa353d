//! Every metric, with its name, in one table.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Bounds of the decision histogram in seconds, around the promise of deciding in less than a millisecond.
const DECISION_SECONDS: [f64; 9] =
    [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1, 1.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    verdict: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClassLabel {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CutLabels {
    kind: &'static str,
    why: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CredentialLabels {
    which: &'static str,
    kind: &'static str,
}

/// One of Cedargate's own credentials at Entra, as it stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialState {
    /// `first` or `second`.
    pub which: &'static str,
    /// `secret`, `certificate` or `federated_token`.
    pub kind: &'static str,
    /// Seconds until it ends, negative once it has; none when that is not known.
    pub expires_in: Option<i64>,
    /// Whether Entra refused it when it was last shown.
    pub refused: Refused,
}

/// Whether Entra refused something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It did.
    Yes,
    /// It did not, or was not asked.
    No,
}

/// How Entra and Microsoft Graph can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntraState {
    /// Whether the last fetch of metadata came.
    pub reachable: Reachable,
    /// The age of the metadata in use, in seconds; none before the first.
    pub metadata_age: Option<i64>,
    /// Requests to Graph since the start.
    pub graph_requests: u64,
    /// Those of them that were answered with "later".
    pub graph_throttled: u64,
}

/// Whether something answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachable {
    /// It does, as far as is known.
    Yes,
    /// It did not the last time.
    No,
}

/// How a sign-in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The person is signed in.
    Ok,
    /// Entra or we refused, or something was unreachable.
    Failed,
    /// The person stopped, which is their right and no failure.
    Cancelled,
}

/// What an upstream answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamClass {
    /// A status 100 to 199, an upgrade among them.
    Informational,
    /// 200 to 299.
    Success,
    /// 300 to 399.
    Redirect,
    /// 400 to 499.
    ClientError,
    /// 500 and above.
    ServerError,
    /// No answer, or one that could not be passed on.
    Failed,
}

impl UpstreamClass {
    /// The class of a status code.
    pub fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Informational,
            200..=299 => Self::Success,
            300..=399 => Self::Redirect,
            400..=499 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "1xx",
            Self::Success => "2xx",
            Self::Redirect => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
            Self::Failed => "failed",
        }
    }
}

/// All metrics of the process. Clones count into the same numbers.
#[derive(Clone)]
pub struct Metrics {
    registry: std::sync::Arc<Registry>,
    decisions: Family<DecisionLabels, Counter>,
    decision_seconds: Histogram,
    refusals: Family<KindLabel, Counter>,
    audit_commits: Counter,
    audit_records: Counter,
    audit_queue_depth: Gauge,
    audit_outlet_lag: Gauge,
    upstream_responses: Family<ClassLabel, Counter>,
    sign_ins: Family<OutcomeLabel, Counter>,
    connections_open: Family<KindLabel, Gauge>,
    connections_cut: Family<CutLabels, Counter>,
    watch_rounds: Counter,
    rechecks: Family<OutcomeLabel, Counter>,
    step_ups: Family<OutcomeLabel, Counter>,
    bearer_tokens: Family<OutcomeLabel, Counter>,
    credential_expires: Family<CredentialLabels, Gauge>,
    credential_refused: Family<CredentialLabels, Gauge>,
    certificate_expires: Family<KindLabel, Gauge>,
    entra_reachable: Gauge,
    entra_metadata_age: Gauge,
    graph_requests: Counter,
    graph_throttled: Counter,
    release: Gauge<i64>,
    panics: Counter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: std::sync::Arc::default(),
            decisions: Family::default(),
            decision_seconds: Histogram::new(DECISION_SECONDS),
            refusals: Family::default(),
            audit_commits: Counter::<u64, AtomicU64>::default(),
            audit_records: Counter::default(),
            audit_queue_depth: Gauge::default(),
            audit_outlet_lag: Gauge::default(),
            upstream_responses: Family::default(),
            sign_ins: Family::default(),
            connections_open: Family::default(),
            connections_cut: Family::default(),
            watch_rounds: Counter::default(),
            rechecks: Family::default(),
            step_ups: Family::default(),
            bearer_tokens: Family::default(),
            credential_expires: Family::default(),
            credential_refused: Family::default(),
            certificate_expires: Family::default(),
            entra_reachable: Gauge::default(),
            entra_metadata_age: Gauge::default(),
            graph_requests: Counter::default(),
            graph_throttled: Counter::default(),
            release: Gauge::default(),
            panics: Counter::default(),
        };
        metrics.registry = std::sync::Arc::new(metrics.table());
        metrics
    }

    /// The table of names. Counters gain `_total` when they are written.
    fn table(&self) -> Registry {
        let mut table = Registry::with_prefix("cedargate");
        table.register("decisions", "Decisions by verdict and reason", self.decisions.clone());
        table.register("decision_seconds", "Time spent deciding", self.decision_seconds.clone());
        table.register(
            "refusals",
            "Requests refused before a decision, by kind",
            self.refusals.clone(),
        );
        table.register("audit_commits", "Durable commits of the log", self.audit_commits.clone());
        table.register("audit_records", "Records in durable commits", self.audit_records.clone());
        table.register(
            "audit_queue_depth",
            "Records waiting for the log writer",
            self.audit_queue_depth.clone(),
        );
        table.register(
            "audit_outlet_lag_records",
            "Durable records that have not left through the outlet; 0 without one",
            self.audit_outlet_lag.clone(),
        );
        table.register(
            "upstream_responses",
            "Answers of upstreams by class",
            self.upstream_responses.clone(),
        );
        table.register("sign_ins", "Finished sign-ins by outcome", self.sign_ins.clone());
        table.register(
            "connections_open",
            "Allowed exchanges that are under way for longer than a moment, by kind",
            self.connections_open.clone(),
        );
        table.register(
            "connections_cut",
            "Open connections that were cut, by kind and cause",
            self.connections_cut.clone(),
        );
        table.register(
            "watch_rounds",
            "Times that everything open was held against things as they stand",
            self.watch_rounds.clone(),
        );
        self.at_entra(&mut table);
        table.register(
            "tls_certificate_expires_seconds",
            "Time until a certificate that is shown to clients ends, negative once it has",
            self.certificate_expires.clone(),
        );
        table.register("release", "Number of the release in force", self.release.clone());
        table.register("panics", "Requests whose answer panicked", self.panics.clone());
        table
    }

    /// The names of everything about Entra.
    fn at_entra(&self, table: &mut Registry) {
        table.register(
            "rechecks",
            "Readings of groups and roles during a session, by outcome",
            self.rechecks.clone(),
        );
        table.register("step_ups", "Step-ups by outcome", self.step_ups.clone());
        table.register(
            "bearer_tokens",
            "Requests with a bearer token, by outcome",
            self.bearer_tokens.clone(),
        );
        table.register(
            "entra_credential_expires_seconds",
            "Time until a credential of ours ends, negative once it has",
            self.credential_expires.clone(),
        );
        table.register(
            "entra_credential_refused",
            "1 when Entra refused a credential of ours the last time",
            self.credential_refused.clone(),
        );
        table.register(
            "entra_reachable",
            "0 when Entra's metadata could not be fetched the last time",
            self.entra_reachable.clone(),
        );
        table.register(
            "entra_metadata_age_seconds",
            "Age of the metadata and keys in use",
            self.entra_metadata_age.clone(),
        );
        table.register(
            "graph_requests",
            "Requests to Microsoft Graph",
            self.graph_requests.clone(),
        );
        table.register(
            "graph_throttled",
            "Requests that Microsoft Graph put off",
            self.graph_throttled.clone(),
        );
    }

    /// Counts a decision that took `spent`. The labels are the words of the record.
    pub fn decided(&self, verdict: &'static str, reason: &'static str, spent: Duration) {
        self.decisions.get_or_create(&DecisionLabels { verdict, reason }).inc();
        self.decision_seconds.observe(spent.as_secs_f64());
    }

    /// Counts a request that was refused before a decision.
    pub fn refused(&self, kind: &'static str) {
        self.refusals.get_or_create(&KindLabel { kind }).inc();
    }

    /// Sets what the log has written so far, and how many records wait for its writer.
    pub fn audit_state(&self, records: u64, commits: u64, queued: u64) {
        self.audit_records.inc_by(records.saturating_sub(self.audit_records.get()));
        self.audit_commits.inc_by(commits.saturating_sub(self.audit_commits.get()));
        self.audit_queue_depth.set(i64::try_from(queued).unwrap_or(i64::MAX));
    }

    /// Sets how many durable records have not left through the outlet.
    pub fn outlet_lag(&self, records: u64) {
        self.audit_outlet_lag.set(i64::try_from(records).unwrap_or(i64::MAX));
    }

    /// Counts an upstream's answer, or its absence.
    pub fn upstream_answered(&self, class: UpstreamClass) {
        self.upstream_responses.get_or_create(&ClassLabel { class: class.as_str() }).inc();
    }

    /// Counts a finished sign-in.
    pub fn signed_in(&self, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        };
        self.sign_ins.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Sets how many exchanges of a kind are under way for longer than a moment.
    pub fn connections_open(&self, kind: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.connections_open.get_or_create(&KindLabel { kind }).set(count);
    }

    /// Counts an open connection that was cut. The labels are the words of the record.
    pub fn connection_cut(&self, kind: &'static str, why: &'static str) {
        self.connections_cut.get_or_create(&CutLabels { kind, why }).inc();
    }

    /// Counts a round over everything that is open. Standing still means that nothing is cut any more.
    pub fn watched(&self) {
        self.watch_rounds.inc();
    }

    /// Counts a reading of groups and roles during a session: `renewed`, `refused` or `unavailable`.
    pub fn rechecked(&self, outcome: &'static str) {
        self.rechecks.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Counts a step-up that came back: `met` or `unmet`.
    pub fn stepped_up(&self, outcome: &'static str) {
        self.step_ups.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Counts a request with a bearer token: `accepted` or `refused`.
    pub fn bearer(&self, outcome: &'static str) {
        self.bearer_tokens.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Sets how a credential of ours stands at Entra.
    pub fn credential(&self, state: CredentialState) {
        let CredentialState { which, kind, expires_in, refused } = state;
        let labels = CredentialLabels { which, kind };
        self.credential_refused.get_or_create(&labels).set(i64::from(refused == Refused::Yes));
        match expires_in {
            Some(seconds) => drop(self.credential_expires.get_or_create(&labels).set(seconds)),
            None => drop(self.credential_expires.remove(&labels)),
        }
    }

    /// Sets how long the certificate of our own listener lasts, in seconds.
    pub fn certificate(&self, expires_in: i64) {
        let labels = KindLabel { kind: "listener" };
        self.certificate_expires.get_or_create(&labels).set(expires_in);
    }

    /// Sets how Entra and Graph can be reached.
    pub fn entra(&self, state: EntraState) {
        let EntraState { reachable, metadata_age, graph_requests, graph_throttled } = state;
        self.entra_reachable.set(i64::from(reachable == Reachable::Yes));
        self.entra_metadata_age.set(metadata_age.unwrap_or(-1));
        self.graph_requests.inc_by(graph_requests.saturating_sub(self.graph_requests.get()));
        self.graph_throttled.inc_by(graph_throttled.saturating_sub(self.graph_throttled.get()));
    }

    /// Sets the number of the release in force.
    pub fn release_in_force(&self, number: i64) {
        self.release.set(number);
    }

    /// Counts a request whose answer panicked, which is always a fault of ours.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Everything in the `OpenMetrics` text format, for `application/openmetrics-text; version=1.0.0`.
    ///
    /// # Errors
    /// Never while writing into memory; the encoder's signature has one.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
