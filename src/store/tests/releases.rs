//! Draft, releases and outbox.

use std::sync::Arc;

use super::*;

pub(super) fn book(policies: &[(&str, &str)]) -> RuleBook {
    let policy = |(id, text): &(&str, &str)| serde_json::json!({ "id": id, "text": text });
    serde_json::from_value(serde_json::json!({
        "apps": [{ "id": "payroll", "name": "Payroll", "origins": ["https://payroll.contoso.com"] }],
        "routes": [{ "id": "payroll/reports", "pattern": "/reports/{year}" }],
        "grants": [{ "id": "g-1", "who": "everyone", "what": "read", "route": "payroll/reports" }],
        "policies": policies.iter().map(policy).collect::<Vec<_>>(),
        "group_names": { "11111111-1111-1111-1111-111111111111": "Finance" },
    }))
    .unwrap()
}

fn publication(based_on: i64, rule_book: RuleBook) -> Publication {
    Publication {
        based_on: ReleaseNumber(based_on),
        rule_book,
        cedar: "permit(principal, action, resource);".to_owned(),
        schema: "{}".to_owned(),
        note: "first".to_owned(),
        by: "operator:olive".to_owned(),
        at: at(0),
        draft: None,
    }
}

async fn save(
    scene: &Scene,
    (from, to): (&RuleBook, &RuleBook),
    seconds: i64,
) -> Result<(), StoreError> {
    scene.store.save_draft(Edit { from, to }, &author(seconds)).await.map(drop)
}

#[tokio::test]
async fn nothing_published_is_release_zero() {
    let scene = scene().await;
    assert_eq!(scene.store.live_number().await.unwrap(), ReleaseNumber(0));
    assert_eq!(scene.store.live().await.unwrap(), None);
    assert_eq!(scene.store.draft().await.unwrap(), RuleBook::default());
}

#[tokio::test]
async fn release_draft_and_outbox_are_one_transaction() {
    let scene = scene().await;
    let book = book(&[("b", "x"), ("a", "y")]);
    let release = scene.store.publish(publication(0, book)).await.unwrap();
    assert_eq!(release.number, ReleaseNumber(1));
    assert_eq!(scene.store.live().await.unwrap().as_ref(), Some(&release));
    assert_eq!(scene.store.draft().await.unwrap(), release.rule_book);
    let ids: Vec<_> = release.rule_book.policies.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"], "sorted, whatever the order they came in");
    let outbox = scene.store.outbox_after(0, 10).await.unwrap();
    let actions: Vec<_> = outbox.iter().map(|row| row.change.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "app_added",
            "route_added",
            "grant_added",
            "policy_added",
            "policy_added",
            "group_name_added",
            "release_published"
        ]
    );
}

#[tokio::test]
async fn stale_publication_changes_nothing() {
    let scene = scene().await;
    scene.store.publish(publication(0, book(&[]))).await.unwrap();
    let refused = scene.store.publish(publication(0, book(&[("late", "x")]))).await;
    assert!(matches!(
        refused,
        Err(StoreError::Stale { based_on: ReleaseNumber(0), live: ReleaseNumber(1) })
    ));
    assert_eq!(scene.store.live_number().await.unwrap(), ReleaseNumber(1));
    assert_eq!(scene.store.draft().await.unwrap(), book(&[]));
    assert_eq!(scene.store.outbox_after(0, 10).await.unwrap().len(), 5);
}

#[tokio::test]
async fn one_of_two_racing_publications_wins_a54() {
    let scene = scene().await;
    let (a, b) = tokio::join!(
        scene.store.publish(publication(0, book(&[("a", "x")]))),
        scene.store.publish(publication(0, book(&[("b", "x")]))),
    );
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|won| **won).count(), 1);
    let lost = a.err().or(b.err()).unwrap();
    assert!(matches!(lost, StoreError::Stale { .. }), "{lost}");
    assert_eq!(scene.store.outbox_after(0, 10).await.unwrap().len(), 6);
}

#[tokio::test]
async fn rule_book_with_an_id_twice_is_refused_whole() {
    let scene = scene().await;
    let refused = scene.store.publish(publication(0, book(&[("a", "x"), ("a", "y")]))).await;
    assert!(matches!(refused, Err(StoreError::Twice { kind: "policy", .. })));
    assert_eq!(scene.store.live_number().await.unwrap(), ReleaseNumber(0));
    assert!(scene.store.outbox_after(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_changed_objects_get_a_new_revision() {
    let scene = scene().await;
    let (first, second) = (book(&[("a", "x"), ("b", "x")]), book(&[("b", "y"), ("a", "x")]));
    save(&scene, (&RuleBook::default(), &first), 0).await.unwrap();
    save(&scene, (&first, &second), 9).await.unwrap();
    let revisions = scene.store.draft_revisions().await.unwrap();
    let of = |id: &str| revisions.iter().find(|r| r.id == id).unwrap();
    assert_eq!((of("a").revision, of("a").changed.at), (1, at(0)));
    assert_eq!((of("b").revision, of("b").changed.at), (2, at(9)));
    save(&scene, (&second, &book(&[])), 10).await.unwrap();
    assert_eq!(scene.store.draft().await.unwrap(), book(&[]));
}

#[tokio::test]
async fn two_people_who_edit_other_objects_do_not_disturb_each_other() {
    let scene = scene().await;
    let read = book(&[("a", "x"), ("b", "x")]);
    save(&scene, (&RuleBook::default(), &read), 0).await.unwrap();
    save(&scene, (&read, &book(&[("a", "theirs"), ("b", "x")])), 1).await.unwrap();
    save(&scene, (&read, &book(&[("a", "x"), ("b", "ours")])), 2).await.unwrap();
    assert_eq!(scene.store.draft().await.unwrap(), book(&[("a", "theirs"), ("b", "ours")]));
    // Whoever wants what is there already has nothing to settle.
    save(&scene, (&read, &book(&[("a", "theirs"), ("b", "x")])), 3).await.unwrap();
}

#[tokio::test]
async fn an_object_that_somebody_else_changed_is_not_overwritten_and_they_are_named() {
    let scene = scene().await;
    let read = book(&[("a", "x"), ("b", "x")]);
    save(&scene, (&RuleBook::default(), &read), 0).await.unwrap();
    let theirs = book(&[("a", "theirs")]);
    save(&scene, (&read, &theirs), 7).await.unwrap();
    let before = scene.store.outbox_after(0, 100).await.unwrap().len();
    let ours = book(&[("a", "ours"), ("b", "ours"), ("c", "new")]);
    let Err(StoreError::Collided(collisions)) = save(&scene, (&read, &ours), 9).await else {
        panic!("nobody was told");
    };
    let said: Vec<_> = collisions.iter().map(ToString::to_string).collect();
    let Author { by, at } = author(7);
    assert_eq!(
        said,
        [
            format!("`policy:a` was changed by {by} at {at}"),
            format!("`policy:b` was removed by {by} at {at}")
        ]
    );
    assert_eq!(collisions[0].now, Some(serde_json::json!({ "id": "a", "text": "theirs" })));
    assert_eq!(
        scene.store.draft().await.unwrap(),
        theirs,
        "not even the object that nobody else touched"
    );
    assert_eq!(scene.store.outbox_after(0, 100).await.unwrap().len(), before);
}

#[tokio::test]
async fn what_others_are_drafting_stays_a_draft_when_a_release_goes_out() {
    let scene = scene().await;
    let live = book(&[("a", "x")]);
    scene.store.publish(publication(0, live.clone())).await.unwrap();
    save(&scene, (&live, &book(&[("a", "x"), ("theirs", "x")])), 1).await.unwrap();
    let release = scene.store.publish(publication(1, book(&[("a", "y")]))).await.unwrap();
    assert_eq!(release.rule_book, book(&[("a", "y")]));
    assert_eq!(scene.store.draft().await.unwrap(), book(&[("a", "y"), ("theirs", "x")]));
    // But two changes of one object are for people to settle.
    let drafted = book(&[("a", "drafted"), ("theirs", "x")]);
    save(&scene, (&book(&[("a", "y"), ("theirs", "x")]), &drafted), 2).await.unwrap();
    let refused = scene.store.publish(publication(2, book(&[("a", "z")]))).await;
    assert!(matches!(refused, Err(StoreError::Collided(_))), "{refused:?}");
    assert_eq!(scene.store.live_number().await.unwrap(), ReleaseNumber(2));
}

#[tokio::test]
async fn a_draft_is_published_only_as_it_was_reviewed() {
    let scene = scene().await;
    let (first, second) = (book(&[("a", "x")]), book(&[("a", "y")]));
    save(&scene, (&RuleBook::default(), &first), 0).await.unwrap();
    let reviewed =
        Publication { draft: Some(first.content_hash()), ..publication(0, first.clone()) };
    save(&scene, (&first, &second), 1).await.unwrap();
    let refused = scene.store.publish(reviewed.clone()).await;
    assert!(matches!(refused, Err(StoreError::DraftMoved)), "{refused:?}");
    save(&scene, (&second, &first), 2).await.unwrap();
    assert_eq!(scene.store.publish(reviewed).await.unwrap().rule_book, first);
}

#[tokio::test]
async fn a_discarded_draft_is_the_live_release_again_and_on_record() {
    let scene = scene().await;
    let live = book(&[("a", "x")]);
    scene.store.publish(publication(0, live.clone())).await.unwrap();
    save(&scene, (&live, &book(&[("a", "y"), ("b", "x")])), 1).await.unwrap();
    let gone = scene.store.discard_draft(None, &author(2)).await.unwrap();
    assert_eq!(gone.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(scene.store.draft().await.unwrap(), live);
    let last = scene.store.outbox_after(0, 100).await.unwrap().pop().unwrap();
    assert_eq!(last.change.action, "draft_discarded");
    assert_eq!(last.change.before["policy:a"]["text"], "y");
}

#[tokio::test]
async fn a_draft_that_moved_since_somebody_looked_at_it_is_not_discarded() {
    let scene = scene().await;
    let (seen, moved) = (book(&[("a", "x")]), book(&[("a", "y")]));
    save(&scene, (&RuleBook::default(), &seen), 0).await.unwrap();
    save(&scene, (&seen, &moved), 1).await.unwrap();
    let content = seen.content_hash();
    let refused = scene.store.discard_draft(Some(&content), &author(2)).await;
    assert!(matches!(refused, Err(StoreError::DraftMoved)), "{refused:?}");
    assert_eq!(scene.store.draft().await.unwrap(), moved);
    let content = moved.content_hash();
    assert!(!scene.store.discard_draft(Some(&content), &author(3)).await.unwrap().is_empty());
    assert_eq!(scene.store.draft().await.unwrap(), RuleBook::default());
}

#[tokio::test]
async fn what_waits_in_the_draft_is_known_with_who_did_it_removals_too() {
    let scene = scene().await;
    let live = book(&[("a", "x"), ("b", "x")]);
    scene.store.publish(publication(0, live.clone())).await.unwrap();
    assert_eq!(scene.store.pending().await.unwrap().pending, []);
    let drafted = book(&[("a", "y"), ("c", "x")]);
    save(&scene, (&live, &drafted), 5).await.unwrap();
    let draft = scene.store.pending().await.unwrap();
    assert_eq!((draft.based_on(), draft.next()), (ReleaseNumber(1), ReleaseNumber(2)));
    let said: Vec<_> = draft
        .pending
        .iter()
        .map(|one| (one.difference.id.as_str(), one.difference.act().as_str(), one.author.clone()))
        .collect();
    let by = Some(author(5));
    let expected = [("a", "changed", by.clone()), ("b", "removed", by.clone()), ("c", "added", by)];
    assert_eq!(said, expected);
    // Published, nothing waits; and whoever removes the same later is who is named.
    let whole = Publication { draft: Some(drafted.content_hash()), ..publication(1, drafted) };
    let published = scene.store.publish(whole).await.unwrap().rule_book;
    assert_eq!(scene.store.pending().await.unwrap().pending, []);
    save(&scene, (&published, &live), 8).await.unwrap();
    save(&scene, (&live, &published), 9).await.unwrap();
    assert_eq!(scene.store.pending().await.unwrap().pending, []);
}

#[tokio::test]
async fn edited_release_is_refused() {
    let scene = scene().await;
    scene.store.publish(publication(0, book(&[]))).await.unwrap();
    sqlx::query("UPDATE release SET cedar = 'permit(principal, action, resource) ;'")
        .execute(&scene.store.pool)
        .await
        .unwrap();
    let said = scene.store.live().await.unwrap_err().to_string();
    assert!(said.contains("does not match its hash"), "{said}");
}

#[tokio::test]
async fn releases_are_listed_newest_first_in_pages() {
    let scene = scene().await;
    for live in 0..3 {
        scene.store.publish(publication(live, book(&[]))).await.unwrap();
    }
    let numbers = |lines: Vec<ReleaseLine>| lines.iter().map(|l| l.number.0).collect::<Vec<_>>();
    assert_eq!(numbers(scene.store.releases(None, 2).await.unwrap()), [3, 2]);
    let next = scene.store.releases(Some(ReleaseNumber(2)), 2).await.unwrap();
    assert_eq!(numbers(next), [1]);
}

#[tokio::test]
async fn outbox_ids_are_never_given_again() {
    let scene = scene().await;
    let (none, one) = (book(&[]), book(&[("a", "x")]));
    save(&scene, (&RuleBook::default(), &none), 0).await.unwrap();
    scene.store.outbox_taken(4, at(1)).await.unwrap();
    assert_eq!(scene.store.prune_outbox(at(2)).await.unwrap(), 3, "the newest row stays");
    save(&scene, (&none, &one), 3).await.unwrap();
    let rows = scene.store.outbox_after(4, 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [5]);
    assert_eq!(scene.store.prune_outbox(at(9)).await.unwrap(), 1, "row 5 is not taken over yet");
}

#[tokio::test]
async fn what_was_read_of_the_draft_is_given_again_until_anybody_changes_it() {
    let scene = scene().await;
    let other = Store::open(&url(&scene.directory)).await.unwrap();
    let first = scene.store.pending().await.unwrap();
    assert!(Arc::ptr_eq(&first, &scene.store.pending().await.unwrap()), "it is read anew");
    assert!(Arc::ptr_eq(&first.in_force, &first.book), "what does not differ is two");

    let (from, to) = (RuleBook::default(), book(&[("a", "x")]));
    other.save_draft(Edit { from: &from, to: &to }, &author(1)).await.unwrap();
    let edited = scene.store.pending().await.unwrap();
    assert_eq!(edited.book.book(), &to, "the edit of another process is not seen");

    other.discard_draft(None, &author(2)).await.unwrap();
    let discarded = scene.store.pending().await.unwrap();
    assert_eq!(discarded.pending, [], "its discarding is not seen");

    other.publish(publication(0, to)).await.unwrap();
    let published = scene.store.pending().await.unwrap();
    assert_eq!(published.based_on(), ReleaseNumber(1), "its release is not seen");
}
