//! The portal's pages, from samples.

use crate::web::contact::Contact;
use crate::web::link::Link;
use crate::web::tests::markup::{Text, check, frame};

use crate::portal::home::{AppTile, HomePage, Me};

fn tile(text: Text, name: &str, host: &str) -> AppTile {
    AppTile {
        name: text(name),
        host: text(host),
        link: Link::parse("http://app.localhost:8080/").unwrap(),
        may: text("Read and change"),
        condition: None,
    }
}

fn home(text: Text) -> HomePage {
    let reports = AppTile {
        may: text("Read"),
        condition: Some(text("Changes need multi-factor sign-in")),
        ..tile(text, "Payroll reports", "reports.contoso.example")
    };
    HomePage {
        frame: frame("My access", text),
        apps: vec![
            tile(text, "Sample app", "app.localhost:8080"),
            reports,
            tile(text, "Wiki", "wiki.contoso.example"),
        ],
        me: Me {
            name: text("Olive Okafor"),
            user_name: text("olive@contoso.example"),
            email: Some(text("olive.okafor@contoso.example")),
            guest: Some("Guest"),
            memberships: vec![text("IT-Admins"), text("Finance"), text("Reports.Read")],
            session: text("Signed in at 09:02 UTC, ends at 21:02 UTC"),
            subject: text(
                "5c1f0f6e-0f8e-4c37-9f0e-7f1f0c6a1f10.8a7c44b2-52b6-4f0e-a1f2-3d1c1a0b9e77",
            ),
        },
        console: Some(Link::path(&["console", "routes"])),
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
    check("portal_home_empty", |text| HomePage { apps: Vec::new(), console: None, ..home(text) });
}

#[test]
fn tile_shows_the_first_letter_of_the_name() {
    let check = |name: &str, expected| {
        assert_eq!(tile(str::to_owned, name, "h").initial(), expected, "{name}");
    };
    check("wiki", "W");
    check("  [érudit]", "É");
    check("!!", "·");
}
