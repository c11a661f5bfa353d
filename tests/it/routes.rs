//! What a route can be told to do otherwise, from the outside.

use cedargate::model::route::{Disclosure, EncodedSlashes, LetterCase, Listing, Route};
use cedargate::model::rule_book::RuleBook;

use crate::harness::{Browser, World, script};

/// The demo's rules with the finance area changed.
async fn with_finance(change: impl Fn(&mut Route)) -> World {
    let finance = |book: &mut RuleBook| {
        book.routes.iter_mut().filter(|route| route.id.name() == "finance").for_each(&change);
    };
    World::start_with(finance).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folded_route_is_decided_recorded_and_forwarded_in_lower_case_a04i() {
    let world = with_finance(|route| route.letter_case = LetterCase::Folded).await;
    let mut nora = world.browser();
    let refused = nora.sign_in("nora", &world.app("/FINANCE/Summary")).await;
    assert_eq!(refused.status, 403);
    let mut uma = world.browser();
    let opened = uma.sign_in("uma", &world.app("/FINANCE/Summary")).await;
    assert_eq!(opened.status, 200, "{}", opened.text());
    let record = &world.decisions().await[0];
    assert_eq!(
        (&record["path"], &record["route"]),
        (&"/finance/summary".into(), &"intranet/finance".into())
    );
    // Sign-in came back to the path as the app reads it; asked for again, the letters are kept beside it.
    assert!(record["unfolded"].is_null(), "{record}");
    assert_eq!(uma.open(&world.app("/FINANCE/Summary")).await.status, 200);
    let record = &world.decisions().await[0];
    assert_eq!(
        (&record["path"], &record["unfolded"]),
        (&"/finance/summary".into(), &"/FINANCE/Summary".into())
    );
    // Elsewhere letters count: what no route covers is refused.
    assert_eq!(uma.open(&world.app("/ME")).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_slash_passes_where_the_route_keeps_it_and_nowhere_else_a04c() {
    let world = with_finance(|route| route.encoded_slashes = EncodedSlashes::Kept).await;
    let mut uma = world.browser();
    uma.sign_in("uma", &world.app("/me")).await;
    uma.open(&world.app("/finance/2026%2fq3")).await;
    let record = &world.decisions().await[0];
    assert_eq!(
        (&record["path"], &record["verdict"]),
        (&"/finance/2026%2Fq3".into(), &"allow".into())
    );
    for path in ["/reports/2026%2fq3", "/finance/..%2fadmin", "/finance%2fx", "/finance/a%2f%252e"]
    {
        assert_eq!(uma.open(&world.app(path)).await.status, 400, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_route_can_not_be_told_from_one_that_does_not_exist() {
    let world = with_finance(|route| route.disclosure = Disclosure::Silent).await;
    let mut nora = world.browser();
    let page = nora.sign_in("nora", &world.app("/finance/summary")).await;
    let nowhere = nora.open(&world.app("/finances/summary")).await;
    let plain = |text: String| {
        let main = text.split("<main").nth(1).unwrap_or_default().to_owned();
        let main = main.split("<dl").next().unwrap_or_default().to_owned();
        assert!(main.contains("not among the pages"), "{main}");
        main
    };
    assert_eq!(page.status, 403);
    let strip = |text: String| {
        text.replace("/finances/", "/finance/").replace("%2Ffinances%2F", "%2Ffinance%2F")
    };
    assert_eq!(plain(strip(page.text())), plain(strip(nowhere.text())));
    let data = nora.send(script("GET", &world.app("/finance/summary"))).await;
    assert_eq!(data.json()["reason"], "no_route");
    assert_eq!(world.decisions().await[0]["reason"], "no_grant", "the record has the true reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_is_told_whom_to_ask() {
    let world = with_finance(|route| route.owner = "Finance desk <b>ext. 42</b>".to_owned()).await;
    let mut nora = world.browser();
    let page = nora.sign_in("nora", &world.app("/finance/summary")).await;
    assert!(page.text().contains("Finance desk &#60;b&#62;ext. 42&#60;/b&#62;"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_does_not_show_what_is_unlisted_and_it_opens_all_the_same() {
    let unlisted = |book: &mut RuleBook| {
        book.routes.iter_mut().for_each(|route| route.listing = Listing::Unlisted);
    };
    let (world, listed) = (World::start_with(unlisted).await, World::start().await);
    let tile = async |world: &World| {
        let mut uma: Browser = world.browser();
        let page = uma.sign_in("uma", &world.gate("/")).await.text();
        assert_eq!(uma.open(&world.app("/me")).await.status, 200);
        page.contains("Contoso intranet")
    };
    assert!(tile(&listed).await);
    assert!(!tile(&world).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helpful_route_tells_what_is_missing_and_others_do_not() {
    let world = with_finance(|route| route.disclosure = Disclosure::Helpful).await;
    let mut nora = world.browser();
    let page = nora.sign_in("nora", &world.app("/finance/summary")).await;
    assert!(
        page.text().contains("What is missing: <strong><bdi>membership of Finance<"),
        "{}",
        page.text()
    );
    let data = nora.send(script("GET", &world.app("/finance/summary"))).await;
    assert_eq!(data.json()["missing"], "membership of Finance");
    let plain = with_finance(|route| route.disclosure = Disclosure::Brief).await;
    let mut nora = plain.browser();
    let page = nora.sign_in("nora", &plain.app("/finance/summary")).await;
    assert!(!page.text().contains("What is missing") && !page.text().contains("Finance."));
}
