//! The portal's page from samples, and the door with everything real behind it.

mod door;
mod page;
