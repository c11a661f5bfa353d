//! The console: routes, who may open them, and what was decided.

pub mod cedar_text;
pub mod choice;
pub mod decision;
pub mod decisions;
pub mod route;
pub mod routes;
pub mod urls;
pub mod words;

#[cfg(test)]
mod tests;
