//! The program as its users see it: arguments in; standard output, standard error, exit status and pages out.

mod folder;
mod program;

mod auth;
mod file_options;
mod listening;
mod serving;
mod stopping;
mod usage;
