//! How much each connection takes for its state.

use doorstep::internals::conn::Connection;

/// Ten thousand connections may be idle at once, and each of them has one of these. With its
/// socket, its peer's address and its word of ownership, a connection is to fit into two lines of a
/// cache, 128 bytes; so every field here is weighed.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_connection_is_small() {
    let size = size_of::<Connection>();
    assert!(size <= 80, "{size} bytes");
}
