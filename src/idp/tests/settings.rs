//! Settings that can't be meant or are not safe.

use crate::idp::{EntraSettings, Idp, IdpError};
use crate::model::entra::{Cloud, GroupSource};
use crate::model::time::Clock;

fn settings() -> EntraSettings {
    EntraSettings {
        authority: "https://login.microsoftonline.com".parse().unwrap(),
        cloud: Cloud::Public,
        tenant: super::op::TENANT.to_owned(),
        client_id: super::op::CLIENT.to_owned(),
        credential: super::op::secret("s"),
        second: None,
        redirect_uri: "https://gate.contoso.com/_gate/callback".to_owned(),
        post_logout_uri: "https://gate.contoso.com/_gate/signed-out".to_owned(),
        allowed_tenants: std::collections::BTreeSet::new(),
        groups: GroupSource::default(),
        graph_origin: None,
        api: None,
        authorities: Vec::new(),
    }
}

#[test]
fn settings_that_are_unsafe_are_refused_by_name() {
    let check = |change: fn(&mut EntraSettings), expected: Option<&str>| {
        let mut settings = settings();
        change(&mut settings);
        let refused = match Idp::new(settings, Clock::System) {
            Err(IdpError::Settings { setting, .. }) => Some(setting),
            Ok(_) => None,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(refused, expected);
    };
    check(|s| s.authority = "http://localhost:8081".parse().unwrap(), None);
    check(|s| s.authority = "http://login.example.com".parse().unwrap(), Some("authority"));
    check(|s| s.graph_origin = "http://graph.example.com".parse().ok(), Some("graph_origin"));
    for tenant in
        ["", "..", "a/b", "contoso", "consumers", "common", "organizations", "a..b", "a?b"]
    {
        let mut settings = settings();
        settings.tenant = tenant.to_owned();
        settings.authority = "http://localhost:8081".parse().unwrap();
        let answer = Idp::new(settings, Clock::System);
        let refused = matches!(answer, Err(IdpError::Settings { setting: "tenant", .. }));
        assert!(refused, "{tenant}");
    }
    check(|s| s.allowed_tenants.extend(super::op::OTHER_TENANT.parse()), Some("allowed_tenants"));
    check(|s| s.client_id = String::new(), Some("client_id"));
    check(|s| s.credential = super::op::secret(""), Some("client_secret"));
    check(|s| s.redirect_uri = "gate".to_owned(), Some("redirect_uri"));
    check(|s| s.redirect_uri = "http://gate.contoso.com/".to_owned(), Some("redirect_uri"));
    check(|s| s.post_logout_uri = "javascript:1".to_owned(), Some("post_logout_uri"));
}
