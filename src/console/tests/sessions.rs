//! Everybody's sessions, and their end by an owner's hand.

use std::time::Duration;

use http::StatusCode;

use super::scene::{Person, Scene, get, post, scene, subject};

const END: &str = "/console/sessions/end";

async fn page(scene: &Scene, target: &str) -> String {
    let answer = scene.send(&scene.owner().await, get(target)).await;
    assert_eq!(answer.status, StatusCode::OK, "{target}: {}", answer.text);
    answer.text
}

/// The names of a person's sessions, newest first.
async fn sessions_of(scene: &Scene, name: &str) -> Vec<String> {
    let sessions = scene.doorkeeper.sessions.list(&subject(name).parse().unwrap()).await.unwrap();
    sessions.iter().map(|session| session.id.to_string()).collect()
}

async fn is_signed_in(scene: &Scene, person: &Person) -> bool {
    let answer = scene.send(person, get("/console/people")).await;
    answer.status == StatusCode::FORBIDDEN
}

#[tokio::test]
async fn sessions_say_whose_since_when_from_where_and_with_what() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let text = page(&scene, "/console/sessions").await;
    for part in ["uma@contoso.example", "Firefox on macOS", "127.0.0.1", "This session"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let one = page(&scene, "/console/sessions?q=uma").await;
    assert!(one.contains("uma@contoso.example") && !one.contains("This session"), "{one}");
    assert!(page(&scene, "/console/sessions?q=zzz").await.contains("No session matches"));
}

#[tokio::test]
async fn owner_ends_one_session_on_record_and_its_next_request_is_refused() {
    let scene = scene().await;
    let (uma, owner) = (scene.person("uma", &[]).await, scene.owner().await);
    let other = scene.person("uma", &[]).await;
    assert!(is_signed_in(&scene, &uma).await && is_signed_in(&scene, &other).await);
    let id = sessions_of(&scene, "uma").await.pop().unwrap();
    let ask = page(&scene, &format!("{END}?session={id}")).await;
    assert!(ask.contains("1 session of uma ends") && ask.contains("End this session"), "{ask}");
    let form = post(END, &[("_csrf", &owner.csrf()), ("session", &id), ("user", "")]);
    let answer = scene.send(&owner, form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    assert_eq!(answer.header("location"), format!("/console/sessions?ended={id}"));
    assert_eq!(sessions_of(&scene, "uma").await.len(), 1);
    let left = [is_signed_in(&scene, &uma).await, is_signed_in(&scene, &other).await];
    assert_eq!(left.iter().filter(|is| **is).count(), 1, "one of the two is left");
    let list = page(&scene, &format!("/console/sessions?ended={id}")).await;
    assert!(list.contains("A session of uma has ended."), "{list}");
    let open = sessions_of(&scene, "uma").await.pop().unwrap();
    for made_up in ["s-0", &open, &subject("uma"), &subject("stranger"), "olive"] {
        let list = page(&scene, &format!("/console/sessions?ended={made_up}")).await;
        assert!(!list.contains("has ended"), "{made_up}: {list}");
    }
    let records = scene.stopped().await;
    let end = records.iter().find(|record| record["kind"] == "session_ended").unwrap();
    assert_eq!((&end["session"], &end["why"]), (&id.into(), &"revoked".into()));
    assert_eq!(end["actor"], subject("olive"));
}

#[tokio::test]
async fn whoever_ends_a_session_comes_back_to_where_they_were() {
    let scene = scene().await;
    let owner = scene.owner().await;
    for number in 0..60 {
        scene.person(&format!("person-{number:02}"), &[]).await;
    }
    let place = "/console/sessions?q=person&page=2";
    let list = page(&scene, place).await.replace("&#38;", "&");
    let (_, link) = list.split_once(&format!("href=\"{END}?session=")).unwrap();
    let (id, rest) = link.split_once('&').unwrap();
    assert!(rest.starts_with("q=person&page=2\""), "{rest}");
    let ask = page(&scene, &format!("{END}?session={id}&q=person&page=2")).await;
    let back = ask.replace("&#38;", "&").matches(&format!("href=\"{place}\"")).count();
    assert_eq!(back, 2, "Sessions and Cancel: {ask}");
    for field in ["name=\"q\" value=\"person\"", "name=\"page\" value=\"2\""] {
        assert!(ask.contains(field), "{field}: {ask}");
    }
    let csrf = owner.csrf();
    let sent =
        [("_csrf", csrf.as_str()), ("session", id), ("user", ""), ("q", "person"), ("page", "2")];
    let answer = scene.send(&owner, post(END, &sent)).await;
    assert_eq!(answer.header("location"), format!("{place}&ended={id}"), "{}", answer.text);
    let list = page(&scene, answer.header("location")).await;
    assert!(list.contains("has ended.") && list.contains("51 to 59 of 59 sessions"), "{list}");
}

#[tokio::test]
async fn owner_ends_all_sessions_of_a_person() {
    let scene = scene().await;
    let (uma, owner) = (scene.person("uma", &[]).await, scene.owner().await);
    scene.person("uma", &[]).await;
    assert!(is_signed_in(&scene, &uma).await);
    let list = page(&scene, "/console/sessions?q=uma").await;
    assert!(list.contains("End all of theirs"), "{list}");
    let ask = page(&scene, &format!("{END}?user={}", subject("uma"))).await;
    assert!(ask.contains("2 sessions of uma end at once"), "{ask}");
    assert!(ask.contains("End 2 sessions"), "{ask}");
    let form = post(END, &[("_csrf", &owner.csrf()), ("session", ""), ("user", &subject("uma"))]);
    assert_eq!(scene.send(&owner, form).await.status, StatusCode::SEE_OTHER);
    assert!(!is_signed_in(&scene, &uma).await && sessions_of(&scene, "uma").await.is_empty());
    let list = page(&scene, &format!("/console/sessions?ended={}", subject("uma"))).await;
    assert!(list.contains("Every session of uma has ended."), "{list}");
}

#[tokio::test]
async fn owner_ends_sessions_from_the_page_of_a_person() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    let address = format!("/console/people/{}", subject("uma"));
    let one = page(&scene, &address).await;
    let id = sessions_of(&scene, "uma").await.pop().unwrap();
    assert!(one.contains(&format!("{END}?session={id}")), "{one}");
    assert!(!one.contains("End all of theirs"), "{one}");
    scene.person("uma", &[]).await;
    let two = page(&scene, &address).await;
    assert!(two.contains("End all of theirs") && two.contains(&format!("{END}?user=")), "{two}");
    let auditor = scene.person("aude", &["auditor"]).await;
    let page = scene.send(&auditor, get(&address)).await;
    assert!(page.text.contains("Firefox on macOS") && !page.text.contains(END), "{}", page.text);
}

#[tokio::test]
async fn nothing_ends_without_a_form_of_ours_or_without_the_role() {
    let scene = scene().await;
    let (uma, owner) = (scene.person("uma", &[]).await, scene.owner().await);
    let auditor = scene.person("aude", &["auditor"]).await;
    let id = sessions_of(&scene, "uma").await.pop().unwrap();
    let fields = |csrf: String| [("_csrf", csrf), ("session", id.clone()), ("user", String::new())];
    for (person, csrf) in [(&auditor, auditor.csrf()), (&owner, "guessed".to_owned())] {
        let fields = fields(csrf);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(scene.send(person, post(END, &fields)).await.status, StatusCode::FORBIDDEN);
    }
    let list = scene.send(&auditor, get("/console/sessions")).await;
    assert!(list.text.contains("uma@") && !list.text.contains(END), "{}", list.text);
    assert!(is_signed_in(&scene, &uma).await);
}

#[tokio::test]
async fn what_is_not_there_can_not_be_ended() {
    let scene = scene().await;
    let (uma, owner) = (scene.person("uma", &[]).await, scene.owner().await);
    assert!(is_signed_in(&scene, &uma).await);
    let both = format!("{END}?session=s-1&user={}", subject("uma"));
    let stranger = format!("{END}?user={}", subject("stranger"));
    for target in [END, "/console/sessions/end?session=s-0", &both, &stranger] {
        assert_eq!(scene.send(&owner, get(target)).await.status, StatusCode::NOT_FOUND, "{target}");
    }
    let csrf = owner.csrf();
    let form = post(END, &[("_csrf", &csrf), ("session", ""), ("user", "")]);
    assert_eq!(scene.send(&owner, form).await.status, StatusCode::NOT_FOUND);
    let id = sessions_of(&scene, "uma").await.pop().unwrap();
    let form = post(END, &[("_csrf", &csrf), ("session", &id), ("user", "")]);
    assert_eq!(scene.send(&owner, form).await.status, StatusCode::SEE_OTHER);
    let gone = scene.send(&owner, get(&format!("{END}?session={id}&q=uma"))).await;
    assert_eq!(gone.status, StatusCode::GONE);
    let back = "/console/sessions?q=uma\"";
    for said in ["The session of uma has ended.", "Back to the sessions", back, "it-help@contoso"] {
        assert!(gone.text.contains(said), "{said}: {}", gone.text);
    }
    // What ended meanwhile stays ended, and the form is answered as if it had done it.
    let form = post(END, &[("_csrf", &csrf), ("session", "s-0"), ("user", "")]);
    assert_eq!(scene.send(&owner, form).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn sessions_that_are_over_are_not_listed() {
    let scene = scene().await;
    scene.person("uma", &[]).await;
    scene.clock.advance(Duration::from_hours(2));
    let text = page(&scene, "/console/sessions").await;
    assert!(!text.contains("uma@") && text.contains("1 session is open."), "{text}");
}
