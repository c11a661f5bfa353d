//! How Cedargate itself stands: rules, log, search, proof, directory, disk.

use std::time::Duration;

use super::card::{Card, Unread};
use super::now::Reads;
use crate::config::Shown as Setting;
use crate::console::Console;
use crate::console::setup::entra::{names, reach};
use crate::console::showing::Shown;
use crate::console::urls;
use crate::console::words::grouped;
use crate::model::query::{Present, Query};
use crate::model::record::RecordLine;
use crate::model::time::Timestamp;
use crate::store::StoreError;
use crate::store::audit::Space;
use crate::store::audit::search::Wanted;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Notice, Tone};

/// With less room than this, the log may soon not be written any more: 2 GiB.
const ROOM: u64 = 2 << 30;
/// A check that is older than this is old. 31 days.
const OLD: Duration = Duration::from_hours(31 * 24);

/// One part, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub name: &'static str,
    /// How it stands.
    pub standing: Notice,
    /// Where more is said.
    pub link: Option<Link>,
}

fn part(name: &'static str, (tone, text): (Tone, String), link: Option<Link>) -> Part {
    Part { name, standing: Notice { tone, text }, link }
}

/// Every part; those that could not be read say so.
pub(super) async fn parts(
    console: &Console,
    (shown, verified, reads): (&Shown, &Card<Option<RecordLine>>, Reads),
    (behind, now): (Card<u64>, Timestamp),
) -> Vec<Part> {
    let entra = Some(urls::entra());
    let integrity = (reads == Reads::Log).then(urls::integrity);
    let standing = |remark: crate::console::setup::entra::Remark| (remark.tone, remark.text);
    vec![
        part("Rules in force", release(shown), Some(urls::releases())),
        part("Log", space(console.reader.space().await), None),
        part("Search", search(behind), None),
        part("Checked", checked(verified, now), integrity),
        part("Anchors", anchors(console), None),
        part("Entra", standing(reach(&console.entra.standing(), now)), entra.clone()),
        part("Names of groups", standing(names(&console.groups.standing())), entra),
    ]
}

const UNREAD: &str = "Could not be read";

fn release(shown: &Shown) -> (Tone, String) {
    if shown.number.0 == 0 {
        return (Tone::Careful, "Nothing was published yet, so everything is closed".to_owned());
    }
    (Tone::Good, shown.words().to_owned())
}

fn space(space: Result<Space, StoreError>) -> (Tone, String) {
    match space.map_err(|error| Unread::because(&error)) {
        Err(Unread) => (Tone::Bad, UNREAD.to_owned()),
        Ok(Space { taken, free: None }) => (Tone::Plain, format!("{} large", bytes(taken))),
        Ok(Space { taken, free: Some(free) }) => {
            let tone = if free < ROOM { Tone::Bad } else { Tone::Good };
            (tone, format!("{} large, {} free on its disk", bytes(taken), bytes(free)))
        }
    }
}

fn search(behind: Card<u64>) -> (Tone, String) {
    match behind {
        Err(Unread) => (Tone::Bad, UNREAD.to_owned()),
        Ok(0) => (Tone::Good, "Up to date".to_owned()),
        Ok(1) => (Tone::Good, "1 record behind the log".to_owned()),
        Ok(behind) => {
            let tone = if behind > 20_000 { Tone::Careful } else { Tone::Good };
            (tone, format!("{} records behind the log", grouped(behind)))
        }
    }
}

fn checked(verified: &Card<Option<RecordLine>>, now: Timestamp) -> (Tone, String) {
    let line = match verified {
        Err(Unread) => return (Tone::Bad, UNREAD.to_owned()),
        Ok(None) => {
            let text = "The log was never checked";
            return (Tone::Careful, text.to_owned());
        }
        Ok(Some(line)) => line,
    };
    let at = Moment::new(line.at).minute();
    if line.body.contains("\"tampered\"") {
        return (Tone::Bad, format!("The check of {at} found the log tampered with"));
    }
    let tone = if now.since(line.at) > OLD { Tone::Careful } else { Tone::Good };
    (tone, format!("Last {at}"))
}

fn anchors(console: &Console) -> (Tone, String) {
    let key = |name: &str| console.settings.iter().find(|setting| setting.key == name);
    match key("audit.anchor_file").map(|setting| &setting.value) {
        Some(Setting::Text(_) | Setting::List(_) | Setting::Secret) => (
            Tone::Good,
            "Each minute in the process's log, beside the key, and in the anchor file".to_owned(),
        ),
        Some(Setting::NotSet) | None => (
            Tone::Plain,
            "Each minute in the process's log and beside the key; no anchor file is set".to_owned(),
        ),
    }
}

/// `1.2 GB`
fn bytes(number: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut tenths = number / 100;
    let mut unit = "kB";
    for next in units.into_iter().skip(1) {
        if tenths < 10_000 {
            break;
        }
        tenths /= 1_000;
        unit = next;
    }
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// The newest record of a check of the log.
pub(super) async fn verified(
    console: &Console,
    shown: &Shown,
    now: Timestamp,
) -> Card<Option<RecordLine>> {
    let query: Query = "kind:log_verified".parse().unwrap_or_default();
    let known = Present { now, names: shown.names.clone() };
    let wanted = Wanted { query, known, before: None, after: None, limit: 1 };
    let found = console.searcher.find(wanted).await.map_err(|error| Unread::because(&error))?;
    Ok(found.lines.into_iter().next())
}
