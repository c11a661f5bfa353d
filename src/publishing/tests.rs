//! From a draft to a release, and everything that stands in between.

use tempfile::TempDir;

use super::{Content, Order, Publishing, Refusal, SecondPerson};
use crate::authz::compile::{MfaSetting, Terms};
use crate::model::grant::{Grant, What, Who};
use crate::model::id::ReleaseNumber;
use crate::model::rule_book::RuleBook;
use crate::model::time::Timestamp;
use crate::store::{Author, Edit, Store, StoreError};

struct Scene {
    publishing: Publishing,
    store: Store,
    _directory: TempDir,
}

async fn scene(second: SecondPerson) -> Scene {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite://{}/cedargate.db", directory.path().display());
    let store = Store::open(&url).await.unwrap();
    let terms = Terms { public_host: "gate.example".parse().unwrap(), mfa: MfaSetting::Configured };
    Scene {
        publishing: Publishing::new(store.clone(), terms, second),
        store,
        _directory: directory,
    }
}

fn by(who: &str) -> Author {
    Author { by: who.to_owned(), at: Timestamp::from_seconds(1_795_000_000) }
}

/// One area, and an assertion that nobody but Finance reads it.
fn book(grants: &[(&str, Who)]) -> RuleBook {
    let mut book: RuleBook = serde_json::from_value(serde_json::json!({
        "apps": [{ "id": "shop", "name": "Shop", "origins": ["https://shop.example"] }],
        "routes": [{ "id": "shop/finance", "pattern": "/finance/{*rest}" }],
        "assertions": [{
            "id": "closed",
            "nobody_but": { "who": [{ "group": FINANCE }], "what": "read", "route": "shop/finance" },
        }],
    }))
    .unwrap();
    let grant = |(id, who): &(&str, Who)| {
        Grant::new(id.parse().unwrap(), who.clone(), What::Read, "shop/finance".parse().unwrap())
    };
    book.grants = grants.iter().map(grant).collect();
    book
}

const FINANCE: &str = "f1a2ce00-0000-4000-8000-00000000000a";

fn finance() -> Who {
    Who::Group(FINANCE.parse().unwrap())
}

impl Scene {
    async fn draft(&self, to: &RuleBook, who: &str) {
        let from = &self.store.draft().await.unwrap();
        self.store.save_draft(Edit { from, to }, &by(who)).await.unwrap();
    }

    async fn publish(&self, content: Content, who: &str) -> Result<ReleaseNumber, Refusal> {
        let based_on = self.store.live_number().await.unwrap();
        let order = Order { content, based_on, note: "because".to_owned(), author: by(who) };
        self.publishing.publish(order).await.map(|(release, _)| release.number)
    }

    async fn content(&self) -> String {
        self.publishing.review(by("anybody")).await.unwrap().content
    }
}

#[tokio::test]
async fn a_review_says_what_a_draft_changes_in_words_and_as_cedar() {
    let scene = scene(SecondPerson::Off).await;
    scene.publish(Content::Book(Box::new(book(&[("old", finance())]))), "pat").await.unwrap();
    scene.draft(&book(&[("new", finance())]), "eddie").await;
    let review = scene.publishing.review(by("pat")).await.unwrap();
    assert_eq!(review.based_on, ReleaseNumber(1));
    assert_eq!(
        review.lines(),
        [
            format!("+ grant:new: {FINANCE} may read shop/finance (here and below)"),
            format!("- grant:old: {FINANCE} may read shop/finance (here and below)"),
        ]
    );
    let cedar = review.cedar.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(cedar.starts_with("- @id(\"grant:old\")\n- permit("), "{cedar}");
    assert!(cedar.contains("\n+ @id(\"grant:new\")\n+ permit("), "{cedar}");
    review.sound().unwrap();
}

#[tokio::test]
async fn what_breaks_an_assertion_or_does_not_compile_never_becomes_a_release_a57() {
    let scene = scene(SecondPerson::Off).await;
    let open = book(&[("open", Who::SignedIn)]);
    scene.draft(&open, "eddie").await;
    let review = scene.publishing.review(by("pat")).await.unwrap();
    let said = review.sound().unwrap_err().to_string();
    assert_eq!(
        said,
        "assertion `closed`: everyone signed in can GET shop/finance through `grant:open`"
    );
    for content in
        [Content::Book(Box::new(open)), Content::Draft { content: scene.content().await }]
    {
        let refused = scene.publish(content, "pat").await.unwrap_err();
        assert!(matches!(refused, Refusal::Broken(_)), "{refused}");
    }
    let mut wrong = book(&[]);
    wrong.routes.clear();
    let refused = scene
        .publish(Content::Book(Box::new(RuleBook { apps: Vec::new(), ..book(&[]) })), "pat")
        .await;
    assert!(matches!(refused, Err(Refusal::Compile(_))), "{refused:?}");
    assert_eq!(scene.store.live_number().await.unwrap(), ReleaseNumber(0));
}

#[tokio::test]
async fn a_draft_that_moved_since_its_review_is_not_published() {
    let scene = scene(SecondPerson::Off).await;
    scene.draft(&book(&[("a", finance())]), "eddie").await;
    let content = scene.content().await;
    scene.draft(&book(&[("b", finance())]), "mallory").await;
    let refused = scene.publish(Content::Draft { content: content.clone() }, "pat").await;
    assert!(matches!(refused, Err(Refusal::Store(StoreError::DraftMoved))), "{refused:?}");
    let refused = scene.publishing.approve(&content, by("pat")).await;
    assert!(matches!(refused, Err(Refusal::Store(StoreError::DraftMoved))), "{refused:?}");
}

#[tokio::test]
async fn a_second_person_must_approve_of_the_very_content() {
    let scene = scene(SecondPerson::Required).await;
    scene.draft(&book(&[("a", finance())]), "eddie").await;
    let content = scene.content().await;
    let draft = || Content::Draft { content: content.clone() };
    let alone = scene.publish(draft(), "eddie").await.unwrap_err();
    assert!(matches!(alone, Refusal::Second { .. }), "{alone}");
    scene.publishing.approve(&content, by("eddie")).await.unwrap();
    let own = scene.publish(draft(), "eddie").await.unwrap_err();
    assert!(matches!(own, Refusal::Second { .. }), "one's own approval is nobody else's: {own}");
    // Nor does any other way in get around it.
    let other = scene.publish(Content::Book(Box::new(book(&[("b", finance())]))), "eddie").await;
    assert!(matches!(other, Err(Refusal::Second { .. })), "{other:?}");
    // It only comes into the draft, which is another content then and needs an approval of its own.
    let submitted = scene.store.draft().await.unwrap();
    assert_eq!(
        submitted.grants.iter().map(|grant| grant.id.as_str()).collect::<Vec<_>>(),
        ["a", "b"]
    );
    scene.draft(&book(&[("a", finance())]), "eddie").await;
    scene.publishing.approve(&content, by("pat")).await.unwrap();
    assert_eq!(scene.publish(draft(), "eddie").await.unwrap(), ReleaseNumber(1));
    // An approval is of one content against one release: the same content later is another matter.
    scene.draft(&book(&[]), "eddie").await;
    scene.draft(&book(&[("a", finance()), ("c", finance())]), "eddie").await;
    let again = scene.publish(Content::Draft { content: scene.content().await }, "eddie").await;
    assert!(matches!(again, Err(Refusal::Second { .. })), "{again:?}");
}

#[tokio::test]
async fn rolling_back_publishes_an_old_release_as_a_new_one() {
    let scene = scene(SecondPerson::Off).await;
    let first = book(&[("a", finance())]);
    scene.publish(Content::Book(Box::new(first.clone())), "pat").await.unwrap();
    scene.publish(Content::Book(Box::new(book(&[]))), "pat").await.unwrap();
    assert_eq!(
        scene.publish(Content::Release(ReleaseNumber(1)), "pat").await.unwrap(),
        ReleaseNumber(3)
    );
    assert_eq!(scene.store.live().await.unwrap().unwrap().rule_book, first);
    assert_eq!(scene.store.draft().await.unwrap(), first);
    let unknown = scene.publish(Content::Release(ReleaseNumber(9)), "pat").await;
    assert!(matches!(unknown, Err(Refusal::Unknown(ReleaseNumber(9)))), "{unknown:?}");
}

#[tokio::test]
async fn an_edit_makes_nothing_wrong_and_what_is_wrong_already_is_no_hindrance() {
    let scene = scene(SecondPerson::Off).await;
    let good = book(&[("a", finance())]);
    scene.draft(&good, "eddie").await;
    let mut bad = good.clone();
    bad.routes.clear();
    let edit = async |from: &RuleBook, to: &RuleBook| {
        scene.publishing.edit(Edit { from, to }, &by("eddie")).await
    };
    let refused = edit(&good, &bad).await;
    assert!(matches!(&refused, Err(Refusal::Compile(error)) if !error.problems.is_empty()));
    assert_eq!(scene.store.draft().await.unwrap(), good);
    // Somebody brought a wrong draft in by another way.
    scene.draft(&bad, "mallory").await;
    let mut half = bad.clone();
    half.apps[0].name = "Store".to_owned();
    assert_eq!(edit(&bad, &half).await.unwrap().len(), 1);
    let other = edit(&good, &book(&[("a", Who::SignedIn)])).await;
    assert_eq!(other.unwrap().len(), 1, "the other object is untouched");
}
