//! How Cedargate stands at Entra, and what is said of groups.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::console::Console;
use crate::console::again::kept::Kept;
use crate::console::changes::trials::Trials;
use crate::console::setup::entra::AtEntra;
use crate::groups::Groups;
use crate::idp::{CredentialKind, CredentialOutcome, CredentialReport, Reach, Standing, Which};
use crate::model::id::GroupId;
use crate::model::time::Timestamp;
use crate::publishing::SecondPerson;
use crate::rule_files;
use crate::store::LookUp;
use crate::web::tests::scene;

use super::scene::stopped;
use super::scene::{FINANCE, Scene, get, post};
use super::scene::{checks, publishing};

const NOW: i64 = 1_795_511_702;
const DAY: Duration = Duration::from_hours(24);

/// Entra as a test says.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) credentials: Vec<CredentialReport>,
    pub(super) standing: Standing,
    /// When the certificate of the gate's own listener ends.
    pub(super) certificate_ends: Option<Timestamp>,
}

impl Default for Told {
    fn default() -> Self {
        let standing = Standing {
            metadata_at: Some(at(0)),
            reach: Reach::Reached,
            graph_requests: 0,
            graph_throttled: 0,
        };
        let credentials = vec![secret(Some(at(0).plus(90 * DAY)))];
        Self { credentials, standing, certificate_ends: None }
    }
}

impl AtEntra for Told {
    fn credentials(&self) -> Vec<CredentialReport> {
        self.credentials.clone()
    }

    fn standing(&self) -> Standing {
        self.standing
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW + seconds)
}

fn secret(expires_at: Option<Timestamp>) -> CredentialReport {
    CredentialReport {
        which: Which::First,
        kind: CredentialKind::Secret,
        expires_at,
        outcome: CredentialOutcome::Accepted { at: at(-60) },
        problem: None,
    }
}

/// The console with this Entra, and what Entra said of groups: Finance was renamed, Admins is gone.
async fn scene(told: Told, groups: &[&[(&str, &str)]]) -> Scene {
    let mut scene = scene::scene(rule_files::demo().unwrap()).await;
    for (nth, found) in (0..).zip(groups) {
        let asked: BTreeSet<GroupId> =
            groups.iter().flat_map(|of| of.iter()).map(|(id, _)| id.parse().unwrap()).collect();
        let found: BTreeMap<GroupId, String> =
            found.iter().map(|(id, name)| (id.parse().unwrap(), (*name).to_owned())).collect();
        let (carried, at) = (BTreeSet::new(), at(nth - 100));
        let look_up = LookUp { asked: &asked, found: &found, carried: &carried, at };
        scene.store.keep_groups(look_up).await.unwrap();
    }
    let console = Console {
        doorkeeper: scene.doorkeeper.clone(),
        rules: scene::console_rules(),
        store: scene.store.clone(),
        publishing: publishing(&scene, SecondPerson::Off),
        reader: scene.reader.clone(),
        searcher: scene.searcher.clone(),
        stop: stopped(),
        kept: Kept::default(),
        trials: Trials::default(),
        checks: checks(&scene),
        groups: Groups::load(&scene.store, at(0)).await.unwrap(),
        certificate_ends: told.certificate_ends,
        entra: Arc::new(told),
        settings: super::scene::settings(),
        clock: scene.clock.clone(),
    };
    scene.router = console.router();
    scene
}

async fn page(scene: &Scene, path: &str) -> String {
    let page = scene.send(&scene.owner().await, get(path)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

fn with_end(end: Option<Timestamp>) -> Told {
    Told { credentials: vec![secret(end)], ..Told::default() }
}

#[tokio::test]
async fn end_of_a_credential_is_said_and_warned_of_in_time() {
    let ends = |days: i64| Some(at(days * 24 * 60 * 60 + 60));
    for (end, class, words, warned) in [
        (ends(40), "allow", "in 40 days", false),
        (ends(29), "warn", "in 29 days", true),
        (ends(7), "warn", "in 7 days", true),
        (ends(6), "deny", "in 6 days", true),
        (ends(1), "deny", "in 1 day<", true),
        (ends(-1), "deny", "Ended", true),
        (None, "plain", "Not known when it ends", false),
    ] {
        let scene = scene(with_end(end), &[]).await;
        let text = page(&scene, "/console/entra").await;
        let mark = text.split("<span class=\"mark mark-").nth(1).unwrap();
        assert!(mark.starts_with(class), "{end:?}: {mark}");
        assert!(text.contains(words), "{words}: {text}");
        let first = page(&scene, "/console/").await;
        assert_eq!(first.contains("The client secret in [entra]:"), warned, "{end:?}");
    }
}

#[tokio::test]
async fn end_of_the_listeners_certificate_is_said_and_warned_of_in_time() {
    let ends = |days: i64| Some(at(days * 24 * 60 * 60 + 60));
    for (end, said, class) in [
        (None, None, ""),
        (ends(31), None, ""),
        (ends(29), Some("in 29 days"), "plain"),
        (ends(13), Some("in 13 days"), "warn"),
        (ends(2), Some("in 2 days"), "deny"),
        (ends(-1), Some("Ended"), "deny"),
    ] {
        let told = Told { certificate_ends: end, ..Told::default() };
        let text = page(&scene(told, &[]).await, "/console/").await;
        let ending = text.split("id=\"ending-h\"").nth(1).unwrap();
        let ending = ending.split("</section>").next().unwrap();
        assert_eq!(ending.contains("The certificate of this gate"), said.is_some(), "{end:?}");
        assert!(ending.contains(said.unwrap_or_default()), "{ending}");
        if said.is_some() {
            assert!(ending.contains(&format!("mark-{class}")), "{ending}");
        } else {
            assert_eq!(ending.contains("or certificate in the next 30"), end.is_some(), "{ending}");
        }
        let warned = text.contains("The certificate of this gate: ");
        assert_eq!(warned, ["warn", "deny"].contains(&class), "{end:?}");
    }
}

#[tokio::test]
async fn who_may_not_read_the_settings_is_told_whom_to_tell() {
    let told = Told { certificate_ends: Some(at(24 * 60 * 60)), ..Told::default() };
    let scene = scene(told, &[]).await;
    for role in ["viewer", "editor", "publisher", "auditor", "owner"] {
        let person = scene.person(role, &[role]).await;
        let text = scene.send(&person, get("/console/")).await.text;
        let may = ["auditor", "owner"].contains(&role);
        let banner = text.split("id=\"notices\"").nth(1).unwrap().split("</div>").next().unwrap();
        assert!(banner.contains("The certificate of this gate: "), "{role}: {banner}");
        assert!(banner.contains("Whoever runs this gate has to replace it."), "{role}: {banner}");
        let ending = text.split("id=\"ending-h\"").nth(1).unwrap();
        let ending = ending.split("</section>").next().unwrap();
        let advice = "Tell whoever runs this gate.";
        assert_eq!(ending.contains(advice), !may, "{role}: {ending}");
        assert_eq!(ending.contains("href=\"/console/settings\""), may, "{role}: {ending}");
        for link in ending.split("<a href=\"").skip(1).map(|link| link.split('"').next().unwrap()) {
            let there = scene.send(&person, get(link)).await;
            assert_eq!(there.status, 200, "{role} is led to {link}");
        }
    }
}

#[tokio::test]
async fn refused_credential_and_silent_entra_are_said_with_what_is_known() {
    let mut told = Told::default();
    told.standing.reach = Reach::Failing;
    let text = page(&scene(told.clone(), &[]).await, "/console/entra").await;
    assert!(text.contains("Entra did not answer the last time."), "{text}");
    told.standing.metadata_at = None;
    let text = page(&scene(told, &[]).await, "/console/entra").await;
    assert!(text.contains("nobody can sign in"), "{text}");
}

#[tokio::test]
async fn groups_are_shown_by_the_names_of_entra_with_what_became_of_them() {
    const ADMINS: &str = "9a000000-0000-4000-8000-00000000ad31";
    let before: &[(&str, &str)] = &[(FINANCE, "SG-Finance"), (ADMINS, "Admins")];
    let after: &[(&str, &str)] = &[(FINANCE, "SG-Finance-EU")];
    let scene = scene(Told::default(), &[before, after]).await;
    for path in ["/console/routes", "/console/entra", "/console/routes/intranet/finance"] {
        let text = page(&scene, path).await;
        assert!(text.contains("SG-Finance-EU") && text.contains("before: SG-Finance<"), "{path}");
        assert!(text.contains(FINANCE), "{path}: the id is at hand");
    }
    let form = page(&scene, "/console/routes/intranet/finance").await;
    assert!(form.contains("<option value=\"SG-Finance-EU\">"), "{form}");
    assert!(!form.contains("<option value=\"Admins\">"), "nobody is let in by a deleted group");
}

#[tokio::test]
async fn group_is_let_in_by_the_name_that_entra_gives_it() {
    let names: &[(&str, &str)] = &[(FINANCE, "SG-Finance-EU")];
    let scene = scene(Told::default(), &[names]).await;
    let owner = scene.owner().await;
    let fields = [
        ("_csrf", owner.csrf()),
        ("revision", String::new()),
        ("effect", "permit".to_owned()),
        ("methods", String::new()),
        ("ticket", String::new()),
        ("who_kind", "group".to_owned()),
        ("who", "sg-finance-eu".to_owned()),
        ("what", "read".to_owned()),
        ("reach", "below".to_owned()),
        ("networks", String::new()),
        ("until", String::new()),
        ("mfa", "optional".to_owned()),
        ("reason", "Quarterly figures".to_owned()),
    ];
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = scene.send(&owner, post("/console/routes/intranet/reports/grants", &fields)).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let draft = scene.store.draft().await.unwrap();
    let added = draft.grants.iter().find(|grant| grant.reason == "Quarterly figures");
    let who = serde_json::to_value(&added.unwrap().who).unwrap();
    assert_eq!(who["group"], FINANCE);
}

#[tokio::test]
async fn name_that_somebody_gave_a_group_in_entra_is_text_and_nothing_else() {
    let names: &[(&str, &str)] = &[(FINANCE, "\"><script>alert(1)</script>")];
    let scene = scene(Told::default(), &[names, &[(FINANCE, "<b>x</b>")]]).await;
    for path in ["/console/routes", "/console/entra", "/console/routes/intranet/finance"] {
        let text = page(&scene, path).await;
        assert!(!text.contains("<script>alert") && !text.contains("<b>x"), "{path}: {text}");
        assert!(text.contains("&#60;b&#62;x"), "{path}: {text}");
    }
}
