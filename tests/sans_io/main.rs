//! The public API without IO: `doorstep::h1` and `doorstep::conn` alone, and the example that
//! serves any stream. Nothing here uses `doorstep::internals`.

mod any_stream;
mod events;
mod field_lines;
mod heads;
mod misuse;
