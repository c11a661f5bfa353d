//! Files, headers, links and the words of htmx.

use axum::response::IntoResponse;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::model::principal::PrincipalHash;
use crate::web::assets::{File, PREFIX, answer};
use crate::web::headers::{ContentPolicy, Nonce};
use crate::web::hx::{Hx, HxOut, Wants, signed_out};
use crate::web::link::Link;
use crate::web::page;
use crate::web::pages::{SignedOut, SignedOutPage};

use super::markup::{frame, innocent};

fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn every_file_is_served_for_good_under_its_hash() {
    for file in File::ALL {
        let name = file.url().strip_prefix(PREFIX).unwrap();
        let response = answer(name, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        let headers = response.headers();
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers.contains_key(header::ETAG));
    }
}

#[test]
fn file_that_the_browser_holds_is_not_sent_again() {
    let name = File::Sheet.url().strip_prefix(PREFIX).unwrap();
    let etag = answer(name, &HeaderMap::new()).headers()[header::ETAG].clone();
    let mut request = HeaderMap::new();
    request.insert(header::IF_NONE_MATCH, etag);
    assert_eq!(answer(name, &request).status(), StatusCode::NOT_MODIFIED);
}

#[test]
fn unknown_file_is_not_found_and_not_kept() {
    for name in ["", "console.css", "console-0000000000000000.css", "../Cargo.toml", "mark.svg"] {
        let response = answer(name, &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{name}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}

#[test]
fn vendored_scripts_are_those_of_the_readme() {
    use sha2::{Digest, Sha256};
    let vendor = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/assets/vendor");
    for (package, name) in [
        ("htmx", "htmx.min.js"),
        ("htmx", "hx-csp.min.js"),
        ("htmx", "hx-sse.min.js"),
        ("codemirror", "codemirror.min.js"),
    ] {
        let dir = format!("{vendor}/{package}");
        let readme = std::fs::read_to_string(format!("{dir}/README.md")).unwrap();
        let digest = Sha256::digest(std::fs::read(format!("{dir}/{name}")).unwrap());
        let hex = PrincipalHash(digest.into()).to_string();
        assert!(readme.contains(&hex), "{name} is {hex}");
    }
}

#[test]
fn page_can_not_be_framed_cached_or_embedded_a48_a51() {
    let page = SignedOutPage {
        frame: frame("Signed out", innocent),
        reach: SignedOut::Everywhere,
        again: Link::path(&[]),
        hint: "",
    };
    let response = page::still(StatusCode::OK, &page);
    let headers = response.headers();
    let csp = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(csp.starts_with("default-src 'none'"), "{csp}");
    assert!(csp.contains("frame-ancestors 'none'") && !csp.contains("script-src"), "{csp}");
    assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
    assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
    assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    assert_eq!(headers[header::REFERRER_POLICY], "same-origin");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert!(headers[header::VARY].to_str().unwrap().contains("HX-Request-Type"));
}

#[test]
fn console_policy_allows_scripts_by_nonce_only() {
    let nonce = Nonce::fresh().unwrap();
    let csp = ContentPolicy::Scripted(&nonce).to_header();
    assert!(csp.contains(&format!("script-src 'nonce-{nonce}' 'strict-dynamic'")), "{csp}");
    assert!(csp.contains("require-trusted-types-for 'script'; trusted-types htmx"), "{csp}");
    assert!(!csp.contains("unsafe") && !csp.contains("data:"), "{csp}");
}

#[test]
fn nonce_is_new_each_time_and_stays_out_of_logs() {
    let (one, two) = (Nonce::fresh().unwrap(), Nonce::fresh().unwrap());
    assert_ne!(one, two);
    assert_eq!(one.as_str().len(), 22);
    assert!(!format!("{one:?}").contains(one.as_str()));
}

#[test]
fn fragment_is_only_for_a_request_that_says_so() {
    let check = |pairs: &[(&'static str, &'static str)], wants| {
        assert_eq!(Hx::from_headers(&request(pairs)).wants, wants, "{pairs:?}");
    };
    let (asks, part) = (("hx-request", "true"), ("hx-request-type", "partial"));
    check(&[], Wants::Page);
    check(&[part], Wants::Page);
    check(&[asks], Wants::PageByScript);
    check(&[asks, ("hx-request-type", "full")], Wants::PageByScript);
    check(&[asks, part], Wants::Fragment);
    check(&[asks, part, ("hx-boosted", "true")], Wants::PageByScript);
    check(&[asks, part, ("hx-history-restore-request", "true")], Wants::Page);
}

#[test]
fn target_is_the_id_without_the_tag() {
    let hx = Hx::from_headers(&request(&[("hx-target", "tbody#rows"), ("hx-source", "body")]));
    assert_eq!((hx.target.as_deref(), hx.source), (Some("rows"), None));
}

#[test]
fn signed_out_script_is_sent_away_by_header_never_by_redirect() {
    let hx = Hx::from_headers(&request(&[("hx-request", "true"), ("hx-request-type", "partial")]));
    let response = signed_out(&hx, "/_gate/login");
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["hx-redirect"], "/_gate/login");
    let response = signed_out(&Hx::from_headers(&HeaderMap::new()), "/_gate/login");
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[header::LOCATION], "/_gate/login");
}

#[test]
fn announcement_is_ascii_json() {
    let response = (HxOut::new().announce("Zoë \u{1f332} \"added\"\n"), "").into_response();
    let header = response.headers()["hx-trigger"].to_str().unwrap();
    assert_eq!(header, r#"{"announce":{"text":"Zo\u00eb \ud83c\udf32 \"added\"\n"}}"#);
}

#[test]
fn link_is_a_path_here_or_a_web_address_a59() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(Link::parse(text).ok().as_ref().map(Link::as_str), expected, "{text}");
    };
    check("/finance?x=1", Some("/finance?x=1"));
    check("https://wiki.example.org/a", Some("https://wiki.example.org/a"));
    for bad in [
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/a\nb",
        "vbscript:x",
        "wiki",
        "https:",
    ] {
        check(bad, None);
    }
}

#[test]
fn link_path_and_query_are_encoded() {
    let link = Link::path(&["console", "a/b"]).with_query("q", "a&b=c").with_query("v", "é");
    assert_eq!(link.as_str(), "/console/a%2Fb?q=a%26b%3Dc&v=%C3%A9");
}

#[test]
fn templates_are_short_and_leave_escaping_on() {
    let banned = ["|safe", "| safe", "escape(", "<style", " style=", "hx-on", "javascript:", "js:"];
    for path in templates(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")) {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.lines().count() <= 150, "{path} is too long");
        for word in banned {
            assert!(!text.contains(word), "{path} holds `{word}`");
        }
        let handler =
            text.split_whitespace().find(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handler, None, "{path} holds an inline handler");
    }
}

fn templates(dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path().display().to_string();
        if path.rsplit_once('.').is_some_and(|(_, extension)| extension == "html") {
            found.push(path);
        } else if std::fs::metadata(&path).unwrap().is_dir() {
            found.extend(templates(&path));
        }
    }
    found
}
