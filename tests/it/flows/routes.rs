//! An app and a route are added, and who may open it is changed until nobody may any more.

use super::desk::Desk;
use crate::harness::{Echo, Scripts, World};

const CEDAR: &str = "//pre[@aria-label='Cedar text']";
const GRANT: &str = "//li[@id='grant-g-finance-all-3']";

#[tokio::test(flavor = "multi_thread")]
async fn payroll_opens_to_finance_and_closes_with_scripts() {
    payroll_opens_to_finance_and_closes(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payroll_opens_to_finance_and_closes_without_scripts() {
    payroll_opens_to_finance_and_closes(Scripts::Off).await;
}

async fn payroll_opens_to_finance_and_closes(scripts: Scripts) {
    let flow = "payroll_opens_to_finance_and_closes";
    let Some(desk) = Desk::start(flow, scripts, World::start).await else { return };
    let echo = Echo::start().await;
    let origin = format!("http://payroll.localhost:{}", desk.world.places.port);
    let slips = format!("{origin}/slips/2026");
    desk.sit("olive", "/console/routes").await;
    adds_the_app(&desk, (&origin, &echo)).await;
    adds_the_route(&desk).await;
    grants_and_edits(&desk).await;
    desk.publish(3, "Finance reads payslips").await;
    desk.visit("uma", &slips).await;
    desk.browser.shows("//body", "x-gate-assertion").await;

    desk.sit("olive", "/console/routes/payroll/slips").await;
    desk.button("End now g-finance-all-3").await;
    desk.browser.shows(GRANT, "The grant g-finance-all-3 ends now, in the draft.").await;
    desk.browser.shows(CEDAR, "context.now").await;
    desk.publish(4, "Payslips are read elsewhere").await;
    desk.visit("uma", &slips).await;
    desk.browser.shows("//h1", "You can’t open").await;
    assert_eq!(echo.hits(), 1, "what is refused does not reach the app");

    desk.sit("olive", "/console/routes/payroll/slips").await;
    desk.button("Remove g-finance-all-3").await;
    desk.browser.shows(GRANT, "It stays in force until the draft is published.").await;
    desk.reads("No grants, so nothing is generated.").await;
    desk.publish(5, "Nobody reads payslips").await;
    desk.open("/console/routes/payroll/slips").await;
    desk.reads("No grant opens this route.").await;
    desk.browser.close().await;
}

async fn adds_the_app(desk: &Desk, (origin, echo): (&str, &Echo)) {
    desk.follow("New app").await;
    desk.browser.fill("id", "payroll").await;
    desk.browser.fill("name", "Payroll").await;
    desk.browser.fill("origins", "payroll").await;
    desk.browser.fill("upstream", &format!("http://127.0.0.1:{}", echo.port)).await;
    desk.button("Add to draft").await;
    desk.browser.shows("//p[@id='origins-err']", "").await;
    assert_eq!(desk.browser.value("id").await, "payroll", "what was typed is still there");
    desk.browser.rewrite("origins", origin).await;
    desk.button("Add to draft").await;
    desk.reads("The app is saved to the draft. It is not in force yet.").await;
}

async fn adds_the_route(desk: &Desk) {
    desk.follow("Add a route").await;
    desk.browser.fill("name", "slips").await;
    desk.browser.fill("pattern", "/slips/{year}").await;
    desk.browser.fill("title", "Payslips").await;
    desk.button("Add to draft").await;
    desk.reads("The route is saved to the draft. It is not in force yet.").await;
    desk.reads("No grant opens this route.").await;
    desk.reads("No grants, so nothing is generated.").await;
}

async fn grants_and_edits(desk: &Desk) {
    desk.browser.pick("who_kind", "group").await;
    desk.browser.fill("who", "Finance").await;
    desk.browser.pick("what", "all").await;
    desk.browser.fill("reason", "They pay").await;
    desk.button("Add to draft").await;
    desk.browser.shows(GRANT, "Finance (group) may read and change").await;
    desk.browser.shows(GRANT, "The grant g-finance-all-3 is saved to the draft.").await;
    desk.browser.shows(CEDAR, "Route::\"payroll/slips\"").await;
    desk.browser.shows("//*[@id='draft-bar']", "3 changes, not in force").await;

    desk.follow("Edit g-finance-all-3").await;
    desk.browser.shows("//form[@id='grant-form']//h2", "Change g-finance-all-3").await;
    desk.browser.pick("what", "read").await;
    desk.browser.rewrite("reason", "They read what they pay").await;
    desk.button("Save to draft").await;
    desk.browser.shows(GRANT, "They read what they pay").await;
    desk.browser.shows(GRANT, "Finance (group) may read ").await;
    desk.browser.shows(CEDAR, "Action::\"read\"").await;
}
