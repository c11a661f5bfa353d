//! Letter case and encoded slashes, route by route (A04c, A04i).

use super::super::compile::compile;
use super::super::path::{CanonicalPath, PathRefusal};
use super::{Ask, book, decide, grant, group, route, snapshot, terms, user};
use crate::model::grant::{Method, What};
use crate::model::id::{AppId, ReleaseNumber};
use crate::model::record::Verdict;
use crate::model::route::{EncodedSlashes, LetterCase};
use crate::model::rule_book::RuleBook;

const FINANCE: &str = "f1a2ce00-0000-4000-8000-00000000000a";

/// An area and a place in it, in one letter case or the other.
fn areas(outer: LetterCase, inner: LetterCase) -> RuleBook {
    let mut book = RuleBook { grants: Vec::new(), policies: Vec::new(), ..book() };
    book.routes.retain(|route| route.id.name() == "home");
    let mut area = route("shop/area", "/Area/{*rest}");
    let mut place = route("shop/place", "/area/Secret/{*rest}");
    (area.letter_case, place.letter_case) = (outer, inner);
    book.routes.extend([area, place]);
    book
}

fn read(book: &RuleBook, raw: &str) -> String {
    let snapshot = snapshot(book);
    let app: AppId = "shop".parse().unwrap();
    let path = snapshot.as_app_reads(Some(&app), CanonicalPath::read(raw.as_bytes()).unwrap());
    let found = snapshot.find(&app, path.as_str());
    format!(
        "{path} {}",
        found.map_or_else(|| "-".to_owned(), |found| found.route.id.name().to_owned())
    )
}

#[test]
fn a_folded_area_is_one_place_in_any_letters_a04i() {
    let book = areas(LetterCase::Folded, LetterCase::Folded);
    for raw in ["/area/x", "/AREA/X", "/aReA/x"] {
        assert_eq!(read(&book, raw), "/area/x area", "{raw}");
    }
    assert_eq!(read(&book, "/Area"), "/area area", "the doorstep too");
    assert_eq!(read(&book, "/AREA/SECRET/K%C3%A9Y"), "/area/secret/k%C3%A9y place", "escapes stay");
    // What leads nowhere, and what leads to a route that tells the cases apart, stays as it is.
    assert_eq!(read(&book, "/Elsewhere"), "/Elsewhere -");
    let kept = areas(LetterCase::Kept, LetterCase::Kept);
    assert_eq!(read(&kept, "/Area/X"), "/Area/X area");
    assert_eq!(read(&kept, "/AREA/X"), "/AREA/X -");
}

#[test]
fn rules_about_a_folded_area_reach_all_that_is_carved_out_of_it() {
    let mut book = areas(LetterCase::Folded, LetterCase::Folded);
    book.grants = vec![grant("area", group(FINANCE), What::Read, "shop/area")];
    let uma = || user("uma", &[FINANCE], &[]);
    let verdict = |path| decide(&snapshot(&book), &Ask::new(uma(), Method::Get, path)).verdict;
    assert_eq!(verdict("/area/secret/x"), Verdict::Allow);
}

#[test]
fn one_area_in_two_letter_cases_is_refused() {
    let mixed = areas(LetterCase::Folded, LetterCase::Kept);
    let said = compile(&mixed, ReleaseNumber(1), &terms()).unwrap_err().to_string();
    assert!(said.contains("does not tell the cases of letters apart"), "{said}");
    assert!(said.contains("route `shop/place`") && said.contains("`shop/area`"), "{said}");
    let mut twins = areas(LetterCase::Folded, LetterCase::Folded);
    let mut twin = route("shop/twin", "/AREA/{*other}");
    twin.letter_case = LetterCase::Folded;
    twins.routes.push(twin);
    let refused = compile(&twins, ReleaseNumber(1), &terms()).unwrap_err().to_string();
    assert!(refused.contains("can't be told from another one"), "{refused}");
}

#[test]
fn an_encoded_slash_stands_only_where_the_route_keeps_it_a04c() {
    let mut book = areas(LetterCase::Kept, LetterCase::Kept);
    book.routes.iter_mut().filter(|route| route.id.name() == "area").for_each(|route| {
        route.encoded_slashes = EncodedSlashes::Kept;
    });
    let snapshot = snapshot(&book);
    let app: AppId = "shop".parse().unwrap();
    let read = |raw: &str| {
        let keeps = |path: &CanonicalPath| snapshot.keeps_slashes(Some(&app), path);
        CanonicalPath::read_where(raw.as_bytes(), keeps).map(|path| path.to_string())
    };
    assert_eq!(read("/Area/a%2fb/c"), Ok("/Area/a%2Fb/c".to_owned()), "it is never decoded");
    for raw in ["/a%2Fb", "/area/Secret/a%2Fb", "/%2FArea/x", "/Area%2Fx"] {
        assert_eq!(read(raw), Err(PathRefusal::EncodedDelimiter), "{raw}");
    }
    for raw in
        ["/Area/..%2Fadmin", "/Area/a%2F..%2Fb", "/Area/%2e%2e%2fx", "/Area/.%2F", "/Area/a%2F..;x"]
    {
        assert_eq!(
            read(raw),
            Err(PathRefusal::EncodedDelimiter),
            "no dot segment hides behind it: {raw}"
        );
    }
    for raw in ["/Area/a%2F%25", "/Area/%3B%2F", "/Area/%23%2f"] {
        assert_eq!(read(raw), Err(PathRefusal::EncodedDelimiter), "{raw}");
    }
    assert_eq!(read("/Area/a%5C%2F"), Err(PathRefusal::EncodedBackslash));
}
