//! The portal's pages, from samples.

use crate::model::time::Timestamp;
use crate::portal::home::{AppCard, HomePage, Me, Need, RouteLine, State, Until};
use crate::portal::sessions::{SessionLine, SessionsPage};
use crate::web::contact::Contact;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, Place, Tone};
use crate::web::pages::Action;
use crate::web::stretch::Stretch;
use crate::web::tests::markup::{Text, check, frame, notice};

fn card(text: Text, name: &str, routes: Vec<RouteLine>) -> AppCard {
    AppCard {
        name: text(name),
        host: text("app.localhost:8080"),
        link: Link::parse("http://app.localhost:8080/").unwrap(),
        routes,
    }
}

fn line(text: Text, title: &str) -> RouteLine {
    RouteLine {
        title: text(title),
        place: text("/finance/…"),
        link: Some(Link::parse("http://app.localhost:8080/finance/").unwrap()),
        state: State::Ready,
        may: "Read and change",
        why: vec![text("through Finance"), text("for everyone signed in")],
        until: Some(Until { text: text("until 31 Dec 2026, 18:00 UTC"), tone: Tone::Careful }),
        needs: Vec::new(),
    }
}

fn home(text: Text) -> HomePage {
    let link = Link::parse("/_gate/begin?return=/&step_up=mfa").unwrap();
    let need = Need {
        to: "To change",
        text: text("with multi-factor sign-in"),
        action: Some(Action { link, label: text("Confirm it’s you") }),
    };
    let writes = RouteLine { may: "Read", needs: vec![need.clone()], ..line(text, "Finance") };
    let inside = Need { to: "To open", action: None, ..need };
    let closed = RouteLine {
        state: State::If,
        link: None,
        until: None,
        needs: vec![inside],
        ..line(text, "Administration")
    };
    let parts = RouteLine { state: State::Partly, ..line(text, "Reports") };
    HomePage {
        frame: frame("My access", text),
        q: text("fin"),
        apps: vec![
            card(text, "Contoso intranet", vec![writes, closed, parts]),
            card(text, "Wiki", vec![line(text, "Start page")]),
        ],
        stretch: Some(Stretch {
            words: "51 to 54".to_owned(),
            previous: Some(Link::path(&[]).with_query("page", "1")),
            next: None,
        }),
        me: Me {
            name: text("Olive Okafor"),
            user_name: text("olive@contoso.example"),
            email: Some(text("olive.okafor@contoso.example")),
            guest: Some("Guest"),
            memberships: vec![text("IT-Admins"), text("Finance"), text("Reports.Read")],
            read: Some(Moment::new(Timestamp::from_seconds(1_795_511_702))),
            session: text("Signed in at 09:02 UTC, ends at 21:02 UTC"),
            subject: text(
                "5c1f0f6e-0f8e-4c37-9f0e-7f1f0c6a1f10.8a7c44b2-52b6-4f0e-a1f2-3d1c1a0b9e77",
            ),
        },
        console: Some(Link::path(&["console", ""])),
        read_again: Link::path(&["groups", "read"]),
        sessions: Link::path(&["sessions"]),
        sign_out: Link::path(&["_gate", "logout"]),
        contact: Some(Contact::new(
            &format!("it-help@contoso.example {}", text("")),
            &text("Access"),
        )),
    }
}

#[test]
fn home_page_a59() {
    check("portal_home", home);
    check("portal_home_no_match", |text| HomePage { apps: Vec::new(), ..home(text) });
    check("portal_home_empty", |text| HomePage {
        apps: Vec::new(),
        q: String::new(),
        console: None,
        ..home(text)
    });
}

#[test]
fn card_shows_the_first_letter_of_the_name() {
    let check = |name: &str, expected| {
        assert_eq!(card(str::to_owned, name, Vec::new()).initial(), expected, "{name}");
    };
    check("wiki", "W");
    check("  [érudit]", "É");
    check("!!", "·");
}

#[test]
fn sessions_page_a59() {
    let at = |seconds| Moment::new(Timestamp::from_seconds(seconds));
    let line = |text: Text, place| SessionLine {
        browser: text("Firefox on Linux"),
        client: Some(text("192.0.2.7")),
        started: at(1_795_511_702),
        seen: at(1_795_512_000),
        ends: at(1_795_554_902),
        place,
        end: Link::path(&["sessions", "s-0123456789abcdef", "end"]),
    };
    let page = |text: Text| SessionsPage {
        frame: Frame { notice: Some(notice(text)), ..frame("My sessions", text) },
        sessions: vec![line(text, Place::Here), line(text, Place::Elsewhere)],
        end_others: Some(Link::path(&["sessions", "others", "end"])),
        sign_out: Link::path(&["_gate", "logout"]),
    };
    check("portal_sessions", page);
    check("portal_sessions_alone", |text| SessionsPage {
        frame: frame("My sessions", text),
        sessions: vec![line(text, Place::Here)],
        end_others: None,
        ..page(text)
    });
}
