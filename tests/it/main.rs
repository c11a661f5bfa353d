//! Whole flows, as a person or a program sees them. One binary, so that everything is linked once.

mod tidy;
