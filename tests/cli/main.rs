//! The program as its users see it: arguments, output, exit statuses and pages.

mod folder;
mod program;

mod auth;
mod file_options;
mod listening;
mod serving;
mod stopping;
#[path = "../support/mod.rs"]
mod support;
mod usage;
