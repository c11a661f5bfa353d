//! What ends soon: grants, what Cedargate proves itself with at Entra, and the certificate of its own listener.

use std::time::Duration;

use crate::console::Console;
use crate::console::setup::entra::{self, ends};
use crate::console::showing::Shown;
use crate::console::urls;
use crate::model::expiry::Pressing;
use crate::model::time::Timestamp;
use crate::model::words::sentence;
use crate::web::link::Link;
use crate::web::moment::Moment;
use crate::web::page::{Frame, Notice, Tone};

/// Grants that end within this time. 14 days.
const SOON: Duration = Duration::from_hours(14 * 24);
/// And within this, so soon that somebody may be surprised.
const AT_ONCE: Duration = Duration::from_hours(2 * 24);
/// How many are listed.
const ROWS: usize = 8;

/// Who replaces the certificate; the banner tells it to everybody alike.
const REPLACED: &str = "Whoever runs this gate has to replace it.";

/// Something that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What.
    pub what: String,
    /// When.
    pub end: Notice,
    /// Where it is made to last longer.
    pub link: Link,
}

impl Ending {
    /// Where it is made to last longer, where the navigation of this person leads there: who may not read the settings is led
    /// to none.
    pub fn way(&self, frame: &Frame) -> Option<&Link> {
        let leads = |link: &Link| {
            frame.nav.iter().flat_map(|group| &group.items).any(|item| item.link == *link)
        };
        Some(&self.link).filter(|link| **link != urls::settings() || leads(link))
    }
}

/// What ends soon, the soonest first.
pub(super) fn soon(console: &Console, shown: &Shown, now: Timestamp) -> Vec<Ending> {
    let mut all: Vec<(Timestamp, Ending)> = grants(shown, now).collect();
    all.extend(certificate(console.certificate_ends, now));
    all.extend(
        ends(&*console.entra, now)
            .into_iter()
            .map(|(at, what, end)| (at, Ending { what, end, link: urls::entra() })),
    );
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, ending)| ending).take(ROWS).collect()
}

/// What is said where nothing ends soon: of a certificate only where one is known.
pub(super) fn calm(console: &Console) -> &'static str {
    match console.certificate_ends {
        None => "No grant ends in the next 14 days, and no credential in the next 30.",
        Some(_) => {
            "No grant ends in the next 14 days, and no credential or certificate in the next 30."
        }
    }
}

/// What somebody must do soon, for the top of the page; the most pressing one.
pub(super) fn warning(console: &Console, now: Timestamp) -> Option<Notice> {
    let of_entra = entra::warning(&*console.entra, now);
    let own = certificate(console.certificate_ends, now).map(|(_, Ending { what, end, .. })| {
        Notice { tone: end.tone, text: format!("{what}: {}. {REPLACED}", end.text) }
    });
    let mut pressing: Vec<_> =
        own.into_iter().filter(|notice| notice.tone != Tone::Plain).chain(of_entra).collect();
    pressing.sort_by_key(|notice| notice.tone != Tone::Bad);
    pressing.into_iter().next()
}

/// The certificate of our own listener, when it ends soon.
fn certificate(end: Option<Timestamp>, now: Timestamp) -> Option<(Timestamp, Ending)> {
    let at = end?;
    let pressing = Pressing::of(at, now);
    let tone = match pressing {
        Pressing::Later => return None,
        Pressing::Soon => Tone::Plain,
        Pressing::Near => Tone::Careful,
        Pressing::Now | Pressing::Over => Tone::Bad,
    };
    let (minute, what) = (Moment::new(at).minute(), "The certificate of this gate".to_owned());
    let text = match pressing {
        Pressing::Over => format!("Ended {minute}"),
        Pressing::Later | Pressing::Soon | Pressing::Near | Pressing::Now => {
            format!("Ends {minute}, in {}", in_words(at.since(now)))
        }
    };
    Some((at, Ending { what, end: Notice { tone, text }, link: urls::settings() }))
}

fn grants(shown: &Shown, now: Timestamp) -> impl Iterator<Item = (Timestamp, Ending)> {
    shown.book.grants.iter().filter_map(move |grant| {
        let at = grant.when.until?.0;
        if at <= now || at.since(now) > SOON {
            return None;
        }
        let left = at.since(now);
        let tone = if left <= AT_ONCE { Tone::Careful } else { Tone::Plain };
        let text = format!("Ends {}, in {}", Moment::new(at).minute(), in_words(left));
        let link = urls::edit_grant(&grant.route, &grant.id);
        Some((at, Ending { what: sentence(grant, &shown.names), end: Notice { tone, text }, link }))
    })
}

/// `5 days`, `3 hours`, `1 minute`
fn in_words(left: Duration) -> String {
    let minutes = left.as_secs() / 60;
    let (number, unit) = match minutes {
        0..120 => (minutes, "minute"),
        120..2_880 => (minutes / 60, "hour"),
        2_880.. => (minutes / 1_440, "day"),
    };
    crate::console::words::count(usize::try_from(number).unwrap_or(usize::MAX), unit)
}
