//! What people come to do, from the first page to what follows from it, in a real browser: each flow once with scripts and
//! once without. Both ways are one function, so that neither can do what the other can't.

mod again;
mod auditing;
mod desk;
mod directory;
mod exploring;
mod faster;
mod policies;
mod portal;
mod publishing;
mod routes;
