//! Sessions and their tokens.

use super::*;
use crate::model::browser::Browser;
use crate::model::principal::{Principal, PrincipalSnapshot};
use crate::model::record::{Actor, ClientAddress, SessionEnd};

const SUBJECT: &str = "22222222-2222-2222-2222-222222222222.33333333-3333-3333-3333-333333333333";

fn session(id: &str, seconds: i64) -> StoredSession {
    let user = serde_json::json!({
        "kind": "user", "subject": SUBJECT, "user_name": "uma@contoso.example", "name": "Uma",
        "email": null, "guest": "member", "groups": [], "roles": ["Reports.Read"],
    });
    StoredSession {
        id: id.parse().unwrap(),
        host: gate(),
        subject: SUBJECT.parse().unwrap(),
        principal: PrincipalSnapshot::new(serde_json::from_value(user).unwrap()),
        auth_contexts: [("c1".to_owned(), at(seconds))].into(),
        entra_session: Some("sid".to_owned()),
        login_hint: None,
        refresh_token: Some(vec![0, 255, 7]),
        client: Some(ClientAddress::Known([192, 0, 2, 7].into())),
        browser: Some(Browser::of("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0")),
        signed_in_at: at(seconds),
        proved_at: at(seconds),
        authenticated_at: Some(at(seconds - 60)),
        seen_at: at(seconds),
        recheck_at: at(seconds + 900),
        read_at: at(seconds),
        ends_at: at(seconds + 43_200),
    }
}

fn gate() -> Host {
    "gate.contoso.com".parse().unwrap()
}

fn app() -> Host {
    "payroll.contoso.com".parse().unwrap()
}

const ALONE: Start<'_> = Start { replaced: None, per_person: 20 };

/// Starts a session whose token is `token-<id>`.
pub(super) async fn start(scene: &Scene, id: &str, seconds: i64) {
    let token = SecretHash::of(&format!("token-{id}"));
    scene.store.start_session(&session(id, seconds), &token, ALONE).await.unwrap();
}

fn end(why: SessionEnd, seconds: i64) -> End {
    End { why, detail: String::new(), by: Actor::Gate, at: at(seconds) }
}

/// The ends that wait for the log, oldest first.
async fn ends(scene: &Scene) -> Vec<String> {
    let rows = scene.store.outbox_after(0, 100).await.unwrap();
    assert!(rows.iter().all(|row| row.change.action == SESSION_ENDED));
    let word = |row: &OutboxRow| {
        format!("{} {}", row.change.object, row.change.after["why"].as_str().unwrap())
    };
    rows.iter().map(word).collect()
}

async fn opened(scene: &Scene, token: &str) -> Option<Opened> {
    scene.store.session_of(&SecretHash::of(token)).await.unwrap()
}

#[tokio::test]
async fn session_is_found_by_its_token_as_it_was_kept() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    let expected = Opened { host: gate(), session: session("s-1", 0) };
    assert_eq!(opened(&scene, "token-s-1").await, Some(expected));
    assert_eq!(opened(&scene, "token-s-2").await, None);
}

#[tokio::test]
async fn child_shares_the_session_and_its_end() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    let id: SessionId = "s-1".parse().unwrap();
    let child = SecretHash::of("child");
    assert!(scene.store.add_child(&id, (&child, &app()), at(1)).await.unwrap());
    assert_eq!(opened(&scene, "child").await.unwrap().host, app());
    assert!(scene.store.end_session(&id, &end(SessionEnd::SignedOut, 2)).await.unwrap());
    assert_eq!(opened(&scene, "child").await, None);
    assert_eq!(opened(&scene, "token-s-1").await, None);
    assert!(!scene.store.end_session(&id, &end(SessionEnd::SignedOut, 2)).await.unwrap());
    assert!(!scene.store.add_child(&id, (&child, &app()), at(1)).await.unwrap());
}

#[tokio::test]
async fn host_has_one_child_and_the_gate_none() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    let id: SessionId = "s-1".parse().unwrap();
    let (first, second) = (SecretHash::of("first"), SecretHash::of("second"));
    assert!(scene.store.add_child(&id, (&first, &app()), at(1)).await.unwrap());
    assert!(scene.store.add_child(&id, (&second, &app()), at(2)).await.unwrap());
    assert!(!scene.store.add_child(&id, (&first, &gate()), at(3)).await.unwrap());
    assert_eq!(opened(&scene, "first").await, None);
    assert!(opened(&scene, "second").await.is_some());
    assert!(opened(&scene, "token-s-1").await.is_some());
}

#[tokio::test]
async fn twenty_first_session_of_a_person_ends_the_oldest() {
    let scene = scene().await;
    for n in 0..20 {
        start(&scene, &format!("s-{n}"), n).await;
    }
    assert_eq!(ends(&scene).await, Vec::<String>::new());
    start(&scene, "s-20", 20).await;
    assert_eq!(ends(&scene).await, ["session:s-0 too_many"]);
    let kept = scene.store.sessions_of(&SUBJECT.parse().unwrap()).await.unwrap();
    assert_eq!((kept.len(), kept[0].id.as_str()), (20, "s-20"));
}

#[tokio::test]
async fn sessions_of_another_epoch_are_not_found() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    scene.store.raise_session_epoch().await.unwrap();
    let id: SessionId = "s-1".parse().unwrap();
    assert_eq!(opened(&scene, "token-s-1").await, None);
    assert_eq!(scene.store.session(&id).await.unwrap(), None);
    assert!(scene.store.sessions_of(&SUBJECT.parse().unwrap()).await.unwrap().is_empty());
    let child = SecretHash::of("child");
    assert!(!scene.store.add_child(&id, (&child, &app()), at(1)).await.unwrap());
    start(&scene, "s-2", 0).await;
    assert!(opened(&scene, "token-s-2").await.is_some());
}

#[tokio::test]
async fn renewal_replaces_the_principal_and_keeps_a_token_that_was_not_renewed() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    let id: SessionId = "s-1".parse().unwrap();
    let renewal = |refresh_token| Renewal {
        principal: PrincipalSnapshot::new(Principal::Anonymous),
        refresh_token,
        recheck_at: at(5000),
        read_at: at(4100),
    };
    assert!(scene.store.renew_session(&id, &renewal(None)).await.unwrap());
    let kept = scene.store.session(&id).await.unwrap().unwrap();
    assert_eq!(kept.refresh_token, Some(vec![0, 255, 7]));
    assert_eq!((&**kept.principal, kept.recheck_at), (&Principal::Anonymous, at(5000)));
    assert!(scene.store.renew_session(&id, &renewal(Some(vec![1]))).await.unwrap());
    let kept = scene.store.session(&id).await.unwrap().unwrap();
    assert_eq!(kept.refresh_token, Some(vec![1]));
    assert!(!scene.store.renew_session(&"s-9".parse().unwrap(), &renewal(None)).await.unwrap());
}

#[tokio::test]
async fn step_up_replaces_every_token_and_keeps_the_limits() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    let id: SessionId = "s-1".parse().unwrap();
    let (child, fresh) = (SecretHash::of("child"), SecretHash::of("fresh"));
    assert!(scene.store.add_child(&id, (&child, &app()), at(1)).await.unwrap());
    let raise = Raise {
        principal: PrincipalSnapshot::new(Principal::Anonymous),
        auth_contexts: [("c1".to_owned(), at(0)), ("c2".to_owned(), at(60))].into(),
        proved_at: at(60),
        authenticated_at: None,
        entra_session: Some("sid-2".to_owned()),
        login_hint: Some("hint".to_owned()),
        refresh_token: None,
        recheck_at: at(960),
    };
    assert!(scene.store.raise_session((&id, &fresh), &raise, at(60)).await.unwrap());
    for dead in ["token-s-1", "child"] {
        assert_eq!(opened(&scene, dead).await, None, "{dead}");
    }
    let expected = StoredSession {
        principal: raise.principal.clone(),
        auth_contexts: raise.auth_contexts.clone(),
        proved_at: at(60),
        entra_session: raise.entra_session.clone(),
        login_hint: raise.login_hint.clone(),
        recheck_at: at(960),
        read_at: at(60),
        ..session("s-1", 0)
    };
    let raised = Opened { host: gate(), session: expected };
    assert_eq!(opened(&scene, "fresh").await, Some(raised));
    let late = scene.store.raise_session((&id, &child), &raise, at(43_200)).await.unwrap();
    let unknown = ("s-9".parse().unwrap(), SecretHash::of("x"));
    let unknown = scene.store.raise_session((&unknown.0, &unknown.1), &raise, at(60)).await;
    assert!(!late && !unknown.unwrap());
    assert!(opened(&scene, "fresh").await.is_some(), "what did not happen took no token away");
}

#[tokio::test]
async fn contexts_of_an_older_version_were_met_at_the_sign_in() {
    let scene = scene().await;
    start(&scene, "s-1", 7).await;
    let old = r#"UPDATE session SET auth_contexts = '["c1","c9"]', proved_at = NULL"#;
    sqlx::query(old).execute(&scene.store.pool).await.unwrap();
    let kept = scene.store.session(&"s-1".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(kept.auth_contexts, [("c1".to_owned(), at(7)), ("c9".to_owned(), at(7))].into());
    assert_eq!(kept.proved_at, at(7));
}

#[tokio::test]
async fn sweep_ends_what_is_past_its_limits() {
    let scene = &scene().await;
    start(scene, "old", 0).await;
    start(scene, "used", 0).await;
    scene.store.touch_session(&"used".parse().unwrap(), at(3000)).await.unwrap();
    let idle = Duration::from_hours(1);
    let sweep = |seconds, idle| {
        let end = end(SessionEnd::Expired, seconds);
        async move { scene.store.sweep_sessions(idle, &end).await.unwrap() }
    };
    assert_eq!(sweep(3599, idle).await, 0);
    assert_eq!(sweep(3600, idle).await, 1);
    assert_eq!(ends(scene).await, ["session:old expired"]);
    assert_eq!(sweep(43_200, Duration::MAX).await, 1);
    assert_eq!(ends(scene).await, ["session:old expired", "session:used expired"]);
}

#[tokio::test]
async fn all_sessions_of_a_person_end_together_and_on_record() {
    let scene = scene().await;
    start(&scene, "s-1", 0).await;
    start(&scene, "s-2", 60).await;
    let mut all = scene.store.every_session().await.unwrap();
    all.sort_by_key(|one| one.seen_at);
    assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["s-1", "s-2"]);
    let people = scene.store.people_of_sessions().await.unwrap();
    assert_eq!(people.iter().map(|one| one.seen_at).collect::<Vec<_>>(), [at(60), at(0)]);
    let stranger = SUBJECT.replace("33333333-3333", "44444444-4444");
    let revoked = end(SessionEnd::Revoked, 90);
    assert_eq!(scene.store.end_sessions_of(&stranger.parse().unwrap(), &revoked).await.unwrap(), 0);
    assert_eq!(scene.store.end_sessions_of(&SUBJECT.parse().unwrap(), &revoked).await.unwrap(), 2);
    assert_eq!(opened(&scene, "token-s-1").await, None);
    let mut ends = ends(&scene).await;
    ends.sort();
    assert_eq!(ends, ["session:s-1 revoked", "session:s-2 revoked"]);
}

#[tokio::test]
async fn session_that_can_t_be_read_hides_no_other_from_a_search() {
    let scene = scene().await;
    for number in 0..15 {
        start(&scene, &format!("s-{number}"), number).await;
    }
    for broken in [
        "UPDATE session SET principal = 'x' WHERE id = 's-7'",
        "UPDATE session SET subject = 'x' WHERE id = 's-9'",
    ] {
        sqlx::query(broken).execute(&scene.store.pool).await.unwrap();
    }
    let found = scene.store.sessions_where(|_| true).await.unwrap();
    assert_eq!(found.len(), 13);
    assert!(scene.store.sessions_where(|_| false).await.unwrap().is_empty());
    // Whose it is can be told of the first of them.
    assert_eq!(scene.store.every_session().await.unwrap().len(), 14);
}
