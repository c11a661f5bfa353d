//! From sign-in to end.

use super::*;

#[tokio::test]
async fn token_opens_its_session_on_its_own_host_only() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    let session = scene.load(&signed_in.token, &gate()).await.unwrap();
    assert_eq!((&session.id, &session.host), (&signed_in.id, &gate()));
    assert_eq!(session.principal.subject(), Some(&UMA.parse().unwrap()));
    assert_eq!(scene.load(&signed_in.token, &app()).await, None, "also when it is in memory");
    scene.pass(Duration::from_secs(2));
    assert_eq!(scene.load(&signed_in.token, &app()).await, None);
    assert_eq!(scene.log().await, ["signed_in"]);
}

#[tokio::test]
async fn child_token_opens_the_session_on_its_host_only() {
    let scene = scene().await;
    let parent = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    let session = scene.load(&child, &app()).await.unwrap();
    assert_eq!((&session.id, &session.host), (&parent.id, &app()));
    assert_eq!(scene.load(&child, &gate()).await, None);
    assert!(scene.sessions.child(&parent.id, &gate()).await.unwrap().is_none());
    let second = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    assert_eq!(scene.load(&child, &app()).await, None, "a new child takes the old one's place");
    assert!(scene.load(&second, &app()).await.is_some());
}

#[tokio::test]
async fn a42_presented_token_is_never_adopted() {
    let scene = scene().await;
    let planted = Token::generate().unwrap();
    let signed_in = scene.sign_in_again(UMA, Some(&planted)).await.unwrap();
    assert_ne!(signed_in.token.hash(), planted.hash());
    assert!(!scene.is_open(&planted).await);
    assert!(scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn a42_new_sign_in_ends_the_browsers_former_session() {
    let scene = scene().await;
    let former = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&former.id, &app()).await.unwrap().unwrap();
    assert!(scene.load(&child, &app()).await.is_some());
    let next = scene.sign_in_again(UMA, Some(&former.token)).await.unwrap();
    assert!(!scene.is_open(&former.token).await);
    assert_eq!(scene.load(&child, &app()).await, None);
    assert!(scene.is_open(&next.token).await);
    assert_eq!(scene.log().await, ["signed_in", "signed_in", "ended Replaced by person"]);
}

#[tokio::test]
async fn a43_token_in_other_letters_opens_nothing() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    for text in [
        signed_in.token.expose().to_ascii_uppercase(),
        signed_in.token.expose().to_ascii_lowercase(),
    ] {
        if let Some(token) = Token::parse(&text) {
            assert!(!scene.is_open(&token).await, "{text}");
        }
    }
}

#[tokio::test]
async fn a46_ended_session_is_refused_at_once_with_its_children() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&signed_in.id, &app()).await.unwrap().unwrap();
    assert!(scene.is_open(&signed_in.token).await);
    assert!(scene.load(&child, &app()).await.is_some());
    let actor = Actor::Subject(UMA.parse().unwrap());
    let end = || scene.sessions.end(&signed_in.id, SessionEnd::SignedOut, actor.clone());
    assert!(end().await.unwrap());
    assert!(!scene.is_open(&signed_in.token).await);
    assert_eq!(scene.load(&child, &app()).await, None);
    assert!(scene.sessions.child(&signed_in.id, &app()).await.unwrap().is_none());
    assert!(!end().await.unwrap(), "it ends once");
    assert_eq!(scene.log().await, ["signed_in", "ended SignedOut by person"]);
}

#[tokio::test]
async fn end_is_recorded_with_the_session_it_ends_whatever_the_log_does() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    assert!(scene.is_open(&signed_in.token).await);
    *scene.log.broken.lock().unwrap() = true;
    assert!(scene.sessions.end(&signed_in.id, SessionEnd::SignedOut, Actor::Gate).await.unwrap());
    assert!(!scene.is_open(&signed_in.token).await);
    assert_eq!(scene.log().await, ["signed_in", "ended SignedOut by gate"]);
    let row = &scene.store.outbox_after(0, 1).await.unwrap()[0];
    assert_eq!(row.change.object, format!("session:{}", signed_in.id));
    assert_eq!(row.change.after["subject"], UMA);
}

#[tokio::test]
async fn sign_in_that_cannot_be_recorded_leaves_no_session() {
    let scene = scene().await;
    *scene.log.broken.lock().unwrap() = true;
    let refused = scene.sign_in_again(UMA, None).await;
    assert!(matches!(refused, Err(SessionError::NotRecorded(_))));
    assert!(scene.sessions.list(&UMA.parse().unwrap()).await.unwrap().is_empty());
    assert_eq!(scene.log().await, ["ended NotRecorded by gate"]);
}

#[tokio::test]
async fn signing_out_at_entra_ends_all_sessions_of_that_sign_in() {
    let scene = scene().await;
    let sid = "0f0f0f0f-0000-4000-8000-00000000ABCD";
    let of = |sid: &str| NewSession {
        identity: Identity { entra_session: Some(sid.to_owned()), ..identity(UMA, &[]) },
        refresh_token: Some("refresh-1".into()),
        host: gate(),
        client: ClientAddress::Unknown,
        browser: None,
        replaced: None,
    };
    let first = scene.sessions.sign_in(of(sid)).await.unwrap();
    let second = scene.sessions.sign_in(of(&sid.to_lowercase())).await.unwrap();
    let other = scene.sessions.sign_in(of("0f0f0f0f-0000-4000-8000-000000000000")).await.unwrap();
    let child = scene.sessions.child(&first.id, &app()).await.unwrap().unwrap();
    assert!(scene.load(&child, &app()).await.is_some());
    let sid = sid.parse().unwrap();
    assert_eq!(scene.sessions.end_all_of_entra(&sid).await.unwrap(), 2);
    assert!(!scene.is_open(&first.token).await && !scene.is_open(&second.token).await);
    assert_eq!(scene.load(&child, &app()).await, None);
    assert!(scene.is_open(&other.token).await);
    assert_eq!(scene.sessions.end_all_of_entra(&sid).await.unwrap(), 0);
    let ends = scene.log().await.split_off(3);
    assert_eq!(ends, vec!["ended SignedOutAtEntra by gate"; 2]);
}

#[tokio::test]
async fn a49_person_has_at_most_twenty_sessions() {
    let scene = scene().await;
    let mut tokens = Vec::new();
    for _ in 0..21 {
        tokens.push(scene.sign_in(UMA).await.token);
        scene.pass(Duration::from_secs(1));
    }
    let other = scene.sign_in(ROB).await;
    assert!(!scene.is_open(&tokens[0]).await);
    assert!(scene.is_open(&tokens[1]).await);
    assert!(scene.is_open(&tokens[20]).await);
    assert!(scene.is_open(&other.token).await);
    assert_eq!(scene.sessions.list(&UMA.parse().unwrap()).await.unwrap().len(), 20);
    assert!(scene.log().await.contains(&"ended TooMany by person".to_owned()));
}

#[tokio::test]
async fn unused_session_ends_at_the_idle_limit() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.pass(Duration::from_mins(59));
    assert!(scene.is_open(&signed_in.token).await);
    scene.pass(Duration::from_mins(59));
    assert!(scene.is_open(&signed_in.token).await, "use counts");
    scene.log().await;
    scene.pass(Duration::from_hours(1));
    assert!(!scene.is_open(&signed_in.token).await);
    assert_eq!(scene.log().await, ["ended Expired by gate"]);
}

#[tokio::test]
async fn open_page_does_not_keep_its_session_alive() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    let begun = scene.clock.now();
    let watch = async || scene.sessions.watch(&signed_in.id, &app()).await.unwrap();
    for _ in 0..5 {
        let watched = watch().await.unwrap();
        assert_eq!((&watched.session.id, &watched.session.host), (&signed_in.id, &app()));
        assert_eq!(watched.until, begun.plus(Duration::from_hours(1)));
        assert_eq!(watched.recheck_at, Some(begun.plus(Duration::from_mins(15))));
        scene.pass(Duration::from_mins(12));
    }
    assert_eq!(watch().await, None);
    assert_eq!(scene.log().await, ["signed_in", "ended Expired by gate"]);
    assert_eq!(scene.asked(), 0, "looking asks nobody");
}

#[tokio::test]
async fn watcher_learns_that_something_was_taken() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    let before = scene.sessions.changes();
    scene.sessions.watch(&signed_in.id, &app()).await.unwrap().unwrap();
    assert!(scene.is_open(&signed_in.token).await);
    assert_eq!(scene.sessions.changes(), before, "use takes nothing");
    scene.sessions.end(&signed_in.id, SessionEnd::SignedOut, Actor::Gate).await.unwrap();
    assert!(scene.sessions.changes() > before);
    assert_eq!(scene.sessions.watch(&signed_in.id, &app()).await.unwrap(), None);
}

#[tokio::test]
async fn watcher_has_groups_read_again_only_when_that_is_due() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Role("Reports.Write"));
    scene.sessions.recheck_if_due(&signed_in.id).await.unwrap();
    assert_eq!(scene.asked(), 0);
    scene.pass(Duration::from_mins(15));
    let before = scene.sessions.changes();
    scene.sessions.recheck_if_due(&signed_in.id).await.unwrap();
    assert_eq!(scene.asked(), 1);
    assert!(scene.sessions.changes() > before);
    let watched = scene.sessions.watch(&signed_in.id, &app()).await.unwrap().unwrap();
    assert_eq!(roles(&watched.session), ["Reports.Write"]);
    scene.be(Mood::Refuses);
    scene.pass(Duration::from_mins(15));
    scene.sessions.recheck_if_due(&signed_in.id).await.unwrap();
    assert_eq!(scene.sessions.watch(&signed_in.id, &app()).await.unwrap(), None);
}

#[tokio::test]
async fn use_through_a_child_keeps_the_session_alive() {
    let scene = scene().await;
    let parent = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    scene.pass(Duration::from_mins(40));
    assert!(scene.load(&child, &app()).await.is_some());
    scene.pass(Duration::from_mins(40));
    assert!(scene.is_open(&parent.token).await);
}

#[tokio::test]
async fn used_session_ends_at_the_absolute_limit() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    for _ in 0..23 {
        scene.pass(Duration::from_mins(30));
        assert!(scene.is_open(&signed_in.token).await);
    }
    scene.pass(Duration::from_mins(30));
    assert!(!scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn memory_does_not_stretch_a_limit() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    for _ in 0..23 {
        scene.pass(Duration::from_mins(30));
        assert!(scene.is_open(&signed_in.token).await);
    }
    scene.pass(Duration::from_mins(30) - Duration::from_millis(100));
    assert!(scene.is_open(&signed_in.token).await);
    scene.pass(Duration::from_millis(100));
    assert!(!scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn answer_from_memory_is_a_second_old_at_most() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    assert!(scene.is_open(&signed_in.token).await);
    // Another process ended it.
    scene.store.end_session(&signed_in.id, &end(SessionEnd::SignedOut)).await.unwrap();
    scene.pass(Duration::from_secs(1));
    assert!(!scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn raised_epoch_ends_every_session() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.store.raise_session_epoch().await.unwrap();
    assert!(!scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn sweep_records_what_it_ends() {
    let scene = scene().await;
    scene.sign_in(UMA).await;
    scene.pass(Duration::from_mins(30));
    scene.sign_in(ROB).await;
    scene.log().await;
    assert_eq!(scene.sessions.sweep().await.unwrap(), 0);
    scene.pass(Duration::from_mins(30));
    assert_eq!(scene.sessions.sweep().await.unwrap(), 1);
    assert_eq!(scene.log().await, ["ended Expired by gate"]);
}

#[tokio::test]
async fn list_shows_live_sessions_newest_first() {
    let scene = scene().await;
    let first = scene.sign_in(UMA).await;
    scene.pass(Duration::from_mins(30));
    let second = scene.sign_in(UMA).await;
    let ids = async || {
        let list = scene.sessions.list(&UMA.parse().unwrap()).await.unwrap();
        list.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [second.id.clone(), first.id]);
    scene.pass(Duration::from_mins(30));
    assert_eq!(ids().await, [second.id]);
}

#[tokio::test]
async fn mfa_is_met_only_by_the_context_of_the_settings() {
    use crate::model::record::MfaState;
    let scene = scene().await;
    let check = async |contexts: &[&str], expected: MfaState| {
        let mut identity = identity(UMA, &[]);
        identity.auth_contexts = contexts.iter().map(ToString::to_string).collect();
        let client = ClientAddress::Unknown;
        let new = NewSession {
            identity,
            refresh_token: None,
            host: gate(),
            client,
            browser: None,
            replaced: None,
        };
        let signed_in = scene.sessions.sign_in(new).await.unwrap();
        let session = scene.load(&signed_in.token, &gate()).await.unwrap();
        assert_eq!(session.mfa, expected, "{contexts:?}");
    };
    check(&["c1"], MfaState::Met).await;
    check(&["c2"], MfaState::NotMet).await;
    check(&[], MfaState::NotMet).await;
}

#[tokio::test]
async fn files_of_the_database_hold_no_secret() {
    let scene = scene().await;
    let parent = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    scene.store.close().await;
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(scene.directory.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has(parent.token.hash().as_str()), "the hash is there, so the rows are");
    assert!(!has(parent.token.expose()));
    assert!(!has(child.expose()));
    assert!(!has("refresh-1"));
}
