//! Proving more than a sign-in proved.

use super::*;
use crate::model::record::MfaState;
use crate::session::{Proven, SteppedUp};

fn proving(session: &SignedIn, identity: Identity) -> Proven<'_> {
    Proven {
        session: &session.id,
        identity,
        refresh_token: Some("refresh-9".into()),
        asked: &ASKED,
        client: ClientAddress::Unknown,
    }
}

static ASKED: std::sync::LazyLock<crate::model::session::StepUp> =
    std::sync::LazyLock::new(|| "c1".parse().unwrap());

/// Uma, who met `contexts`.
fn met(contexts: &[&str]) -> Identity {
    let auth_contexts = contexts.iter().map(|context| (*context).to_owned()).collect();
    Identity { auth_contexts, ..identity(UMA, &["Reports.Read"]) }
}

impl Scene {
    async fn step_up(&self, session: &SignedIn, identity: Identity) -> Token {
        match self.sessions.step_up(proving(session, identity)).await.unwrap() {
            SteppedUp::Done(token) => token,
            other @ (SteppedUp::Ended | SteppedUp::OtherPerson) => panic!("{other:?}"),
        }
    }

    /// Whether the token's session has given its second factor lately.
    async fn has_mfa(&self, token: &Token) -> bool {
        self.load(token, &gate()).await.unwrap().mfa == MfaState::Met
    }
}

#[tokio::test]
async fn a42_old_tokens_die_and_the_session_keeps_its_id_and_its_limit() {
    let scene = scene().await;
    let parent = scene.sign_in(UMA).await;
    let child = scene.sessions.child(&parent.id, &app()).await.unwrap().unwrap();
    let before = scene.load(&parent.token, &gate()).await.unwrap();
    assert!(scene.load(&child, &app()).await.is_some());
    scene.pass(Duration::from_mins(10));
    let fresh = scene.step_up(&parent, met(&["c1"])).await;
    assert!(!scene.is_open(&parent.token).await);
    assert_eq!(scene.load(&child, &app()).await, None);
    let after = scene.load(&fresh, &gate()).await.unwrap();
    assert_eq!((&after.id, after.ends_at), (&before.id, before.ends_at));
    assert_eq!(after.signed_in_at, before.signed_in_at);
    assert_eq!(after.proved_at, scene.clock.now());
    assert_eq!((before.mfa, after.mfa), (MfaState::NotMet, MfaState::Met));
    assert!(scene.sessions.child(&parent.id, &app()).await.unwrap().is_some());
    assert_eq!(scene.log().await, ["signed_in", "stepped_up"]);
}

#[tokio::test]
async fn absolute_limit_is_not_stretched_by_step_ups() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    let mut token = session.token.clone();
    for _ in 0..23 {
        scene.pass(Duration::from_mins(30));
        assert!(scene.is_open(&token).await);
        token = scene.step_up(&session, met(&["c1"])).await;
    }
    scene.pass(Duration::from_mins(30));
    assert!(!scene.is_open(&token).await);
    assert!(matches!(
        scene.sessions.step_up(proving(&session, met(&["c1"]))).await.unwrap(),
        SteppedUp::Ended
    ));
}

#[tokio::test]
async fn context_counts_for_its_own_limit_and_no_longer() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    let token = scene.step_up(&session, met(&["c1"])).await;
    scene.pass(Duration::from_mins(10));
    let token = {
        assert!(scene.has_mfa(&token).await);
        scene.step_up(&session, met(&["c2"])).await
    };
    // Held in memory just before the limit, it is still not one moment longer good.
    scene.pass(Duration::from_millis(20 * 60_000 - 100));
    assert!(scene.has_mfa(&token).await, "c1 was met once, and c2 took nothing from it");
    scene.pass(Duration::from_millis(100));
    let session = scene.load(&token, &gate()).await.unwrap();
    assert_eq!(
        (session.mfa, &session.auth_contexts),
        (MfaState::NotMet, &["c2".to_owned()].into())
    );
}

#[tokio::test]
async fn recheck_renews_no_proof() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    let token = scene.step_up(&session, met(&["c1"])).await;
    let proved = scene.load(&token, &gate()).await.unwrap().proved_at;
    scene.pass(Duration::from_mins(16));
    assert!(scene.has_mfa(&token).await);
    assert_eq!(*scene.entra.tokens.lock().unwrap(), ["refresh-9"]);
    scene.pass(Duration::from_mins(14));
    let session = scene.load(&token, &gate()).await.unwrap();
    assert_eq!((session.mfa, session.proved_at), (MfaState::NotMet, proved));
}

#[tokio::test]
async fn somebody_else_changes_nothing() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    let other = Identity { auth_contexts: ["c1".to_owned()].into(), ..identity(ROB, &[]) };
    let came = scene.sessions.step_up(proving(&session, other)).await.unwrap();
    assert!(matches!(came, SteppedUp::OtherPerson));
    assert!(!scene.has_mfa(&session.token).await);
    assert_eq!(scene.log().await, ["signed_in"]);
}

#[tokio::test]
async fn step_up_that_cannot_be_recorded_does_not_take_effect() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    *scene.log.broken.lock().unwrap() = true;
    let refused = scene.sessions.step_up(proving(&session, met(&["c1"]))).await;
    assert!(matches!(refused, Err(SessionError::NotRecorded(_))));
    assert!(!scene.has_mfa(&session.token).await);
}

#[tokio::test]
async fn proof_is_as_old_as_entra_says_and_never_younger_than_now() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    scene.pass(Duration::from_mins(10));
    let now = scene.clock.now();
    for (told, kept) in [
        (now.minus(Duration::from_mins(3)), now.minus(Duration::from_mins(3))),
        // An older proof takes nothing from a younger one, and one of the future counts as one of now.
        (now.minus(Duration::from_hours(2)), now.minus(Duration::from_mins(3))),
        (now.plus(Duration::from_secs(50)), now),
    ] {
        let identity = Identity { authenticated_at: Some(told), ..met(&["c1"]) };
        let token = scene.step_up(&session, identity).await;
        assert_eq!(scene.load(&token, &gate()).await.unwrap().proved_at, kept, "{told}");
    }
}

#[tokio::test]
async fn groups_that_changed_meanwhile_are_taken_over_and_recorded() {
    let scene = scene().await;
    let session = scene.sign_in(UMA).await;
    let identity = Identity { auth_contexts: ["c1".to_owned()].into(), ..identity(UMA, &["A"]) };
    let token = scene.step_up(&session, identity).await;
    assert_eq!(roles(&scene.load(&token, &gate()).await.unwrap()), ["A"]);
    assert_eq!(scene.log().await, ["signed_in", "principal_changed", "stepped_up"]);
}
