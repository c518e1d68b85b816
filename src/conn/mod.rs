//! One connection's life.
#![forbid(unsafe_code)]
mod close_reason;
pub use close_reason::CloseReason;
