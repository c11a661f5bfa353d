//! The walk in a real browser: what a person sees, not what the bytes say.

use fantoccini::Locator;

use crate::harness::{Chromium, Scripts, World};

const PAGE: &str = "//body";
const UMAS_VISIT: &str = "//tbody/tr[contains(., 'Uma') and contains(., '/reports/2026')]";

#[tokio::test(flavor = "multi_thread")]
async fn uma_signs_in_with_one_press_and_is_greeted_by_name() {
    let Some(browser) = Chromium::start("uma_signs_in_with_one_press").await else { return };
    let world = World::start().await;
    browser.open(&world.app("/")).await;
    assert_eq!(browser.page.current_url().await.unwrap().as_str(), world.app("/"));
    let finance = world.app("/finance/summary");
    browser.sign_in("uma", &finance, &finance).await;
    let text = browser.text().await;
    assert!(text.contains("Uma"), "{text}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nora_reads_why_and_which_decision() {
    let Some(browser) = Chromium::start("nora_reads_why_and_which_decision").await else { return };
    let world = World::start().await;
    let finance = world.app("/finance/summary");
    browser.sign_in("nora", &finance, &finance).await;
    let text = browser.text().await;
    let id = world.decisions().await[0]["id"].as_str().unwrap().to_owned();
    for part in ["Nora", id.as_str(), "None of your groups or roles"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn olive_lets_finance_in_without_a_reload_and_uma_gets_in_at_once() {
    let Some(olive) = Chromium::start("olive_lets_finance_in_without_a_reload").await else {
        return;
    };
    let Some(uma) = Chromium::start("uma_gets_in_at_once").await else { return };
    let world = World::start().await;
    let reports = world.app("/reports/2026");
    uma.sign_in("uma", &reports, &reports).await;
    uma.shows(PAGE, "No access").await;

    olive_opens_the_reports_route(&olive, &world).await;
    olive.page.execute("window.marker = 1", Vec::new()).await.unwrap();
    let grant = add_finance(&olive).await;
    let marker = olive.page.execute("return window.marker", Vec::new()).await.unwrap();
    assert_eq!(marker, 1, "the page was not loaded again");

    uma.open(&reports).await;
    uma.shows("//h1", "Report 2026").await;
    olive.open(&world.gate("/console/decisions")).await;
    olive.shows(UMAS_VISIT, &grant).await;

    uma.open(&world.gate("/console/")).await;
    uma.shows(PAGE, "No access").await;
    let text = uma.text().await;
    assert!(!text.contains("Who may open it"), "{text}");
    uma.close().await;
    olive.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn olive_lets_finance_in_with_scripts_off() {
    let test = "olive_lets_finance_in_with_scripts_off";
    let Some(olive) = Chromium::start_with(test, Scripts::Off).await else { return };
    let world = World::start().await;
    olive_opens_the_reports_route(&olive, &world).await;
    let grant = add_finance(&olive).await;
    let mut uma = world.browser_of("uma").await;
    let report = uma.open(&world.app("/reports/2026")).await;
    assert_eq!(report.status, 200, "{}", report.text());
    olive.open(&world.gate("/console/decisions")).await;
    olive.shows(UMAS_VISIT, &grant).await;
    olive.close().await;
}

/// Olive signs in to the console, reads who may open what, and goes on to the route of the reports.
async fn olive_opens_the_reports_route(olive: &Chromium, world: &World) {
    let routes = world.gate("/console/routes");
    olive.sign_in("olive", &world.gate("/console/"), &routes).await;
    for part in ["/finance", "Finance", "/reports", "Reports.Read"] {
        olive.shows("//table", part).await;
    }
    let link = "//a[@data-row and contains(., '/reports')]";
    olive.press_to(link, &world.gate("/console/routes/intranet/reports")).await;
}

/// Adds the grant for Finance in the form on the page, and returns its id as the page then shows it.
async fn add_finance(olive: &Chromium) -> String {
    let reason = "Quarterly figures need the visitor counts";
    olive.fill("who_kind", "group").await;
    olive.fill("who", "Finance").await;
    olive.fill("what", "read").await;
    olive.fill("reason", reason).await;
    olive.press("//button[@id='add-grant']").await;
    let row = format!("//li[contains(@class, 'grant') and contains(., '{reason}')]");
    olive.shows(&row, "Finance").await;
    let code = format!("{row}//code");
    let id = olive.page.find(Locator::XPath(&code)).await.unwrap().text().await.unwrap();
    olive.shows("//*[@id='access']/p[contains(@class, 'note')]", &id).await;
    id
}
