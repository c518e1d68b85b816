//! One field line (RFC 9112 §5).
