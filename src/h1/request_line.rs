//! The request line (RFC 9112 §3).
