//! The console's pages, from samples, and the words of grants.

mod pages;
mod words;
