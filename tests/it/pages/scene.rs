//! The demo after a busy morning: people came, some were refused, and a draft waits. And the address of every page of it.

use std::io::Write as _;

use cedargate::console::endpoints::{Endpoint, Verb, table};
use cedargate::console::urls;
use cedargate::sim::people::{FINANCE, TENANT, UMA};
use tempfile::TempDir;

use crate::harness::{Browser, World, head, navigation, script};

/// What waits in the draft.
const DRAFT: &str = r#"
[[grant]]
id = "reports-finance"
who = { group = "9a000000-0000-4000-8000-0000000f1a2c" }
what = "read"
route = "intranet/reports"
reason = "Quarterly figures need the visitor counts"

[[grant]]
id = "reports-no-guests"
effect = "forbid"
who = { tenants = ["fab00000-7e4a-4000-8000-00000000fab0"] }
what = "all"
route = "intranet/reports"
reason = "Reports stay in the house"
"#;

/// What people opened in the morning; the rules let some of it through.
const VISITS: [(&str, &[&str]); 8] = [
    ("uma", &["/me", "/finance/summary", "/reports/2026", "/reports/2025", "/admin/users"]),
    ("nora", &["/", "/finance/summary", "/reports/2026", "/nowhere"]),
    ("rob", &["/reports/2026", "/reports/2025", "/finance/summary", "/me"]),
    ("max", &["/finance/summary", "/reports/2026", "/me"]),
    ("gia", &["/me", "/reports/2026", "/finance/summary"]),
    ("olive", &["/admin/users", "/me", "/reports/2026"]),
    ("eddie", &["/me"]),
    ("aude", &["/me", "/finance/summary"]),
];

/// A world in which something happened.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// The owner's browser, signed in to the console.
    pub(crate) olive: Browser,
    decision: String,
    change: String,
    /// A check of the log.
    check: String,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let world = World::start().await;
        morning(&world).await;
        draft(&world);
        let check = checked(&world).await;
        let mut olive = world.browser();
        let changes = olive.sign_in("olive", &world.gate("/console/changes?q=kind:change")).await;
        let change = links(&changes.text())
            .into_iter()
            .find_map(|link| link.strip_prefix("/console/changes/").map(str::to_owned));
        let denied = |record: &serde_json::Value| {
            record["verdict"] == "deny" && record["path"] == "/finance/summary"
        };
        let decision = world.decisions().await.into_iter().find(denied).unwrap();
        let decision = decision["id"].as_str().unwrap().to_owned();
        Self { world, olive, decision, change: change.expect("a change on record"), check }
    }

    /// The address of every page of the console, as far as its owner can see them.
    pub(crate) async fn console(&self) -> Vec<String> {
        let mut pages = Vec::new();
        // What waits to be sent again is there for nobody who sent nothing too late.
        let is_open =
            |endpoint: &&Endpoint| endpoint.verb == Verb::Get && endpoint.path != urls::AGAIN;
        for endpoint in table().filter(is_open) {
            for query in self.queries(endpoint.path) {
                let path = format!("{}{query}", self.path(endpoint.path));
                if self.is_page(&path).await {
                    pages.push(path);
                }
            }
        }
        pages
    }

    /// Pages of the other doors on Cedargate's own host, for somebody signed in.
    pub(crate) const DOORS: [&str; 8] = [
        "/",
        "/sessions",
        "/_gate/logout",
        "/_gate/signed-out",
        "/_gate/callback?error=access_denied",
        "/_gate/callback?state=unknown&code=x",
        "/console/nothing-here",
        "/nothing-here",
    ];

    /// Pages of the gate on the app's host, for somebody signed in who is no guest and no admin.
    pub(crate) const REFUSALS: [&str; 5] =
        ["/finance/summary", "/admin/users", "/nowhere", "/_gate/nothing", "/a%2fb"];

    /// What the pattern of an endpoint stands for.
    fn path(&self, pattern: &str) -> String {
        let path = pattern
            .replace("{app}", "intranet")
            .replace("{name}", "finance")
            .replace("{grant}", "finance-read")
            .replace("{policy}", "no-guests-in-admin")
            .replace("{assertion}", "finance-reads")
            .replace("{pair}", "1...2")
            .replace("{number}", "1")
            .replace("{id}", &self.decision)
            .replace("{event}", &self.change)
            .replace("{check}", &self.check)
            .replace("{group}", FINANCE)
            .replace("{subject}", &format!("{TENANT}.{UMA}"));
        assert!(!path.contains('{'), "nothing is known that {pattern} could stand for");
        path
    }

    /// The queries under which a page is looked at: as it opens, and in its other states.
    fn queries(&self, pattern: &str) -> Vec<String> {
        let uma = format!("{TENANT}.{UMA}");
        let fixed = |queries: &[&str]| queries.iter().map(|&query| query.to_owned()).collect();
        match pattern {
            urls::ROUTE => fixed(&["", "?edit=finance-write"]),
            urls::COMPARE => fixed(&["?from=1&to=2"]),
            urls::ROLE => fixed(&["?value=Reports.Read"]),
            urls::ENDING => vec![format!("?user={uma}")],
            urls::WHO => fixed(&["", "?route=intranet/finance"]),
            urls::WHAT => vec![String::new(), format!("?user={uma}")],
            urls::SIMULATE => vec![String::new(), format!("?from={}", self.decision)],
            urls::REFUSALS_REPORT => fixed(&["", "?q=reson:x", "?from=2026-01-01&to=2026-01-31"]),
            urls::DECISIONS | urls::EVENTS => fixed(&["", "?q=user:nobody-at-all", "?q=reson:x"]),
            _ => vec![String::new()],
        }
    }

    /// Whether this is a page rather than a stream or a way to another page. Fails for what its owner can't open.
    async fn is_page(&self, path: &str) -> bool {
        let asked = navigation("GET", &self.world.gate(path));
        let answer = head(self.olive.dressed(asked)).await;
        let status = answer.status().as_u16();
        let wrong_query = status == 422 && path.contains("?q=reson");
        // Nothing was sent too late here; the page that says so is looked at like the others.
        let not_kept = status == 404 && path.starts_with("/console/again/");
        let is_there = wrong_query || not_kept || (200..400).contains(&status);
        assert!(is_there, "{path} answers {status}");
        let html = |value: &http::HeaderValue| value.as_bytes().starts_with(b"text/html");
        status != 303 && answer.headers().get("content-type").is_some_and(html)
    }
}

/// Everybody does what they do.
async fn morning(world: &World) {
    for (person, paths) in VISITS {
        let mut browser = world.browser_of(person).await;
        for path in paths {
            browser.step(&world.app(path)).await;
        }
        browser.send(script("POST", &world.app("/api/orders"))).await;
    }
    let mut job = world.nightly_job().await;
    for path in ["/api/hello", "/api/export", "/finance/summary"] {
        job.send(script("GET", &world.app(path))).await;
    }
    world.browser().step(&world.app("/me")).await;
    world.browser().send(script("POST", &world.app("/api/%2e%2e/admin"))).await;
}

/// Brings two grants into the draft, as an operator does with files.
fn draft(world: &World) {
    let folder = TempDir::new().unwrap();
    let rules = folder.path().join("rules");
    let rules = rules.to_str().unwrap();
    let exported = world.command(&["rules", "export", rules]);
    assert!(exported.status.success(), "{exported:?}");
    let grants = folder.path().join("rules/grants.toml");
    let mut file = std::fs::OpenOptions::new().append(true).open(grants).unwrap();
    file.write_all(DRAFT.as_bytes()).unwrap();
    let imported = world.command(&["rules", "import", rules]);
    assert!(imported.status.success(), "{imported:?}");
}

/// Checks the log, as an operator does; gives the record of it.
async fn checked(world: &World) -> String {
    let verified = world.command(&["audit", "verify"]);
    assert!(verified.status.success(), "{verified:?}");
    let record = world.event_to_come("log_used").await;
    record["id"].as_str().unwrap().to_owned()
}

/// Where the links of a page lead.
pub(crate) fn links(html: &str) -> Vec<String> {
    values(html, "href=\"")
}

/// What stands behind this attribute, wherever it does.
pub(crate) fn values(html: &str, attribute: &str) -> Vec<String> {
    let quoted = html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
    quoted.map(|value| value.replace("&#38;", "&").replace("&amp;", "&")).collect()
}
