//! What happens to a request on a protected host, up to its app and back.

pub mod headers;

#[cfg(test)]
mod tests;
