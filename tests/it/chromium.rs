//! The walk in a real browser: what a person sees, not what the bytes say.

use fantoccini::Locator;

use crate::harness::{Chromium, Scripts, World};

const PAGE: &str = "//body";
const CALL: &str = "//button[@data-call='GET /api/hello']";
const CALLED: &str = "//output[@id='call-result']";
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
    assert!(text.contains("Hello Uma"), "{text}");
    browser.shows("//footer", "The signed assertion confirms this.").await;
    browser.open(&world.app("/me")).await;
    browser.shows("//main", "The intranet verified the signature").await;
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
    browser.press("//a[contains(., 'Use another account')]").await;
    browser.shows("//h1", "Who signs in?").await;
    browser.press_to("//button[normalize-space()='uma']", &finance).await;
    browser.shows("//h1", "Finance summary").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rob_reads_reports_and_no_figures() {
    let Some(browser) = Chromium::start("rob_reads_reports_and_no_figures").await else { return };
    let world = World::start().await;
    let reports = world.app("/reports/2026");
    browser.sign_in("rob", &reports, &reports).await;
    browser.shows("//h1", "Report 2026").await;
    browser.open(&world.app("/finance/summary")).await;
    browser.shows(PAGE, "No access").await;
    let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
    assert_eq!(browser.page.execute(status, Vec::new()).await.unwrap(), 403);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_after_sign_out_is_told_where_to_sign_in_and_the_page_stays() {
    let Some(browser) = Chromium::start("a_call_after_sign_out").await else { return };
    let world = World::start().await;
    let (home, me) = (world.app("/"), world.app("/me"));
    browser.sign_in("uma", &me, &me).await;
    browser.open(&home).await;
    browser.press(CALL).await;
    browser.shows(CALLED, "GET /api/hello: 200").await;

    let first = browser.page.window().await.unwrap();
    let second = browser.page.new_window(true).await.unwrap();
    browser.page.switch_to_window(second.handle).await.unwrap();
    browser.open(&world.app("/_gate/logout")).await;
    browser.press("//button[normalize-space()='Sign out']").await;
    browser.shows(PAGE, "signed out").await;

    browser.page.switch_to_window(first).await.unwrap();
    browser.press(CALL).await;
    browser.shows(CALLED, "GET /api/hello: 401").await;
    browser.shows(&format!("{CALLED}/a"), "sign in again").await;
    assert_eq!(browser.page.current_url().await.unwrap().as_str(), home);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_echoes_arrive_on_the_page() {
    let Some(browser) = Chromium::start("events_and_echoes_arrive").await else { return };
    let world = World::start().await;
    let me = world.app("/me");
    browser.sign_in("uma", &me, &me).await;
    browser.open(&world.app("/")).await;
    browser.press("//button[@id='events-start']").await;
    browser.shows("//*[@id='tick-time']", "UTC").await;
    browser.shows("//*[@id='tick-price']", "€").await;
    browser.press("//form[@id='socket']//button").await;
    browser.shows("//output[@id='socket-result']", "came back: hello").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_the_policy_refuses_is_complained_about() {
    let Some(browser) = Chromium::start("a_script_that_the_policy_refuses").await else { return };
    let world = World::start().await;
    browser.open(&world.app("/")).await;
    assert!(browser.complaints().await.is_empty());
    let inject = "const s = document.createElement('script'); s.textContent = '1'; \
                  document.body.append(s); queueMicrotask(() => { throw new Error('on purpose') })";
    browser.page.execute(inject, Vec::new()).await.unwrap();
    let complaints = browser.complaints().await;
    for part in ["Content Security Policy", "on purpose"] {
        assert!(complaints.iter().any(|one| one.contains(part)), "{part} in {complaints:#?}");
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
    publish(&olive, &world).await;

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
    publish(&olive, &world).await;
    let mut uma = world.browser_of("uma").await;
    let report = uma.open(&world.app("/reports/2026")).await;
    assert_eq!(report.status, 200, "{}", report.text());
    olive.open(&world.gate("/console/decisions")).await;
    olive.shows(UMAS_VISIT, &grant).await;
    olive.close().await;
}

/// Olive signs in to the console, reads who may open what, and goes on to the route of the reports.
async fn olive_opens_the_reports_route(olive: &Chromium, world: &World) {
    let home = world.gate("/console/");
    olive.sign_in("olive", &home, &home).await;
    olive.open(&world.gate("/console/routes")).await;
    for part in ["/finance", "Finance", "/reports", "Reports.Read"] {
        olive.shows("//table", part).await;
    }
    let link = "//a[@data-row and contains(., '/reports')]";
    olive.press_to(link, &world.gate("/console/routes/intranet/reports")).await;
}

/// Adds the grant for Finance in the form on the page, and returns its id as the page then shows it.
async fn add_finance(olive: &Chromium) -> String {
    let reason = "Quarterly figures need the visitor counts";
    olive.pick("who_kind", "group").await;
    olive.fill("who", "Finance").await;
    olive.pick("what", "read").await;
    olive.fill("reason", reason).await;
    olive.press("//button[@id='add-grant']").await;
    let row = format!("//li[contains(@class, 'grant') and contains(., '{reason}')]");
    olive.shows(&row, "Finance").await;
    let code = format!("{row}//code");
    let id = olive.page.find(Locator::XPath(&code)).await.unwrap().text().await.unwrap();
    let notice = format!("{row}/p[contains(@class, 'note')]");
    olive.shows(&notice, &format!("The grant {id} is saved to the draft.")).await;
    olive.shows("//*[@id='draft-bar']", "1 change, not in force").await;
    id
}

/// Publishes what waits in the draft.
async fn publish(olive: &Chromium, world: &World) {
    olive.press_to("//*[@id='draft-bar']//a[.='Review']", &world.gate("/console/draft")).await;
    olive.fill("note", "Finance reads reports").await;
    olive.press("//button[contains(., 'Publish release 3')]").await;
    olive.shows("//*[@id='release']", "Release 3,").await;
}
