//! What must hold for the markup of every page, whichever door it belongs to.

use std::collections::BTreeSet;
use std::path::Path;

use askama::Template;
use secrecy::SecretString;

use crate::web::page::{Frame, Notice, PersonName, Tone};

/// Where rendered samples are written, for looking at them: `target/samples`.
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/samples");

/// What a sample does to each text that it shows: nothing, or something hostile.
pub(crate) type Text = fn(&str) -> String;

/// The sample as a person would meet it.
pub(crate) fn innocent(text: &str) -> String {
    text.to_owned()
}

/// The same with everything that data could try in a page.
pub(crate) fn hostile(text: &str) -> String {
    format!(
        "{text}\"><img src=x onerror=alert(1)></script><script>alert(1)</script>' hx-get='/admin/delete' \
         hx-trigger='load</pre><!-- {{{{7*7}}}} javascript:alert(1) \u{202e}gnp.exe & &lt;b&gt; </title></textarea>{}",
        "A".repeat(2_000)
    )
}

/// A frame for a signed-in person.
pub(crate) fn frame(title: &str, text: Text) -> Frame {
    let mut frame = Frame::new(&text(title)).unwrap();
    frame.person =
        Some(PersonName { name: text("Olive Okafor"), user_name: text("olive@contoso.example") });
    frame.csrf = Some(SecretString::from(text("token-of-this-session")));
    frame.release = Some(text("Release 7, 24 Nov 2026"));
    frame
}

/// A notice as it stands at the top of a page.
pub(crate) fn notice(text: Text) -> Notice {
    Notice {
        tone: Tone::Good,
        text: text("Grant g-finance-read was added. Release 8 is in force."),
    }
}

/// Checks a page: `make` gives it from innocent or hostile texts.
pub(crate) fn check<P: Template>(name: &str, make: impl Fn(Text) -> P) {
    let html = check_fragment(name, make);
    write(name, &html);
    check_labels(name, &tags(&html));
}

/// Checks a whole page as it was answered.
pub(crate) fn check_answered(name: &str, html: &str) {
    check_tags(name, &tags(html));
    check_labels(name, &tags(html));
    write(name, html);
}

/// Checks a piece of a page that stands alone; gives it as a person would meet it.
pub(crate) fn check_fragment<P: Template>(name: &str, make: impl Fn(Text) -> P) -> String {
    let html = make(innocent).render().unwrap();
    assert_same_shape(name, &html, &make(hostile).render().unwrap());
    check_tags(name, &tags(&html));
    html
}

/// Fails when one has other tags or attributes than the other.
pub(crate) fn assert_same_shape(name: &str, html: &str, attacked: &str) {
    let (html, attacked) = (shape(&tags(html)), shape(&tags(attacked)));
    assert_eq!(html, attacked, "{name}: hostile data changed the markup");
}

/// Checks a block that htmx swaps in.
pub(crate) fn check_block<P: Template>(name: &str, html: &P, root: &str) {
    let tags = tags(&html.render().unwrap());
    assert_eq!(tags.first().and_then(|tag| tag.get("id")), Some(root), "{name}: wrong root");
    check_tags(name, &tags);
}

/// Writes a page where people can look at it.
pub(crate) fn write(name: &str, html: &str) {
    let path = Path::new(SAMPLES).join(format!("{name}.html"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, html).unwrap();
}

/// One opening tag with its attributes, values as they stand in the source.
#[derive(Debug)]
pub(crate) struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// All opening tags. Templates quote every value, and data never holds a raw `<`, so this is enough of a parser.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    let mut out = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (tag, after) = rest.split_at(tag_end(rest));
        out.push(read_tag(tag));
        rest = after;
    }
    out
}

fn tag_end(rest: &str) -> usize {
    let mut quote = None;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '>') => return at,
            _ => {}
        }
    }
    rest.len()
}

fn read_tag(text: &str) -> Tag {
    let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(quoted) => {
                let mut parts = quoted.splitn(3, if quoted.starts_with('\'') { '\'' } else { '"' });
                assert_eq!(parts.next(), Some(""), "unquoted value in <{text}>");
                (parts.next().unwrap(), parts.next().unwrap())
            }
            None => ("", after),
        };
        attributes.push((attribute.to_owned(), value.to_owned()));
        rest = after;
    }
    Tag { name: name.trim_end_matches('/').to_owned(), attributes }
}

/// Names of all tags and their attributes: what data must not change.
fn shape(tags: &[Tag]) -> Vec<String> {
    tags.iter()
        .map(|tag| {
            let names: Vec<_> = tag.attributes.iter().map(|(name, _)| name.as_str()).collect();
            format!("{} {}", tag.name, names.join(" "))
        })
        .collect()
}

const REQUESTS: [&str; 8] = [
    "hx-get",
    "hx-post",
    "hx-put",
    "hx-patch",
    "hx-delete",
    "hx-query",
    "hx-action",
    "hx-sse:connect",
];

fn check_tags(name: &str, tags: &[Tag]) {
    let mut ids = BTreeSet::new();
    for tag in tags {
        let asks = REQUESTS.iter().any(|request| tag.has(request));
        assert!(!asks || tag.has("hx-nonce"), "{name}: request without hx-nonce in {tag:?}");
        assert!(!tag.has("style") && tag.name != "style", "{name}: inline style in {tag:?}");
        assert!(tag.name != "script" || tag.has("src"), "{name}: inline script");
        let handler =
            |(own, _): &(String, String)| own.starts_with("on") || own.starts_with("hx-on");
        assert!(!tag.attributes.iter().any(handler), "{name}: inline handler in {tag:?}");
        assert!(tag.name != "img" || tag.has("alt"), "{name}: image without alt");
        if let Some(id) = tag.get("id") {
            assert!(ids.insert(id), "{name}: id `{id}` twice");
        }
    }
}

/// Landmarks, one heading, and a label for every control.
fn check_labels(name: &str, tags: &[Tag]) {
    let count = |wanted: &str| tags.iter().filter(|tag| tag.name == wanted).count();
    assert_eq!([count("h1"), count("main"), count("title")], [1, 1, 1], "{name}: landmarks");
    let ids: BTreeSet<_> = tags.iter().filter_map(|tag| tag.get("id")).collect();
    let labelled: BTreeSet<_> = tags.iter().filter_map(|tag| tag.get("for")).collect();
    for tag in tags {
        let control = matches!(tag.name.as_str(), "input" | "select" | "textarea");
        let named = tag.get("type") == Some("hidden") || tag.has("aria-label");
        let label = tag.get("id").is_some_and(|id| labelled.contains(id));
        assert!(!control || named || label, "{name}: no label for {tag:?}");
        for reference in ["aria-labelledby", "aria-describedby", "for", "list"] {
            for id in tag.get(reference).unwrap_or_default().split_whitespace() {
                assert!(ids.contains(id), "{name}: {reference} names `{id}`, which is not there");
            }
        }
    }
}

/// As much of it as a rule book takes: names are short, and hold nothing that people can't see.
pub(crate) fn fitting(text: &str) -> String {
    text.replace('\u{202e}', "").chars().take(200).collect()
}
