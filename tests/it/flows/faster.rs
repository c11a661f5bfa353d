//! Somebody who is faster: what was made of the same meanwhile is told, and what was typed is kept.

use super::desk::Desk;
use crate::harness::{Browser, Scripts, World, navigation};

const EDITED: &str = "/console/routes/intranet/finance?edit=finance-read";
const GRANT: &str = "//li[@id='grant-finance-read']";
const POLICY: &str = "/console/policies/no-guests-in-admin";

/// Eddie in a browser of his own.
pub(super) struct Faster<'a> {
    eddie: Browser,
    world: &'a World,
}

impl<'a> Faster<'a> {
    pub(super) async fn as_eddie(world: &'a World) -> Self {
        let mut eddie = world.browser();
        eddie.sign_in("eddie", &world.gate("/console/")).await;
        Self { eddie, world }
    }

    /// Ends a grant in the draft.
    pub(super) async fn ends(&mut self, route: &str, grant: &str) {
        let page = format!("/console/routes/{route}");
        self.sends(&page, (&format!("{page}/grants/{grant}/end"), &[])).await;
    }

    /// Sends a form of a page with what it carries, and this besides.
    async fn sends(&mut self, page: &str, (action, typed): (&str, &[(&str, &str)])) {
        let html = self.eddie.open(&self.world.gate(page)).await.text();
        let carried = carried(&html, action);
        let fields = carried.iter().map(|(name, value)| (*name, *value)).chain(typed.to_vec());
        let fields: Vec<_> = fields.collect();
        let sent = navigation("POST", &self.world.gate(action)).form(&fields);
        let answer = self.eddie.send(sent).await;
        assert_eq!(answer.status, 303, "{action}: {}", answer.text());
    }
}

/// What the form with this action carries.
fn carried<'a>(html: &'a str, action: &str) -> Vec<(&'a str, &'a str)> {
    let form = html.split(&format!("action=\"{action}\"")).nth(1).expect(action);
    let form = form.split("</form>").next().unwrap();
    let hidden = form.split("type=\"hidden\" name=\"").skip(1);
    hidden
        .map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            (name, rest.split('"').next().unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn eddie_is_faster_and_nothing_is_lost_with_scripts() {
    eddie_is_faster_and_nothing_is_lost(Scripts::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eddie_is_faster_and_nothing_is_lost_without_scripts() {
    eddie_is_faster_and_nothing_is_lost(Scripts::Off).await;
}

async fn eddie_is_faster_and_nothing_is_lost(scripts: Scripts) {
    let flow = "eddie_is_faster_and_nothing_is_lost";
    let Some(desk) = Desk::start(flow, scripts, World::start).await else { return };
    let mut eddie = Faster::as_eddie(&desk.world).await;
    desk.sit("olive", EDITED).await;
    desk.browser.rewrite("reason", "Typed by Olive").await;
    eddie.ends("intranet/finance", "finance-read").await;
    desk.button("Save to draft").await;
    desk.reads("Somebody else changed this grant meanwhile, so nothing was saved.").await;
    desk.browser.shows(GRANT, "until").await;
    assert_eq!(desk.browser.value("reason").await, "Typed by Olive");
    desk.button("Save to draft").await;
    desk.browser.shows(GRANT, "Typed by Olive").await;
    desk.browser.shows(GRANT, "is saved to the draft").await;

    policies_stand_beside_each_other(&desk, &mut eddie).await;
    a_note_outlasts_another_edit(&desk, &mut eddie).await;
    desk.browser.close().await;
}

async fn policies_stand_beside_each_other(desk: &Desk, eddie: &mut Faster<'_>) {
    let theirs =
        "forbid (principal, action, resource in Route::\"intranet/admin\") when { context.mfa };";
    let yours = theirs.replace("context.mfa", "!context.mfa");
    desk.open(POLICY).await;
    desk.write_policy(&yours).await;
    eddie.sends(POLICY, (POLICY, &[("text", theirs), ("order", "save")])).await;
    desk.button("Save to draft").await;
    desk.reads("Somebody else changed this policy meanwhile, so nothing was saved.").await;
    let versions = "//section[h2='Both versions']//div[h3='{}']";
    desk.browser.shows(&versions.replace("{}", "In the draft now"), theirs).await;
    desk.browser.shows(&versions.replace("{}", "What you typed"), &yours).await;
    assert_eq!(desk.browser.value("text").await, yours);
    desk.button("Save to draft").await;
    desk.reads("No problem found.").await;
    assert_eq!(desk.browser.value("text").await, yours);
}

async fn a_note_outlasts_another_edit(desk: &Desk, eddie: &mut Faster<'_>) {
    desk.open("/console/draft").await;
    desk.browser.fill("note", "Typed with care").await;
    eddie.ends("intranet/me", "me").await;
    desk.button("Publish release 3").await;
    desk.reads("Nothing was published").await;
    desk.browser.shows("//ul[@class='changes']", "intranet/me").await;
    assert_eq!(desk.browser.value("note").await, "Typed with care");
    desk.button("Publish release 3").await;
    desk.reads("Release 3 is in force.").await;
    desk.turn_to("Releases").await;
    desk.browser.shows("//tr[@id='r-3']", "Typed with care").await;
}
