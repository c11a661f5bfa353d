//! Following every link and looking at every form of the console as each person: nothing leads where they may not go, and
//! what is only looked at changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use cedargate::console::endpoints::{Endpoint, Verb, table};
use cedargate::console::urls;

use super::scene::{Scene, links, values};
use crate::harness::{Browser, World, head, navigation};

/// Longer than any form of the console: decided on, and then not read.
const TOO_LONG: usize = 70_000;
/// Addresses of one endpoint, with one set of fields in the query, that are followed.
const ALIKE: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn every_link_and_form_leads_where_its_person_may_go_and_looking_changes_nothing() {
    let scene = Scene::start().await;
    let mut offered = BTreeMap::new();
    for person in ["olive", "eddie", "pat", "aude"] {
        let mut browser = scene.world.browser();
        browser.sign_in(person, &scene.world.gate("/console/")).await;
        let before = state(&scene.world).await;
        let walk = Walk::through(&scene.world, browser).await;
        assert_eq!(state(&scene.world).await, before, "{person} looked, and something changed");
        assert!(walk.wrong.is_empty(), "{person}:\n{}", walk.wrong.join("\n"));
        offered.insert(person, walk.forms);
    }
    let may = |person: &str, pattern: &str| offered[person].contains(pattern);
    assert!(may("olive", "/console/draft/publish") && may("pat", "/console/draft/publish"));
    assert!(may("eddie", "/console/draft/undo") && !may("eddie", "/console/draft/publish"));
    // Auditors read, check, and take away what they read.
    let reading = [
        urls::WHAT,
        urls::WHO,
        urls::EXPORT,
        urls::CHECK,
        urls::ACCESS_REPORT,
        urls::CHANGES_REPORT,
        urls::REFUSALS_REPORT,
    ];
    assert_eq!(offered["aude"], BTreeSet::from(reading));
}

/// One person's way through the console.
struct Walk<'a> {
    world: &'a World,
    browser: Browser,
    /// Addresses to open, and the page that each stood on.
    open: Vec<(String, String)>,
    seen: BTreeSet<String>,
    alike: BTreeMap<String, usize>,
    /// Endpoints of the forms that were offered.
    forms: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl<'a> Walk<'a> {
    async fn through(world: &'a World, browser: Browser) -> Self {
        let open =
            ["/console/routes", "/", "/sessions"].map(|path| (path.to_owned(), "start".to_owned()));
        let mut walk = Self {
            world,
            browser,
            open: open.into(),
            seen: BTreeSet::new(),
            alike: BTreeMap::new(),
            forms: BTreeSet::new(),
            wrong: Vec::new(),
        };
        while let Some((path, from)) = walk.open.pop() {
            walk.visit(&path, &from).await;
        }
        walk
    }

    async fn visit(&mut self, path: &str, from: &str) {
        let answer = self.browser.step(&self.world.gate(path)).await;
        if ![200, 303].contains(&answer.status) {
            self.wrong.push(format!("{from} leads to {path}, which answers {}", answer.status));
            return;
        }
        let html = answer.text();
        for link in links(&html) {
            let link = link.split('#').next().unwrap().to_owned();
            if link.starts_with("/console/") && self.seen.insert(link.clone()) && self.is_new(&link)
            {
                self.open.push((link, path.to_owned()));
            }
        }
        for action in [values(&html, "action=\""), values(&html, "hx-post=\"")].concat() {
            self.check_form(&action, path).await;
        }
    }

    /// Whether few enough like this were opened.
    fn is_new(&mut self, link: &str) -> bool {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        let fields: Vec<_> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
        let kind = format!(
            "{} {}",
            endpoint(Verb::Get, path).map_or(path, |row| row.path),
            fields.join(",")
        );
        let count = self.alike.entry(kind).or_default();
        *count += 1;
        *count <= ALIKE
    }

    /// Sends a form that is too long to be read: 413 says that its person may send one, and changes nothing.
    async fn check_form(&mut self, action: &str, page: &str) {
        let Some(row) = endpoint(Verb::Post, action.split('?').next().unwrap()) else { return };
        if !self.forms.insert(row.path) {
            return;
        }
        let filler = "x".repeat(TOO_LONG);
        let form = navigation("POST", &self.world.gate(action)).form(&[("filler", &filler)]);
        let status = head(self.browser.dressed(form)).await.status().as_u16();
        if status != 413 {
            self.wrong.push(format!("{page} has a form to {action}, which answers {status}"));
        }
    }
}

/// The row of the console's table that answers this address.
fn endpoint(verb: Verb, path: &str) -> Option<&'static Endpoint> {
    let fits = |row: &&Endpoint| {
        let (pattern, path): (Vec<_>, Vec<_>) =
            (row.path.split('/').collect(), path.split('/').collect());
        let same =
            |(part, own): (&&str, &&str)| part == own || part.starts_with('{') && !own.is_empty();
        row.verb == verb && pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
    };
    // A pattern without parts to fill in comes first, as in the router.
    table().filter(fits).min_by_key(|row| row.path.matches('{').count())
}

/// What is in force, what waits, who approved of it, who is signed in, and how many changes there were.
async fn state(world: &World) -> String {
    let whole = "
        SELECT (SELECT COUNT(number) FROM release) || ' ' || (SELECT COUNT(id) FROM outbox) || ' '
            || (SELECT COUNT(content_hash) FROM approval) || ' ' || (SELECT COUNT(id) FROM session) || ' '
            || (SELECT COALESCE(GROUP_CONCAT(kind || id || revision || body), '') FROM draft_object)";
    sqlx::query_scalar(whole).fetch_one(&mut world.main_file().await).await.unwrap()
}
