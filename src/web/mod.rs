//! What all doors share towards the browser.

pub mod client;

#[cfg(test)]
mod tests;
