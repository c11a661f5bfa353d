//! Groups and roles, read again.

use super::*;

const DUE: Duration = Duration::from_mins(15);

#[tokio::test]
async fn groups_are_read_again_when_due_and_replaced_whole() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Role("Reports.Write"));
    scene.pass(Duration::from_secs(899));
    let session = scene.load(&signed_in.token, &gate()).await.unwrap();
    assert_eq!((scene.asked(), roles(&session)), (0, vec!["Reports.Read".to_owned()]));
    scene.pass(Duration::from_secs(1));
    let session = scene.load(&signed_in.token, &gate()).await.unwrap();
    assert_eq!((scene.asked(), roles(&session)), (1, vec!["Reports.Write".to_owned()]));
    assert_eq!(scene.log().await, ["signed_in", "principal_changed"]);
    let session = scene.load(&signed_in.token, &gate()).await.unwrap();
    assert_eq!((scene.asked(), roles(&session)), (1, vec!["Reports.Write".to_owned()]));
}

#[tokio::test]
async fn unchanged_groups_make_no_record() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.pass(DUE);
    assert!(scene.is_open(&signed_in.token).await);
    assert_eq!((scene.asked(), scene.log().await), (1, vec!["signed_in".to_owned()]));
}

#[tokio::test]
async fn each_recheck_uses_the_refresh_token_of_the_last() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    for _ in 0..3 {
        scene.pass(DUE);
        assert!(scene.is_open(&signed_in.token).await);
    }
    assert_eq!(*scene.entra.tokens.lock().unwrap(), ["refresh-1", "refresh-2", "refresh-3"]);
}

#[tokio::test]
async fn ten_requests_at_once_ask_once() {
    let scene = scene().await;
    let parent = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    scene.be(Mood::Role("Reports.Write"));
    scene.pass(DUE);
    let seen = Mutex::new(Vec::new());
    let one = async |token: &Token, host: Host| {
        let session = scene.load(token, &host).await.unwrap();
        seen.lock().unwrap().push(roles(&session));
    };
    let pair = async || tokio::join!(one(&parent.token, gate()), one(&child, app()));
    tokio::join!(pair(), pair(), pair(), pair(), pair());
    assert_eq!(scene.asked(), 1);
    assert_eq!(seen.into_inner().unwrap(), vec![vec!["Reports.Write".to_owned()]; 10]);
    assert_eq!(scene.sessions.turns.count(), 0, "no queue is left behind");
    assert_eq!(scene.log().await, ["signed_in", "principal_changed"]);
}

#[tokio::test]
async fn ten_requests_at_once_are_all_refused_when_entra_refuses() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Refuses);
    scene.pass(DUE);
    let (a, b, c) = tokio::join!(
        scene.is_open(&signed_in.token),
        scene.is_open(&signed_in.token),
        scene.is_open(&signed_in.token)
    );
    assert_eq!((a, b, c, scene.asked()), (false, false, false, 1));
}

#[tokio::test]
async fn a46_refused_recheck_ends_the_session_and_its_children() {
    let scene = scene().await;
    let parent = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    scene.be(Mood::Refuses);
    scene.pass(DUE);
    assert_eq!(scene.load(&child, &app()).await, None);
    scene.be(Mood::Role("Reports.Read"));
    assert!(!scene.is_open(&parent.token).await);
    assert_eq!(scene.log().await, ["signed_in", "ended RefusedByEntra by gate AADSTS50057"]);
}

#[tokio::test]
async fn answer_about_another_person_ends_the_session() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Stranger);
    scene.pass(DUE);
    assert!(!scene.is_open(&signed_in.token).await);
    assert_eq!(scene.log().await, ["signed_in", "ended RefusedByEntra by gate another subject"]);
}

#[tokio::test]
async fn session_keeps_its_groups_while_entra_is_away_and_asks_again_after_a_minute() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Away);
    scene.pass(DUE);
    let session = scene.load(&signed_in.token, &gate()).await.unwrap();
    assert_eq!(roles(&session), ["Reports.Read"]);
    assert_eq!(scene.log().await, ["signed_in", "recheck_unavailable"]);
    scene.pass(Duration::from_secs(59));
    assert!(scene.is_open(&signed_in.token).await);
    assert_eq!(scene.asked(), 1);
    scene.be(Mood::Role("Reports.Write"));
    scene.pass(Duration::from_secs(1));
    let session = scene.load(&signed_in.token, &gate()).await.unwrap();
    assert_eq!((scene.asked(), roles(&session)), (2, vec!["Reports.Write".to_owned()]));
}

#[tokio::test]
async fn session_ends_at_its_limit_while_entra_is_away() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Away);
    for _ in 0..23 {
        scene.pass(Duration::from_mins(30));
        assert!(scene.is_open(&signed_in.token).await);
    }
    scene.pass(Duration::from_mins(30));
    assert!(!scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn entra_that_never_answers_counts_as_away() {
    let scene = scene().await.impatient(Duration::from_millis(1));
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Silent);
    scene.pass(DUE);
    assert!(scene.is_open(&signed_in.token).await);
    assert_eq!(scene.log().await, ["signed_in", "recheck_unavailable"]);
}

#[tokio::test]
async fn change_that_cannot_be_recorded_does_not_take_effect() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Role("Reports.Write"));
    scene.pass(DUE);
    *scene.log.broken.lock().unwrap() = true;
    let refused = scene.sessions.load(&signed_in.token, &gate()).await;
    assert!(matches!(refused, Err(SessionError::NotRecorded(_))));
    let kept = scene.store.session(&signed_in.id).await.unwrap().unwrap();
    assert_eq!(kept.principal.to_json().matches("Reports.Write").count(), 0);
}

#[tokio::test]
async fn session_without_a_refresh_token_keeps_its_groups_until_its_limits() {
    let scene = scene().await;
    let new = NewSession {
        identity: identity(UMA, &["Reports.Read"]),
        refresh_token: None,
        host: gate(),
        client: ClientAddress::Unknown,
        browser: None,
        replaced: None,
    };
    let signed_in = scene.sessions.sign_in(new).await.unwrap();
    assert_eq!(scene.log().await, ["signed_in", "recheck_unavailable"], "said once");
    scene.be(Mood::Refuses);
    for _ in 0..23 {
        scene.pass(Duration::from_mins(30));
        assert!(scene.is_open(&signed_in.token).await);
    }
    assert_eq!((scene.asked(), scene.log().await), (0, Vec::new()));
    scene.pass(Duration::from_mins(30));
    assert!(!scene.is_open(&signed_in.token).await);
}

#[tokio::test]
async fn session_whose_key_is_lost_ends_at_its_recheck() {
    let mut scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    let key = token_key(&scene.directory, "other");
    scene.sessions =
        Sessions::new(parts(&scene.store, (&scene.clock, &scene.entra, &scene.log), key));
    scene.pass(DUE);
    assert!(!scene.is_open(&signed_in.token).await);
    assert_eq!(scene.log().await, ["signed_in", "ended KeyLost by gate"]);
    assert_eq!(scene.asked(), 0);
}

/// Waits until Entra was asked `times`, but not for ever.
async fn until_asked(scene: &Scene, times: usize) {
    let asked = async {
        while scene.asked() < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("Entra is asked");
}

#[tokio::test]
async fn whoever_goes_away_neither_puts_a_recheck_off_nor_loses_its_answer() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.be(Mood::Hesitates);
    scene.pass(DUE);
    let host = gate();
    for _ in 0..5 {
        tokio::select! {
            _ = scene.load(&signed_in.token, &host) => panic!("Entra has not answered"),
            () = until_asked(&scene, 1) => {}
        }
    }
    scene.entra.go.notify_one();
    assert!(!scene.is_open(&signed_in.token).await);
    assert_eq!(scene.asked(), 1);
    assert_eq!(scene.log().await, ["signed_in", "ended RefusedByEntra by gate AADSTS50057"]);
    assert_eq!(scene.sessions.turns.count(), 0, "no queue is left behind");
}

#[tokio::test]
async fn nobody_is_let_in_by_waiting_too_long_for_a_turn() {
    let scene = scene().await.impatient(Duration::from_millis(1));
    let signed_in = scene.sign_in(UMA).await;
    scene.pass(DUE);
    let turn = scene.sessions.turns.of(&signed_in.id);
    let held = turn.lock.lock().await;
    let refused = scene.sessions.load(&signed_in.token, &gate()).await;
    assert!(matches!(refused, Err(SessionError::Unsettled)), "{refused:?}");
    drop(held);
    assert!(scene.is_open(&signed_in.token).await);
}
