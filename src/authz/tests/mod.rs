//! Facts about what is allowed.

mod path;
