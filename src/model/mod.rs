//! The nouns of Cedargate: plain data that can't be wrong once it exists.
//!
//! Everything above speaks in these types. A value is parsed once, at the border, and trusted after that.
//! Nothing here decides, waits, reads a clock or knows a database; [`time::Clock`] is the one door to the time of
//! day, and it is handed to those who may open it.
//!
//! | word | type |
//! |---|---|
//! | app | [`app::App`] |
//! | route | [`route::Route`], its pattern [`route::PathPattern`] |
//! | principal | [`principal::Principal`] |
//! | people who are known | [`known::Known`]: who was here, as they were then |
//! | grant | [`grant::Grant`] |
//! | policy | [`policy::Policy`] |
//! | assertion | [`assertion::Assertion`] |
//! | rule book | [`rule_book::RuleBook`] |
//! | rule book, to look things up in | [`indexed::IndexedBook`] |
//! | release | [`rule_book::Release`] |
//! | record | [`record::Entry`] and what it is made of |
//! | record, its bytes | [`body::Head`] and what follows it |
//! | record, read back | [`recorded::Recorded`] |
//! | cut | [`cut::ConnectionCut`]: the end of an open connection |
//! | group | [`group::KnownGroup`], and [`group::GroupNames`]: what groups are called |
//! | session | [`session::Session`], and [`browser::Browser`]: what it is used with |
//! | cloud, credential | [`entra::Cloud`], [`entra::Credential`]: how Cedargate itself stands at Entra |
//! | end | [`expiry::Pressing`]: how soon something must be renewed |
//! | words | [`words`]: rules in plain words |
//! | line | [`line_diff`]: two texts, line by line |
//! | problem | [`problem::Problem`]: what a person has to put right |

mod acceptance;
mod actor;
pub mod app;
pub mod assertion;
pub mod body;
pub mod browser;
pub mod civil;
mod client_address;
mod conditions;
pub mod csv;
pub mod cut;
pub mod difference;
pub mod entra;
mod event;
pub mod expiry;
pub mod grant;
pub mod group;
pub mod host;
pub mod id;
pub mod indexed;
pub mod known;
pub mod line_diff;
mod pattern;
pub mod policy;
pub mod principal;
pub mod problem;
pub mod query;
pub mod record;
pub mod recorded;
pub mod route;
pub mod rule_book;
pub mod session;
pub mod time;
mod verdict;
pub mod words;

#[cfg(test)]
mod tests;
