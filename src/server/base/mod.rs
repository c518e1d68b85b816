//! What every layer of the engine stands on: no file here knows a connection.

pub mod catch_panic;
pub mod lock;
pub mod observer;
pub mod permits;
pub mod signal;
pub mod token;
