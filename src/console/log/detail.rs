//! What somebody did with the log, in one sentence: the details of its records are JSON, which nobody reads in a list.
//!
//! Read leniently, and only what is known here is told: the record itself, which every page links, has all of it.

use jiff::civil::Date;
use serde_json::Value;

use super::fact::text_of;
use crate::audit::verify::{Answer, Verdict};
use crate::console::words::{count, grouped};

/// The details of a record in words; nothing where nothing is known of them.
pub(super) fn sentence(detail: Option<&Value>) -> String {
    let Some(detail) = detail.filter(|detail| detail.is_object()) else {
        return text_of(detail);
    };
    let detail = Detail(detail);
    let all = [Detail::report, Detail::file, Detail::again, Detail::check, Detail::look];
    all.into_iter().find_map(|told| told(detail)).unwrap_or_default()
}

/// From one day to another: `23 to 29 Nov 2026`.
pub(in crate::console) fn days(from: Date, to: Date) -> String {
    let with = |date: Date, how: &str| date.strftime(how).to_string();
    let whole = with(to, "%-d %b %Y");
    if from == to {
        return whole;
    }
    let how = match (from.year() == to.year(), from.month() == to.month()) {
        (true, true) => "%-d",
        (true, false) => "%-d %b",
        (false, _) => "%-d %b %Y",
    };
    format!("{} to {whole}", with(from, how))
}

#[derive(Clone, Copy)]
struct Detail<'a>(&'a Value);

impl Detail<'_> {
    fn text(self, key: &str) -> Option<String> {
        Some(text_of(self.0.get(key))).filter(|text| !text.is_empty())
    }

    fn number(self, key: &str) -> Option<u64> {
        self.0.get(key)?.as_u64()
    }

    fn records(self) -> Option<String> {
        self.number("records").map(records)
    }

    /// `Refusals, 23 to 29 Nov 2026, 18 records, as CSV`
    fn report(self) -> Option<String> {
        let route = || self.text("route").or_else(|| self.text("app"));
        let what = match self.text("report")?.as_str() {
            "refusals" => Some("Refusals".to_owned()),
            "changes" => Some("Changes".to_owned()),
            "access" => Some(about("Access review", route())),
            "who" => Some(about("Who can reach", route())),
            "what" => Some(about("What can be reached by", self.text("user"))),
            _ => None,
        }?;
        let filter = self.text("query").map(|query| format!("those of {query}"));
        let parts = [Some(what), self.period(), filter, self.records(), self.format()];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }

    fn period(self) -> Option<String> {
        let day = |key| self.text(key)?.parse::<Date>().ok();
        Some(days(day("from")?, day("to")?))
    }

    /// As which file; none for a page.
    fn format(self) -> Option<String> {
        match self.text("format")?.as_str() {
            "csv" => Some("as CSV".to_owned()),
            "jsonl" => Some("as JSON Lines".to_owned()),
            _ => None,
        }
    }

    /// A file of records.
    fn file(self) -> Option<String> {
        if self.0.get("cut_off").is_some() {
            return Some(about("Broke off before its end: records of", self.text("query")));
        }
        if self.text("format")? == "tlog-proof" {
            return Some(about("The proof of record", self.text("first")));
        }
        let records = self.records()?;
        let what = self.text("query").map_or(records.clone(), |of| format!("{records} of {of}"));
        Some(self.format().map_or(what.clone(), |format| format!("{what}, {format}")))
    }

    /// How a check of the log ended.
    fn check(self) -> Option<String> {
        let verdict: Verdict = serde_json::from_value(self.0.clone()).ok()?;
        let finding = verdict.finding.unwrap_or_default();
        Some(match verdict.result {
            Answer::Intact => format!("Intact, {} read", records(verdict.read)),
            Answer::Tampered => format!("Tampered with: {finding}"),
            Answer::Unknown => format!("It can't be told: {finding}"),
            Answer::Cancelled => {
                format!("Ended before it was done, {} read", records(verdict.read))
            }
        })
    }

    /// Decisions that were decided again.
    fn again(self) -> Option<String> {
        let decided = self.number("decided")?;
        let all = if decided == 1 {
            "1 decision".to_owned()
        } else {
            format!("{} decisions", grouped(decided))
        };
        let draft = ["draft", "draft_in_work"].into_iter().any(|key| self.has(key));
        let under = match self.text("release") {
            _ if draft => " under the draft".to_owned(),
            Some(release) => format!(" under release {release}"),
            None => String::new(),
        };
        let came = match self.text("result").as_deref() {
            Some("same") => ", all fell the same",
            Some("differs") => ", some fell differently",
            Some("unknown") => ", and for some it can't be told",
            Some(_) | None => "",
        };
        Some(format!("{all}{under}{came}"))
    }

    fn has(self, key: &str) -> bool {
        !matches!(self.0.get(key), None | Some(Value::Null | Value::Bool(false)))
    }

    /// A search, or one record.
    fn look(self) -> Option<String> {
        let search = || self.text("query").map(|query| format!("A search for {query}"));
        self.text("record").map(|id| format!("Record {id}")).or_else(search)
    }
}

fn about(what: &str, of: Option<String>) -> String {
    of.map_or_else(|| what.to_owned(), |of| format!("{what} {of}"))
}

/// `1 record`, `12 345 records`
fn records(number: u64) -> String {
    if number == 1 { count(1, "record") } else { format!("{} records", grouped(number)) }
}
