//! Clocks that are wrong, and clocks that are set.

use super::*;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// Uses the session every half hour, so that only the absolute limit can end it; gives when it ended, in half hours.
async fn half_hours_left(scene: &Scene, token: &Token) -> u32 {
    for passed in 0..100 {
        if !scene.is_open(token).await {
            return passed;
        }
        scene.pass(30 * MINUTE);
    }
    panic!("it does not end")
}

#[tokio::test]
async fn r12_a_clock_set_back_stretches_no_absolute_limit() {
    for back in [30 * MINUTE / 60, 90 * MINUTE / 60, 10 * MINUTE, HOUR, 11 * HOUR] {
        let scene = scene().await;
        let session = scene.sign_in(UMA).await;
        scene.pass(30 * MINUTE);
        assert!(scene.is_open(&session.token).await);
        scene.clock.set(scene.clock.now().minus(back));
        assert_eq!(half_hours_left(&scene, &session.token).await, 23, "{back:?}");
    }
}

#[tokio::test]
async fn r12_neither_does_it_across_a_restart() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    for _ in 0..20 {
        scene.pass(30 * MINUTE);
        assert!(scene.is_open(&session.token).await);
    }
    scene.clock.set(scene.clock.now().minus(3 * HOUR));
    let scene = scene.restarted();
    assert_eq!(half_hours_left(&scene, &session.token).await, 4);
    assert!(scene.log().await.contains(&"ended Expired by gate".to_owned()));
}

#[tokio::test]
async fn r12_nor_the_idle_limit_nor_a_second_factor() {
    let scene = scene().await;
    let identity = Identity { auth_contexts: ["c1".to_owned()].into(), ..identity(UMA, &[]) };
    let new = NewSession {
        identity,
        refresh_token: None,
        host: gate(),
        client: ClientAddress::Unknown,
        browser: None,
        replaced: None,
    };
    let session = scene.sessions.sign_in(new).await.unwrap();
    scene.clock.set(scene.clock.now().minus(HOUR));
    let seen = scene.load(&session.token, &gate()).await.unwrap();
    assert_eq!((seen.auth_contexts.len(), seen.proved_at), (1, scene.clock.now()));
    scene.pass(30 * MINUTE);
    let watched = scene.sessions.watch(&session.id, &gate()).await.unwrap().unwrap();
    assert!(watched.session.auth_contexts.is_empty());
    scene.pass(30 * MINUTE);
    assert!(!scene.is_open(&session.token).await);
}

#[tokio::test]
async fn r12_a_clock_set_ahead_ends_what_is_over_by_it() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    scene.clock.set(scene.clock.now().plus(24 * HOUR));
    assert!(!scene.is_open(&session.token).await);
    // And back: who is out stays out, and a new sign-in has its whole time.
    scene.clock.set(scene.clock.now().minus(24 * HOUR));
    assert!(!scene.is_open(&session.token).await);
    let again = scene.sign_in(UMA).await;
    assert_eq!(half_hours_left(&scene, &again.token).await, 24);
}

#[tokio::test]
async fn r12_a_set_clock_is_on_record_once_and_passing_time_is_not() {
    let scene = scene().await;
    for _ in 0..3 {
        scene.pass(MINUTE);
        scene.sessions.sweep().await.unwrap();
    }
    scene.clock.set(scene.clock.now().plus(Duration::from_secs(1)));
    scene.sessions.sweep().await.unwrap();
    assert_eq!(scene.log().await, Vec::<String>::new(), "a clock that is slewed");
    scene.clock.set(scene.clock.now().minus(HOUR));
    *scene.log.broken.lock().unwrap() = true;
    assert!(scene.sessions.sweep().await.is_err());
    *scene.log.broken.lock().unwrap() = false;
    scene.sessions.sweep().await.unwrap();
    scene.pass(MINUTE);
    scene.sessions.sweep().await.unwrap();
    assert_eq!(scene.log().await, ["clock_step"]);
}

#[tokio::test]
async fn r12_requests_at_once_move_a_session_once() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    let before = scene.store.session(&signed_in.id).await.unwrap().unwrap();
    scene.clock.set(scene.clock.now().minus(HOUR));
    let open = || scene.is_open(&signed_in.token);
    let all = tokio::join!(open(), open(), open(), open(), open(), open(), open(), open());
    assert_eq!(all, (true, true, true, true, true, true, true, true));
    let after = scene.store.session(&signed_in.id).await.unwrap().unwrap();
    assert_eq!((after.ends_at, after.seen_at), (before.ends_at.minus(HOUR), scene.clock.now()));
    // Whoever read the row before it was moved moves nothing.
    scene.store.shift_session(&before, HOUR).await.unwrap();
    assert_eq!(scene.store.session(&signed_in.id).await.unwrap(), Some(after));
}

#[tokio::test]
async fn r12_an_open_connection_alone_stretches_no_recheck() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.clock.set(scene.clock.now().minus(2 * HOUR));
    scene.sessions.recheck_if_due(&signed_in.id).await.unwrap();
    assert_eq!(scene.asked(), 0);
    scene.pass(15 * MINUTE);
    scene.sessions.recheck_if_due(&signed_in.id).await.unwrap();
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn what_is_over_goes_even_while_a_set_clock_can_not_be_recorded() {
    let scene = scene().await;
    let signed_in = scene.sign_in(UMA).await;
    scene.clock.set(scene.clock.now().plus(24 * HOUR));
    *scene.log.broken.lock().unwrap() = true;
    assert!(scene.sessions.sweep().await.is_err());
    assert_eq!(scene.store.session(&signed_in.id).await.unwrap(), None);
}
