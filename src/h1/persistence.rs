//! Whether a connection lives on after an exchange (RFC 9112 §9.3).

use crate::semantics::{Headers, Version};

/// Whether the client lets the connection persist: 1.1 unless `close`, 1.0 only with `keep-alive`; `close` wins over everything.
pub fn keep_alive(version: Version, headers: Headers<'_>) -> bool {
    todo!()
}
