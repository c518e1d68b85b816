//! The lowest layer of the engine: no file here knows a connection.

pub mod catch_panic;
pub mod descriptors;
pub mod lock;
pub mod observer;
pub mod overload;
pub mod permits;
pub mod signal;
pub mod token;
