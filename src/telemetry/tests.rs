//! Metric names and log filters.

use std::time::Duration;

use super::log::read;
use super::*;

fn expect(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.encode().unwrap();
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line} in {text}");
    }
}

#[test]
fn how_we_stand_at_entra_is_in_the_text() {
    let metrics = Metrics::new();
    metrics.rechecked("renewed");
    metrics.stepped_up("met");
    metrics.bearer("refused");
    let secret = CredentialState {
        which: "first",
        kind: "secret",
        expires_in: Some(-5),
        refused: Refused::Yes,
    };
    metrics.credential(secret);
    metrics.certificate(86_400);
    metrics.credential(CredentialState {
        which: "second",
        expires_in: None,
        refused: Refused::No,
        ..secret
    });
    for graph_requests in [3, 5] {
        metrics.entra(EntraState {
            reachable: Reachable::Yes,
            metadata_age: Some(60),
            graph_requests,
            graph_throttled: 1,
        });
    }
    expect(
        &metrics,
        &[
            "cedargate_rechecks_total{outcome=\"renewed\"} 1",
            "cedargate_step_ups_total{outcome=\"met\"} 1",
            "cedargate_bearer_tokens_total{outcome=\"refused\"} 1",
            "cedargate_entra_credential_expires_seconds{which=\"first\",kind=\"secret\"} -5",
            "cedargate_entra_credential_refused{which=\"first\",kind=\"secret\"} 1",
            "cedargate_entra_credential_refused{which=\"second\",kind=\"secret\"} 0",
            "cedargate_tls_certificate_expires_seconds{kind=\"listener\"} 86400",
            "cedargate_entra_reachable 1",
            "cedargate_entra_metadata_age_seconds 60",
            "cedargate_graph_requests_total 5",
            "cedargate_graph_throttled_total 1",
        ],
    );
}

#[test]
fn every_metric_is_in_the_text() {
    let metrics = Metrics::new();
    metrics.decided("allow", "granted", Duration::from_micros(80));
    metrics.refused("bad_path");
    metrics.audit_state(2, 1, 9);
    metrics.audit_state(3, 1, 5);
    metrics.outlet_lag(11);
    metrics.upstream_answered(UpstreamClass::of(204));
    metrics.upstream_answered(UpstreamClass::Failed);
    metrics.clone().signed_in(Outcome::Ok);
    metrics.signed_in(Outcome::Failed);
    metrics.connections_open("websocket", 7);
    metrics.connections_open("websocket", 6);
    metrics.watched();
    metrics.connection_cut("request", "denied");
    metrics.release_in_force(4);
    metrics.panicked();
    expect(
        &metrics,
        &[
            "cedargate_decisions_total{verdict=\"allow\",reason=\"granted\"} 1",
            "cedargate_decision_seconds_count 1",
            "cedargate_refusals_total{kind=\"bad_path\"} 1",
            "cedargate_audit_commits_total 1",
            "cedargate_audit_records_total 3",
            "cedargate_audit_queue_depth 5",
            "cedargate_audit_outlet_lag_records 11",
            "cedargate_upstream_responses_total{class=\"2xx\"} 1",
            "cedargate_upstream_responses_total{class=\"failed\"} 1",
            "cedargate_sign_ins_total{outcome=\"ok\"} 1",
            "cedargate_sign_ins_total{outcome=\"failed\"} 1",
            "cedargate_connections_open{kind=\"websocket\"} 6",
            "cedargate_connections_cut_total{kind=\"request\",why=\"denied\"} 1",
            "cedargate_watch_rounds_total 1",
            "cedargate_release 4",
            "cedargate_panics_total 1",
            "# EOF",
        ],
    );
}

#[test]
fn status_codes_have_classes() {
    for (status, class) in [
        (101, UpstreamClass::Informational),
        (200, UpstreamClass::Success),
        (304, UpstreamClass::Redirect),
        (404, UpstreamClass::ClientError),
        (599, UpstreamClass::ServerError),
    ] {
        assert_eq!(UpstreamClass::of(status), class);
    }
}

#[test]
fn filters_are_read_strictly() {
    assert!(read("info").is_ok());
    assert!(read("info,cedargate=debug").is_ok());
    let refused = read("cedargate=loud").unwrap_err();
    assert!(refused.to_string().contains("`cedargate=loud` is not a log filter"));
}
