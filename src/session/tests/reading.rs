//! Groups read again because the person asks.

use super::*;
use crate::session::Reading;

#[tokio::test]
async fn person_has_their_groups_read_again_but_not_all_the_time() {
    let scene = scene().await;
    let uma = scene.sign_in(UMA).await;
    let read = async || scene.sessions.read_again(&uma.id).await.unwrap();
    assert_eq!(read().await, Reading::TooSoon, "they came with the sign-in");
    scene.clock.advance(Duration::from_mins(2));
    *scene.entra.mood.lock().unwrap() = Mood::Role("Reports.Write");
    assert_eq!(read().await, Reading::Done);
    let session = scene.sessions.load(&uma.token, &gate()).await.unwrap().unwrap();
    assert!(session.principal.to_json().contains("Reports.Write"));
    assert_eq!(read().await, Reading::TooSoon);
    assert_eq!(scene.entra.asked.load(Ordering::SeqCst), 1, "Entra was asked once");
}

#[tokio::test]
async fn entra_that_does_not_answer_is_not_asked_again_at_once() {
    let scene = scene().await;
    let uma = scene.sign_in(UMA).await;
    scene.clock.advance(Duration::from_mins(2));
    *scene.entra.mood.lock().unwrap() = Mood::Away;
    let read = async || scene.sessions.read_again(&uma.id).await.unwrap();
    assert_eq!(read().await, Reading::Unanswered);
    assert_eq!(read().await, Reading::TooSoon);
    assert_eq!(scene.entra.asked.load(Ordering::SeqCst), 1);
    scene.clock.advance(Duration::from_secs(61));
    *scene.entra.mood.lock().unwrap() = Mood::Refuses;
    assert_eq!(read().await, Reading::Ended);
    assert_eq!(read().await, Reading::Ended);
}
