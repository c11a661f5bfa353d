//! What end users see: their access and their sessions.

pub mod home;

#[cfg(test)]
mod tests;
