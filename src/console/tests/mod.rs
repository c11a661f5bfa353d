//! The console's pages from samples, the words of grants, and the door with everything real behind it.

mod adding;
mod apps;
mod beside;
mod dashboard;
mod directory;
mod drafting;
mod entra;
mod events;
mod explore;
mod forged;
mod fresh;
mod granting;
mod guarded;
mod hostile;
mod integrity;
mod leaving;
mod long;
mod meanwhile;
mod pages;
mod policies;
mod releases;
mod reports;
mod reviewing;
mod scene;
mod sessions;
mod words;
