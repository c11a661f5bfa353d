//! What happens to a request on a protected host, up to its app and back.

pub mod assertion;
pub mod flood;
pub mod headers;

#[cfg(test)]
mod tests;
