//! The console's pages, from samples.

use crate::console::cedar_text::{Token, tokens};
use crate::console::choice::{Badge, Field, Named, Standing, Tab, Written};
use crate::console::log::asking::{Chip, Facet};
use crate::console::log::chart::{Bar, Chart};
use crate::console::log::checked::Checked;
use crate::console::log::decision::{DecisionPage, Whole};
use crate::console::log::decisions::{DecisionsPage, Kept, Opened};
use crate::console::log::fact::Fact;
use crate::console::log::listing::Listing;
use crate::console::log::missing::Missing;
use crate::console::log::record::DecisionRow;
use crate::console::rules::form::{GrantForm, KnownGroup};
use crate::console::rules::route::{GrantRow, Inherited, Part, RoutePage, Tools, WrittenRule};
use crate::console::rules::routes::{AppRoutes, RouteRow, RoutesPage};
use crate::console::sections::{self, Section};
use crate::console::urls;
use crate::console::words::Access;
use crate::model::grant::Grant;
use crate::model::record::Verdict;
use crate::model::time::Timestamp;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, Notice, PersonName, Tone};
use crate::web::stretch::Stretch;
use crate::web::tests::markup::{self, Text, check, check_block, innocent, notice};

use super::words::{FINANCE, grant, names};

const CEDAR: &str = r#"@id("grant:g-finance-read")
@reason("Quarterly figures, OPS-4412")
permit (
  principal in Group::"8f3c1d2e-5b6a-4c7d-9e8f-0a1b2c3d4e5f", // Finance
  action in [Action::"read"],
  resource in Route::"payroll/finance"
) when {
  context.ip.isInRange(ip("10.20.0.0/16")) &&
  context.now < datetime("2026-12-31T18:00:00Z")
};
"#;

pub(super) fn frame(title: &str, here: Section, text: Text) -> Frame {
    let mut frame = markup::frame(title, text);
    frame.nav = sections::nav(here, &[Section::Routes, Section::Decisions]);
    frame
}

fn finance_grant() -> Grant {
    grant(&format!(
        r#"{{"id":"g-finance-read","who":{{"group":"{FINANCE}"}},"what":"read","route":"payroll/finance",
            "when":{{"networks":["10.20.0.0/16"],"until":"2026-12-31T18:00:00Z"}},"reason":"Quarterly figures, OPS-4412"}}"#
    ))
}

fn admins_grant() -> Grant {
    grant(
        r#"{"id":"g-admins","who":{"role":"Admin"},"what":"all","route":"payroll/root","when":{"mfa":"required"}}"#,
    )
}

fn never_grant() -> Grant {
    grant(
        r#"{"id":"g-no-guests","effect":"forbid","who":{"role":"External"},"what":"all","route":"payroll/finance","reach":"only","reason":"Works council agreement"}"#,
    )
}

fn row(text: Text, grants: &[&Grant], [id, pattern, title]: [&str; 3]) -> RouteRow {
    let mut access = Access::new(grants, &names(), Written::No);
    for line in &mut access.lines {
        line.who = text(&line.who);
        line.conditions.iter_mut().for_each(|condition| condition.text = text(&condition.text));
    }
    RouteRow {
        link: Some(urls::route(&id.parse().unwrap())),
        standing: Standing::InForce,
        pattern: text(pattern),
        title: text(title),
        ancestors: usize::from(pattern != "/") + usize::from(pattern.contains("legacy")),
        access,
    }
}

fn stretch(text: Text) -> Stretch {
    Stretch {
        words: text("51 to 56 of 56"),
        previous: Some(urls::routes().with_query("page", "1")),
        next: None,
    }
}

fn routes(text: Text) -> RoutesPage {
    let public =
        grant(r#"{"id":"g-public","who":"everyone","what":"read","route":"payroll/home"}"#);
    let anyone = grant(r#"{"id":"g-me","who":"signed_in","what":"read","route":"payroll/me"}"#);
    let reports = grant(
        r#"{"id":"g-reports","who":{"role":"Reports.Read"},"what":"read","route":"payroll/reports"}"#,
    );
    let finance = finance_grant();
    let rows = vec![
        row(text, &[&public], ["payroll/home", "/", "Front page"]),
        row(text, &[&anyone], ["payroll/me", "/me", "My profile"]),
        row(
            text,
            &[&finance, &admins_grant(), &never_grant()],
            ["payroll/finance", "/finance/{*rest}", "Finance"],
        ),
        row(text, &[], ["payroll/legacy", "/finance/legacy", "Old export"]),
        row(text, &[&reports], ["payroll/reports", "/reports/{year}", "Reports"]),
        row(text, &[&anyone, &finance], ["payroll/api", "/api/{*rest}", "Calls from pages"]),
    ];
    let app = |id: &str, name: &str, routes| AppRoutes {
        id: id.to_owned(),
        name: text(name),
        origin: text("http://app.localhost:8080"),
        link: Link::parse("http://app.localhost:8080").ok(),
        upstream: text("forwards to http://127.0.0.1:9000"),
        page: Some(urls::app(&id.parse().unwrap())),
        new_route: Some(urls::new_route(&id.parse().unwrap())),
        standing: Standing::InForce,
        routes,
    };
    RoutesPage {
        frame: frame("Routes", Section::Routes, text),
        summary: text("6 routes of 2 apps. Release 7 is in force."),
        new_app: Some(urls::new_app()),
        action: urls::routes(),
        query: text("finance"),
        stretch: Some(stretch(text)),
        apps: vec![app("payroll", "Payroll", rows), app("wiki", "Wiki", Vec::new())],
    }
}

fn form(text: Text) -> GrantForm {
    let field = |value: &str| Field::of(&text(value));
    GrantForm {
        action: urls::grants(&"payroll/finance".parse().unwrap()),
        id: None,
        revision: text("a1b2"),
        cancel: None,
        kept: Vec::new(),
        effect: Field::of("permit"),
        methods: field(""),
        ticket: field(""),
        problem: None,
        who_kind: Field::of("group"),
        who: field(""),
        who_hint: "A group by name or object id.",
        what: Field::of("read"),
        reach: Field::of("below"),
        networks: field(""),
        mfa: Field::of("optional"),
        mfa_hint: text("Needed means: this session met the authentication context c1."),
        until: field(""),
        reason: field(""),
        groups: vec![KnownGroup { name: text("Finance"), id: FINANCE.to_owned() }],
        sending: text("Goes into the draft."),
    }
}

/// The form as it comes back with 422: typed values kept, messages at the fields.
fn wrong_form(text: Text) -> GrantForm {
    let mut form = GrantForm {
        who: Field::of(&text("Finanse"))
            .wrong(&text("No group has this name. Did you mean Finance?")),
        networks: Field::of(&text("10.20.0.0/33"))
            .wrong(&text("`10.20.0.0/33` is not a network such as 10.20.0.0/16.")),
        until: Field::of(&text("2026-12-31T18:00")),
        reason: Field::of("").wrong(&text("Say why they need it.")),
        problem: Some(text("The grant was not added. Three fields need a change.")),
        ..form(text)
    };
    form.focus_first_error();
    form
}

/// The form of a grant that there is, with conditions that it does not show.
fn change_form(text: Text) -> GrantForm {
    GrantForm {
        id: Some(text("g-finance-read")),
        cancel: Some(urls::routes()),
        kept: vec![text("Mon–Fri 07:00–19:00 (Europe/Prague)")],
        ..form(text)
    }
}

fn shown(text: Text, grant: &Grant, from: Option<Inherited>) -> GrantRow {
    let row = GrantRow::new(grant, &names(), from);
    GrantRow { who: text(&row.who), reason: row.reason.as_deref().map(text), ..row }
}

fn changed(text: Text, grant: &Grant) -> GrantRow {
    let tools = Tools {
        edit: urls::edit_grant(&grant.route, &grant.id),
        end: Some(urls::end_grant(&grant.route, &grant.id)),
        remove: urls::remove_grant(&grant.route, &grant.id),
        revision: text("a1b2"),
    };
    let in_force = Some(text("Finance may read payroll/finance (here and below)"));
    let standing = Standing::Changed;
    GrantRow { standing, in_force, tools: Some(tools), ..shown(text, grant, None) }
}

fn route(text: Text) -> RoutePage {
    let above = Inherited { name: text("/"), link: urls::route(&"payroll/root".parse().unwrap()) };
    let coloured = |token: Token| Token { text: text(&token.text), ..token };
    RoutePage {
        frame: frame("/finance/{*rest}", Section::Routes, text),
        up: urls::routes(),
        app: text("Payroll"),
        pattern: text("/finance/{*rest}"),
        title: text("Finance"),
        badge: None,
        standing: Standing::InForce,
        settings: urls::route_settings(&"payroll/finance".parse().unwrap()),
        decisions: Some(urls::decisions().with_query("q", "payroll/finance")),
        outcome: None,
        part: Part::Page,
        permits: vec![changed(text, &finance_grant()), shown(text, &admins_grant(), Some(above))],
        forbids: vec![shown(text, &never_grant(), None)],
        policies: vec![WrittenRule {
            id: text("no-weekend-writes"),
            link: urls::policies(),
            effect: "may close it",
        }],
        form: Some(form(text)),
        cedar: tokens(CEDAR).into_iter().map(coloured).collect(),
    }
}

fn decision(text: Text, n: u64, [who, user_name, method, path, reason]: [&str; 5]) -> DecisionRow {
    let verdict = if reason == "Granted" { Verdict::Allow } else { Verdict::Deny };
    let id = format!("0k3v9q2m-{n}");
    let grant_link =
        urls::grant(&"payroll/finance".parse().unwrap(), &"g-finance-read".parse().unwrap());
    let rules = match verdict {
        Verdict::Allow => {
            vec![Named { name: text("grant:g-finance-read"), link: Some(grant_link) }]
        }
        Verdict::Deny => Vec::new(),
    };
    DecisionRow {
        link: Link::path(&["console", "decisions", &id]),
        beside: Some(urls::decisions().with_query("record", &id)),
        chosen: None,
        person: Some(urls::people()),
        id,
        at: Moment::new(Timestamp::from_seconds(1_795_511_702 - i64::try_from(n * 7).unwrap())),
        verdict: Badge::verdict(verdict),
        who: PersonName { name: text(who), user_name: text(user_name) },
        method: text(method),
        host: text("app.localhost"),
        path: text(path),
        route: Some(Named {
            name: text("payroll/finance"),
            link: Some(urls::route(&"payroll/finance".parse().unwrap())),
        }),
        reason: text(reason),
        rules,
        client: text("10.20.4.18"),
        millis: text("0.4"),
    }
}

fn results() -> Facet {
    Facet {
        label: "Result",
        tabs: vec![
            Tab { label: "All", link: urls::decisions(), is_here: Some("page") },
            Tab { label: "Denied", link: urls::decisions_where("effect:deny"), is_here: None },
        ],
    }
}

fn decisions(text: Text) -> DecisionsPage {
    let rows = [
        ["Uma", "uma@contoso.example", "GET", "/finance/summary", "Granted"],
        [
            "Nora",
            "nora@contoso.example",
            "GET",
            "/finance/reports/2026-q3-preliminary-figures.pdf",
            "No grant for this person",
        ],
        [
            "Uma",
            "uma@contoso.example",
            "POST",
            "/finance/payments/7431/approve",
            "No grant for this person",
        ],
        ["Olive", "olive@contoso.example", "DELETE", "/admin/users/7431", "Granted"],
        ["Rob", "rob@contoso.example", "GET", "/reports/2026", "Granted"],
        ["Gia", "gia@contoso.example", "GET", "/finance/summary", "Forbidden by a rule"],
        ["nightly-job", "service", "GET", "/api/export", "Granted"],
        ["Not signed in", "", "GET", "/me", "Not signed in"],
    ];
    let listing = Listing {
        action: urls::decisions(),
        newest: urls::decisions(),
        query: text("finance"),
        range: "24h".to_owned(),
        wrong: None,
        chips: vec![Chip { text: text("finance"), without: urls::decisions() }],
        older: Some(urls::decisions().with_query("before", "0v9k3m2q-1182")),
        summary: text("8 decisions, as of 09:15:02 UTC."),
    };
    DecisionsPage {
        frame: frame("Decisions", Section::Decisions, text),
        listing,
        facets: vec![results()],
        open: None,
        kept: Kept::None,
        chart: Some(Chart {
            caption: "6 allowed, 2 denied, 0 refused, by hour.".to_owned(),
            width: 144,
            bars: vec![Bar {
                at: "24 Nov 2026, 09:00".to_owned(),
                link: urls::decisions_where("at:-1h"),
                x: 0,
                allowed: 6,
                kept_out: 2,
                allowed_y: 14,
                allowed_height: 36,
                kept_out_y: 2,
                kept_out_height: 12,
            }],
            from: "23 Nov 2026, 09:00".to_owned(),
            to: "24 Nov 2026, 09:00".to_owned(),
        }),
        live: Some(urls::decisions().with_query("q", "finance")),
        remark: Some("The search index is 40 000 records behind the log.".to_owned()),
        rows: (0..).zip(rows).map(|(n, facts)| decision(text, n, facts)).collect(),
    }
}

#[test]
fn routes_page_a59() {
    check("console_routes", routes);
    check("console_routes_empty", |text| RoutesPage { apps: Vec::new(), ..routes(text) });
}

#[test]
fn route_page_a59() {
    check("console_route", |text| RoutePage { outcome: Some(notice(text)), ..route(text) });
    check("console_route_wrong", |text| RoutePage { form: Some(wrong_form(text)), ..route(text) });
    check("console_route_edit", |text| RoutePage { form: Some(change_form(text)), ..route(text) });
    check("console_route_nobody", |text| RoutePage {
        permits: Vec::new(),
        badge: Badge::access(&[], Written::No),
        form: None,
        ..route(text)
    });
}

#[test]
fn decisions_page_a59() {
    check("console_decisions", decisions);
    check("console_decisions_beside", |text| DecisionsPage {
        open: Some(Opened::new(urls::decisions(), whole(text), urls::decisions())),
        ..decisions(text)
    });
    check("console_decisions_empty", |text| DecisionsPage { rows: Vec::new(), ..decisions(text) });
    check("console_decisions_wrong", |text| {
        let mut page = decisions(text);
        page.rows.clear();
        page.listing.wrong = Some(text("`reson` is not a key"));
        page
    });
}

#[test]
fn decision_page_a59() {
    check("console_decision", |text| DecisionPage {
        frame: frame("Decision", Section::Decisions, text),
        up: urls::decisions(),
        whole: whole(text),
    });
}

fn whole(text: Text) -> Whole {
    Whole {
        why: Some(urls::simulate()),
        row: decision(
            text,
            3,
            ["Nora", "nora@contoso.example", "GET", "/finance/summary", "No grant for this person"],
        ),
        explanation: text("The route is open to Finance, and Nora was in none of its groups."),
        missing: Some(Missing {
            sentence: text("It would open to them with multi-factor sign-in."),
            nearest: Some(Named { name: text("grant:finance"), link: Some(urls::routes()) }),
            let_in: Some(urls::routes()),
        }),
        asked: vec![
            Fact::code("Session", &text("s-1")).leading(Some(urls::decisions())),
            Fact::code("Host", &text("app.localhost")),
            Fact::code("From", &text("10.20.4.18")),
            Fact::prose("Multi-factor", &text("not met")),
        ],
        decided: vec![
            Fact::prose("Release", &text("7")),
            Fact::code("Route", &text("payroll/finance")),
            Fact::prose("Took", &text("0.4 ms")),
        ],
        memberships: vec![text("Staff"), text("Reports.Read")],
        body: text("{\n  \"verdict\": \"deny\",\n  \"reason\": \"no_grant\"\n}"),
        checked: Checked {
            remark: Notice { tone: Tone::Good, text: text("Checked on 24 Nov 2026: intact.") },
            link: urls::integrity(),
            label: "Integrity",
        },
        proof: urls::decisions(),
    }
}

#[test]
fn blocks_stand_alone_for_htmx() {
    check_block("access", &route(innocent).as_access(), "access");
    check_block("rows", &decisions(innocent).as_rows(), "rows");
}

#[test]
fn first_field_with_an_error_gets_the_focus_and_keeps_what_was_typed() {
    let form = wrong_form(innocent);
    assert!(form.who.has_focus() && !form.networks.has_focus());
    assert_eq!(form.who.value, "Finanse");
}
