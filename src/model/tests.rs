//! Tables for what parses and what does not.

use std::time::Duration;

use proptest::prelude::*;

use super::browser::Browser;
use super::expiry::Pressing;
use super::host::{Host, Origin};
use super::id::{DecisionId, GroupId, OriginId, RouteId, Subject};
use super::known::{Known, KnownPrincipal};
use super::principal::{Principal, PrincipalSnapshot};
use super::record::ClientAddress;
use super::route::PathPattern;
use super::session::StepUp;
use super::time::Timestamp;

#[test]
fn hosts_are_read_in_one_way_or_refused() {
    let check = |authority: &str, expected: Option<&str>| {
        let read = Host::from_authority(authority).ok();
        assert_eq!(read.as_ref().map(Host::as_str), expected, "{authority:?}");
    };
    check("app.localhost:8080", Some("app.localhost"));
    check("SECURE.Admin.Example.COM", Some("secure.admin.example.com"));
    check("admin.example.com.", Some("admin.example.com"));
    check("admin.example.com:443", Some("admin.example.com"));
    check("127.0.0.1:80", Some("127.0.0.1"));
    check("[::1]:80", Some("[::1]"));
    check("[0:0::1]", Some("[::1]"));
    check("xn--bcher-kva.example", Some("xn--bcher-kva.example"));
    for refused in [
        "",
        ":80",
        "h:",
        "h:0",
        "h:99999",
        "h:80:80",
        "a:b@c",
        "user@h",
        "h,i",
        "h i",
        "h/",
        "h..i",
        ".h",
        "-h.com",
        "bücher.example",
        "xn--a",
        "xn--",
        "2130706433",
        "127.1",
        "0x7f.1",
        "[::1",
        "::1",
        "[fe80::1%25eth0]",
        "h\t",
        "*",
    ] {
        check(refused, None);
    }
}

#[test]
fn origins_print_without_default_ports() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(
            text.parse::<Origin>().ok().map(|origin| origin.to_string()).as_deref(),
            expected,
            "{text:?}"
        );
    };
    check("https://Gate.Contoso.com:443", Some("https://gate.contoso.com"));
    check("http://localhost:8080/", Some("http://localhost:8080"));
    check("https://gate.contoso.com/path", None);
    check("https://u@gate.contoso.com", None);
    check("ftp://gate.contoso.com", None);
    check("gate.contoso.com", None);
}

#[test]
fn decision_ids_have_one_spelling() {
    let id = DecisionId { origin: OriginId::from_bytes([1, 2, 3, 4, 255]), seq: 1042 };
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in [
        "",
        "0000000",
        "00000000",
        "00000000-",
        "00000000-01",
        "00000000--1",
        "0000000i-1",
        "00000000-1 ",
    ] {
        assert!(wrong.parse::<DecisionId>().is_err(), "{wrong:?}");
    }
}

#[test]
fn ids_normalise_guids_and_refuse_the_rest() {
    let upper = "8F3C0000-0000-4000-8000-00000000ABCD";
    assert_eq!(upper.parse::<GroupId>().unwrap().as_str(), upper.to_ascii_lowercase());
    assert!("8f3c".parse::<GroupId>().is_err());
    assert!("payroll/reports".parse::<RouteId>().is_ok());
    assert!("payroll".parse::<RouteId>().is_err());
    assert!("payroll/Reports".parse::<RouteId>().is_err());
    assert!(format!("{upper}.{upper}").parse::<Subject>().is_ok());
}

#[test]
fn patterns_parse_or_say_why() {
    for fine in [
        "/",
        "/a",
        "/a/",
        "/reports/{year}",
        "/finance/{*rest}",
        "/{*rest}",
        "/a%20b",
        "/~x/%C3%A9",
    ] {
        assert!(fine.parse::<PathPattern>().is_ok(), "{fine}");
    }
    for wrong in [
        "",
        "a",
        "//",
        "/a//b",
        "/a/{*rest}/b",
        "/{A}",
        "/{x}/{x}",
        "/a b",
        "/é",
        "/a%2f",
        "/a%",
        "/..",
        "/a;b",
        "/a?b",
    ] {
        assert!(wrong.parse::<PathPattern>().is_err(), "{wrong}");
    }
}

/// A literal that could be sent in a second spelling would let that spelling slip past its route.
#[test]
fn literals_have_one_spelling() {
    for wrong in [
        "/items:delete",
        "/@me",
        "/a+b",
        "/a%3Ab",
        "/a%40b",
        "/a%2Bb",
        "/%61",
        "/a%2Fb",
        "/a%25b",
        "/a%7Eb",
    ] {
        assert!(wrong.parse::<PathPattern>().is_err(), "{wrong}");
    }
}

#[test]
fn patterns_have_a_length_and_a_depth_a56() {
    let why = |text: String| text.parse::<PathPattern>().unwrap_err().why;
    assert_eq!(why(format!("/{}", "x".repeat(1024))), "it is longer than 1024 bytes");
    assert_eq!(why("/x".repeat(65)), "it has more than 64 segments");
    assert!("/x".repeat(64).parse::<PathPattern>().is_ok());
}

#[test]
fn crossing_patterns_are_found() {
    let crosses = |a: &str, b: &str| {
        let (a, b): (PathPattern, PathPattern) = (a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(a.crossing(&b).is_some(), b.crossing(&a).is_some(), "{a} and {b}");
        a.crossing(&b).is_some()
    };
    assert!(crosses("/u/{name}/secret", "/u/uma/{*rest}"));
    assert!(crosses("/{x}/b", "/a/{y}"));
    assert!(crosses("/{x}/b/{*rest}", "/a/{*rest}"));
    for (a, b) in [
        ("/u/{name}", "/u/uma"),
        ("/finance/{*rest}", "/finance/q/{quarter}"),
        ("/finance", "/financial"),
        ("/a/{x}", "/b/{y}"),
        ("/a/{x}/", "/a/b"),
        ("/{x}/b", "/a/c"),
        ("/{x}/b", "/a/b/c"),
        ("/", "/{*rest}"),
    ] {
        assert!(!crosses(a, b), "{a} and {b}");
    }
}

#[test]
fn the_route_tree_is_a_strict_order() {
    let check = |wide: &str, narrow: &str| {
        let (wide, narrow): (PathPattern, PathPattern) =
            (wide.parse().unwrap(), narrow.parse().unwrap());
        assert!(wide.contains(&narrow), "{wide} contains {narrow}");
        assert!(!narrow.contains(&wide), "{narrow} does not contain {wide}");
        assert!(!wide.contains(&wide), "{wide} does not contain itself");
    };
    check("/", "/finance/{*rest}");
    check("/{*rest}", "/");
    check("/finance/{*rest}", "/finance");
    check("/finance/{*rest}", "/finance/");
    check("/finance", "/finance/");
    check("/finance", "/finance/summary");
    check("/finance/{*rest}", "/finance/q/{*rest}");
    check("/reports/{year}", "/reports/2026");
    check("/reports/{year}", "/reports/2026/{*rest}");
    let apart = |a: &str, b: &str| {
        let (a, b): (PathPattern, PathPattern) = (a.parse().unwrap(), b.parse().unwrap());
        assert!(!a.contains(&b) && !b.contains(&a), "{a} and {b}");
    };
    apart("/finance", "/financial");
    apart("/a/{x}", "/b/c");
    apart("/{x}/b", "/a/{y}");
}

#[test]
fn neighbourhood_of_an_address_is_itself_or_its_ipv6_network() {
    let check = |ip: &str, expected: &str| {
        let client = ClientAddress::Known(ip.parse().unwrap());
        assert_eq!(client.neighbourhood().to_string(), expected, "{ip}");
    };
    check("192.0.2.7", "192.0.2.7");
    check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
    check("2001:db8:1:3:3:4:5:6", "2001:db8:1:3::");
    check("::1", "::");
    assert_eq!(ClientAddress::Unknown.neighbourhood().to_string(), "unknown");
}

#[test]
fn step_ups_are_read_in_one_way_or_refused() {
    for text in ["c1", "c99", "max_age=0", "max_age=86400", "c1 max_age=300"] {
        let read: StepUp = text.parse().unwrap();
        assert!(!read.is_empty());
        assert_eq!(read.to_string(), text);
    }
    assert_eq!("max_age=300 c7".parse::<StepUp>().unwrap().to_string(), "c7 max_age=300");
    for refused in [
        "",
        " ",
        "c0",
        "c01",
        "c100",
        "C1",
        "p1",
        "mfa",
        "c1,c2",
        "c1 c2",
        "c1 c1",
        "c1 ",
        " c1",
        "c1  max_age=1",
        "max_age=",
        "max_age=-1",
        "max_age=+1",
        "max_age=1.5",
        "max_age=1s",
        "max_age=86401",
        "max_age=99999999999999999999",
        "max_age=1 max_age=1",
        "max-age=1",
    ] {
        assert!(refused.parse::<StepUp>().is_err(), "{refused:?}");
    }
}

#[test]
fn of_somebody_known_the_newest_counts_and_all_their_names_find_them() {
    let person = |name: &str, seconds: i64| {
        let user = serde_json::json!({
            "kind": "user", "user_name": "uma@contoso.example", "name": name, "guest": "member",
            "subject": "7f2c3a10-0000-4000-8000-000000000001.7f2c3a10-0000-4000-8000-0000000000aa",
            "email": "u.umarov@mail.example", "groups": [], "roles": [],
        });
        let content = PrincipalSnapshot::new(serde_json::from_value(user).unwrap());
        KnownPrincipal { content, seen_at: Timestamp::from_seconds(seconds) }
    };
    let nobody = PrincipalSnapshot::new(Principal::Anonymous);
    let nobody = KnownPrincipal { content: nobody, seen_at: Timestamp::from_seconds(9) };
    let known = Known::newest([person("Old", 1), person("New", 3), person("Middle", 2), nobody]);
    let (subject, one) = known.iter().next().unwrap();
    assert_eq!((known.len(), one.content.display_name()), (1, "New".to_owned()));
    assert_eq!(known.get(subject).unwrap().seen_at, Timestamp::from_seconds(3));
    for text in ["", " new ", "UMA@", "umarov@mail", "0000000000aa"] {
        assert_eq!(known.named(text).len(), 1, "{text}");
    }
    assert!(known.named("old").is_empty());
}

#[test]
fn browsers_are_told_by_a_few_words_and_nothing_else_of_what_they_send() {
    let check = |user_agent: &str, expected: &str| {
        let browser = Browser::of(user_agent);
        assert_eq!(browser.to_string(), expected, "{user_agent}");
        assert_eq!(expected.parse(), Ok(browser), "{expected}");
    };
    check(
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
        "Chrome on Windows",
    );
    check("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows");
    check(
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Firefox on Linux",
    );
    check(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
        "Safari on iOS",
    );
    check("Mozilla/5.0 (Linux; Android 16) Chrome/142.0 Mobile Safari/537.36", "Chrome on Android");
    check("curl/8.9", "curl");
    check("", "Another browser");
    check("\"><script>alert(1)</script> \u{202e}", "Another browser");
    assert!("Netscape on BeOS".parse::<Browser>().is_err());
}

proptest! {
    /// Why only names with A-labels are put to the IDNA reader: what we take, it takes for the same host.
    #[test]
    fn hosts_that_are_taken_are_the_same_to_a_browser(
        name in "[a-zA-Z0-9_-]{1,8}([.][a-zA-Z0-9_-]{1,5}){0,3}[.]?"
    ) {
        if let Ok(host) = name.parse::<Host>() {
            let read = url::Host::parse(&name).unwrap().to_string();
            prop_assert_eq!(read.trim_end_matches('.'), host.as_str());
        }
    }
}

#[test]
fn an_end_grows_more_pressing_30_14_and_3_days_before_it() {
    let (now, hour) = (Timestamp::from_seconds(1_795_511_702), Duration::from_hours(1));
    for (hours, pressing) in [
        (31 * 24, Pressing::Later),
        (30 * 24, Pressing::Soon),
        (15 * 24, Pressing::Soon),
        (14 * 24, Pressing::Near),
        (4 * 24, Pressing::Near),
        (3 * 24, Pressing::Now),
        (1, Pressing::Now),
        (0, Pressing::Over),
    ] {
        assert_eq!(Pressing::of(now.plus(hour * hours), now), pressing, "{hours} hours");
    }
    assert_eq!(Pressing::of(now.minus(hour), now), Pressing::Over);
}
