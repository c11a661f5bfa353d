//! Whole flows, as a person or a program sees them. One binary, so that everything is linked once.

#[cfg(feature = "demo")]
mod harness;
mod tidy;
#[cfg(feature = "demo")]
mod walk;
